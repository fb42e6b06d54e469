/* Times that repeat: what is read, when they come, and what happens when clocks are changed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/text.h"
#include "berth/domain/cron.h"

#include "zone_bytes.h"

static int64_t
at(const char *text)
{
    int64_t at_ms;

    assert_true(text_time_parse(text, &at_ms));
    return at_ms / 1000;
}

static struct cron
parsed(const char *text)
{
    struct cron cron;
    const char *wrong = cron_parse(text, &cron);

    if (wrong)
        fail_msg("%s: %s", text, wrong);
    return cron;
}

static void
expect(int64_t got_s, const char *expected, const char *what)
{
    char text[TEXT_TIME_SIZE];

    if (got_s != at(expected))
        fail_msg("%s: %s, not %s", what, text_time(got_s * 1000, text), expected);
}

/* clang-format off */
static const struct {
    const char *cron;
    const char *after;
    const char *next;
} nexts[] = {
    { "* * * * *", "2026-11-22T10:00:00Z", "2026-11-22T10:01:00Z" },
    { "* * * * *", "2026-11-22T10:00:59Z", "2026-11-22T10:01:00Z" },
    { "30 7 * * mon-fri", "2026-11-21T00:00:00Z", "2026-11-23T07:30:00Z" },
    { "30 7 * * 1-5", "2026-11-23T07:30:00Z", "2026-11-24T07:30:00Z" },
    { "*/20 8-9 * * *", "2026-11-22T08:40:00Z", "2026-11-22T09:00:00Z" },
    { "*/20 8-9 * * *", "2026-11-22T09:40:00Z", "2026-11-23T08:00:00Z" },
    { "0 0 1 jan *", "2026-11-22T00:00:00Z", "2027-01-01T00:00:00Z" },
    { "0 0 29 2 *", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00Z" },
    { "0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z" },
    { "0 0 31 * *", "2026-11-01T00:00:00Z", "2026-12-31T00:00:00Z" },
    { "0 0 * * 7", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z" },
    { "0 0 * * SUN", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z" },
    /* Both kinds of days: one is enough.  13 November 2026 is a Friday. */
    { "0 0 13 * fri", "2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z" },
    { "0 0 10 * fri", "2026-11-06T00:00:00Z", "2026-11-10T00:00:00Z" },
    /* One of them begins with `*`: both are wanted. */
    { "0 0 */2 * fri", "2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z" },
    { "0,30 12 1,15 6-8 *", "2026-11-22T00:00:00Z", "2027-06-01T12:00:00Z" },
    { "10-20/5 * * * *", "2026-11-22T10:15:00Z", "2026-11-22T10:20:00Z" },
    { " 5\t4  3 2 * ", "2026-11-22T00:00:00Z", "2027-02-03T04:05:00Z" },
};

static const struct {
    const char *cron;
    const char *wrong; /* begins so */
} refused[] = {
    { "", "must be five fields" },
    { "* * * *", "must be five fields" },
    { "* * * * * *", "must be five fields" },
    { "@daily", "must begin with the minute" },
    { "60 * * * *", "must begin with the minute" },
    { "5-1 * * * *", "must begin with the minute" },
    { "*/0 * * * *", "must begin with the minute" },
    { "5/10 * * * *", "must begin with the minute" },
    { "1,, * * * *", "must begin with the minute" },
    { "99999999999999999999 * * * *", "must begin with the minute" },
    { "* 24 * * *", "must have the hour" },
    { "* mon * * *", "must have the hour" },
    { "* * 0 * *", "must have the day of the month" },
    { "* * 32 * *", "must have the day of the month" },
    { "* * * 13 *", "must have the month" },
    { "* * * feb2 *", "must have the month" },
    { "* * * * 8", "must have the day of the week" },
    { "* * * * sunday", "must have the day of the week" },
    { "0 0 30 2 *", "must name a day that exists" },
};

/* In Helsinki 03:00 to 04:00 is left out on 29 March 2026, and comes twice on 25 October. */
static const struct {
    const char *cron;
    const char *after;
    const char *next;
} changes[] = {
    { "30 7 * * mon-fri", "2026-11-22T00:00:00Z", "2026-11-23T05:30:00Z" },
    { "30 3 * * *", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z" },
    { "30 3 * * *", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z" }, /* at the moment of the change */
    { "30 3 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z" },
    { "0 4 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z" },
    { "30 * * * *", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z" }, /* 02:30, then 04:30 */
    { "30 3 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z" }, /* the first of two */
    { "30 3 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z" },
    { "30 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z" }, /* both */
    { "0 4 * * *", "2026-10-24T12:00:00Z", "2026-10-25T02:00:00Z" },
};
/* clang-format on */

static void
test_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nexts); i++) {
        struct cron cron = parsed(nexts[i].cron);

        expect(cron_next_s(&cron, NULL, at(nexts[i].after)), nexts[i].next, nexts[i].cron);
    }
}

static void
test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const char *wrong = cron_check(refused[i].cron);

        if (!wrong || strncmp(wrong, refused[i].wrong, strlen(refused[i].wrong)) != 0)
            fail_msg("%s: %s", refused[i].cron, wrong ? wrong : "taken");
    }
}

static void
test_changed_clocks(void **state)
{
    struct zone *zone = zone_of_rule("EET-2EEST,M3.5.0/3,M10.5.0/4");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct cron cron = parsed(changes[i].cron);
        int64_t next_s = cron_next_s(&cron, zone, at(changes[i].after));

        expect(next_s, changes[i].next, changes[i].cron);
        expect(cron_last_s(&cron, zone, next_s, at(changes[i].after) + 1), changes[i].next,
               changes[i].cron);
    }
    zone_free(zone);
}

/* What comes next was last, at that moment and up to the one after it; over two changes of clocks. */
static void
test_last_is_the_inverse(void **state)
{
    static const char *const crons[] = { "30 3 * * *",   "*/7 * * * *",     "0 0 1 * *",
                                         "15 2-4 * * *", "0 3 * * sun",     "59 23 31 12 *",
                                         "0 */6 * * *",  "30 7 * * mon-fri" };
    struct zone *zone = zone_of_rule("EET-2EEST,M3.5.0/3,M10.5.0/4");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(crons); i++) {
        struct cron cron = parsed(crons[i]);
        int64_t begin_s = at("2026-03-27T00:00:00Z");
        int64_t this_s = cron_next_s(&cron, zone, begin_s);

        for (int n = 0; n < 400; n++) {
            int64_t next_s = cron_next_s(&cron, zone, this_s);

            assert_true(next_s > this_s);
            assert_int_equal(cron_last_s(&cron, zone, this_s, begin_s), this_s);
            assert_int_equal(cron_last_s(&cron, zone, next_s - 1, begin_s), this_s);
            assert_true(cron_last_s(&cron, zone, next_s - 1, this_s + 1) == INT64_MIN);
            this_s = next_s;
        }
    }
    zone_free(zone);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changed_clocks),
        cmocka_unit_test(test_last_is_the_inverse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
