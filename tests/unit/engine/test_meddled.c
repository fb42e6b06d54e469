/*
 * Rented machines that others meddle with, that cannot be found yet, or that nobody
 * looked after for days: each is given back, and none that serves.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { HOSTS = 8, FOUND_MS = 600000, SWEPT_MS = 900000, HANGS_MS = 300000 };

static const int64_t hour_ms = 3600000;

static struct fake_vm *
next_vm(struct rented *rented, const struct fake_vm *vm)
{
    return fake_vm_next(fake_cloud_vms(rented->world.cloud), vm);
}

static bool
is_gone(struct world *world)
{
    return fake_cloud_alive(world->cloud) == 0;
}

static bool
is_launched(struct world *world)
{
    return fake_cloud_alive(world->cloud) > 0;
}

static bool
are_only_hosts(struct world *world)
{
    return rented_count(world->cookie, HOST_ACTIVE) == HOSTS &&
           fake_cloud_alive(world->cloud) == HOSTS;
}

/* A script that stops all machines of the account at night: they are replaced, and all of them are given
 * back, though they are more than a sweep may take. */
static void
test_all_are_stopped_by_hand(void **state)
{
    struct rented rented;
    struct fake_vm *vm = NULL;

    (void)state;
    rented_begin(&rented, HOSTS);
    rented_until_active(&rented, HOSTS, FOUND_MS);
    while ((vm = next_vm(&rented, vm)))
        assert_true(fake_vm_stop(vm));
    world_run(&rented.world, 60000);
    assert_true(world_run_until(&rented.world, are_only_hosts, SWEPT_MS));
    assert_int_equal(rented_events(&rented, "host.lost"), HOSTS);
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    assert_int_equal(rented_events(&rented, "pool.sweep_stopped"), 0);
    rented_end(&rented);
}

/* A program that tidies up tags: what a row names is not nobody's. */
static void
test_a_tag_is_lost(void **state)
{
    struct pool_policy policy;
    struct rented rented;
    struct fake_vm *vm;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, FOUND_MS);
    vm = next_vm(&rented, NULL);
    schema_defaults(&pool_policy_schema, &policy);
    vm->seen.host_id = 0;
    world_run(&rented.world, hour_ms);
    assert_int_equal(vm->seen.state, CLOUD_RUNNING);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    /* Nor when it is called another pool's. */
    (void)world_pool_rented(&rented.world, "other", &policy);
    vm->pool_id = model_pool_find(engine_model(rented.world.engine), "other")->id;
    vm->seen.host_id = rented_first(&rented)->id;
    world_run(&rented.world, hour_ms);
    assert_int_equal(vm->seen.state, CLOUD_RUNNING);
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    vm->pool_id = rented_pool(&rented)->id;
    fake_vm_vanish(vm);
    rented_until_active(&rented, 0, 60000);
    rented_end(&rented);
}

static bool
is_proven(struct world *world)
{
    return rented_events(world->cookie, "pool.shutdown_done") > 0;
}

/* The provider says yes to the end of a machine that it does not find yet, and does nothing: the host
 * waits for it, and a proof means what it says. */
static void
test_machines_that_are_not_found_yet(void **state)
{
    const struct pool_shutdown wanted = { .pool = "rent", .deadline_ms = 0, .owner = "op" };
    struct fake_cloud_rule hidden = { .verb = CLOUD_LAUNCH };
    struct operation *operation;
    struct rented rented;
    struct fault fault;

    (void)state;
    hidden.fate = fake_cloud_fate_usual();
    hidden.fate.life.hidden_ms = 30000;
    rented_begin(&rented, HOSTS);
    fake_cloud_rule_add(rented.world.cloud, &hidden);
    while (fake_cloud_alive(rented.world.cloud) < HOSTS)
        assert_true(world_turn(&rented.world, INT64_MAX));
    world_run(&rented.world, 500);
    assert_int_equal(engine_pool_shutdown(rented.world.engine, &wanted, &operation, &fault), 0);
    assert_true(world_run_until(&rented.world, is_proven, SWEPT_MS));
    assert_true(is_gone(&rented.world));
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    rented_end(&rented);
}

/* The answer was lost, and the daemon was down for longer than the provider remembers a token, or its clock
 * was set meanwhile: asked again it would launch a second one. */
static void
test_a_token_is_forgotten(void **state)
{
    static const int64_t years[] = { 0, 1, -1 };
    struct fake_cloud_rule lost = { .verb = CLOUD_LAUNCH, .nth = 1 };

    (void)state;
    lost.fate = fake_cloud_fate_usual();
    lost.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_UNSURE, FAKE_DONE, 0 };
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        struct rented rented;

        rented_begin(&rented, 1);
        fake_cloud_rule_add(rented.world.cloud, &lost);
        assert_true(world_run_until(&rented.world, is_launched, FOUND_MS));
        world_crash(&rented.world, 9);
        fake_clock_advance(rented.world.clock, 30 * hour_ms);
        fake_clock_jump(rented.world.clock, years[i] * 8760 * hour_ms);
        world_start(&rented.world);
        rented_until_active(&rented, 1, FOUND_MS); /* rented.c looks for two machines of one host */
        world_run(&rented.world, SWEPT_MS);
        assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
        assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
        rented_end(&rented);
    }
}

/* A host that has left is not kept, and paid for, because what was done to it while it served hangs. */
static void
test_upkeep_hangs_on_a_host_that_leaves(void **state)
{
    struct fake_shell_rule hangs = { .fate = { .step_ms = 1000, .kind = FAULT_TIMEOUT } };
    struct operation *operation;
    struct rented rented;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, FOUND_MS);
    fake_shell_rule_add(rented.world.shell, &hangs);
    rented_first(&rented)->machine->certificate_ends_at_ms =
        engine_now_ms(rented.world.engine) + hour_ms;
    while (fake_shell_pending(rented.world.shell) == 0)
        assert_true(world_turn(&rented.world, INT64_MAX));
    world_run(&rented.world, 10000);
    assert_int_equal(engine_pool_shutdown(rented.world.engine,
                                          &(struct pool_shutdown){ .pool = "rent", .owner = "op" },
                                          &operation, &fault),
                     0);
    assert_true(world_run_until(&rented.world, is_gone, HANGS_MS));
    rented_end(&rented);
}

static bool
is_warm(struct world *world)
{
    const struct host *host = rented_first(world->cookie);

    return host && host->machine->stage == MACHINE_WARM;
}

/* It comes back at its old address, and its certificate has ended while it was stopped. */
static void
test_a_certificate_ends_while_it_is_warm(void **state)
{
    struct rented rented;
    uint64_t runs;

    (void)state;
    rented_begin(&rented, 0);
    rented_rule_set(&rented, (struct rented_rules){ .max_hosts = 4, .warm_hosts = 1 });
    assert_true(world_run_until(&rented.world, is_warm, FOUND_MS));
    next_vm(&rented, NULL)->starts--; /* its address depends on them */
    runs = fake_shell_runs(rented.world.shell);
    fake_shell_certificate_ms(rented.world.shell, 24 * hour_ms);
    rented_first(&rented)->machine->certificate_ends_at_ms = engine_now_ms(rented.world.engine);
    rented_rule_set(&rented, (struct rented_rules){ .min_hosts = 1, .max_hosts = 4 });
    rented_until_active(&rented, 1, 180000);
    assert_int_equal(fake_shell_runs(rented.world.shell), runs + 1);
    assert_true(rented_first(&rented)->machine->certificate_ends_at_ms >
                engine_now_ms(rented.world.engine));
    rented_end(&rented);
}

/* Hosts of another playbook are replaced though a person keeps one aside. */
static void
test_drift_is_replaced_beside_a_drained_host(void **state)
{
    struct rented rented;
    struct operation *operation;
    struct host *aside;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, FOUND_MS);
    aside = rented_first(&rented);
    assert_int_equal(engine_host_drain(rented.world.engine, aside, 0, "op", &operation, &fault), 0);
    rented_until_active(&rented, 2, FOUND_MS);
    rented_pool(&rented)->policy.playbook_drift = PLAYBOOK_REPLACE;
    fake_shell_revision_set(rented.world.shell, "00000000000000ff");
    world_run(&rented.world, hour_ms);
    assert_int_equal(aside->state, HOST_INACTIVE);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 2);
    IDMAP_EACH(&engine_model(rented.world.engine)->hosts, struct host, host)
    {
        if (host->state == HOST_ACTIVE)
            assert_string_equal(host->machine->playbook_revision, "00000000000000ff");
    }
    rented_end(&rented);
}

static bool
is_running(struct world *world)
{
    return engine_model(world->engine)->instance_counts[INSTANCE_RUNNING] == 1;
}

/* The policy has taken a host out of service until a time; a person drains it, too, and takes that back: the
 * host leaves all the same, and does not cost for ever. */
static void
test_a_drain_is_taken_back(void **state)
{
    struct rented rented;
    struct operation *operation;
    struct host *host;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    rented_pool(&rented)->policy.retire_deadline_ms = hour_ms;
    rented_pool(&rented)->policy.host_lifetime_ms = hour_ms;
    rented_until_active(&rented, 1, FOUND_MS);
    host = rented_first(&rented);
    (void)world_blueprint(&rented.world,
                          "{\"name\":\"web\",\"image\":\"web:1\",\"memory_bytes\":67108864,"
                          "\"pool\":\"rent\",\"restart\":{\"policy\":\"always\"}}");
    (void)world_launch(&rented.world, "web", "ann");
    assert_true(world_run_until(&rented.world, is_running, FOUND_MS));
    rented_pool(&rented)->policy.retire = RETIRE_DRAIN;
    while (host->state == HOST_ACTIVE)
        world_run(&rented.world, 60000);
    assert_int_equal(host->cause, CAUSE_AGE);
    assert_int_equal(
        engine_host_drain(rented.world.engine, host, 2 * hour_ms, "op", &operation, &fault), 0);
    assert_int_equal(engine_operation_cancel(rented.world.engine, operation, &fault), 0);
    world_run(&rented.world, hour_ms + 600000);
    assert_int_equal(host->state, HOST_REMOVED);
    rented_end(&rented);
}

/* Whoever takes the pool from spot machines to others gets his warm hosts. */
static void
test_warm_hosts_after_a_change(void **state)
{
    const struct rented_rules rules = { .max_hosts = 4, .warm_hosts = 1 };
    struct fake_cloud_rule spot = { .verb = CLOUD_LAUNCH, .nth = 1 };
    struct rented rented;

    (void)state;
    spot.fate = fake_cloud_fate_usual();
    spot.fate.life.spot_micro = 1000;
    rented_begin(&rented, 0);
    fake_cloud_rule_add(rented.world.cloud, &spot);
    rented_rule_set(&rented, rules);
    world_run(&rented.world, SWEPT_MS);
    assert_true(is_gone(&rented.world));
    assert_int_equal(rented_events(&rented, "host.park_failed"), 1);
    rented_rule_set(&rented, rules);
    assert_true(world_run_until(&rented.world, is_warm, FOUND_MS));
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_are_stopped_by_hand),
        cmocka_unit_test(test_a_tag_is_lost),
        cmocka_unit_test(test_machines_that_are_not_found_yet),
        cmocka_unit_test(test_a_token_is_forgotten),
        cmocka_unit_test(test_upkeep_hangs_on_a_host_that_leaves),
        cmocka_unit_test(test_a_certificate_ends_while_it_is_warm),
        cmocka_unit_test(test_drift_is_replaced_beside_a_drained_host),
        cmocka_unit_test(test_a_drain_is_taken_back),
        cmocka_unit_test(test_warm_hosts_after_a_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
