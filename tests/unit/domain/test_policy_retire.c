/*
 * What is retired and when, and what consolidates; the reference's defects as far as they are
 * matters of retirement.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy_pool.h"

/* --- Retirement -------------------------------------------------------------------------------------- */

static void
test_age_drains_when_the_others_do_without_it(void **state)
{
    (void)state;
    policy->host_lifetime_ms = HOUR;
    policy->retire_deadline_ms = HOUR;
    (void)host(2 * GIB, 2);
    yard_pass(&yard, 3600);
    /* What runs there has to find room first. */
    assert_string_equal(plan_text(), "spawn m8");
    (void)host(0, 0);
    assert_string_equal(plan_text(), "drain h1");
    assert_int_equal(yard.plan.actions[0].cause, CAUSE_AGE);
    assert_int_equal(yard.plan.actions[0].ends_at_ms, yard.now_ms + HOUR);
    assert_string_equal(yard.plan.actions[0].reason, "its life of 1 h ended 0 ms ago");
    yard.hosts[0].busy = true;
    assert_string_equal(plan_text(), "");
}

static void
test_when_empty_has_a_deadline_too(void **state)
{
    (void)state;
    policy->host_lifetime_ms = HOUR;
    policy->retire = RETIRE_WHEN_EMPTY;
    policy->consolidate = false;
    policy->retire_deadline_ms = HOUR;
    (void)host(2 * GIB, 2);
    (void)host(0, 0);
    yard_pass(&yard, 3600);
    assert_string_equal(plan_text(), "");
    assert_int_equal(yard.plan.next_at_ms, yard.now_ms + HOUR);
    yard_pass(&yard, 3600);
    assert_string_equal(plan_text(), "drain h1");
}

static void
test_uses(void **state)
{
    (void)state;
    policy->host_uses = 3;
    (void)host(0, 0);
    yard.hosts[0].uses = 3;
    assert_string_equal(plan_text(), "inactivate h1");
    assert_int_equal(yard.plan.actions[0].cause, CAUSE_USES);
}

/* Defect 4, and a common cause: bad hosts go, a third of the pool at once, none while
 * replacements fail. */
static void
test_bad_hosts(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        (void)host(GIB, 1);
        yard.hosts[i].untrusted = true;
        yard.hosts[i].takes_work = false;
    }
    assert_string_equal(plan_text(), "inactivate h1, inactivate h2");
    assert_int_equal(yard.plan.actions[0].cause, CAUSE_ERRORS);
    assert_true(yard.plan.actions[0].ends_at_ms > yard.now_ms);
    yard.hosts[5].state = HOST_SPAWNED;
    yard.hosts[5].untrusted = false;
    yard.hosts[5].stage = MACHINE_BOOTING;
    yard.hosts[5].prepare_failures = 1;
    assert_string_equal(plan_text(), "");
}

/* Defect 3: stale reservations on a host that does not answer do not keep its place for ever. */
static void
test_unreachable_with_stale_reservations(void **state)
{
    (void)state;
    policy->max_hosts = 1;
    policy->min_hosts = 1;
    (void)host(GIB, 1);
    yard.hosts[0].untrusted = true;
    yard.hosts[0].takes_work = false;
    yard_run(&yard, 4500);
    assert_string_equal(yard.trace, "60 inactivate h1\n3780 remove h1\n3840 spawn h2 m8\n"
                                    "3900 prepare h2\n");
}

/* Defect 1: a machine that vanished is a row less, and the pool grows again at once. */
static void
test_machine_that_vanished(void **state)
{
    (void)state;
    policy->min_hosts = 2;
    (void)host(0, 0);
    assert_string_equal(plan_text(), "spawn m8");
}

static void
test_gave_up(void **state)
{
    (void)state;
    policy->min_hosts = 1;
    (void)host(0, 0);
    yard.hosts[0].state = HOST_SPAWNED;
    yard.hosts[0].stage = MACHINE_UP;
    yard.hosts[0].prepare_failures = 3;
    assert_string_equal(plan_text(), "spawn m8, inactivate h1");
    assert_int_equal(yard.plan.actions[1].cause, CAUSE_GAVE_UP);
    yard.hosts[0].prepare_failures = 2;
    assert_string_equal(plan_text(), "prepare h1");
    assert_string_equal(yard.plan.actions[0].reason,
                        "its preparation failed 2 of at most 3 times: once more");
}

static void
test_drained_by_an_operator_is_left_alone(void **state)
{
    (void)state;
    (void)host(0, 0);
    yard.hosts[0].state = HOST_INACTIVE;
    yard.hosts[0].cause = CAUSE_OPERATOR;
    assert_string_equal(plan_text(), "");
    policy->shutdown = true;
    assert_string_equal(plan_text(), "remove h1");
}

/* --- Consolidation ------------------------------------------------------------------------------------ */

static void
test_consolidation(void **state)
{
    (void)state;
    yard.pool->grown_at_ms = yard.now_ms;
    (void)host(2 * GIB, 2);
    (void)host(1 * GIB, 1);
    assert_string_equal(plan_text(), "");
    assert_int_equal(yard.plan.next_at_ms, yard.now_ms + policy->consolidate_after_ms);
    yard_pass(&yard, 900);
    assert_string_equal(plan_text(), "drain h2");
    assert_int_equal(yard.plan.actions[0].cause, CAUSE_CONSOLIDATED);
    assert_int_equal(yard.plan.actions[0].ends_at_ms, 0);
    policy->min_hosts = 2;
    assert_string_equal(plan_text(), "");
    policy->min_hosts = 0;
    policy->free_memory_bytes = 5 * GIB; /* just held: the next instance would bring it back */
    assert_string_equal(plan_text(), "");
    policy->free_memory_bytes = 4 * GIB - GIB / 2;
    assert_string_equal(plan_text(), "drain h2");
}

/* What was set aside is taken back before a machine is launched. */
static void
test_taken_back(void **state)
{
    (void)state;
    yard_pass(&yard, 900);
    (void)host(2 * GIB, 2);
    (void)host(1 * GIB, 1);
    (void)yard_round(&yard);
    assert_string_equal(yard_states(&yard), "active inactive");
    wait_for(7 * GIB, 1);
    assert_string_equal(plan_text(), "activate h2");
}

static void
test_scale_to_zero(void **state)
{
    (void)state;
    (void)host(0, 0);
    yard_pass(&yard, 900);
    yard_run(&yard, 1080);
    assert_int_equal(yard.count, 0);
    wait_for(GIB, 1);
    assert_string_equal(plan_text(), "spawn m8");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_age_drains_when_the_others_do_without_it),
        TEST(test_when_empty_has_a_deadline_too),
        TEST(test_uses),
        TEST(test_bad_hosts),
        TEST(test_unreachable_with_stale_reservations),
        TEST(test_machine_that_vanished),
        TEST(test_gave_up),
        TEST(test_drained_by_an_operator_is_left_alone),
        TEST(test_consolidation),
        TEST(test_taken_back),
        TEST(test_scale_to_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
