/* Tables that fit the terminal. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/grid.h"

#define ELLIPSIS "…"

enum {
    GRID_GAP = 2,   /* between columns */
    GRID_LEAST = 6, /* a column that gives way keeps so much */
};

struct grid_cell {
    char *text; /* owned */
    size_t width;
    enum cli_grid_style style;
};

struct grid_column {
    char *title; /* owned */
    unsigned flags;
    size_t natural; /* width of the widest cell */
    size_t width;   /* when rendered; 0: left out */
};

struct cli_grid {
    size_t column_count;
    size_t titled;
    struct grid_column *columns;
    struct grid_cell *cells; /* row by row */
    size_t cell_count;
    size_t cell_cap;
};

struct grid_range {
    uint32_t first;
    uint32_t last;
};

/* clang-format off */
static const struct grid_range grid_wide[] = {
    { 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23ec }, { 0x23f0, 0x23f0 },
    { 0x23f3, 0x23f3 }, { 0x25fd, 0x25fe }, { 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x267f, 0x267f },
    { 0x2693, 0x2693 }, { 0x26a1, 0x26a1 }, { 0x26aa, 0x26ab }, { 0x26bd, 0x26be }, { 0x26c4, 0x26c5 },
    { 0x26ce, 0x26ce }, { 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea }, { 0x26f2, 0x26f3 }, { 0x26f5, 0x26f5 },
    { 0x26fa, 0x26fa }, { 0x26fd, 0x26fd }, { 0x2705, 0x2705 }, { 0x270a, 0x270b }, { 0x2728, 0x2728 },
    { 0x274c, 0x274c }, { 0x274e, 0x274e }, { 0x2753, 0x2755 }, { 0x2757, 0x2757 }, { 0x2795, 0x2797 },
    { 0x27b0, 0x27b0 }, { 0x27bf, 0x27bf }, { 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 },
    { 0x2e80, 0x303e }, { 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0xa4cf }, { 0xa960, 0xa97f },
    { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe10, 0xfe19 }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
    { 0xffe0, 0xffe6 }, { 0x16fe0, 0x18cff }, { 0x1aff0, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf },
    { 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
    { 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 },
    { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e },
    { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f },
    { 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec },
    { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff },
    { 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

static const struct grid_range grid_none[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05c7 }, { 0x0610, 0x061a },
    { 0x064b, 0x065f }, { 0x0670, 0x0670 }, { 0x06d6, 0x06dc }, { 0x06df, 0x06ed }, { 0x0711, 0x0711 },
    { 0x0730, 0x074a }, { 0x0816, 0x082d }, { 0x0859, 0x085b }, { 0x08d3, 0x0902 }, { 0x093a, 0x093c },
    { 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0951, 0x0957 }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
    { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
    { 0x2060, 0x206f }, { 0x20d0, 0x20f0 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff },
    { 0x1f3fb, 0x1f3ff }, { 0xe0000, 0xe0fff },
};

static const char *const grid_escapes[CLI_GRID_STYLE_COUNT] = {
    [CLI_GRID_PLAIN] = "",
    [CLI_GRID_HEAD]  = "\033[1m",
    [CLI_GRID_GOOD]  = "\033[32m",
    [CLI_GRID_BUSY]  = "\033[33m",
    [CLI_GRID_BAD]   = "\033[31m",
};
/* clang-format on */

static bool
cli_grid_in(const struct grid_range *ranges, size_t count, uint32_t c)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (c >= ranges[middle].first && c <= ranges[middle].last)
            return true;
        if (c < ranges[middle].first) {
            count = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

/* Columns of the sequence of @len bytes at @text, which is valid. */
static size_t
cli_grid_columns(const char *text, size_t len)
{
    static const uint8_t masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    uint32_t c = (uint8_t)text[0] & masks[len];

    for (size_t i = 1; i < len; i++)
        c = c << 6 | ((uint8_t)text[i] & 0x3f);
    if (c < 0x300)
        return 1;
    if (cli_grid_in(grid_none, ARRAY_LEN(grid_none), c))
        return 0;
    return cli_grid_in(grid_wide, ARRAY_LEN(grid_wide), c) ? 2 : 1;
}

size_t
cli_grid_width(const char *text, size_t len)
{
    size_t width = 0;

    while (len > 0) {
        size_t step = text_utf8_sequence(text, len);

        width += step ? cli_grid_columns(text, step) : 1;
        step += step == 0;
        text += step;
        len -= step;
    }
    return width;
}

struct cli_grid *
cli_grid_new(size_t columns)
{
    struct cli_grid *grid = mem_new0(sizeof(*grid));

    assert(columns > 0);
    grid->column_count = columns;
    grid->columns = mem_new0(columns * sizeof(*grid->columns));
    return grid;
}

void
cli_grid_free(struct cli_grid *grid)
{
    if (!grid)
        return;
    for (size_t i = 0; i < grid->column_count; i++)
        mem_free(grid->columns[i].title);
    for (size_t i = 0; i < grid->cell_count; i++)
        mem_free(grid->cells[i].text);
    mem_free(grid->columns);
    mem_free(grid->cells);
    mem_free(grid);
}

void
cli_grid_column(struct cli_grid *grid, const char *title, unsigned flags)
{
    struct grid_column *column = &grid->columns[grid->titled++];

    assert(grid->titled <= grid->column_count && grid->cell_count == 0);
    column->title = mem_strdup(title);
    column->flags = flags;
    column->natural = cli_grid_width(title, strlen(title));
}

void
cli_grid_cell(struct cli_grid *grid, enum cli_grid_style style, const char *text)
{
    struct grid_column *column = &grid->columns[grid->cell_count % grid->column_count];
    struct grid_cell *cell;

    assert(grid->titled == grid->column_count);
    if (grid->cell_count == grid->cell_cap) {
        grid->cell_cap = grid->cell_cap ? grid->cell_cap * 2 : 64;
        grid->cells = mem_resize(grid->cells, grid->cell_cap, sizeof(*grid->cells));
    }
    cell = &grid->cells[grid->cell_count++];
    cell->text = mem_strdup(text && text[0] ? text : "-");
    text_utf8_clean(cell->text, false);
    cell->style = style;
    cell->width = cli_grid_width(cell->text, strlen(cell->text));
    if (cell->width > column->natural)
        column->natural = cell->width;
}

static size_t
cli_grid_total(const struct grid_column *columns, size_t count)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += columns[i].width ? columns[i].width + (total ? GRID_GAP : 0) : 0;
    return total;
}

/* The column to take from: the widest that may give way; NULL when none may. */
static struct grid_column *
cli_grid_widest(struct grid_column *columns, size_t count)
{
    struct grid_column *widest = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!(columns[i].flags & CLI_GRID_KEEP) && columns[i].width > GRID_LEAST &&
            (!widest || columns[i].width >= widest->width))
            widest = &columns[i];
    }
    return widest;
}

/* Set the widths: @columns is the renderer's copy. */
static void
cli_grid_fit(struct grid_column *columns, size_t count, size_t width)
{
    for (size_t i = 0; i < count; i++)
        columns[i].width = columns[i].natural;
    while (width > 0 && cli_grid_total(columns, count) > width) {
        struct grid_column *widest = cli_grid_widest(columns, count);

        if (widest) {
            widest->width--;
            continue;
        }
        for (widest = columns + count; widest > columns; widest--) {
            if (widest[-1].width && !(widest[-1].flags & CLI_GRID_KEEP))
                break;
        }
        if (widest == columns)
            return;
        widest[-1].width = 0;
    }
}

/* Bytes of @text that fill at most @width columns. Its last columns are set in @ret_width. */
static size_t
cli_grid_cut(const char *text, size_t width, size_t *ret_width)
{
    size_t len = strlen(text);
    size_t at = 0;

    *ret_width = 0;
    while (at < len) {
        size_t step = text_utf8_sequence(text + at, len - at);
        size_t columns = step ? cli_grid_columns(text + at, step) : 1;

        if (*ret_width + columns > width)
            break;
        *ret_width += columns;
        at += step ? step : 1;
    }
    return at;
}

struct grid_place {
    const struct grid_column *column;
    bool first;
    bool last;
    bool colour;
};

static void
cli_grid_pad(struct buf *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        buf_append_char(out, ' ');
}

static void
cli_grid_put(struct buf *out, const struct grid_place *place, const struct grid_cell *cell)
{
    const struct grid_column *column = place->column;
    bool colour = place->colour && cell->style != CLI_GRID_PLAIN;
    size_t width = cell->width;
    size_t len = strlen(cell->text);
    bool cut = width > column->width;
    size_t pad;

    if (cut)
        len = cli_grid_cut(cell->text, column->width - 1, &width);
    pad = column->width - width - (cut ? 1 : 0);
    if (!place->first)
        cli_grid_pad(out, GRID_GAP);
    if (column->flags & CLI_GRID_RIGHT)
        cli_grid_pad(out, pad);
    if (colour)
        buf_append_string(out, grid_escapes[cell->style]);
    buf_append(out, cell->text, len);
    if (cut)
        buf_append_string(out, ELLIPSIS);
    if (colour)
        buf_append_string(out, "\033[0m");
    if (!(column->flags & CLI_GRID_RIGHT) && !place->last)
        cli_grid_pad(out, pad);
}

void
cli_grid_render(const struct cli_grid *grid, size_t width, bool colour, struct buf *out)
{
    size_t count = grid->column_count;
    CLEANUP(mem_freep)
    struct grid_column *columns = mem_dup(grid->columns, count * sizeof(*columns));
    size_t last = 0;

    assert(grid->titled == count && grid->cell_count % count == 0);
    cli_grid_fit(columns, count, width);
    for (size_t i = 0; i < count; i++)
        last = columns[i].width ? i : last;
    for (size_t at = 0; at < count + grid->cell_count; at++) {
        size_t i = at % count;
        const struct grid_cell title = { .text = columns[i].title,
                                         .style = CLI_GRID_HEAD,
                                         .width = cli_grid_width(columns[i].title,
                                                                 strlen(columns[i].title)) };
        const struct grid_place place = {
            .column = &columns[i], .first = i == 0, .last = i == last, .colour = colour
        };

        if (columns[i].width)
            cli_grid_put(out, &place, at < count ? &title : &grid->cells[at - count]);
        if (i + 1 == count)
            buf_append_char(out, '\n');
    }
}
