/*
 * The golden traces of the reference, by the whole engine in the simulation (scenario.h says what of
 * them is compared).  The same traces to the letter, by the policy alone: unit.domain.policy_reference.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario.h"

enum { SEEDS = 10 };

/* The steps since @from, with times since @base_s. */
#define EXPECT(from, base_s, steps)                                                                \
    scenario_expect(run, (struct scenario_span){ from, base_s }, steps, ARRAY_LEN(steps))

static uint64_t seed;
static struct scenario *run;

static int
setup(void **state)
{
    (void)state;
    run = scenario_begin(seed);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scenario_drop(run);
    return 0;
}

static void
test_idle(void **state)
{
    static const struct scenario_expected steps[] = {
        SCENARIO_AT(0, "cpu-1 spawned small"),
        SCENARIO_BY(60, "cpu-1 active"),
    };

    (void)state;
    scenario_until(run, 20000);
    EXPECT(0, 0, steps);
    scenario_end(run);
}

/* It is in use for a moment before the round at 120: only its clock remembers. Return: steps so far. */
static size_t
use_before_120(void)
{
    scenario_until(run, 110);
    scenario_stop(run, scenario_run_one(run, "cpu"));
    scenario_until(run, 119);
    return run->step_count;
}

/* In its own test the reference lets the time pass without a round: here the daemon is down.  Its first
 * round is due a minute after its start at the latest. */
static void
test_age(void **state)
{
    static const struct scenario_expected steps[] = {
        SCENARIO_BY(60 + SCENARIO_ROUND_S, "cpu-2 spawned small"),
        SCENARIO_BY(120 + SCENARIO_ROUND_S, "cpu-2 active"),
        SCENARIO_BY(180 + SCENARIO_ROUND_S, "cpu-1 inactive"),
        SCENARIO_BY(240 + SCENARIO_ROUND_S, "cpu-1 leaves"),
    };
    size_t from;

    (void)state;
    from = use_before_120();
    scenario_down_until(run, 1020);
    scenario_until(run, 1600);
    EXPECT(from, 1020, steps);
    scenario_end(run);
}

static void
test_age_minute_by_minute(void **state)
{
    static const struct scenario_expected steps[] = {
        SCENARIO_AT(720, "cpu-2 spawned small"),
        SCENARIO_BY(780, "cpu-2 active"),
        SCENARIO_AT(1020, "cpu-1 inactive"),
        SCENARIO_BY(1080, "cpu-1 leaves"),
    };

    size_t from;

    (void)state;
    from = use_before_120();
    scenario_until(run, 3000);
    EXPECT(from, 0, steps);
    scenario_end(run);
}

/* Just after a round: the next one is the first that sees it, as in the reference. */
static void
one_instance_a_minute(int count)
{
    for (int i = 0; i < count; i++) {
        (void)scenario_launch(run, "cpu");
        scenario_after_round(run);
    }
}

static void
test_one_instance_a_minute(void **state)
{
    static const struct scenario_expected steps[] = {
        SCENARIO_AT(0, "cpu-1 spawned small"),    SCENARIO_BY(60, "cpu-1 active"),
        SCENARIO_AT(120, "cpu-2 spawned large"),  SCENARIO_BY(180, "cpu-2 active"),
        SCENARIO_AT(960, "cpu-3 spawned large"),  SCENARIO_BY(1020, "cpu-3 active"),
        SCENARIO_AT(1680, "cpu-4 spawned large"), SCENARIO_BY(1740, "cpu-4 active"),
    };

    (void)state;
    scenario_until(run, 60 + SCENARIO_ROUND_S);
    one_instance_a_minute(52);
    EXPECT(0, 0, steps);
    scenario_end(run);
}

/* The replacement comes between the first that leaves and the others. */
static void
test_all_leave(void **state)
{
    static const struct scenario_expected steps[] = {
        SCENARIO_BY(60 + SCENARIO_ROUND_S, "cpu-1 inactive"),
        SCENARIO_BY(120 + SCENARIO_ROUND_S, "cpu-1 leaves"),
        SCENARIO_BY(180 + SCENARIO_ROUND_S, "cpu-5 spawned small"),
        SCENARIO_BY(240 + SCENARIO_ROUND_S, "cpu-5 active"),
        SCENARIO_BY(300 + SCENARIO_ROUND_S, "cpu-2 inactive"),
        SCENARIO_BY(360 + SCENARIO_ROUND_S, "cpu-2 leaves"),
        SCENARIO_BY(420 + SCENARIO_ROUND_S, "cpu-3 inactive"),
        SCENARIO_BY(480 + SCENARIO_ROUND_S, "cpu-3 leaves"),
        SCENARIO_BY(540 + SCENARIO_ROUND_S, "cpu-4 inactive"),
        SCENARIO_BY(600 + SCENARIO_ROUND_S, "cpu-4 leaves"),
    };
    int64_t base_s;
    size_t from;

    (void)state;
    scenario_until(run, 60 + SCENARIO_ROUND_S);
    one_instance_a_minute(52);
    scenario_stop_all(run);
    scenario_pass(run, 20);
    from = run->step_count;
    base_s = scenario_now_s(run) + SCENARIO_LIFETIME_S;
    scenario_down_until(run, base_s);
    scenario_pass(run, INT64_C(3) * SCENARIO_MAX_HOSTS * SCENARIO_MINUTE_S);
    EXPECT(from, base_s, steps);
    assert_string_equal(scenario_states(run, "cpu"), "active");
    scenario_end(run);
}

static void
test_preparation_fails_for_ever(void **state)
{
    const struct fake_shell_rule fails = { "cpu-1", 0, { 100, 2, FAULT_PREPARE, false } };
    static const struct scenario_expected steps[] = {
        SCENARIO_AT(0, "cpu-1 spawned small"), SCENARIO_BY(360, "cpu-1 inactive"),
        SCENARIO_BY(420, "cpu-1 leaves"),      SCENARIO_BY(480, "cpu-2 spawned small"),
        SCENARIO_BY(540, "cpu-2 active"),
    };

    (void)state;
    fake_shell_rule_add(run->sim.shell, &fails);
    scenario_until(run, 3000);
    EXPECT(0, 0, steps);
    assert_int_equal(scenario_events(run, "host.prepare_failed"), 6);
    scenario_end(run);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_idle),
        TEST(test_age),
        TEST(test_age_minute_by_minute),
        TEST(test_one_instance_a_minute),
        TEST(test_all_leave),
        TEST(test_preparation_fails_for_ever),
    };
    int failed = 0;

    for (seed = 1; seed <= SEEDS; seed++)
        failed += cmocka_run_group_tests_name("traces", tests, NULL, NULL);
    return failed;
}
