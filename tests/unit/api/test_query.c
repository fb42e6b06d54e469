/* Query parameters: only those a route takes, each checked; escapes are decoded strictly. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/api/query.h"

enum { NOW_MS = 2000000000 };

static int
decode(const char *text, uint32_t allowed, struct query *query, struct problems *problems)
{
    static char copy[512];

    memset(problems, 0, sizeof(*problems));
    strncpy(copy, text, sizeof(copy) - 1);
    return query_decode(copy, allowed, NOW_MS, query, problems);
}

static void
query_takes_what_it_knows(void **state)
{
    uint32_t allowed = QUERY_PAGE | QUERY_BIT(QUERY_OWNER) | QUERY_BIT(QUERY_STATE) |
                       QUERY_BIT(QUERY_SINCE) | QUERY_BIT(QUERY_TAIL) | QUERY_BIT(QUERY_FOLLOW);
    struct problems problems;
    struct query query;

    (void)state;
    assert_int_equal(decode("", allowed, &query, &problems), 0);
    assert_int_equal(query.number[QUERY_LIMIT], 100);
    assert_int_equal(query.number[QUERY_STATE], -1);
    assert_null(query.text[QUERY_OWNER]);
    assert_int_equal(
        decode("limit=7&owner=a%2Bb&state=failed&follow&tail=all", allowed, &query, &problems), 0);
    assert_int_equal(query.number[QUERY_LIMIT], 7);
    assert_string_equal(query.text[QUERY_OWNER], "a+b");
    assert_int_equal(query.number[QUERY_STATE], 5);
    assert_int_equal(query.number[QUERY_FOLLOW], 1);
    assert_int_equal(query.number[QUERY_TAIL], -1);
    assert_true(query_has(&query, QUERY_TAIL));
    assert_false(query_has(&query, QUERY_SINCE));
}

static void
query_times(void **state)
{
    static const struct {
        const char *text;
        int64_t at_ms;
    } cases[] = {
        { "since=10s", NOW_MS - 10000 },
        { "since=1000", 1000000 },
        { "since=1970-01-01T00:00:01.5Z", 1500 },
        { "since=1970-01-01T01:00:01%2B01:00", 1000 },
    };
    struct problems problems;
    struct query query;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(decode(cases[i].text, QUERY_BIT(QUERY_SINCE), &query, &problems), 0);
        assert_int_equal(query.number[QUERY_SINCE], cases[i].at_ms);
    }
}

static void
query_refuses(void **state)
{
    static const struct {
        const char *text;
        const char *pointer;
        const char *code;
    } cases[] = {
        { "limit=0", "?limit", "format" },
        { "limit=1001", "?limit", "format" },
        { "limit=1e3", "?limit", "format" },
        { "limit", "?limit", "format" },
        { "limit=1&limit=1", "?limit", "duplicate" },
        { "color=red", "?color", "unknown_field" },
        { "kind=x", "?kind", "unknown_field" },
        { "owner=a%00b", "?", "format" },
        { "owner=%f", "?", "format" },
        { "owner=%ff", "?", "format" },
        { "owner=a+b", "?owner", "format" },
        { "state=asleep", "?state", "format" },
    };
    uint32_t allowed = QUERY_PAGE | QUERY_BIT(QUERY_OWNER) | QUERY_BIT(QUERY_STATE);
    struct problems problems;
    struct query query;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(decode(cases[i].text, allowed, &query, &problems), -1);
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.at[0].pointer, cases[i].pointer);
        assert_string_equal(problems.at[0].code, cases[i].code);
    }
}

/* What would be right stands in the answer. */
static void
query_refusals_help(void **state)
{
    uint32_t allowed = QUERY_PAGE | QUERY_BIT(QUERY_OPERATION_STATE);
    struct problems problems;
    struct query query;

    (void)state;
    assert_int_equal(decode("limit=0&state=asleep", allowed, &query, &problems), -1);
    assert_int_equal(problems.count, 2);
    assert_string_equal(problems.at[0].detail, "must be a number from 1 to 1000");
    assert_non_null(strstr(problems.at[1].detail, "must be one of: running, "));
}

static void
unescape(void **state)
{
    static const struct {
        const char *text;
        const char *out; /* NULL: refused */
    } cases[] = {
        { "abc", "abc" },   { "%41%2f%7e", "A/~" }, { "%c3%a9", "\xc3\xa9" }, { "%00", NULL },
        { "%", NULL },      { "%4", NULL },         { "%zz", NULL },          { "%c3", NULL },
        { "%c0%af", NULL }, { "a+b", "a+b" },
    };
    char text[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strncpy(text, cases[i].text, sizeof(text) - 1);
        assert_int_equal(query_unescape(text, false), cases[i].out != NULL);
        if (cases[i].out)
            assert_string_equal(text, cases[i].out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_takes_what_it_knows),
        cmocka_unit_test(query_times),
        cmocka_unit_test(query_refuses),
        cmocka_unit_test(query_refusals_help),
        cmocka_unit_test(unescape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
