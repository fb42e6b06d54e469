#pragma once

/*
 * Lines out of a stream of bytes.
 */

#include <stdbool.h>

#include "berth/base/buf.h"

enum { CLI_LINES_MAX = 4 * 1024 * 1024 }; /* bytes of a line; what is longer is dropped */

struct cli_lines {
    struct buf rest; /* the line that has not ended yet */
    /* A line without its end. Return: false to stop. */
    bool (*on_line)(struct cli_lines *lines, const char *line, size_t len);
};

void cli_lines_init(struct cli_lines *lines,
                    bool (*on_line)(struct cli_lines *lines, const char *line, size_t len));
void cli_lines_fini(struct cli_lines *lines);

/** cli_lines_feed() - the next @len bytes. Return: false when on_line() said so. */
bool cli_lines_feed(struct cli_lines *lines, const char *data, size_t len);

/** cli_lines_end() - the last line may lack its end. */
void cli_lines_end(struct cli_lines *lines);
