/*
 * Hosts that serve are kept up: certificates are renewed before they end, a playbook
 * that has changed is told of or run again, and what runs there runs on.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

static const int64_t day_ms = 86400000;
static const int64_t hour_ms = 3600000;

enum { CERTIFICATE_DAYS = 9 };

static void
on_turn_alive(struct world *world)
{
    const struct model *model = engine_model(world->engine);

    assert_int_equal(model->instance_counts[INSTANCE_RUNNING], 1);
    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->state == HOST_ACTIVE)
            assert_true(host->machine->certificate_ends_at_ms > engine_now_ms(world->engine));
    }
}

static bool
is_running(struct world *world)
{
    return engine_model(world->engine)->instance_counts[INSTANCE_RUNNING] == 1;
}

/* Two hosts with certificates, one instance; from here on it must run on. */
static void
serving_begin(struct rented *rented)
{
    rented_begin(rented, 2);
    fake_shell_certificate_ms(rented->world.shell, CERTIFICATE_DAYS * day_ms);
    rented_until_active(rented, 2, 180000);
    (void)world_blueprint(&rented->world,
                          "{\"name\":\"web\",\"image\":\"web:1\",\"memory_bytes\":67108864,"
                          "\"pool\":\"rent\",\"restart\":{\"policy\":\"always\"}}");
    (void)world_launch(&rented->world, "web", "ann");
    assert_true(world_run_until(&rented->world, is_running, 60000));
}

/* How many of the pool's hosts `berth status` calls wrong with @kind. */
static int64_t
wrong(struct rented *rented, const char *kind)
{
    json_t *wrongs = rented_wrongs(rented);
    const json_t *one;
    int64_t count = 0;
    size_t i;

    json_array_foreach(wrongs, i, one)
    {
        if (strcmp(json_in_string(one, "kind", ""), kind) == 0)
            count = json_in_int(one, "count", 0);
    }
    json_decref(wrongs);
    return count;
}

static void
tell_drift(struct engine *engine, struct pool *pool, struct json_out *out)
{
    engine_pool_drift(engine, pool, out);
}

static size_t
drifted(struct rented *rented)
{
    json_t *json = rented_told(rented, tell_drift);
    size_t count = json_array_size(json_object_get(json, "items"));

    assert_int_equal(json_in_int(json, "hosts", 0), rented_count(rented, HOST_ACTIVE));
    json_decref(json);
    return count;
}

/* Over several lives nothing ends, and nobody notices; each certificate is renewed with a third of its life left. */
static void
test_certificates_are_renewed(void **state)
{
    struct rented rented;
    uint64_t runs;

    (void)state;
    serving_begin(&rented);
    rented.world.config.housekeeping_ms = hour_ms;
    engine_config_set(rented.world.engine, &rented.world.config);
    rented.world.on_turn = on_turn_alive;
    runs = fake_shell_runs(rented.world.shell);
    world_run(&rented.world, 132 * hour_ms);
    assert_int_equal(fake_shell_runs(rented.world.shell), runs);
    world_run(&rented.world, 24 * hour_ms);
    assert_int_equal(fake_shell_runs(rented.world.shell), runs + 2);
    assert_int_equal(rented_events(&rented, "host.certificate_renewed"), 2);
    world_run(&rented.world, 20 * day_ms);
    assert_int_equal(fake_shell_runs(rented.world.shell), runs + 8);
    assert_int_equal(rented_events(&rented, "host.certificate_failed"), 0);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    assert_int_equal(wrong(&rented, "host_certificate"), 0);
    rented.world.on_turn = NULL;
    rented_end(&rented);
}

/* What fails is tried with growing pauses, and told long before the end; then it succeeds. */
static void
test_a_renewal_that_fails_is_told_in_time(void **state)
{
    struct fake_shell_rule fails = { .fate = {
                                         .step_ms = 1000, .fails_at = 1, .kind = FAULT_PREPARE } };
    struct rented rented;
    int64_t left_ms;

    (void)state;
    serving_begin(&rented);
    rented.world.config.housekeeping_ms = hour_ms;
    engine_config_set(rented.world.engine, &rented.world.config);
    rented.world.on_turn = on_turn_alive;
    world_run(&rented.world, 132 * hour_ms);
    fake_shell_rule_add(rented.world.shell, &fails);
    assert_int_equal(wrong(&rented, "host_certificate"), 0);
    while (wrong(&rented, "host_certificate") == 0)
        world_run(&rented.world, hour_ms);
    left_ms =
        rented_first(&rented)->machine->certificate_ends_at_ms - engine_now_ms(rented.world.engine);
    assert_true(left_ms > 43 * hour_ms);
    assert_in_range(rented_events(&rented, "host.certificate_failed"), 10, 200);
    assert_int_equal(rented_events(&rented, "host.fault"), 0);
    fake_shell_rules_clear(rented.world.shell);
    world_run(&rented.world, day_ms);
    assert_int_equal(wrong(&rented, "host_certificate"), 0);
    assert_int_equal(rented_events(&rented, "host.certificate_renewed"), 2);
    rented.world.on_turn = NULL;
    rented_end(&rented);
}

/* An engine whose certificate has ended does not answer: the renewal comes by SSH all the same. */
static void
test_an_ended_one_is_renewed(void **state)
{
    struct rented rented;

    (void)state;
    serving_begin(&rented);
    rented_first(&rented)->machine->certificate_ends_at_ms = engine_now_ms(rented.world.engine) - 1;
    fake_docker_machine(rented.world.docker, rented_first(&rented)->endpoint.engine)->unreachable =
        true;
    world_run(&rented.world, 60000);
    fake_docker_machine(rented.world.docker, rented_first(&rented)->endpoint.engine)->unreachable =
        false;
    world_run(&rented.world, 60000);
    assert_int_equal(rented_events(&rented, "host.certificate_renewed"), 1);
    assert_true(rented_first(&rented)->reachable);
    rented_end(&rented);
}

static bool
is_kept_up(struct world *world)
{
    return fake_shell_pending(world->shell) == 1;
}

/* Killed in the middle of it, it is done again; ended by a removal, it does not hold that up. */
static void
test_what_interrupts_it(void **state)
{
    struct operation *operation;
    struct rented rented;
    struct fault fault;

    (void)state;
    serving_begin(&rented);
    rented_first(&rented)->machine->certificate_ends_at_ms =
        engine_now_ms(rented.world.engine) + day_ms;
    rented_first(&rented)->machine->certificate_at_ms = 0; /* nobody knows */
    assert_true(world_run_until(&rented.world, is_kept_up, 60000));
    world_run(&rented.world, 2000);
    world_crash(&rented.world, 0);
    world_start(&rented.world);
    assert_true(world_run_until(&rented.world, is_kept_up, 60000));
    world_run(&rented.world, 2000);
    rented_policy_set(&rented, 0, false);
    assert_int_equal(engine_host_remove(rented.world.engine, rented_first(&rented), true, "ann",
                                        &operation, &fault),
                     0);
    world_run(&rented.world, 120000);
    assert_int_equal(fake_shell_pending(rented.world.shell), 0);
    assert_int_equal(rented_events(&rented, "host.certificate_renewed"), 0);
    rented_end(&rented);
}

/* The engine is restarted with its new certificate: the host takes no work for that while, and is not blamed,
 * let alone replaced.  An engine that does not come back is. */
static void
test_the_restart_is_nobodys_fault(void **state)
{
    struct rented rented;
    struct fake_machine *engine;

    (void)state;
    serving_begin(&rented);
    engine = fake_docker_machine(rented.world.docker, rented_first(&rented)->endpoint.engine);
    rented_first(&rented)->machine->certificate_ends_at_ms =
        engine_now_ms(rented.world.engine) + day_ms;
    rented_first(&rented)->machine->certificate_at_ms = 0; /* nobody knows */
    assert_true(world_run_until(&rented.world, is_kept_up, 60000));
    engine->unreachable = true;
    world_run(&rented.world, 30000);
    assert_true(is_kept_up(&rented.world));
    assert_false(rented_first(&rented)->reachable);
    engine->unreachable = false;
    world_run(&rented.world, 60000);
    assert_int_equal(rented_events(&rented, "host.certificate_renewed"), 1);
    assert_true(rented_first(&rented)->reachable);
    assert_int_equal(rented_events(&rented, "host.fault"), 0);
    assert_int_equal(rented_first(&rented)->score.milli, 0);
    engine->unreachable = true;
    world_run(&rented.world, 30000);
    assert_true(rented_events(&rented, "host.fault") > 0);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    rented_end(&rented);
}

/* Told, and left alone. */
static void
test_drift_is_ignored(void **state)
{
    struct rented rented;
    const json_t *item;
    json_t *json;
    uint64_t runs;

    (void)state;
    serving_begin(&rented);
    assert_int_equal(drifted(&rented), 0);
    runs = fake_shell_runs(rented.world.shell);
    fake_shell_revision_set(rented.world.shell, "00000000000000ff");
    world_run(&rented.world, 3600000);
    json = rented_told(&rented, tell_drift);
    item = json_array_get(json_object_get(json, "items"), 0);
    assert_string_equal(json_in_string(json, "revision", ""), "00000000000000ff");
    assert_string_equal(json_in_string(json, "playbook_drift", ""), "ignore");
    assert_string_equal(json_in_string(item, "drift", ""), "differs");
    assert_string_equal(json_in_string(item, "revision", ""), "0000000000000001");
    json_decref(json);
    assert_int_equal(drifted(&rented), 2);
    assert_int_equal(fake_shell_runs(rented.world.shell), runs);
    rented_end(&rented);
}

static void
on_turn_one_at_a_time(struct world *world)
{
    assert_true(fake_shell_pending(world->shell) <= 1);
    assert_int_equal(engine_model(world->engine)->instance_counts[INSTANCE_RUNNING], 1);
    assert_int_equal(rented_count(world->cookie, HOST_ACTIVE), 2);
}

/* Run again on each, one after the other, while they serve; a failure is told, and tried again. */
static void
test_drift_is_mended(void **state)
{
    struct fake_shell_rule fails = {
        .nth = 1, .fate = { .step_ms = 1000, .fails_at = 2, .kind = FAULT_PREPARE }
    };
    struct rented rented;

    (void)state;
    serving_begin(&rented);
    rented_pool(&rented)->policy.playbook_drift = PLAYBOOK_RERUN;
    fake_shell_revision_set(rented.world.shell, "00000000000000ff");
    fake_shell_rule_add(rented.world.shell, &fails);
    rented.world.on_turn = on_turn_one_at_a_time;
    world_run(&rented.world, 1200000);
    assert_int_equal(drifted(&rented), 0);
    assert_int_equal(rented_events(&rented, "host.playbook_failed"), 1);
    assert_int_equal(rented_events(&rented, "host.playbook_done"), 2);
    assert_int_equal(rented_events(&rented, "host.fault"), 0);
    assert_string_equal(rented_first(&rented)->machine->playbook_revision, "00000000000000ff");
    rented.world.on_turn = NULL;
    rented_end(&rented);
}

/* Rented ones go one at a time, and the pool keeps its hosts and what runs on them. */
static void
test_drift_is_replaced(void **state)
{
    struct rented rented;
    const struct host *first;

    (void)state;
    serving_begin(&rented);
    rented_pool(&rented)->policy.playbook_drift = PLAYBOOK_REPLACE;
    rented_pool(&rented)->policy.retire_deadline_ms = 600000;
    first = rented_first(&rented);
    fake_shell_revision_set(rented.world.shell, "00000000000000ff");
    world_run(&rented.world, 7200000);
    assert_int_equal(first->state, HOST_REMOVED);
    assert_int_equal(first->cause, CAUSE_AGE);
    assert_int_equal(drifted(&rented), 0);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 2);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 4);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 1);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates_are_renewed),
        cmocka_unit_test(test_a_renewal_that_fails_is_told_in_time),
        cmocka_unit_test(test_an_ended_one_is_renewed),
        cmocka_unit_test(test_what_interrupts_it),
        cmocka_unit_test(test_the_restart_is_nobodys_fault),
        cmocka_unit_test(test_drift_is_ignored),
        cmocka_unit_test(test_drift_is_mended),
        cmocka_unit_test(test_drift_is_replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
