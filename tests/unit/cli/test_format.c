/* Values as people read and write them, documents, lines. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/cli/file.h"
#include "berth/cli/format.h"
#include "berth/cli/lines.h"

static json_t *
test_json(const char *text)
{
    json_t *json = NULL;

    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    return json;
}

static void
ages(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { -5, "0s" },         { 0, "0s" },         { 119999, "119s" },
        { 120000, "2m" },     { 7199000, "119m" }, { 7200000, "2h" },
        { 172799000, "47h" }, { 172800000, "2d" }, { INT64_MAX, "106751991167d" },
    };
    char age[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(cli_format_age(cases[i].ms, age), cases[i].text);
}

static void
what_people_write_becomes_numbers_but_in_their_own_maps(void **state)
{
    CLEANUP(json_freep)
    json_t *json = test_json("{\"memory_bytes\":\"512m\",\"lifetime_s\":\"1h\",\"name\":\"12m\","
                             "\"env\":{\"A_S\":\"1h\",\"x_bytes\":\"1k\"},"
                             "\"ready\":{\"timeout_s\":\"90\"},\"list\":[{\"size_bytes\":\"1k\"}],"
                             "\"pids\":5,\"log_bytes\":7}");
    CLEANUP(json_freep)
    json_t *want = test_json("{\"memory_bytes\":536870912,\"lifetime_s\":3600,\"name\":\"12m\","
                             "\"env\":{\"A_S\":\"1h\",\"x_bytes\":\"1k\"},"
                             "\"ready\":{\"timeout_s\":90},\"list\":[{\"size_bytes\":1024}],"
                             "\"pids\":5,\"log_bytes\":7}");
    CLEANUP(json_freep) json_t *bad = test_json("{\"a\":{\"stop_grace_s\":\"soon\"}}");
    struct fault fault;

    (void)state;
    assert_int_equal(cli_format_exact(json, &fault), 0);
    assert_true(json_equal(json, want));
    assert_int_equal(cli_format_exact(bad, &fault), -1);
    assert_non_null(strstr(fault.text, "stop_grace_s"));
}

static void
what_the_daemon_tells_becomes_readable(void **state)
{
    CLEANUP(json_freep)
    json_t *json =
        test_json("{\"memory_bytes\":536870912,\"eta_s\":90,\"none\":null,"
                  "\"created_at\":\"2030-01-01T00:00:00.000Z\",\"list\":[{\"n\":null}]}");
    CLEANUP(json_freep) json_t *shown = NULL;
    int64_t at_ms = INT64_C(1893456000000);
    struct buf out;

    (void)state;
    shown = cli_format_humane(json, at_ms + 300000);
    buf_init(&out, 0);
    cli_format_plain(shown, &out);
    assert_string_equal(buf_text(&out),
                        "memory_bytes: 512 MiB\neta_s: 1 min 30 s\n"
                        "created_at: 2030-01-01T00:00:00Z (5m ago)\nlist:\n  - -\n");
    buf_fini(&out);
}

static void
paths_reach_into_objects(void **state)
{
    CLEANUP(json_freep)
    json_t *json =
        test_json("{\"a\":{\"b\":7,\"c.d\":8},\"labels\":{\"x.y\":\"z\"},\"l\":[1,\"b\"]}");
    struct buf out;

    (void)state;
    assert_int_equal(json_integer_value(cli_format_path(json, "a.b")), 7);
    assert_int_equal(json_integer_value(cli_format_path(json, "a.c.d")), 8);
    assert_string_equal(json_string_value(cli_format_path(json, "labels.x.y")), "z");
    assert_null(cli_format_path(json, "a.b.c"));
    assert_null(cli_format_path(json, "z"));
    assert_int_equal(json_integer_value(cli_format_first(json, "z|a.b|l")), 7);
    assert_null(cli_format_first(json, "z|y"));
    buf_init(&out, 0);
    cli_format_scalar(json_object_get(json, "l"), &out);
    cli_format_scalar(json_object_get(json, "a"), &out);
    assert_string_equal(buf_text(&out), "1,bb=7,c.d=8");
    buf_fini(&out);
}

static void
lines_are_broken_at_blanks(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 0);
    cli_format_wrap(&out, 2, " one two\033three  four\n", 12);
    assert_string_equal(buf_text(&out), "  one two\n  three four\n");
    buf_clear(&out);
    cli_format_wrap(&out, 0, "all in one line, however long it may be", 0);
    assert_string_equal(buf_text(&out), "all in one line, however long it may be\n");
    buf_clear(&out);
    cli_format_wrap(&out, 4, "longer-than-the-line b", 6);
    assert_string_equal(buf_text(&out), "    longer-than-the-line\n    b\n");
    buf_fini(&out);
}

static void
documents_are_counted_and_their_errors_found(void **state)
{
    static const struct {
        const char *text;
        size_t count; /* SIZE_MAX: refused */
    } cases[] = {
        { "", 0 },
        { "# nothing\n---\n\n", 0 },
        { "a: 1", 1 },
        { "a: 1\n---\nb: 2\n--- \nc: |\n  text\n   ---\n", 3 },
        { "--- {a: 1}\n---\n- x: 1\n- x: 2\n", 3 },
        { "[{\"a\":1},{\"b\":2}]", 2 },
        { "{\"a\":1}", 1 },
        { "{a: 1}", 1 },
        { "a: [", SIZE_MAX },
        { "a: 1\na: 2", SIZE_MAX },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(json_freep) json_t *list = NULL;
        struct fault fault;
        int result = cli_file_documents("f", cases[i].text, strlen(cases[i].text), &list, &fault);

        assert_int_equal(result, cases[i].count == SIZE_MAX ? -1 : 0);
        assert_int_equal(json_array_size(list), result < 0 ? 0 : cases[i].count);
    }
}

static void
errors_in_later_documents_have_the_files_line(void **state)
{
    static const char text[] = "a: 1\n---\nb: 2\n---\nc: \"open\n";
    CLEANUP(json_freep) json_t *list = NULL;
    struct fault fault;

    (void)state;
    assert_int_equal(cli_file_documents("f", text, strlen(text), &list, &fault), -1);
    if (strncmp(fault.text, "f:5:", 4) != 0 && strncmp(fault.text, "f:6:", 4) != 0)
        fail_msg("the line is wrong: %s", fault.text);
}

struct test_lines {
    struct cli_lines lines;
    char seen[64];
};

static bool
test_on_line(struct cli_lines *lines, const char *line, size_t len)
{
    struct test_lines *test = CONTAINER_OF(lines, struct test_lines, lines);

    assert_int_equal(strlen(line), len);
    strncat(test->seen, line, sizeof(test->seen) - strlen(test->seen) - 2);
    strncat(test->seen, "|", 2);
    return strcmp(line, "stop") != 0;
}

static void
lines_come_whole_however_they_are_cut(void **state)
{
    static const char text[] = "one\r\n\ntwo\nthree";

    (void)state;
    for (size_t step = 1; step <= sizeof(text); step++) {
        struct test_lines test = { .seen = "" };

        cli_lines_init(&test.lines, test_on_line);
        for (size_t at = 0; at < strlen(text); at += step) {
            size_t left = strlen(text) - at;

            assert_true(cli_lines_feed(&test.lines, text + at, left < step ? left : step));
        }
        cli_lines_end(&test.lines);
        assert_string_equal(test.seen, "one||two|three|");
        cli_lines_fini(&test.lines);
    }
}

static void
a_line_may_end_the_stream(void **state)
{
    struct test_lines test = { .seen = "" };

    (void)state;
    cli_lines_init(&test.lines, test_on_line);
    assert_false(cli_lines_feed(&test.lines, "a\nstop\nb\n", 9));
    assert_string_equal(test.seen, "a|stop|");
    cli_lines_fini(&test.lines);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ages),
        cmocka_unit_test(what_people_write_becomes_numbers_but_in_their_own_maps),
        cmocka_unit_test(what_the_daemon_tells_becomes_readable),
        cmocka_unit_test(paths_reach_into_objects),
        cmocka_unit_test(lines_are_broken_at_blanks),
        cmocka_unit_test(documents_are_counted_and_their_errors_found),
        cmocka_unit_test(errors_in_later_documents_have_the_files_line),
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(a_line_may_end_the_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
