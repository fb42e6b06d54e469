/*
 * A machine that never becomes a host: what its console showed last stands among the host's events, and
 * what a spot machine costs is what the provider says.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/engine/console.h"
#include "rented.h"

enum { MINUTE_MS = 60000 };

static void
launches_are(struct rented *rented, struct fake_vm_life life)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_LAUNCH, .fate = fake_cloud_fate_usual() };

    life.hidden_ms = rule.fate.life.hidden_ms;
    life.stop_ms = rule.fate.life.stop_ms;
    rule.fate.life = life;
    fake_cloud_rule_add(rented->world.cloud, &rule);
}

static void
test_one_that_never_boots(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    launches_are(&rented, (struct fake_vm_life){ .boot_ms = -1,
                                                 .console = "Loading\nKernel panic: no root\n" });
    world_run(&rented.world, INT64_C(12) * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "host.console"), 1);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_CONSOLE), 1);
    fake_cloud_rules_clear(rented.world.cloud);
    rented_until_active(&rented, 1, INT64_C(30) * MINUTE_MS);
    rented_end(&rented);
}

/* One that shows nothing, or whose console cannot be had, is given back all the same. */
static void
test_nothing_to_tell(void **state)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_CONSOLE,
                                    .nth = 2,
                                    .fate = fake_cloud_fate_usual() };
    struct rented rented;

    (void)state;
    rented_begin(&rented, 2);
    launches_are(&rented, (struct fake_vm_life){ .boot_ms = -1 });
    rule.fate.how.kind = FAULT_CLOUD_DENIED;
    fake_cloud_rule_add(rented.world.cloud, &rule);
    world_run(&rented.world, INT64_C(12) * MINUTE_MS);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_CONSOLE), 2);
    assert_int_equal(rented_events(&rented, "host.console"), 0);
    assert_true(fake_cloud_calls(rented.world.cloud, CLOUD_TERMINATE) >= 2);
    rented_end(&rented);
}

/* The answer comes when nobody can hear it any more. */
static void
test_a_late_console(void **state)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_CONSOLE, .fate = fake_cloud_fate_usual() };
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    launches_are(&rented, (struct fake_vm_life){ .boot_ms = -1, .console = "x" });
    rule.fate.how.latency_ms = INT64_C(10) * MINUTE_MS;
    fake_cloud_rule_add(rented.world.cloud, &rule);
    while (fake_cloud_calls(rented.world.cloud, CLOUD_CONSOLE) == 0)
        world_run(&rented.world, 1000);
    world_run(&rented.world, INT64_C(2) * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "host.console"), 0);
    rented_end(&rented);
}

static void
test_tail(void **state)
{
    static const struct {
        const char *text;
        const char *tail;
    } cases[] = {
        { "", "" },
        { "\n \r\n\t\n", "" },
        { "one", "one" },
        { "one\r\n\r\n  two \nthree\nfour\n\n", "two / three / four" },
    };
    char tail[CONSOLE_TAIL_SIZE];
    char whole[4 * CONSOLE_TAIL_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(console_tail(cases[i].text, strlen(cases[i].text), tail),
                            cases[i].tail);
    }
    memset(whole, 'a', sizeof(whole));
    (void)snprintf(whole + sizeof(whole) - 5, 5, "\nend");
    assert_int_equal(strlen(console_tail(whole, sizeof(whole) - 1, tail)), CONSOLE_TAIL_SIZE - 1);
    assert_string_equal(tail + CONSOLE_TAIL_SIZE - 1 - 7, "a / end");
}

static void
test_spot_price(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    launches_are(&rented, (struct fake_vm_life){ .boot_ms = 30000, .spot_micro = 1234 });
    rented_until_active(&rented, 1, INT64_C(10) * MINUTE_MS);
    assert_true(rented_first(&rented)->machine->spot);
    assert_int_equal(rented_first(&rented)->machine->price_micro, 1234);
    /* Of a host that serves it stays: what it cost so far was counted with it. */
    fake_vm_next(fake_cloud_vms(rented.world.cloud), NULL)->seen.price_micro = 99;
    world_run(&rented.world, INT64_C(5) * MINUTE_MS);
    assert_int_equal(rented_first(&rented)->machine->price_micro, 1234);
    world_crash(&rented.world, 0);
    world_start(&rented.world);
    assert_int_equal(rented_first(&rented)->machine->price_micro, 1234);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_never_boots), cmocka_unit_test(test_nothing_to_tell),
        cmocka_unit_test(test_a_late_console),       cmocka_unit_test(test_tail),
        cmocka_unit_test(test_spot_price),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
