/*
 * The plan of a pool on request: it changes nothing, and it is carried out only
 * as long as it still is the plan.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../domain/zone_bytes.h"
#include "rented.h"

static json_t *
plan_rounds(struct rented *rented, uint32_t rounds)
{
    struct json_out out;
    struct buf buf;
    struct fault fault;
    json_t *plan = NULL;

    buf_init(&buf, 1 << 20);
    json_out_init(&out, &buf);
    engine_pool_plan(rented->world.engine, rented_pool(rented), rounds, &out);
    assert_int_equal(json_in_parse(buf.data, buf.len, &plan, &fault), 0);
    buf_fini(&buf);
    return plan;
}

static json_t *
plan_of(struct rented *rented)
{
    return plan_rounds(rented, 1);
}

static json_t *
action_of(json_t *plan, size_t index)
{
    json_t *round = json_array_get(json_object_get(plan, "rounds"), 0);

    return json_array_get(json_object_get(round, "actions"), index);
}

static int
apply(struct rented *rented, const char *revision, struct fault *fault)
{
    const struct pool_apply request = { .pool = "rent", .revision = revision, .owner = "ann" };
    struct operation *operation = NULL;
    int result = engine_pool_apply(rented->world.engine, &request, &operation, fault);

    assert_int_equal(result == 0, operation != NULL);
    return result;
}

static void
test_a_plan_changes_nothing(void **state)
{
    struct rented rented;
    json_t *plan;
    json_t *again;

    (void)state;
    rented_begin(&rented, 1);
    plan = plan_of(&rented);
    again = plan_of(&rented);
    assert_true(json_equal(plan, again));
    assert_string_equal(json_in_string(action_of(plan, 0), "kind", ""), "spawn");
    assert_true(strlen(json_in_string(action_of(plan, 0), "reason", "")) > 0);
    assert_int_equal(rented_pool(&rented)->hosts, 0);
    json_decref(again);
    json_decref(plan);
    rented_end(&rented);
}

/* Launched, then prepared; after that nothing is left to do. */
static void
test_the_rounds_to_come(void **state)
{
    struct rented rented;
    json_t *plan;
    const json_t *rounds;
    const json_t *second;

    (void)state;
    rented_begin(&rented, 1);
    plan = plan_rounds(&rented, 5);
    rounds = json_object_get(plan, "rounds");
    assert_int_equal(json_array_size(rounds), 2);
    second = json_array_get(json_object_get(json_array_get(rounds, 1), "actions"), 0);
    assert_string_equal(json_in_string(second, "kind", ""), "prepare");
    assert_true(json_is_null(json_object_get(second, "host")));
    assert_string_not_equal(json_in_string(json_array_get(rounds, 0), "at", ""),
                            json_in_string(json_array_get(rounds, 1), "at", ""));
    json_decref(plan);
    rented_end(&rented);
}

static void
test_a_plan_is_applied(void **state)
{
    struct rented rented;
    struct fault fault;
    json_t *plan;

    (void)state;
    rented_begin(&rented, 1);
    plan = plan_of(&rented);
    assert_int_equal(apply(&rented, json_in_string(plan, "revision", ""), &fault), 0);
    assert_int_equal(rented_pool(&rented)->hosts, 1);
    json_decref(plan);
    rented_until_active(&rented, 1, 180000);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 1);
    rented_end(&rented);
}

/* A rule, a host or a request that came meanwhile: another plan. */
static void
test_a_pool_that_moved_is_told(void **state)
{
    struct rented rented;
    struct fault fault;
    json_t *plan;

    (void)state;
    rented_begin(&rented, 1);
    plan = plan_of(&rented);
    rented_policy_set(&rented, 2, false);
    assert_int_equal(apply(&rented, json_in_string(plan, "revision", ""), &fault), -1);
    assert_int_equal(fault.kind, FAULT_PRECONDITION);
    json_decref(plan);
    rented_until_active(&rented, 2, 180000);
    plan = plan_of(&rented);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824}");
    (void)world_launch(&rented.world, "web", "ann");
    assert_int_equal(apply(&rented, json_in_string(plan, "revision", ""), &fault), -1);
    assert_int_equal(fault.kind, FAULT_PRECONDITION);
    json_decref(plan);
    rented_end(&rented);
}

static const struct zone *
find_helsinki(void *self, const char *name)
{
    return strcmp(name, "Europe/Helsinki") == 0 ? self : NULL;
}

/* When the first host is wanted, as the plan tells it. */
static int64_t
wakes_at_ms(struct rented *rented)
{
    json_t *plan = plan_of(rented);
    int64_t at_ms = 0;

    assert_int_equal(json_array_size(json_object_get(action_of(plan, 0), "kind")), 0);
    (void)text_time_parse(json_in_string(plan, "next_at", ""), &at_ms);
    json_decref(plan);
    return at_ms;
}

/* Half past seven in Helsinki, in winter and, after the clocks went forward, in summer. */
static void
test_a_schedule_means_its_zone(void **state)
{
    struct zone *zone = zone_of_rule("EET-2EEST,M3.5.0/3,M10.5.0/4");
    const struct zone_port zones = { .self = zone, .find = find_helsinki };
    struct pool_schedule *schedule = mem_new0(sizeof(*schedule));
    struct rented rented;
    struct world *world = &rented.world;
    struct pool_policy policy;

    (void)state;
    rented_begin(&rented, 0);
    world_stop(world);
    world->ports.zones = &zones;
    world_start(world);
    schema_defaults(&pool_policy_schema, &policy);
    *schedule = (struct pool_schedule){ .cron = mem_strdup("30 7 * * *"),
                                        .time_zone = mem_strdup("Europe/Helsinki"),
                                        .duration_ms = 3600000,
                                        .min_hosts = 1 };
    policy.schedules = (struct schema_array){ schedule, 1 };
    (void)world_pool_rented(world, "rent", &policy);
    /* 2023-11-14 22:13:20 UTC: the next one is at 05:30 UTC. */
    assert_int_equal(wakes_at_ms(&rented), INT64_C(1699939800000) + 86400000);
    fake_clock_jump(world->clock, INT64_C(1711839600000) - engine_now_ms(world->engine));
    /* 2024-03-30 23:00 UTC, the night in which the clocks go forward: at 04:30 UTC. */
    assert_int_equal(wakes_at_ms(&rented), INT64_C(1711859400000));
    rented_end(&rented);
    zone_free(zone);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_schedule_means_its_zone),
        cmocka_unit_test(test_a_plan_changes_nothing),
        cmocka_unit_test(test_the_rounds_to_come),
        cmocka_unit_test(test_a_plan_is_applied),
        cmocka_unit_test(test_a_pool_that_moved_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
