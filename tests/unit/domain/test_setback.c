/* Machines that never became hosts: how long the next launch waits, whatever the clock does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/setback.h"

#define NOW_MS INT64_C(1700000000000)

static void
test_waits_grow(void **state)
{
    const int64_t minutes[] = { 0, 0, 1, 2, 4, 8, 16, 32, 60, 60 };
    struct setback setback = { 0 };
    int64_t now_ms = NOW_MS;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        assert_int_equal(setback_wait_ms(&setback), minutes[i] * 60000);
        assert_int_equal(setback_until_ms(&setback, now_ms),
                         minutes[i] > 0 ? now_ms + minutes[i] * 60000 : 0);
        now_ms += 7200000;
        assert_int_equal(setback_until_ms(&setback, now_ms), 0);
        setback_add(&setback, now_ms, "no way in", now_ms);
    }
    assert_int_equal(setback.hosts, ARRAY_LEN(minutes));
    assert_string_equal(setback.why, "no way in");
    setback_clear(&setback);
    assert_int_equal(setback_wait_ms(&setback), 0);
    assert_int_equal(setback.hosts, 0);
    assert_null(setback.why);
}

/* Ten that were launched together tell no more than two. */
static void
test_together(void **state)
{
    struct setback setback = { 0 };

    (void)state;
    for (int i = 0; i < 10; i++)
        setback_add(&setback, NOW_MS, "no way in", NOW_MS + 1000 + i);
    assert_int_equal(setback.hosts, 10);
    assert_int_equal(setback_wait_ms(&setback), SETBACK_WAIT_MIN_MS);
    setback_add(&setback, NOW_MS + 70000, "no way in", NOW_MS + 80000);
    assert_int_equal(setback_wait_ms(&setback), 2 * SETBACK_WAIT_MIN_MS);
    setback_clear(&setback);
}

/* A clock that was put back does not make it wait for years. */
static void
test_clock(void **state)
{
    struct setback setback = { 0 };

    (void)state;
    setback_add(&setback, NOW_MS, "no way in", NOW_MS);
    setback_add(&setback, NOW_MS, "no way in", NOW_MS);
    assert_int_equal(setback_until_ms(&setback, 1000000), 1000000 + SETBACK_WAIT_MIN_MS);
    assert_int_equal(setback_until_ms(&setback, 2 * NOW_MS), 0);
    setback_clear(&setback);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_grow),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
