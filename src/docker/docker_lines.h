#pragma once

/*
 * JSON documents, one a line, out of a stream that is cut anywhere.
 */

#include "berth/base/buf.h"
#include "berth/base/fault.h"
#include "berth/base/json.h"

enum { DOCKER_LINE_MAX = 256 * 1024 };

struct docker_lines {
    struct buf rest; /* of a line whose end has not come */
    /* @json is borrowed. Return: 0, or -1 with @fault to end it. */
    int (*on_line)(struct docker_lines *lines, const json_t *json, struct fault *fault);
};

void docker_lines_init(struct docker_lines *lines);
void docker_lines_fini(struct docker_lines *lines);
/** docker_lines_feed() - the next piece. Return: 0, or -1 with what on_line said, or FAULT_GARBLED for
 * what is no JSON or longer than DOCKER_LINE_MAX. */
int docker_lines_feed(struct docker_lines *lines, const char *data, size_t len,
                      struct fault *fault);
/** docker_lines_end() - the stream ended: what is left is the last line. */
int docker_lines_end(struct docker_lines *lines, struct fault *fault);
