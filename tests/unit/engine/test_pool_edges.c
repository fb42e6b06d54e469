/*
 * What a sceptical reader asked of pools that rent: failed commits, machines that a listing forgot,
 * people who disagree with the policy, providers that never answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"
#include "scene.h"

#define YEAR_MS (INT64_C(365) * 86400000)

static const struct fault disk_full = { .kind = FAULT_STORAGE_FULL, .text = "full" };

static bool
is_serving(struct world *world)
{
    return engine_health(world->engine, NULL) == ENGINE_SERVING;
}

static bool
is_empty(struct world *world)
{
    return rented_pool(world->cookie)->hosts == 0;
}

/* The rows that the jump has moved were lost with the commit: they are moved again. */
static void
test_a_jump_survives_a_failed_commit(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    int64_t age_ms;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    world->disk_ms = 200;
    fake_clock_jump(world->clock, 5 * YEAR_MS);
    while (fake_store_pending(world->store) == 0)
        world_run(world, 50);
    fake_store_break(world->store, &disk_full, 0);
    world_run(world, 30000);
    fake_store_break(world->store, NULL, 0);
    assert_true(world_run_until(world, is_serving, 120000));
    world_run(world, 60000);
    age_ms = engine_now_ms(world->engine) - rented_first(&rented)->created_at_ms;
    assert_true(age_ms < 3600000);
    rented_end(&rented);
}

/* While nobody was there its end came and was forgotten by the provider, too. */
static void
test_a_machine_that_is_listed_no_more(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rented_policy_set(&rented, 0, true);
    while (rented_first(&rented)->machine->stage != MACHINE_RETURNING)
        world_run(world, 100);
    world_run(world, 500);
    world_crash(world, 0);
    world_run(world, 7200000);
    world_start(world);
    assert_true(world_run_until(world, is_empty, 300000));
    rented_end(&rented);
}

static struct host *
until_consolidated(struct rented *rented)
{
    struct world *world = &rented->world;

    for (int i = 0; i < 1200; i++) {
        world_run(world, 1000);
        IDMAP_EACH(&engine_model(world->engine)->hosts, struct host, host)
        {
            if (host->state == HOST_INACTIVE && host->cause == CAUSE_CONSOLIDATED)
                return host;
        }
    }
    fail_msg("no host was set aside");
    abort();
}

/* A person wants it drained: the policy does not take it back. */
static void
test_a_drain_by_a_person_stays(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct operation *operation;
    struct pool_policy policy;
    struct fault fault;
    struct host *host;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    (void)world_blueprint(world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864}");
    for (int i = 0; i < 8; i++)
        (void)world_launch(world, "web", "ann");
    world_run(world, 20000);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.max_hosts = 2;
    (void)world_pool_rented(world, "rent", &policy);
    (void)world_launch(world, "web", "bob");
    host = until_consolidated(&rented);
    assert_int_equal(engine_host_drain(world->engine, host, -1, NULL, &operation, &fault), 0);
    assert_int_equal(host->cause, CAUSE_OPERATOR);
    rented_end(&rented);
}

/* Money that was spent while the clock was years ahead does not hide what is spent now. */
static void
test_money_after_a_clock_that_was_ahead(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    fake_clock_jump(world->clock, 5 * YEAR_MS);
    world_run(world, 20000);
    rented_policy_set(&rented, 0, true);
    assert_true(world_run_until(world, is_empty, 300000));
    fake_clock_jump(world->clock, -5 * YEAR_MS);
    rented_policy_set(&rented, 1, false);
    rented_until_active(&rented, 1, 180000);
    world_run(world, 3600000);
    rented_policy_set(&rented, 0, true);
    assert_true(world_run_until(world, is_empty, 300000));
    assert_true(rented_pool(&rented)->spent_micro >= 10000);
    assert_true(rented_pool(&rented)->spent_month < 202400);
    rented_end(&rented);
}

/* A restored file is compared first: a plan made before that would rent what is there already. */
static void
test_no_plan_is_carried_out_before_the_comparison(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct operation *operation;
    struct json_out out;
    struct fault fault;
    struct buf buf;
    char revision[128] = "";
    const char *at;

    (void)state;
    rented_begin(&rented, 0);
    (void)world_pool(world, "still");
    (void)world_host(world, "still", "h1", GIB, 2);
    world_run(world, 20000);
    rented_policy_set(&rented, 1, false);
    world_run(world, 10);
    world_crash(world, 1);
    world_machine(world, "h1")->hung = true;
    fake_store_restored_set(world->store, true);
    world_start(world);
    rented_policy_set(&rented, 1, false);
    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    engine_pool_plan(world->engine, rented_pool(&rented), 1, &out);
    at = strstr(buf_text(&buf), "\"revision\":\"");
    assert_non_null(at);
    at += strlen("\"revision\":\"");
    memcpy(revision, at, strcspn(at, "\""));
    assert_int_equal(engine_pool_apply(world->engine,
                                       &(struct pool_apply){ .pool = "rent", .revision = revision },
                                       &operation, &fault),
                     -1);
    buf_fini(&buf);
    rented_end(&rented);
}

/* What the hand-over asks of the provider and the shell rests on rows that are durable. */
static void
check_stage_is_durable(struct world *world)
{
    struct rented *rented = world->cookie;
    const struct pool *pool = rented_pool(rented);

    IDMAP_EACH(&engine_model(world->engine)->hosts, struct host, host)
    {
        const struct fake_row *row = fake_store_row(world->store, ROW_HOST, host->id);

        if (host->pool != pool || !host->machine || fake_shell_pending(world->shell) == 0)
            continue;
        assert_non_null(row);
        assert_int_equal(row->as.host.machine->stage, MACHINE_PREPARING);
    }
}

static void
test_a_preparation_rests_on_its_row(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented.world.disk_ms = 400;
    rented.world.on_turn = check_stage_is_durable;
    world_run(&rented.world, 50000);
    assert_int_equal(fake_shell_pending(rented.world.shell), 1);
    rented_until_active(&rented, 1, 180000);
    rented_end(&rented);
}

static void
check_end_is_durable(struct world *world)
{
    const struct host *host = rented_first(world->cookie);
    const struct fake_row *row = host ? fake_store_row(world->store, ROW_HOST, host->id) : NULL;

    if (fake_cloud_calls(world->cloud, CLOUD_TERMINATE) > 0 && host)
        assert_true(row && row->as.host.machine->stage == MACHINE_RETURNING);
}

/* A person takes it away while the disk still writes that it is up. */
static void
test_an_end_rests_on_its_row(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct operation *operation;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    world_run(world, 5000);
    world->disk_ms = 3000;
    while (!rented_first(&rented) || rented_first(&rented)->machine->stage != MACHINE_UP)
        world_run(world, 50);
    rented_policy_set(&rented, 0, false);
    rented.world.on_turn = check_end_is_durable;
    assert_int_equal(
        engine_host_remove(world->engine, rented_first(&rented), true, NULL, &operation, &fault),
        0);
    assert_true(world_run_until(world, is_empty, 300000));
    assert_true(fake_cloud_calls(world->cloud, CLOUD_TERMINATE) > 0);
    rented_end(&rented);
}

/* Without a provider nobody can end the machine: its row stays, for whoever can. */
static void
test_no_provider_no_end(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    const struct cloud_port *cloud;
    struct operation *operation;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    cloud = world->ports.cloud;
    rented_until_active(&rented, 1, 180000);
    world_crash(world, 0);
    world->ports.cloud = NULL;
    world_start(world);
    world_run(world, 20000);
    assert_int_equal(
        engine_host_remove(world->engine, rented_first(&rented), false, NULL, &operation, &fault),
        0);
    world_run(world, 60000);
    assert_non_null(rented_first(&rented));
    world_crash(world, 0);
    world->ports.cloud = cloud;
    world_start(world);
    rented_policy_set(&rented, 0, false);
    assert_true(world_run_until(world, is_empty, 300000));
    assert_int_equal(fake_cloud_alive(world->cloud), 0);
    assert_true(rented_pool(&rented)->spent_micro > 0);
    rented_end(&rented);
}

/* A termination of what has no row that never ends is given up and asked for again. */
static void
test_an_orphan_is_asked_for_again(void **state)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_TERMINATE, .nth = 1 };
    struct rented rented;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rule.fate = fake_cloud_fate_usual();
    rule.fate.how = (struct fake_fate){ 999999999, FAULT_NONE, FAKE_NOTHING, 0 };
    rule.fate.forget = true;
    fake_cloud_rule_add(world->cloud, &rule);
    rented_strays_launch(&rented, 1);
    world_run(world, 900000);
    assert_int_equal(fake_cloud_calls(world->cloud, CLOUD_TERMINATE), 2);
    assert_int_equal(fake_cloud_alive(world->cloud), 1);
    rented_end(&rented);
}

/* Nobody goes on to prepare a machine that is gone. */
static void
test_a_machine_gone_is_not_prepared(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct fake_shell_rule rule = { .nth = 1, .fate = { .step_ms = 500000 } };

    (void)state;
    rented_begin(&rented, 1);
    fake_shell_rule_add(world->shell, &rule);
    while (fake_shell_pending(world->shell) == 0)
        world_run(world, 1000);
    rented_policy_set(&rented, 0, false);
    fake_vm_vanish(fake_vm_next(fake_cloud_vms(world->cloud), NULL));
    assert_true(world_run_until(world, is_empty, 120000));
    rented_end(&rented);
}

/* Who puts a host back that the policy took out for its age means it to stay. */
static void
test_a_person_puts_an_old_host_back(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct pool_policy policy;
    struct fault fault;
    struct host *host;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    host = rented_first(&rented);
    (void)world_blueprint(world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864}");
    (void)world_launch(world, "web", "ann");
    world_run(world, 20000);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.host_lifetime_ms = 300000;
    policy.host_lifetime_low_ms = 1000;
    policy.retire = RETIRE_DRAIN;
    policy.consolidate = false;
    (void)world_pool_rented(world, "rent", &policy);
    while (host->state == HOST_ACTIVE)
        world_run(world, 1000);
    assert_int_equal(host->cause, CAUSE_AGE);
    assert_int_equal(engine_host_activate(world->engine, host, &fault), 0);
    world_run(world, 100000);
    assert_int_equal(host->state, HOST_ACTIVE);
    rented_end(&rented);
}

/* A pool that rents would not know what to do with a machine that it cannot end. */
static void
test_no_host_by_hand(void **state)
{
    char address[] = "tcp://10.0.0.1:2376";
    const struct host_request request = { .pool = "rent",
                                          .name = "mine",
                                          .endpoint = { .engine = address } };
    struct rented rented;
    struct fault fault;
    struct host *host;

    (void)state;
    rented_begin(&rented, 0);
    assert_int_equal(engine_host_add(rented.world.engine, &request, &host, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_non_null(strstr(fault.text, "static"));
    rented_end(&rented);
}

/* What a host could not start waits for another one, and not for the next round. */
static void
test_what_comes_back_is_grown_for(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct fake_rule rule = { .verb = DOCKER_START };
    uint64_t launches;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)world_blueprint(world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864}");
    world->config.housekeeping_ms = 3600000;
    engine_config_set(world->engine, &world->config);
    world_run(world, 30000);
    rule.fate = (struct fake_fate){ 10, FAULT_ENGINE, FAKE_NOTHING, 0 };
    fake_fate_rule_add(&world->fates, &rule);
    launches = fake_cloud_calls(world->cloud, CLOUD_LAUNCH);
    for (int i = 0; i < 4; i++)
        (void)world_launch(world, "web", "ann");
    while (!rented_first(&rented)->trial)
        world_run(world, 100);
    world_run(world, 5000);
    assert_true(fake_cloud_calls(world->cloud, CLOUD_LAUNCH) > launches);
    rented_end(&rented);
}

/* A drain that was given hours has no more time than its provider gives. */
static void
test_a_notice_hastens_a_drain(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;
    struct operation *operation;
    struct fault fault;
    struct fake_vm *vm;
    int64_t id;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    (void)world_blueprint(world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864,\"restart\":{\"policy\":\"always\"}}");
    id = world_launch(world, "web", "ann");
    world_run(world, 20000);
    assert_int_equal(engine_host_drain(world->engine, world_instance(world, id)->host, 7200000,
                                       NULL, &operation, &fault),
                     0);
    vm = fake_vm_by_id(fake_cloud_vms(world->cloud), world_instance(world, id)->host->machine->id);
    vm->seen.notice = true;
    world_run(world, 100000);
    assert_int_equal(world_instance(world, id)->state, INSTANCE_RUNNING);
    assert_string_not_equal(world_instance(world, id)->host->machine->id, vm->seen.id);
    assert_int_equal(rented_events(&rented, "host.notice"), 1);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_jump_survives_a_failed_commit),
        cmocka_unit_test(test_a_machine_that_is_listed_no_more),
        cmocka_unit_test(test_a_drain_by_a_person_stays),
        cmocka_unit_test(test_money_after_a_clock_that_was_ahead),
        cmocka_unit_test(test_no_plan_is_carried_out_before_the_comparison),
        cmocka_unit_test(test_a_preparation_rests_on_its_row),
        cmocka_unit_test(test_an_end_rests_on_its_row),
        cmocka_unit_test(test_no_provider_no_end),
        cmocka_unit_test(test_an_orphan_is_asked_for_again),
        cmocka_unit_test(test_a_machine_gone_is_not_prepared),
        cmocka_unit_test(test_a_person_puts_an_old_host_back),
        cmocka_unit_test(test_no_host_by_hand),
        cmocka_unit_test(test_what_comes_back_is_grown_for),
        cmocka_unit_test(test_a_notice_hastens_a_drain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
