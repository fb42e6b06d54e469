/*
 * The provider's listings against the rows, both ways; machines that never
 * become hosts; types that run out.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { SWEPT_MS = 240000 };

static bool
is_only_hosts(struct world *world)
{
    return fake_cloud_alive(world->cloud) == rented_count(world->cookie, HOST_ACTIVE);
}

static void
test_what_has_no_row_is_given_back(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)fake_cloud_alien_add(rented.world.cloud);
    rented_strays_launch(&rented, 3);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 4);
    /* Not at once: its row may be on its way. */
    world_run(&rented.world, 50000);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 4);
    assert_true(world_run_until(&rented.world, is_only_hosts, SWEPT_MS));
    assert_int_equal(rented_events(&rented, "pool.orphan"), 3);
    assert_int_equal(fake_cloud_aliens_touched(rented.world.cloud), 0);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    rented_end(&rented);
}

/* What `berth status` says of them: so many. */
static int64_t
strays_told(struct rented *rented)
{
    json_t *wrongs = rented_wrongs(rented);
    json_t *wrong = json_array_get(wrongs, 0);
    int64_t count = json_in_int(wrong, "count", 0);

    if (wrong)
        assert_string_equal(json_in_string(wrong, "kind", ""), "machine_stray");
    json_decref(wrongs);
    return count;
}

/* A person ends @count of them at the provider. */
static void
strays_end(struct rented *rented, size_t count)
{
    const struct fake_vms *vms = fake_cloud_vms(rented->world.cloud);

    for (struct fake_vm *vm = fake_vm_next(vms, NULL); vm && count > 0;
         vm = fake_vm_next(vms, vm)) {
        if (strcmp(vm->name, "stray") != 0)
            continue;
        fake_vm_vanish(vm);
        count--;
    }
}

/* So many that the database may be the wrong one: nothing is touched, and it is said once. */
static void
test_too_many_are_left_alone(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rented_strays_launch(&rented, 8);
    world_run(&rented.world, 600000);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 9);
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    assert_int_equal(rented_events(&rented, "pool.sweep_stopped"), 1);
    assert_int_equal(strays_told(&rented), 8);
    /* A person has ended some: the rest is Berth's again. */
    strays_end(&rented, 3);
    assert_true(world_run_until(&rented.world, is_only_hosts, SWEPT_MS));
    assert_int_equal(rented_events(&rented, "pool.sweep_resumed"), 1);
    assert_int_equal(strays_told(&rented), 0);
    rented_end(&rented);
}

/* Listings that are not complete say nothing about what they lack. */
static void
test_half_a_listing_loses_nobody(void **state)
{
    struct fake_cloud_rule half = { .verb = CLOUD_LIST };
    struct rented rented;

    (void)state;
    half.fate = fake_cloud_fate_usual();
    half.fate.incomplete = true;
    rented_begin(&rented, 3);
    rented_until_active(&rented, 3, 180000);
    fake_cloud_rule_add(rented.world.cloud, &half);
    world_run(&rented.world, 600000);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 3);
    assert_int_equal(rented_events(&rented, "host.lost"), 0);
    rented_end(&rented);
}

/* Nor does a single one that is wrong. */
static void
test_one_listing_loses_nobody(void **state)
{
    struct rented rented;
    struct fake_vm *vm;
    uint64_t calls;

    (void)state;
    rented_begin(&rented, 3);
    rented_until_active(&rented, 3, 180000);
    world_run(&rented.world, 120000);
    calls = fake_cloud_calls(rented.world.cloud, CLOUD_LIST);
    vm = fake_vm_next(fake_cloud_vms(rented.world.cloud), NULL);
    vm->life.hidden_ms = INT64_MAX / 2;
    while (fake_cloud_calls(rented.world.cloud, CLOUD_LIST) == calls)
        assert_true(world_turn(&rented.world, INT64_MAX));
    world_run(&rented.world, 200);
    vm->life.hidden_ms = 0;
    world_run(&rented.world, 600000);
    assert_int_equal(rented_events(&rented, "host.lost"), 0);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 3);
    rented_end(&rented);
}

/* The configuration asks another region than the one they are in: they answer, so they are there. */
static void
test_who_answers_is_not_lost(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 3);
    rented_until_active(&rented, 3, 180000);
    for (struct fake_vm *vm = fake_vm_next(fake_cloud_vms(rented.world.cloud), NULL); vm;
         vm = fake_vm_next(fake_cloud_vms(rented.world.cloud), vm))
        vm->life.hidden_ms = INT64_C(1) << 50;
    world_run(&rented.world, 3600000);
    assert_int_equal(rented_events(&rented, "host.lost"), 0);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 3);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 3);
    rented_end(&rented);
}

static void
test_a_machine_that_never_boots(void **state)
{
    struct fake_cloud_rule never = { .verb = CLOUD_LAUNCH, .nth = 1 };
    struct rented rented;

    (void)state;
    never.fate = fake_cloud_fate_usual();
    never.fate.life.boot_ms = -1;
    rented_begin(&rented, 1);
    fake_cloud_rule_add(rented.world.cloud, &never);
    rented_until_active(&rented, 1, 1200000);
    assert_true(world_run_until(&rented.world, is_only_hosts, SWEPT_MS));
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    rented_end(&rented);
}

static bool
is_launched(struct world *world)
{
    const struct fake_vm *vm = fake_vm_next(fake_cloud_vms(world->cloud), NULL);

    return vm != NULL;
}

/* Its first machine ends before anybody hears of it: the next attempt has its own, and keeps it. */
static void
test_a_machine_that_ends_unseen(void **state)
{
    struct fake_cloud_rule lost = { .verb = CLOUD_LAUNCH, .nth = 1 };

    (void)state;
    for (int64_t after_ms = 0; after_ms < 12000; after_ms += 400) {
        struct rented rented;

        lost.fate = fake_cloud_fate_usual();
        lost.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_UNSURE, FAKE_DONE, 0 };
        lost.fate.life.hidden_ms = 0;
        rented_begin(&rented, 1);
        fake_cloud_rule_add(rented.world.cloud, &lost);
        assert_true(world_run_until(&rented.world, is_launched, 60000));
        world_run(&rented.world, after_ms);
        fake_vm_vanish(fake_vm_next(fake_cloud_vms(rented.world.cloud), NULL));
        rented_until_active(&rented, 1, 600000);
        world_run(&rented.world, 120000);
        assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
        assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
        rented_end(&rented);
    }
}

static void
test_a_preparation_that_fails(void **state)
{
    struct fake_shell_rule fails = {
        .nth = 1, .fate = { .step_ms = 1000, .fails_at = 3, .kind = FAULT_PREPARE }
    };
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    fake_shell_rule_add(rented.world.shell, &fails);
    rented_until_active(&rented, 1, 300000);
    assert_int_equal(rented_first(&rented)->machine->prepare_failures, 1);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 1);
    assert_int_equal(rented_events(&rented, "host.prepare_failed"), 1);
    rented_end(&rented);
}

/* So often, and the host is given up and replaced. */
static void
test_a_preparation_that_fails_for_ever(void **state)
{
    struct fake_shell_rule fails = { .fate = {
                                         .step_ms = 1000, .fails_at = 3, .kind = FAULT_PREPARE } };
    struct rented rented;
    const struct host *host;

    (void)state;
    rented_begin(&rented, 1);
    fake_shell_rule_add(rented.world.shell, &fails);
    world_run(&rented.world, 60000);
    host = rented_first(&rented);
    world_run(&rented.world, 240000);
    assert_int_equal(host->state, HOST_REMOVED);
    assert_int_equal(host->machine->prepare_failures, 3);
    fake_shell_rules_clear(rented.world.shell);
    rented_until_active(&rented, 1, 600000);
    assert_true(world_run_until(&rented.world, is_only_hosts, SWEPT_MS));
    rented_end(&rented);
}

/* The next type is tried, with a token of its own. */
static void
test_a_type_that_runs_out(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    fake_quota_room_set(fake_cloud_quota(rented.world.cloud), "small", 0);
    rented_until_active(&rented, 1, 180000);
    assert_string_equal(rented_first(&rented)->machine->type, "large");
    assert_int_equal(rented_first(&rented)->machine->price_micro, 40000);
    assert_int_equal(rented_first(&rented)->machine->attempt, 1);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    rented_end(&rented);
}

/* The provider says no: ever fewer questions, said once, and growth goes on when it says yes. */
static void
test_an_account_at_its_limit(void **state)
{
    struct rented rented;
    uint64_t calls;

    (void)state;
    rented_begin(&rented, 3);
    fake_quota_limit_set(fake_cloud_quota(rented.world.cloud), 1);
    rented_until_active(&rented, 1, 180000);
    world_run(&rented.world, 300000);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    calls = fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH);
    world_run(&rented.world, 300000);
    assert_true(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH) - calls < 10);
    assert_int_equal(rented_events(&rented, "pool.refused"), 1);
    fake_quota_limit_set(fake_cloud_quota(rented.world.cloud), -1);
    rented_until_active(&rented, 3, 1800000);
    assert_true(world_run_until(&rented.world, is_only_hosts, SWEPT_MS));
    rented_end(&rented);
}

/* An operator who drains what is not a host yet gets nothing that could be activated later. */
static void
test_a_drain_before_it_is_a_host(void **state)
{
    struct rented rented;
    struct operation *operation;
    struct fault fault;

    (void)state;
    for (int64_t after_ms = 0; after_ms < 100000; after_ms += 9000) {
        struct host *host;
        int64_t id;

        rented_begin(&rented, 1);
        world_run(&rented.world, 15100 + after_ms);
        host = rented_first(&rented);
        id = host->id;
        if (host->state == HOST_SPAWNED) {
            assert_int_equal(
                engine_host_drain(rented.world.engine, host, -1, "ann", &operation, &fault), 0);
            assert_int_equal(engine_host_activate(rented.world.engine, host, &fault), -1);
            assert_int_equal(fault.kind, FAULT_CONFLICT);
            world_run(&rented.world, 400000);
            assert_int_not_equal(rented_first(&rented)->id, id);
            assert_true(is_only_hosts(&rented.world));
        }
        rented_end(&rented);
    }
}

/* Taken back with notice: its instances move while there is time. */
static void
test_a_notice(void **state)
{
    struct fake_cloud_rule spot = { .verb = CLOUD_LAUNCH, .nth = 1 };
    struct rented rented;
    struct world *world = &rented.world;
    const struct instance *instance;
    int64_t id;

    (void)state;
    spot.fate = fake_cloud_fate_usual();
    spot.fate.life.ends_ms = 900000;
    spot.fate.life.notice = true;
    rented_begin(&rented, 1);
    fake_cloud_rule_add(world->cloud, &spot);
    (void)world_blueprint(world, "{\"name\":\"kept\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864,\"restart\":{\"policy\":\"always\"}}");
    rented_until_active(&rented, 1, 180000);
    id = world_launch(world, "kept", "ann");
    world_run(world, 880000 - world_mono(world));
    instance = world_instance(world, id);
    assert_int_equal(instance->state, INSTANCE_RUNNING);
    assert_int_equal(instance->host->state, HOST_ACTIVE);
    assert_int_equal(instance->generation, 2);
    assert_int_equal(rented_events(&rented, "host.notice"), 1);
    world_run(world, 200000);
    assert_true(is_only_hosts(world));
    assert_int_equal(world_instance(world, id)->generation, 2);
    rented_end(&rented);
}

static bool
is_up(struct world *world)
{
    const struct host *host = rented_first(world->cookie);

    return host && host->machine->stage > MACHINE_BOOTING;
}

/* One that is quick is not kept waiting; one that is slow does not cost a listing a second. */
static void
test_a_machine_that_boots_is_looked_for(void **state)
{
    struct fake_cloud_rule quick = { .verb = CLOUD_LAUNCH, .fate = fake_cloud_fate_usual() };
    struct rented rented;

    (void)state;
    quick.fate.life.boot_ms = 600;
    quick.fate.life.hidden_ms = 300;
    rented_begin(&rented, 1);
    fake_cloud_rule_add(rented.world.cloud, &quick);
    assert_true(world_run_until(&rented.world, is_up, 2000));
    rented_end(&rented);

    quick.fate.life.boot_ms = 50000;
    quick.fate.life.hidden_ms = 2000;
    rented_begin(&rented, 1);
    fake_cloud_rule_add(rented.world.cloud, &quick);
    assert_true(world_run_until(&rented.world, is_up, 60000));
    assert_in_range(fake_cloud_calls(rented.world.cloud, CLOUD_LIST), 5, 15);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_has_no_row_is_given_back),
        cmocka_unit_test(test_too_many_are_left_alone),
        cmocka_unit_test(test_half_a_listing_loses_nobody),
        cmocka_unit_test(test_one_listing_loses_nobody),
        cmocka_unit_test(test_who_answers_is_not_lost),
        cmocka_unit_test(test_a_machine_that_never_boots),
        cmocka_unit_test(test_a_machine_that_ends_unseen),
        cmocka_unit_test(test_a_preparation_that_fails),
        cmocka_unit_test(test_a_preparation_that_fails_for_ever),
        cmocka_unit_test(test_a_type_that_runs_out),
        cmocka_unit_test(test_an_account_at_its_limit),
        cmocka_unit_test(test_a_drain_before_it_is_a_host),
        cmocka_unit_test(test_a_notice),
        cmocka_unit_test(test_a_machine_that_boots_is_looked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
