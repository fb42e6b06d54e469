/* Tables: the layout at several widths, wide and combining characters, what gives way first. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/cli/grid.h"

static void
test_render(const struct cli_grid *grid, size_t width, struct buf *out)
{
    buf_init(out, 0);
    cli_grid_render(grid, width, false, out);
}

static struct cli_grid *
test_grid(void)
{
    struct cli_grid *grid = cli_grid_new(4);

    cli_grid_column(grid, "ID", CLI_GRID_KEEP);
    cli_grid_column(grid, "COUNT", CLI_GRID_RIGHT);
    cli_grid_column(grid, "TEXT", 0);
    cli_grid_column(grid, "LAST", 0);
    cli_grid_cell(grid, CLI_GRID_PLAIN, "i-0123456789abc");
    cli_grid_cell(grid, CLI_GRID_PLAIN, "7");
    cli_grid_cell(grid, CLI_GRID_GOOD,
                  "a rather long text that will have to give way when it gets narrow");
    cli_grid_cell(grid, CLI_GRID_PLAIN, "");
    return grid;
}

static size_t
test_widest(const struct buf *text)
{
    size_t widest = 0;

    for (const char *at = buf_text(text); *at;) {
        size_t len = strcspn(at, "\n");
        size_t width = cli_grid_width(at, len);

        widest = width > widest ? width : widest;
        at += len + (at[len] == '\n');
    }
    return widest;
}

static void
without_a_limit_nothing_is_cut(void **state)
{
    CLEANUP(cli_grid_freep) struct cli_grid *grid = test_grid();
    struct buf out;

    (void)state;
    test_render(grid, 0, &out);
    assert_string_equal(buf_text(&out), "ID               COUNT  TEXT                              "
                                        "                                 "
                                        "LAST\n"
                                        "i-0123456789abc      7  a rather long text that will have "
                                        "to give way when it gets narrow  "
                                        "-\n");
    buf_fini(&out);
}

static void
tables_fit(void **state)
{
    static const size_t widths[] = { 20, 30, 40, 41, 60, 80, 96, 97, 200 };
    CLEANUP(cli_grid_freep) struct cli_grid *grid = test_grid();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        struct buf out;

        test_render(grid, widths[i], &out);
        assert_true(test_widest(&out) <= widths[i]);
        assert_non_null(strstr(buf_text(&out), "i-0123456789abc"));
        buf_fini(&out);
    }
}

static void
the_widest_gives_way_then_the_last_go(void **state)
{
    CLEANUP(cli_grid_freep) struct cli_grid *grid = test_grid();
    struct buf out;

    (void)state;
    test_render(grid, 40, &out);
    assert_string_equal(buf_text(&out), "ID               COUNT  TEXT        LAST\n"
                                        "i-0123456789abc      7  a rather …  -\n");
    buf_fini(&out);
    test_render(grid, 24, &out);
    assert_string_equal(buf_text(&out), "ID               COUNT\ni-0123456789abc      7\n");
    buf_fini(&out);
    test_render(grid, 5, &out);
    assert_string_equal(buf_text(&out), "ID\ni-0123456789abc\n");
    buf_fini(&out);
}

static void
wide_and_combining_characters_are_counted(void **state)
{
    static const struct {
        const char *text;
        size_t width;
    } texts[] = {
        { "", 0 },
        { "abc", 3 },
        { "日本", 4 },
        { "e\xcc\x81", 1 },
        { "\xc3\xa9", 1 },
        { "\xf0\x9f\x98\x80", 2 },
        { "\xef\xbd\x81", 2 },
        { "\xff", 1 },
        { "a\xe2\x80\x8b"
          "b",
          2 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(cli_grid_width(texts[i].text, strlen(texts[i].text)), texts[i].width);
}

static void
a_wide_character_is_not_cut_in_two(void **state)
{
    CLEANUP(cli_grid_freep) struct cli_grid *grid = cli_grid_new(1);
    struct buf out;

    (void)state;
    cli_grid_column(grid, "T", 0);
    cli_grid_cell(grid, CLI_GRID_PLAIN, "日本語日本語");
    test_render(grid, 8, &out);
    assert_string_equal(buf_text(&out), "T\n日本語…\n");
    buf_fini(&out);
    test_render(grid, 9, &out);
    assert_string_equal(buf_text(&out), "T\n日本語日…\n");
    buf_fini(&out);
}

static void
cells_are_cleaned_and_coloured(void **state)
{
    CLEANUP(cli_grid_freep) struct cli_grid *grid = cli_grid_new(1);
    struct buf out;

    (void)state;
    cli_grid_column(grid, "T", 0);
    cli_grid_cell(grid, CLI_GRID_BAD, "a\033[2Jb\nc");
    buf_init(&out, 0);
    cli_grid_render(grid, 0, true, &out);
    assert_string_equal(buf_text(&out), "\033[1mT\033[0m\n\033[31ma [2Jb c\033[0m\n");
    buf_fini(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit_nothing_is_cut),
        cmocka_unit_test(tables_fit),
        cmocka_unit_test(the_widest_gives_way_then_the_last_go),
        cmocka_unit_test(wide_and_combining_characters_are_counted),
        cmocka_unit_test(a_wide_character_is_not_cut_in_two),
        cmocka_unit_test(cells_are_cleaned_and_coloured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
