/*
 * A pool whose machines never become hosts: launches get rare, also over a
 * restart, and go on at once when one succeeds.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { HOUR_MS = 3600000, MINUTE_MS = 60000 };

static void
preparations_fail(struct rented *rented)
{
    const struct fake_shell_rule rule = {
        .fate = { .step_ms = 1000, .fails_at = 2, .kind = FAULT_PREPARE },
    };

    fake_shell_rule_add(rented->world.shell, &rule);
}

static size_t
launches(struct rented *rented)
{
    return rented_events(rented, "pool.spawn");
}

/* Without it there would be one a minute or so, as many as launches_per_hour allows. */
static void
test_preparation_that_always_fails(void **state)
{
    struct rented rented;
    size_t before;

    (void)state;
    rented_begin(&rented, 1);
    preparations_fail(&rented);
    world_run(&rented.world, INT64_C(2) * HOUR_MS);
    before = launches(&rented);
    assert_in_range(before, 7, 9);
    assert_true(rented_events(&rented, "pool.held") > 0);
    assert_non_null(strstr(rented_pool(&rented)->setback.why, "its preparation failed 3 times"));
    world_crash(&rented.world, 0);
    world_start(&rented.world);
    assert_int_equal(rented_pool(&rented)->setback.hosts, before);
    world_run(&rented.world, INT64_C(6) * HOUR_MS);
    assert_in_range(launches(&rented), before + 4, before + 7);
    rented_end(&rented);
}

static void
test_success_ends_it(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 3);
    preparations_fail(&rented);
    world_run(&rented.world, INT64_C(20) * MINUTE_MS);
    fake_shell_rules_clear(rented.world.shell);
    assert_true(rented_pool(&rented)->setback.steps >= 3);
    rented_until_active(&rented, 1, HOUR_MS);
    world_run(&rented.world, MINUTE_MS / 2);
    /* Nobody has used it yet: the others come one by one. */
    assert_int_equal(rented_count(&rented, HOST_SPAWNED), 1);
    assert_true(rented_pool(&rented)->setback.hosts > 0);
    world_run(&rented.world, INT64_C(6) * MINUTE_MS);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 3);
    assert_int_equal(rented_pool(&rented)->setback.hosts, 0);
    assert_true(rented_events(&rented, "pool.hold_ended") > 0);
    rented_end(&rented);
}

/* Who changes the rules may have mended what made them fail. */
static void
test_new_rules_end_it(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    preparations_fail(&rented);
    world_run(&rented.world, INT64_C(2) * HOUR_MS);
    fake_shell_rules_clear(rented.world.shell);
    rented_policy_set(&rented, 1, false);
    rented_until_active(&rented, 1, INT64_C(3) * MINUTE_MS);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_preparation_that_always_fails),
        cmocka_unit_test(test_success_ends_it),
        cmocka_unit_test(test_new_rules_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
