/*
 * Buckets hold what EC2 allows, whoever waits keeps its place, and pauses differ also at their cap.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/cloud/ec2_pace.h"

static const struct ec2_pace two_a_second = { 5000, 2000 };

static void
a_burst_goes_then_the_rate_holds(void **state)
{
    struct ec2_bucket bucket = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 1000), 0);
        ec2_pace_take(&bucket);
    }
    for (int i = 1; i <= 4; i++) {
        assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 1000), 500 * i);
        ec2_pace_take(&bucket);
    }
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 2000), 1500);
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 3499), 1);
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 3500), 0);
    /* Time fills it up to the burst and no more; a clock that stands still does nothing. */
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, INT64_MAX / 4000), 0);
    assert_int_equal(bucket.spent_milli, 0);
}

static void
nothing_is_lost_in_small_steps(void **state)
{
    static const struct ec2_pace paces[] = { { 5000, 2000 }, { 5000, 500 }, { 5000, 333 } };

    (void)state;
    for (size_t i = 0; i < sizeof(paces) / sizeof(paces[0]); i++) {
        struct ec2_bucket bucket = { 0 };
        int64_t sent = 0;

        for (int64_t now_mono_ms = 1; now_mono_ms <= 100000; now_mono_ms++) {
            if (ec2_pace_wait_ms(&bucket, &paces[i], now_mono_ms) == 0) {
                ec2_pace_take(&bucket);
                sent++;
            }
        }
        assert_in_range(sent, 4 + paces[i].per_second_milli / 10,
                        5 + paces[i].per_second_milli / 10);
    }
}

static void
after_a_refusal_nothing_goes_at_once(void **state)
{
    struct ec2_bucket bucket = { 0 };

    (void)state;
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 1000), 0);
    ec2_pace_empty(&bucket, &two_a_second);
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 1000), 500);
    assert_int_equal(ec2_pace_wait_ms(&bucket, &two_a_second, 1500), 0);
}

static void
pauses_grow_and_differ(void **state)
{
    (void)state;
    assert_int_equal(ec2_pace_delay_ms(1, 0), 200);
    assert_int_equal(ec2_pace_delay_ms(2, 0), 400);
    assert_int_equal(ec2_pace_delay_ms(3, 0), 800);
    assert_int_equal(ec2_pace_delay_ms(1, 200), 400);
    assert_int_equal(ec2_pace_delay_ms(100, 0), 5000);
    assert_int_equal(ec2_pace_delay_ms(100, 5000), 10000);
    for (uint32_t i = 0; i < 100; i++)
        assert_in_range(ec2_pace_delay_ms(i, i * UINT64_C(2654435761)), 200, 10000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_goes_then_the_rate_holds),
        cmocka_unit_test(nothing_is_lost_in_small_steps),
        cmocka_unit_test(after_a_refusal_nothing_goes_at_once),
        cmocka_unit_test(pauses_grow_and_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
