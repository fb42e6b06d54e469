/* One place that reads what engines write. */

#include "docker_json.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

static const char nul_escape[] = "\\u0000";

enum { NUL_ESCAPE_LEN = sizeof(nul_escape) - 1 };

/* Overwrites each \u0000 that is an escape by \ufffd, in place; "\\u0000" is a backslash and text. */
static void
docker_json_patch(char *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (data[i] != '\\')
            continue;
        if (len - i >= NUL_ESCAPE_LEN && memcmp(data + i, nul_escape, NUL_ESCAPE_LEN) == 0)
            memcpy(data + i + 2, "fffd", 4);
        i++;
    }
}

int
docker_json_parse(const char *data, size_t len, json_t **ret_json, struct fault *fault)
{
    CLEANUP(mem_freep) char *copy = NULL;
    struct fault bad;

    if (len > 0 && memmem(data, len, nul_escape, NUL_ESCAPE_LEN)) {
        copy = mem_dup(data, len);
        docker_json_patch(copy, len);
        data = copy;
    }
    if (json_in_parse(data, len, ret_json, &bad) < 0) {
        return fault_set(fault, FAULT_GARBLED, "docker.json", "the engine's answer is not JSON: %s",
                         bad.text);
    }
    return 0;
}

const char *
docker_json_message(const char *data, size_t len, char *ret_text, size_t size)
{
    CLEANUP(json_freep) json_t *json = NULL;
    const char *message = NULL;

    if (len > 0 && docker_json_parse(data, len, &json, NULL) == 0)
        message = json_in_string(json, "message", NULL);
    if (message) {
        (void)snprintf(ret_text, size, "%s", message);
    } else {
        (void)snprintf(ret_text, size, "%.*s", (int)(len < size ? len : size), len ? data : "");
    }
    text_utf8_clean(ret_text, false);
    return ret_text;
}
