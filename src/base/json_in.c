/* JSON in: jansson, behind limits that are checked before it allocates anything. */

#include <string.h>

#include "berth/base/json.h"

_Static_assert(JSON_DEPTH_MAX == 32, "its refusal says so");

static bool
json_in_too_deep(const char *data, size_t len, size_t *ret_at)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < len; i++) {
        char c = data[i];

        if (c == '"') {
            in_string = !in_string;
        } else if (in_string) {
            i += c == '\\';
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        }
        if (depth > JSON_DEPTH_MAX) {
            *ret_at = i;
            return true;
        }
    }
    return false;
}

static int
json_in_refuse_at(const char *data, size_t at, const char *what, struct fault *fault)
{
    size_t line = 1;
    size_t column = 1;

    for (size_t i = 0; i < at; i++) {
        column = data[i] == '\n' ? 1 : column + 1;
        line += data[i] == '\n';
    }
    return fault_set(fault, FAULT_INVALID, "json.parse", "line %zu, column %zu: %s", line, column,
                     what);
}

int
json_in_parse(const char *data, size_t len, json_t **ret_json, struct fault *fault)
{
    json_error_t error;
    json_t *json;
    const char *quote;
    const char *nul = len > 0 ? memchr(data, '\0', len) : NULL;
    size_t at;

    if (nul) { /* jansson overlooks one that follows a number */
        return json_in_refuse_at(data, (size_t)(nul - data), "NUL characters are not allowed",
                                 fault);
    }
    if (json_in_too_deep(data, len, &at)) {
        return json_in_refuse_at(data, at, "nested too deeply; at most 32 levels are allowed",
                                 fault);
    }
    json = json_loadb(len > 0 ? data : "", len, JSON_REJECT_DUPLICATES, &error);
    if (json) {
        *ret_json = json;
        return 0;
    }
    /* What jansson quotes of the input after " near " may be a password. */
    quote = strstr(error.text, " near ");
    return fault_set(fault, FAULT_INVALID, "json.parse", "line %d, column %d: %.*s", error.line,
                     error.column, (int)(quote ? quote - error.text : JSON_ERROR_TEXT_LENGTH),
                     error.text);
}

const char *
json_in_string(const json_t *object, const char *key, const char *fallback)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : fallback;
}

int64_t
json_in_int(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool
json_in_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}
