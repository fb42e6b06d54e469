/* Lines are parsed where they lie; only the unfinished last one is copied. */

#include "docker_lines.h"

#include <string.h>

#include "berth/base/json.h"

#include "docker_json.h"

static int docker_lines_one(struct docker_lines *lines, const char *line, size_t len,
                            struct fault *fault);

void
docker_lines_init(struct docker_lines *lines)
{
    buf_init(&lines->rest, DOCKER_LINE_MAX);
}

void
docker_lines_fini(struct docker_lines *lines)
{
    buf_fini(&lines->rest);
}

int
docker_lines_feed(struct docker_lines *lines, const char *data, size_t len, struct fault *fault)
{
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t take = end ? (size_t)(end - data) : len;
        int ret = 0;

        if (!end || lines->rest.len > 0)
            buf_append(&lines->rest, data, take);
        if (lines->rest.overflow) {
            return fault_set(fault, FAULT_GARBLED, "docker.stream", "a line of more than %d bytes",
                             DOCKER_LINE_MAX);
        }
        if (!end)
            return 0;
        if (lines->rest.len > 0) {
            ret = docker_lines_end(lines, fault);
        } else {
            ret = docker_lines_one(lines, data, take, fault);
        }
        if (ret < 0)
            return ret;
        data += take + 1;
        len -= take + 1;
    }
    return 0;
}

int
docker_lines_end(struct docker_lines *lines, struct fault *fault)
{
    int ret = docker_lines_one(lines, buf_text(&lines->rest), lines->rest.len, fault);

    buf_clear(&lines->rest);
    return ret;
}

static int
docker_lines_one(struct docker_lines *lines, const char *line, size_t len, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    if (len == 0)
        return 0;
    if (docker_json_parse(line, len, &json, fault) < 0)
        return -1;
    return lines->on_line(lines, json, fault);
}
