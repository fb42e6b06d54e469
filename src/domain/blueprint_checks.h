#pragma once

/*
 * Checks of single strings in a blueprint, as schema_check_fn: NULL when @text
 * is good, else what is wrong with it.
 */

const char *blueprint_checks_name(const char *text);
const char *blueprint_checks_image(const char *text);
const char *blueprint_checks_env_key(const char *text);
const char *blueprint_checks_label_key(const char *text);
const char *blueprint_checks_mount(const char *text);
const char *blueprint_checks_path(const char *text);
const char *blueprint_checks_capability(const char *text);
const char *blueprint_checks_ulimit(const char *text);
