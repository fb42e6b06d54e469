#pragma once

/*
 * JSON from an engine.  What an image's author wrote stands in it (labels,
 * commands), so that one \u0000 in a label must not hide a host's containers:
 * it is read as U+FFFD.
 */

#include "berth/base/fault.h"
#include "berth/base/json.h"

/** docker_json_parse() - @ret_json is owned. Return: 0, or -1 with FAULT_GARBLED. */
int docker_json_parse(const char *data, size_t len, json_t **ret_json, struct fault *fault);
/** docker_json_message() - the "message" of an error's body, or its beginning when it is not JSON;
 * @ret_text of @size bytes. Return: @ret_text. */
const char *docker_json_message(const char *data, size_t len, char *ret_text, size_t size);
