/*
 * Machines that are given instead of rented: prepared for as long as it takes,
 * never swept, never ended.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUbkbsUzoT0qc9xUhvFqHRVjPcbyWOdmGKDbKWBoA0m"

/* A machine of somebody else's, up and in pool `own` as rack1. */
static struct host *
given(struct rented *rented)
{
    struct fake_vm *vm = fake_cloud_alien_add(rented->world.cloud);
    struct host_request request = { .pool = "own", .name = "rack1", .host_key = KEY " root@rack1" };
    struct host *host = NULL;
    struct fault fault;
    CLEANUP(mem_freep) char *ssh = NULL;

    vm->memory_bytes = INT64_C(4) << 30;
    vm->cpus_milli = 2000;
    (void)world_pool(&rented->world, "own");
    while (vm->seen.state != CLOUD_RUNNING)
        assert_true(world_turn(&rented->world, INT64_MAX));
    ssh = mem_printf("debian@%s:2222", vm->seen.address);
    request.ssh = ssh;
    assert_int_equal(engine_host_add(rented->world.engine, &request, &host, &fault), 0);
    assert_string_equal(host->address, vm->seen.address);
    assert_string_equal(host->machine->host_key, KEY);
    return host;
}

static struct host *
rack1(const struct world *world)
{
    const struct model *model = engine_model(world->engine);

    return model_host_find(model, model_pool_find(model, "own"), "rack1");
}

static bool
is_active(struct world *world)
{
    return rack1(world)->state == HOST_ACTIVE;
}

static bool
is_gone(struct world *world)
{
    return !rack1(world);
}

static void
assert_untouched(struct rented *rented)
{
    assert_int_equal(fake_cloud_aliens_touched(rented->world.cloud), 0);
    assert_int_equal(fake_cloud_calls(rented->world.cloud, CLOUD_TERMINATE), 0);
    assert_int_equal(fake_cloud_calls(rented->world.cloud, CLOUD_LAUNCH), 0);
}

/* It becomes a host that runs things, and its removal leaves it as it is. */
static void
test_it_becomes_a_host(void **state)
{
    struct rented rented;
    struct operation *operation;
    struct fault fault;
    struct host *host;

    (void)state;
    rented_begin(&rented, 0);
    host = given(&rented);
    assert_int_equal(host->state, HOST_SPAWNED);
    assert_true(world_run_until(&rented.world, is_active, 120000));
    assert_int_equal(host->machine->stage, MACHINE_READY);
    assert_string_equal(host->machine->playbook_revision, "0000000000000001");
    assert_non_null(strstr(host->endpoint.engine, ":2376"));
    (void)world_blueprint(&rented.world,
                          "{\"name\":\"job\",\"image\":\"job:1\",\"memory_bytes\":67108864,"
                          "\"pool\":\"own\"}");
    fake_docker_machine(rented.world.docker, host->endpoint.engine)->any_image = true;
    (void)world_launch(&rented.world, "job", "bob");
    world_run(&rented.world, 10000);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 1);
    assert_int_equal(
        engine_host_remove(rented.world.engine, host, false, "ann", &operation, &fault), 0);
    assert_true(world_run_until(&rented.world, is_gone, 7500000));
    assert_int_equal(operation->state, OPERATION_DONE);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 0);
    assert_untouched(&rented);
    rented_end(&rented);
}

/* What fails is tried again with growing pauses; it is not given up, and the pool suffers no setback. */
static void
test_it_is_tried_for_as_long_as_it_takes(void **state)
{
    struct fake_shell_rule fails = { .fate = {
                                         .step_ms = 1000, .fails_at = 3, .kind = FAULT_PREPARE } };
    struct rented rented;
    uint64_t runs;

    (void)state;
    rented_begin(&rented, 0);
    fake_shell_rule_add(rented.world.shell, &fails);
    (void)given(&rented);
    world_run(&rented.world, INT64_C(4) * 3600000);
    runs = fake_shell_runs(rented.world.shell);
    assert_true(runs >= 10 && runs <= 20);
    assert_int_equal(rack1(&rented.world)->state, HOST_SPAWNED);
    assert_int_equal(rack1(&rented.world)->pool->setback.hosts, 0);
    fake_shell_rules_clear(rented.world.shell);
    assert_true(world_run_until(&rented.world, is_active, 1900000));
    assert_untouched(&rented);
    rented_end(&rented);
}

/* A step that never ends is ended after a while, and tried again. */
static void
test_a_step_that_hangs(void **state)
{
    struct fake_shell_rule hangs = {
        .nth = 1, .fate = { .step_ms = 3600000, .fails_at = 3, .kind = FAULT_NONE }
    };
    struct rented rented;

    (void)state;
    rented_begin(&rented, 0);
    fake_shell_rule_add(rented.world.shell, &hangs);
    (void)given(&rented);
    assert_true(world_run_until(&rented.world, is_active, 2400000));
    assert_int_equal(rented_events(&rented, "host.prepare_failed"), 1);
    rented_end(&rented);
}

/* Killed at any moment of it, with and without a provider. */
static void
test_a_crash(void **state)
{
    (void)state;
    for (int64_t after_ms = 0; after_ms < 60000; after_ms += 7000) {
        struct rented rented;

        rented_begin(&rented, 0);
        (void)given(&rented);
        world_run(&rented.world, 100 + after_ms);
        world_crash(&rented.world, 0);
        rented.world.ports.cloud = after_ms % 2000 ? NULL : rented.world.ports.cloud;
        world_start(&rented.world);
        assert_true(world_run_until(&rented.world, is_active, 240000));
        assert_string_equal(rack1(&rented.world)->machine->host_key, KEY);
        assert_untouched(&rented);
        rented_end(&rented);
    }
}

/* Removed in the middle of its preparation: that ends, and nothing is left. */
static void
test_it_is_removed_early(void **state)
{
    (void)state;
    for (int64_t after_ms = 0; after_ms < 60000; after_ms += 7000) {
        struct operation *operation;
        struct rented rented;
        struct fault fault;

        rented_begin(&rented, 0);
        (void)given(&rented);
        world_run(&rented.world, after_ms);
        assert_int_equal(engine_host_remove(rented.world.engine, rack1(&rented.world), false, "ann",
                                            &operation, &fault),
                         0);
        assert_true(world_run_until(&rented.world, is_gone, 60000));
        world_run(&rented.world, 120000);
        assert_int_equal(fake_shell_pending(rented.world.shell), 0);
        assert_untouched(&rented);
        rented_end(&rented);
    }
}

/* A host that fails for good is people's to mend: nobody ends its machine. */
static void
test_a_silent_one_is_kept(void **state)
{
    struct rented rented;
    struct host *host;

    (void)state;
    rented_begin(&rented, 0);
    host = given(&rented);
    assert_true(world_run_until(&rented.world, is_active, 120000));
    fake_docker_machine(rented.world.docker, host->endpoint.engine)->unreachable = true;
    world_run(&rented.world, INT64_C(24) * 3600000);
    assert_int_equal(rack1(&rented.world)->state, HOST_ACTIVE);
    fake_docker_machine(rented.world.docker, host->endpoint.engine)->unreachable = false;
    world_run(&rented.world, 120000);
    assert_true(rack1(&rented.world)->reachable);
    assert_untouched(&rented);
    rented_end(&rented);
}

static void
test_where_it_may_be_added(void **state)
{
    struct host_request request = { "rent", "rack1", { 0 }, "root@10.0.0.5", KEY, { 0 }, false };
    struct rented rented;
    struct host *host;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 0);
    assert_int_equal(engine_host_add(rented.world.engine, &request, &host, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    (void)world_pool(&rented.world, "own");
    world_stop(&rented.world);
    rented.world.ports.shell = NULL;
    world_start(&rented.world);
    request.pool = "own";
    assert_int_equal(engine_host_add(rented.world.engine, &request, &host, &fault), -1);
    assert_non_null(strstr(fault.text, "no playbook to prepare machines with"));
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_becomes_a_host),
        cmocka_unit_test(test_it_is_tried_for_as_long_as_it_takes),
        cmocka_unit_test(test_a_step_that_hangs),
        cmocka_unit_test(test_a_crash),
        cmocka_unit_test(test_it_is_removed_early),
        cmocka_unit_test(test_a_silent_one_is_kept),
        cmocka_unit_test(test_where_it_may_be_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
