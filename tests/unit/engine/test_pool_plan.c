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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plan_changes_nothing),
        cmocka_unit_test(test_the_rounds_to_come),
        cmocka_unit_test(test_a_plan_is_applied),
        cmocka_unit_test(test_a_pool_that_moved_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
