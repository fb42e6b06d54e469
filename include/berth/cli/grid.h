#pragma once

/*
 * Tables that fit the terminal: columns are as wide as their widest cell; when
 * that is too much the widest give way, then the last ones go.
 */

#include <stdbool.h>

#include "berth/base/buf.h"

enum {
    CLI_GRID_KEEP = 1 << 0,  /* never cut or left out */
    CLI_GRID_RIGHT = 1 << 1, /* numbers */
};

enum cli_grid_style {
    CLI_GRID_PLAIN,
    CLI_GRID_HEAD,
    CLI_GRID_GOOD,
    CLI_GRID_BUSY,
    CLI_GRID_BAD,
    CLI_GRID_STYLE_COUNT
};

struct cli_grid;

/** cli_grid_new() - @columns > 0. */
struct cli_grid *cli_grid_new(size_t columns) MUST_USE;
void cli_grid_free(struct cli_grid *grid);
MEM_DEFINE_FREEP(struct cli_grid, cli_grid_free);

/** cli_grid_column() - the next column's title, copied, and CLI_GRID_* flags; before the first cell. */
void cli_grid_column(struct cli_grid *grid, const char *title, unsigned flags);

/** cli_grid_cell() - the next cell, row by row. @text: copied, control characters become spaces;
 * empty or NULL shows as "-". */
void cli_grid_cell(struct cli_grid *grid, enum cli_grid_style style, const char *text);

/**
 * cli_grid_render() - append the whole table
 * @width:  of the terminal, in columns; 0: no limit
 * @colour: with escape sequences for colours
 */
void cli_grid_render(const struct cli_grid *grid, size_t width, bool colour, struct buf *out);

/** cli_grid_width() - columns that @len bytes of UTF-8 take: wide characters two, combining ones
 * none. Source: Unicode 15 East Asian Width W and F, general categories Mn and Me, in ranges. */
size_t cli_grid_width(const char *text, size_t len);
