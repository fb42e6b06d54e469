#include <string.h>

#include "berth/cli/lines.h"

void
cli_lines_init(struct cli_lines *lines,
               bool (*on_line)(struct cli_lines *lines, const char *line, size_t len))
{
    buf_init(&lines->rest, CLI_LINES_MAX);
    lines->on_line = on_line;
}

void
cli_lines_fini(struct cli_lines *lines)
{
    buf_fini(&lines->rest);
}

static bool
cli_lines_take(struct cli_lines *lines)
{
    bool whole = !lines->rest.overflow;
    size_t len = lines->rest.len;
    bool more = true;

    if (whole && len > 0 && lines->rest.data[len - 1] == '\r')
        lines->rest.data[--len] = '\0';
    if (whole)
        more = lines->on_line(lines, buf_text(&lines->rest), len);
    buf_clear(&lines->rest);
    lines->rest.overflow = false;
    return more;
}

bool
cli_lines_feed(struct cli_lines *lines, const char *data, size_t len)
{
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t step = end ? (size_t)(end - data) : len;

        buf_append(&lines->rest, data, step);
        if (end && !cli_lines_take(lines))
            return false;
        step += end != NULL;
        data += step;
        len -= step;
    }
    return true;
}

void
cli_lines_end(struct cli_lines *lines)
{
    if (lines->rest.len > 0)
        (void)cli_lines_take(lines);
}
