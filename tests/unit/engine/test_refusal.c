/* What the provider refuses is told: since when, why, when it is asked again, who waits; and that it ended. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/engine/status.h"

#include "rented.h"

enum { HOUR_MS = 3600000 };

/* Of a status, a plan or an explanation: `refused`. */
static json_t *
told_by(struct rented *rented,
        void (*tell)(struct engine *engine, struct pool *pool, struct json_out *out))
{
    json_t *json = rented_told(rented, tell);
    json_t *refused = json_incref(json_object_get(json, "refused"));

    json_decref(json);
    assert_true(json_is_array(refused));
    return refused;
}

static void
tell_plan(struct engine *engine, struct pool *pool, struct json_out *out)
{
    engine_pool_plan(engine, pool, 1, out);
}

/* What is told of @call; NULL: nothing. Owned. */
static json_t *
told_of(struct rented *rented, const char *call)
{
    json_t *refused = told_by(rented, engine_status_tell);
    json_t *found = NULL;
    json_t *item;
    size_t i;

    json_array_foreach(refused, i, item)
    {
        if (strcmp(json_in_string(item, "call", ""), call) == 0)
            found = json_incref(item);
    }
    json_decref(refused);
    return found;
}

static int64_t
time_of(const json_t *refused, const char *key)
{
    int64_t at_ms = 0;

    (void)text_time_parse(json_in_string(refused, key, ""), &at_ms);
    return at_ms;
}

static int64_t
now_ms(struct rented *rented)
{
    return engine_now_ms(rented->world.engine);
}

static void
fails(struct rented *rented, enum cloud_verb verb, enum fault_kind kind)
{
    struct fake_cloud_rule rule = { .verb = (int)verb, .fate = fake_cloud_fate_usual() };

    rule.fate.how = (struct fake_fate){ 100, kind, FAKE_NOTHING, 0 };
    fake_cloud_rule_add(rented->world.cloud, &rule);
}

static int64_t
refused_ms(struct rented *rented, enum fault_kind kind)
{
    return engine_status_refused_ms(rented->world.engine, rented_pool(rented), kind);
}

static void
test_a_limit_is_told_until_it_is_lifted(void **state)
{
    struct rented rented;
    json_t *told;
    json_t *plan;

    (void)state;
    rented_begin(&rented, 0);
    fake_quota_limit_set(fake_cloud_quota(rented.world.cloud), 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824}");
    for (int i = 0; i < 3; i++)
        (void)world_launch(&rented.world, "web", "ann");
    world_run(&rented.world, 300000);
    told = told_of(&rented, "launch");
    assert_non_null(told);
    assert_string_equal(json_in_string(told, "kind", ""), "cloud_limit");
    assert_string_equal(json_in_string(told, "title", ""), "The account's limit is reached");
    assert_true(strlen(json_in_string(told, "text", "")) > 0);
    assert_int_equal(json_in_int(told, "waiting", 0), 3);
    assert_int_equal(json_in_int(told, "hosts", 0), rented_count(&rented, HOST_SPAWNED));
    assert_true(json_in_int(told, "times", 0) >= 3);
    assert_true(now_ms(&rented) - time_of(told, "since") > 240000);
    assert_true(time_of(told, "last_at") > time_of(told, "since"));
    assert_true(time_of(told, "next_at") > now_ms(&rented));
    assert_true(refused_ms(&rented, FAULT_CLOUD_LIMIT) > 240000);
    assert_int_equal(refused_ms(&rented, FAULT_CLOUD_DENIED), 0);
    json_decref(told);
    plan = told_by(&rented, tell_plan);
    assert_int_equal(json_array_size(plan), 1);
    json_decref(plan);
    plan = told_by(&rented, engine_status_growth);
    assert_int_equal(json_array_size(plan), 1);
    json_decref(plan);
    fake_quota_limit_set(fake_cloud_quota(rented.world.cloud), -1);
    rented_until_active(&rented, 1, 900000);
    assert_null(told_of(&rented, "launch"));
    assert_int_equal(refused_ms(&rented, FAULT_CLOUD_LIMIT), 0);
    assert_int_equal(rented_events(&rented, "pool.refused"), 1);
    assert_int_equal(rented_events(&rented, "pool.refused_ended"), 1);
    rented_end(&rented);
}

static void
test_an_hour_of_failures_is_told_by_call(void **state)
{
    struct rented rented;
    json_t *told;

    (void)state;
    rented_begin(&rented, 2);
    fails(&rented, CLOUD_LAUNCH, FAULT_CLOUD_FAILED);
    fails(&rented, CLOUD_LIST, FAULT_CLOUD_FAILED);
    world_run(&rented.world, HOUR_MS);
    told = told_of(&rented, "launch");
    assert_non_null(told);
    assert_string_equal(json_in_string(told, "kind", ""), "cloud_failed");
    assert_true(now_ms(&rented) - time_of(told, "since") > HOUR_MS - 120000);
    json_decref(told);
    told = told_of(&rented, "list");
    assert_non_null(told);
    assert_true(now_ms(&rented) - time_of(told, "since") > HOUR_MS - 120000);
    assert_true(time_of(told, "next_at") >= now_ms(&rented));
    json_decref(told);
    assert_true(refused_ms(&rented, FAULT_CLOUD_FAILED) > HOUR_MS - 120000);
    assert_int_equal(rented_events(&rented, "pool.refused"), 1);
    assert_int_equal(rented_events(&rented, "pool.listing_failed"), 1);
    fake_cloud_rules_clear(rented.world.cloud);
    rented_until_active(&rented, 2, HOUR_MS);
    assert_null(told_of(&rented, "launch"));
    assert_null(told_of(&rented, "list"));
    assert_int_equal(rented_events(&rented, "pool.listing_resumed"), 1);
    rented_end(&rented);
}

static void
test_a_machine_that_is_not_taken_back_is_told(void **state)
{
    struct rented rented;
    json_t *told;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    fails(&rented, CLOUD_TERMINATE, FAULT_CLOUD_DENIED);
    rented_policy_set(&rented, 0, true);
    world_run(&rented.world, 120000);
    told = told_of(&rented, "terminate");
    assert_non_null(told);
    assert_string_equal(json_in_string(told, "kind", ""), "cloud_denied");
    assert_int_equal(json_in_int(told, "hosts", 0), 1);
    assert_int_equal(json_in_int(told, "waiting", -1), 0);
    json_decref(told);
    fake_cloud_rules_clear(rented.world.cloud);
    world_run(&rented.world, 240000);
    assert_null(told_of(&rented, "terminate"));
    rented_end(&rented);
}

/* Nobody needs a machine any more, so nobody asks: that is no refusal for ever. */
static void
test_what_nobody_asks_for_is_forgotten(void **state)
{
    struct rented rented;
    json_t *told;

    (void)state;
    rented_begin(&rented, 1);
    fails(&rented, CLOUD_LAUNCH, FAULT_CLOUD_CAPACITY);
    world_run(&rented.world, 60000);
    told = told_of(&rented, "launch");
    assert_non_null(told);
    json_decref(told);
    rented_policy_set(&rented, 0, true);
    world_run(&rented.world, HOUR_MS);
    assert_null(told_of(&rented, "launch"));
    assert_int_equal(refused_ms(&rented, FAULT_CLOUD_CAPACITY), 0);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_limit_is_told_until_it_is_lifted),
        cmocka_unit_test(test_an_hour_of_failures_is_told_by_call),
        cmocka_unit_test(test_a_machine_that_is_not_taken_back_is_told),
        cmocka_unit_test(test_what_nobody_asks_for_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
