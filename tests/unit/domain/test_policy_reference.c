/*
 * The reference: the scenarios and traces of the system whose rules the policy keeps.  With its
 * parameters (lifetime 900 s, low below 300 s, 4 slots free, a small machine of 4 slots and a large
 * one of 16, at most 4 hosts; for the second pool 210, 210 and 2) and one action a round, the same
 * happens in the same round.  Its rules were:
 *
 *   a host's life begins when a round first sees something on it; the only host of a pool, if it is
 *   not a small one, begins to age unused; projected free slots are those of active hosts with more
 *   than 300 s left; and of these the first that applies is done in a round:
 *     prepare the first spawned host; remove the first inactive one where nothing runs;
 *     spawn, if less than the target is projected and there are fewer hosts than the maximum: a
 *     large one if anything is in use, else a small one;
 *     inactivate the first active one that is empty and whose life has ended.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"

#include "yard.h"

enum { LIFETIME_S = 900, SMALL = 4, LARGE = 16, MAX_HOSTS = 4, MINUTE_S = 60 };

static struct yard yard;

static int
setup(void **state)
{
    (void)state;
    yard_init_reference(&yard, (struct yard_sizes){ SMALL, LARGE, MAX_HOSTS });
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    yard_fini(&yard);
    return 0;
}

/* A round, a minute later. */
static void
next_round(void)
{
    yard_pass(&yard, MINUTE_S);
    (void)yard_round(&yard);
}

/* One active host, at 60 s. */
static void
one_host(void)
{
    (void)yard_round(&yard);
    next_round();
    assert_string_equal(yard_states(&yard), "active");
}

/* The host at @index is in use for a moment: only its clock remembers. */
static void
use(size_t index)
{
    yard.hosts[index].instances++;
    yard_refresh(&yard);
    yard.hosts[index].instances--;
}

/* The trace from @from on. */
static void
expect_trace(size_t from, const char *expected)
{
    assert_string_equal(yard.trace + from, expected);
}

/* --- Scenarios ----------------------------------------------------------------------------------- */

static void
test_spawn_one_host(void **state)
{
    (void)state;
    (void)yard_round(&yard);
    assert_string_equal(yard_states(&yard), "spawned");
    next_round();
    assert_string_equal(yard_states(&yard), "active");
    assert_int_equal(yard.hosts[0].machine, 0);
    next_round();
    assert_string_equal(yard_states(&yard), "active");
}

static void
test_unused_host_does_not_age(void **state)
{
    (void)state;
    one_host();
    yard_pass(&yard, LIFETIME_S + MINUTE_S);
    for (int i = 0; i < 5; i++)
        next_round();
    assert_string_equal(yard_states(&yard), "active");
    assert_int_equal(yard.hosts[0].id, 1);
}

static void
test_replacement_comes_first(void **state)
{
    static const char *const states[] = { "active spawned", "active active", "inactive active",
                                          "active" };

    (void)state;
    one_host();
    use(0);
    yard_pass(&yard, LIFETIME_S);
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        next_round();
        assert_string_equal(yard_states(&yard), states[i]);
    }
    assert_int_equal(yard.hosts[0].id, 2);
}

static void
test_provision_and_deprovision(void **state)
{
    struct policy_host *host;

    (void)state;
    one_host();
    host = yard_place(&yard);
    assert_ptr_equal(host, &yard.hosts[0]);
    assert_int_equal(host->reserved.slots, 1);
    yard_leave(host);
    assert_int_equal(host->reserved.slots, 0);
    yard_leave(host);
    assert_int_equal(host->reserved.slots, 0);
}

/* So many instances with a round after each: all hosts that may be there, and not one more. */
static void
scale_up(int64_t instances, size_t hosts)
{
    one_host();
    for (int64_t i = 0; i < instances; i++) {
        if (!yard_place(&yard))
            fail_msg("no room for instance %lld", (long long)i + 1);
        next_round();
    }
    assert_int_equal(yard.count, hosts);
    assert_null(yard_place(&yard));
}

static void
test_scale_up_to_the_limit(void **state)
{
    (void)state;
    scale_up(SMALL + LARGE * (MAX_HOSTS - 1), MAX_HOSTS);
    assert_string_equal(yard_states(&yard), "active active active active");
    assert_int_equal(yard.plan.held_count, 1);
    assert_int_equal(yard.plan.held[0].hold, HOLD_MAX_HOSTS);
}

static void
test_scale_up_the_second_pool(void **state)
{
    (void)state;
    yard_fini(&yard);
    yard_init_reference(&yard, (struct yard_sizes){ 210, 210, 2 });
    scale_up(420, 2);
}

static void
all_leave(void)
{
    for (size_t i = 0; i < yard.count; i++) {
        while (yard.hosts[i].instances > 0)
            yard_leave(&yard.hosts[i]);
    }
    yard_pass(&yard, LIFETIME_S);
}

static void
test_scale_down(void **state)
{
    (void)state;
    scale_up(SMALL + LARGE * (MAX_HOSTS - 1), MAX_HOSTS);
    all_leave();
    for (int i = 0; i < 3 * MAX_HOSTS; i++)
        next_round();
    assert_string_equal(yard_states(&yard), "active");
    assert_int_equal(yard.hosts[0].machine, 0);
}

static void
test_shutdown(void **state)
{
    (void)state;
    one_host();
    yard.pool->policy.shutdown = true;
    next_round();
    assert_string_equal(yard_states(&yard), "inactive");
    next_round();
    assert_int_equal(yard.count, 0);
    next_round();
    assert_int_equal(yard.count, 0);
}

static void
test_inactive_host_with_instances_stays(void **state)
{
    (void)state;
    one_host();
    assert_non_null(yard_place(&yard));
    yard.hosts[0].state = HOST_INACTIVE;
    yard.hosts[0].cause = CAUSE_ERRORS;
    next_round();
    assert_string_equal(yard_states(&yard), "inactive spawned");
    next_round();
    next_round();
    assert_string_equal(yard_states(&yard), "inactive active");
    yard_leave(&yard.hosts[0]);
    next_round();
    assert_string_equal(yard_states(&yard), "active");
}

static void
test_preparation_fails_once(void **state)
{
    (void)state;
    yard.prepare_failures = 1;
    (void)yard_round(&yard);
    next_round();
    assert_string_equal(yard_states(&yard), "spawned");
    next_round();
    assert_string_equal(yard_states(&yard), "active");
}

static void
test_engine_does_not_answer(void **state)
{
    (void)state;
    one_host();
    yard.hosts[0].takes_work = false;
    assert_null(yard_place(&yard));
    yard.hosts[0].takes_work = true;
    assert_non_null(yard_place(&yard));
}

static void
test_shutdown_of_one_pool_only(void **state)
{
    static struct yard other;

    (void)state;
    yard_init_reference(&other, (struct yard_sizes){ 210, 210, 2 });
    (void)yard_round(&other);
    yard_pass(&other, MINUTE_S);
    (void)yard_round(&other);
    one_host();
    yard.pool->policy.shutdown = true;
    for (int i = 0; i < 2; i++) {
        next_round();
        yard_pass(&other, MINUTE_S);
        (void)yard_round(&other);
    }
    assert_int_equal(yard.count, 0);
    assert_string_equal(yard_states(&other), "active");
    yard_fini(&other);
}

/* --- Traces -------------------------------------------------------------------------------------- */

static void
test_trace_idle(void **state)
{
    (void)state;
    (void)yard_round(&yard);
    yard_run(&yard, 100000);
    expect_trace(0, "0 spawn h1 small\n60 prepare h1\n");
}

/* In its own test the reference lets the time pass without a round. */
static void
test_trace_age(void **state)
{
    size_t from;

    (void)state;
    one_host();
    yard_pass(&yard, MINUTE_S);
    use(0);
    from = yard.trace_len;
    yard_pass(&yard, LIFETIME_S - MINUTE_S);
    yard_run(&yard, 3000);
    expect_trace(from, "1020 spawn h2 small\n1080 prepare h2\n"
                       "1140 inactivate h1\n1200 remove h1\n");
}

/* With a round each minute the same rules replace it as soon as it is low, and let it serve to its
 * end. */
static void
test_trace_age_minute_by_minute(void **state)
{
    size_t from;

    (void)state;
    one_host();
    yard_pass(&yard, MINUTE_S);
    use(0);
    from = yard.trace_len;
    yard_run(&yard, 3000);
    expect_trace(from, "720 spawn h2 small\n780 prepare h2\n"
                       "1020 inactivate h1\n1080 remove h1\n");
}

static void
test_trace_one_instance_a_minute(void **state)
{
    (void)state;
    one_host();
    for (int i = 0; i < 52; i++) {
        if (!yard_place(&yard))
            fail_msg("no room for instance %d", i + 1);
        next_round();
    }
    expect_trace(0, "0 spawn h1 small\n60 prepare h1\n"
                    "120 spawn h2 large\n180 prepare h2\n"
                    "960 spawn h3 large\n1020 prepare h3\n"
                    "1680 spawn h4 large\n1740 prepare h4\n");
}

static void
test_trace_all_leave(void **state)
{
    char expected[512];
    size_t from;
    long long t;

    (void)state;
    scale_up(52, MAX_HOSTS);
    all_leave();
    from = yard.trace_len;
    t = (yard.now_ms - yard.begin_ms) / YARD_SECOND_MS;
    for (int i = 0; i < 20; i++)
        next_round();
    (void)snprintf(expected, sizeof(expected),
                   "%lld inactivate h1\n%lld remove h1\n%lld spawn h5 small\n%lld prepare h5\n"
                   "%lld inactivate h2\n%lld remove h2\n%lld inactivate h3\n%lld remove h3\n"
                   "%lld inactivate h4\n%lld remove h4\n",
                   t + 60, t + 120, t + 180, t + 240, t + 300, t + 360, t + 420, t + 480, t + 540,
                   t + 600);
    expect_trace(from, expected);
}

static void
test_trace_preparation_fails_for_ever(void **state)
{
    (void)state;
    yard.prepare_failures = 6;
    (void)yard_round(&yard);
    yard_run(&yard, 3000);
    expect_trace(0, "0 spawn h1 small\n60 prepare h1\n120 prepare h1\n180 prepare h1\n"
                    "240 prepare h1\n300 prepare h1\n360 prepare h1\n"
                    "420 remove h1\n480 spawn h2 small\n540 prepare h2\n");
}

/* The only host, and a large one: it ages unused, and a small one takes its place. */
static void
test_trace_only_host_is_large(void **state)
{
    (void)state;
    (void)yard_host_add(&yard, 1);
    (void)yard_round(&yard);
    yard_run(&yard, 3000);
    expect_trace(0, "600 spawn h2 small\n660 prepare h2\n900 inactivate h1\n960 remove h1\n");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_spawn_one_host),
        TEST(test_unused_host_does_not_age),
        TEST(test_replacement_comes_first),
        TEST(test_provision_and_deprovision),
        TEST(test_scale_up_to_the_limit),
        TEST(test_scale_up_the_second_pool),
        TEST(test_scale_down),
        TEST(test_shutdown),
        TEST(test_inactive_host_with_instances_stays),
        TEST(test_preparation_fails_once),
        TEST(test_engine_does_not_answer),
        TEST(test_shutdown_of_one_pool_only),
        TEST(test_trace_idle),
        TEST(test_trace_age),
        TEST(test_trace_age_minute_by_minute),
        TEST(test_trace_one_instance_a_minute),
        TEST(test_trace_all_leave),
        TEST(test_trace_preparation_fails_for_ever),
        TEST(test_trace_only_host_is_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
