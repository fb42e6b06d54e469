/* Time zones: the table, the rule in the footer, and files that are not what they should be. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "zone_bytes.h"

#define HELSINKI "EET-2EEST,M3.5.0/3,M10.5.0/4"

enum { HOUR = 3600, DAY = 86400 };

/* 2026-03-29T01:00Z and 2026-10-25T01:00Z */
static const int64_t spring_s = 1774746000;
static const int64_t autumn_s = 1792890000;

static void
test_utc(void **state)
{
    struct zone_span span = zone_span_at(NULL, 0);

    (void)state;
    assert_int_equal(span.offset_s, 0);
    assert_true(span.from_s == INT64_MIN && span.until_s == INT64_MAX);
}

static void
test_rule_of_helsinki(void **state)
{
    struct zone *zone = zone_of_rule(HELSINKI);
    struct zone_span span;

    (void)state;
    span = zone_span_at(zone, spring_s - 1);
    assert_int_equal(span.offset_s, 2 * HOUR);
    assert_int_equal(span.until_s, spring_s);
    span = zone_span_at(zone, spring_s);
    assert_int_equal(span.offset_s, 3 * HOUR);
    assert_int_equal(span.from_s, spring_s);
    assert_int_equal(span.until_s, autumn_s);
    span = zone_span_at(zone, autumn_s);
    assert_int_equal(span.offset_s, 2 * HOUR);
    assert_int_equal(span.from_s, autumn_s);
    zone_free(zone);
}

static void
test_rules(void **state)
{
    /* clang-format off */
    static const struct {
        const char *footer;
        int64_t at_s;
        int32_t offset_s;
    } cases[] = {
        { "UTC0", 0, 0 },
        { "<+0530>-5:30", 0, 5 * HOUR + 1800 },
        { "EST5EDT,M3.2.0,M11.1.0", 1772953199, -5 * HOUR },  /* 2026-03-08T06:59:59Z */
        { "EST5EDT,M3.2.0,M11.1.0", 1772953200, -4 * HOUR },
        { "NZST-12NZDT,M9.5.0,M4.1.0/3", 1767225600, 13 * HOUR }, /* January: summer in the south */
        { "NZST-12NZDT,M9.5.0,M4.1.0/3", 1782864000, 12 * HOUR }, /* July */
        { "ZZZ-1YYY,J60,J300", 1772326800, 2 * HOUR }, /* 1 March 2026, 02:00 there */
        { "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", spring_s, -1 * HOUR },
        { "ZZZ3EDT4,0/0,J365/23", 1767225600, -4 * HOUR },    /* all the year round (RFC 9636) */
        { "ZZZ3EDT4,0/0,J365/23", 1782864000, -4 * HOUR },
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct zone *zone = zone_of_rule(cases[i].footer);
        int32_t got_s = zone_span_at(zone, cases[i].at_s).offset_s;

        if (got_s != cases[i].offset_s)
            fail_msg("%zu: %s gives %d", i, cases[i].footer, got_s);
        zone_free(zone);
    }
}

static void
test_table_then_rule(void **state)
{
    static const struct zone_change changes[] = { { 1000, 3600 }, { 2000, 7200 } };
    struct zone *zone = NULL;
    struct zone_span span;
    struct fault fault;
    struct buf buf;

    (void)state;
    zone_bytes(&buf, 5998, changes, ARRAY_LEN(changes), HELSINKI);
    assert_int_equal(zone_parse((const uint8_t *)buf.data, buf.len, &zone, &fault), 0);
    buf_fini(&buf);
    span = zone_span_at(zone, 0);
    assert_int_equal(span.offset_s, 5998);
    assert_true(span.from_s == INT64_MIN && span.until_s == 1000);
    span = zone_span_at(zone, 1999);
    assert_int_equal(span.offset_s, 3600);
    assert_true(span.from_s == 1000 && span.until_s == 2000);
    span = zone_span_at(zone, 2000);
    assert_int_equal(span.offset_s, 7200);
    assert_int_equal(span.from_s, 2000);
    assert_int_equal(zone_span_at(zone, spring_s).offset_s, 3 * HOUR);
    zone_free(zone);
}

/* Whatever is cut off or changed: a zone or a refusal, and never a read beyond the end. */
static void
test_broken_files(void **state)
{
    static const struct zone_change changes[] = { { 1000, 3600 }, { 2000, 7200 } };
    struct zone *zone;
    struct fault fault;
    struct buf buf;

    (void)state;
    zone_bytes(&buf, 0, changes, ARRAY_LEN(changes), HELSINKI);
    for (size_t len = 0; len < buf.len; len++) {
        CLEANUP(mem_freep) uint8_t *copy = mem_dup(buf.data, len + 1);

        assert_int_equal(zone_parse(copy, len, &zone, &fault), -1);
        assert_int_equal(fault.kind, FAULT_INVALID);
    }
    for (size_t i = 0; i < buf.len * 256; i++) {
        CLEANUP(mem_freep) uint8_t *copy = mem_dup(buf.data, buf.len);

        copy[i / 256] = (uint8_t)i;
        if (zone_parse(copy, buf.len, &zone, &fault) == 0) {
            (void)zone_span_at(zone, spring_s);
            zone_free(zone);
        }
    }
    buf_fini(&buf);
}

/* Changes out of order, and rules that RFC 8536 does not know. */
static void
test_refused_files(void **state)
{
    static const struct zone_change back[] = { { 2000, 3600 }, { 1000, 7200 } };
    static const char *const footers[] = { "E0",
                                           "EET",
                                           "EET-2EEST",
                                           "EET-2EEST,M3.5.0",
                                           "EET-2EEST,M13.5.0,M10.5.0",
                                           "EET-2EEST,M3.6.0,M10.5.0",
                                           "EET-2EEST,M3.5.7,M10.5.0",
                                           "EET-2EEST,J0,J300",
                                           "EET-2EEST,M3.5.0/168,M10.5.0",
                                           "<EET-2",
                                           "EET-2x",
                                           "EET-99" };
    struct zone *zone;
    struct fault fault;
    struct buf buf;

    (void)state;
    zone_bytes(&buf, 0, back, ARRAY_LEN(back), HELSINKI);
    assert_int_equal(zone_parse((const uint8_t *)buf.data, buf.len, &zone, &fault), -1);
    buf_fini(&buf);
    for (size_t i = 0; i < ARRAY_LEN(footers); i++) {
        zone_bytes(&buf, 0, NULL, 0, footers[i]);
        if (zone_parse((const uint8_t *)buf.data, buf.len, &zone, &fault) == 0)
            fail_msg("%s was taken", footers[i]);
        buf_fini(&buf);
    }
}

static void
test_names(void **state)
{
    static const char *const good[] = { "UTC", "Europe/Helsinki", "America/Argentina/Buenos_Aires",
                                        "Etc/GMT+2", "EST5EDT" };
    static const char *const bad[] = { "",          "/etc/passwd", "../x", "Europe/../../x",
                                       "Europe//X", "Europe/",     "A B",  ".hidden",
                                       "a\\b",      "Europe/.x",   "a\nb" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(zone_name_check(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(zone_name_check(bad[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utc),          cmocka_unit_test(test_rule_of_helsinki),
        cmocka_unit_test(test_rules),        cmocka_unit_test(test_table_then_rule),
        cmocka_unit_test(test_broken_files), cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
