/*
 * Hosts that are kept warm: prepared and stopped, started within seconds when
 * they are wanted, and never more machines or money than that.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

#define MINUTE_MS INT64_C(60000)

enum { WARM_MS = 600000 };

static void
rules_set(struct rented *rented, int64_t min_hosts, int64_t warm_hosts)
{
    rented_rule_set(rented, (struct rented_rules){
                                .min_hosts = min_hosts, .max_hosts = 4, .warm_hosts = warm_hosts });
}

static size_t
count_at(struct world *world, enum machine_stage stage)
{
    size_t count = 0;

    IDMAP_EACH(&engine_model(world->engine)->hosts, struct host, host)
    {
        count += host->state == HOST_SPAWNED && host->machine->stage == (int32_t)stage;
    }
    return count;
}

static bool
is_warm(struct world *world)
{
    return count_at(world, MACHINE_WARM) == 1;
}

static bool
is_gone(struct world *world)
{
    return fake_cloud_alive(world->cloud) == 0;
}

static void
warm_begin(struct rented *rented)
{
    rented_begin(rented, 0);
    rules_set(rented, 0, 1);
    assert_true(world_run_until(&rented->world, is_warm, WARM_MS));
    assert_int_equal(fake_cloud_calls(rented->world.cloud, CLOUD_LAUNCH), 1);
}

static struct fake_vm *
first_vm(struct rented *rented)
{
    return fake_vm_next(fake_cloud_vms(rented->world.cloud), NULL);
}

static int64_t
spent_micro(struct rented *rented)
{
    return rented_pool(rented)->spent_micro;
}

static void
test_it_is_prepared_and_stopped(void **state)
{
    struct rented rented;
    const struct host *host;
    int64_t spent;

    (void)state;
    warm_begin(&rented);
    host = rented_first(&rented);
    assert_int_equal(first_vm(&rented)->seen.state, CLOUD_STOPPED);
    assert_string_equal(host->machine->playbook_revision, "0000000000000001");
    assert_null(host->lane);
    spent = spent_micro(&rented);
    assert_true(spent > 0);
    world_run(&rented.world, 60 * MINUTE_MS);
    assert_int_equal(spent_micro(&rented), spent);
    assert_int_equal(host->machine->launched_at_ms, 0);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 1);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_STOP), 1);
    rented_end(&rented);
}

/* No second machine is launched for what the warm one holds; then the reserve is filled again. */
static void
test_it_is_started_when_it_is_wanted(void **state)
{
    struct rented rented;
    uint64_t runs;

    (void)state;
    warm_begin(&rented);
    runs = fake_shell_runs(rented.world.shell);
    rules_set(&rented, 1, 0);
    rented_until_active(&rented, 1, 2 * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "host.wake"), 1);
    assert_int_equal(fake_shell_runs(rented.world.shell) - runs, 1); /* for its new address */
    assert_int_equal(first_vm(&rented)->seen.state, CLOUD_RUNNING);
    assert_true(rented_first(&rented)->machine->launched_at_ms > 0);
    rules_set(&rented, 1, 1);
    assert_true(world_run_until(&rented.world, is_warm, WARM_MS));
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    rented_end(&rented);
}

/* Each moment of its way is one at which the daemon may die. */
static void
test_a_crash_on_the_way(void **state)
{
    (void)state;
    for (int64_t after_ms = 0; after_ms < 4 * MINUTE_MS; after_ms += 7000) {
        struct rented rented;

        rented_begin(&rented, 0);
        rules_set(&rented, 0, 1);
        world_run(&rented.world, after_ms);
        world_crash(&rented.world, (size_t)(after_ms % 2));
        world_start(&rented.world);
        assert_true(world_run_until(&rented.world, is_warm, WARM_MS));
        rules_set(&rented, 1, 0);
        world_run(&rented.world, after_ms % 25000);
        world_crash(&rented.world, 0);
        world_start(&rented.world);
        rules_set(&rented, 1, 0);
        rented_until_active(&rented, 1, 3 * MINUTE_MS);
        assert_null(fake_vm_next(fake_cloud_vms(rented.world.cloud), first_vm(&rented)));
        rented_end(&rented);
    }
}

/* No room to start it: what waits gets a machine of another kind, and this one is given back. */
static void
test_it_does_not_start(void **state)
{
    struct fake_cloud_rule full = { .verb = CLOUD_START };
    struct rented rented;

    (void)state;
    full.fate = fake_cloud_fate_usual();
    full.fate.how.kind = FAULT_CLOUD_CAPACITY;
    warm_begin(&rented);
    fake_cloud_rule_add(rented.world.cloud, &full);
    rules_set(&rented, 1, 0);
    rented_until_active(&rented, 1, 20 * MINUTE_MS);
    world_run(&rented.world, 5 * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "host.wake_failed"), 1);
    assert_int_equal(first_vm(&rented)->seen.state, CLOUD_TERMINATED);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
    rented_end(&rented);
}

/* As with spot machines: it is given back, and nobody tries that again and again. */
static void
test_it_cannot_be_stopped(void **state)
{
    struct fake_cloud_rule never = { .verb = CLOUD_STOP };
    struct rented rented;

    (void)state;
    never.fate = fake_cloud_fate_usual();
    never.fate.how.kind = FAULT_CLOUD_REFUSED;
    rented_begin(&rented, 0);
    fake_cloud_rule_add(rented.world.cloud, &never);
    rules_set(&rented, 0, 1);
    world_run(&rented.world, 60 * MINUTE_MS);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 0);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 1);
    assert_int_equal(rented_events(&rented, "host.park_failed"), 1);
    assert_int_equal(rented_events(&rented, "pool.held"), 1);
    rented_end(&rented);
}

static void
test_started_by_another(void **state)
{
    struct rented rented;

    (void)state;
    warm_begin(&rented);
    assert_true(fake_vm_start(first_vm(&rented)));
    world_run(&rented.world, 5 * MINUTE_MS);
    assert_int_equal(first_vm(&rented)->seen.state, CLOUD_STOPPED);
    assert_true(is_warm(&rented.world));
    rented_end(&rented);
}

static void
test_deleted_by_another(void **state)
{
    struct rented rented;

    (void)state;
    warm_begin(&rented);
    fake_vm_vanish(first_vm(&rented));
    world_run(&rented.world, 5 * MINUTE_MS);
    assert_true(world_run_until(&rented.world, is_warm, WARM_MS));
    assert_int_equal(rented_events(&rented, "host.lost"), 1);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
    rented_end(&rented);
}

static void
test_no_more_are_wanted(void **state)
{
    struct rented rented;

    (void)state;
    warm_begin(&rented);
    rules_set(&rented, 0, 0);
    assert_true(world_run_until(&rented.world, is_gone, 5 * MINUTE_MS));
    world_run(&rented.world, 5 * MINUTE_MS);
    assert_null(rented_first(&rented));
    rented_end(&rented);
}

static void
test_shutdown(void **state)
{
    struct rented rented;

    (void)state;
    warm_begin(&rented);
    rented_policy_set(&rented, 0, true);
    assert_true(world_run_until(&rented.world, is_gone, 5 * MINUTE_MS));
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_prepared_and_stopped),
        cmocka_unit_test(test_it_is_started_when_it_is_wanted),
        cmocka_unit_test(test_a_crash_on_the_way),
        cmocka_unit_test(test_it_does_not_start),
        cmocka_unit_test(test_it_cannot_be_stopped),
        cmocka_unit_test(test_started_by_another),
        cmocka_unit_test(test_deleted_by_another),
        cmocka_unit_test(test_no_more_are_wanted),
        cmocka_unit_test(test_shutdown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
