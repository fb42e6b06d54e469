#pragma once

/*
 * "{instance_id}" and "{owner}" in commands and environments.  "{{" and "}}"
 * stand for single braces; any other word in braces is an error.
 */

#include <stdbool.h>

#include "berth/base/buf.h"

struct template_values {
    const char *instance_id;
    const char *owner;
};

/** template_check() - NULL when @text is good, else what is wrong with it ("must be ..."). Static. */
const char *template_check(const char *text);

/** template_expand() - @text, which template_check() has accepted, onto @buf. */
void template_expand(const char *text, const struct template_values *values, struct buf *buf);
