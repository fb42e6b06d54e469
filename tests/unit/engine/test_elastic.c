/*
 * A pool that rents its machines: from a plan to a host that takes work, and
 * back to nothing, with what it cost.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"
#include "scene.h"

static void
test_grows_to_its_minimum(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 2);
    rented_end(&rented);
}

/* Of a burst, until all are there and until all are gone again; the time between is that of the rounds. */
static void
test_calls_of_a_burst(void **state)
{
    enum { BURST = 20 };
    struct rented rented;
    struct fake_cloud *cloud;
    uint64_t lists;
    uint64_t calls;

    (void)state;
    rented_begin(&rented, 0);
    rented_rule_set(&rented, (struct rented_rules){ .min_hosts = BURST, .max_hosts = BURST });
    cloud = rented.world.cloud;
    rented_until_active(&rented, BURST, 3600000);
    lists = fake_cloud_calls(cloud, CLOUD_LIST);
    calls = lists + fake_cloud_calls(cloud, CLOUD_LAUNCH);
    world_run(&rented.world, 3600000);
    lists = fake_cloud_calls(cloud, CLOUD_LIST);
    rented_policy_set(&rented, 0, true);
    while (fake_cloud_alive(cloud) > 0)
        world_run(&rented.world, 1000);
    calls += fake_cloud_calls(cloud, CLOUD_LIST) - lists + fake_cloud_calls(cloud, CLOUD_TERMINATE);
    assert_in_range(calls, 2 * BURST, 4 * BURST);
    rented_end(&rented);
}

static void
test_grows_for_what_waits(void **state)
{
    struct rented rented;
    int64_t id;

    (void)state;
    rented_begin(&rented, 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824}");
    id = world_launch(&rented.world, "web", "ann");
    rented_until_active(&rented, 1, 180000);
    world_run(&rented.world, 30000);
    assert_int_equal(world_instance(&rented.world, id)->state, INSTANCE_RUNNING);
    rented_end(&rented);
}

/* A small machine is no reason to refuse what a larger type holds; what no type holds is refused. */
static void
test_grows_for_what_is_larger(void **state)
{
    const struct instance_request huge = { .blueprint = "huge", .owner = "ann", .count = 1 };
    struct rented rented;
    struct instance *instance;
    struct fault fault;
    int64_t id;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)world_blueprint(&rented.world, "{\"name\":\"big\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":6442450944}");
    (void)world_blueprint(&rented.world, "{\"name\":\"huge\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1099511627776}");
    id = world_launch(&rented.world, "big", "ann");
    assert_int_equal(engine_instances_create(rented.world.engine, &huge, &instance, &fault), -1);
    assert_int_equal(fault.kind, FAULT_NO_CAPACITY);
    rented_until_active(&rented, 2, 180000);
    world_run(&rented.world, 30000);
    assert_int_equal(world_instance(&rented.world, id)->state, INSTANCE_RUNNING);
    rented_end(&rented);
}

/* A host without a machine says why it has none, whether the provider refused or was not reached. */
static void
test_the_host_says_why(void **state)
{
    const enum fault_kind kinds[] = { FAULT_CLOUD_DENIED, FAULT_CLOUD_FAILED };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct fake_cloud_rule fails = { .verb = CLOUD_LAUNCH };
        struct rented rented;
        struct host *host;

        rented_begin(&rented, 1);
        fails.fate = fake_cloud_fate_usual();
        fails.fate.how.kind = kinds[i];
        fake_cloud_rule_add(rented.world.cloud, &fails);
        world_run(&rented.world, 10000);
        host = rented_first(&rented);
        assert_non_null(strstr(host->waiting_for, "machine: "));
        fake_cloud_rules_clear(rented.world.cloud);
        rented_until_active(&rented, 1, 900000);
        assert_null(host->waiting_for);
        rented_end(&rented);
    }
}

static void
test_gives_all_back(void **state)
{
    struct rented rented;
    const struct pool *pool;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    world_run(&rented.world, 3600000);
    rented_policy_set(&rented, 0, true);
    world_run(&rented.world, 300000);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 0);
    pool = model_pool_find(engine_model(rented.world.engine), "rent");
    assert_int_equal(pool->hosts, 0);
    /* Never less than the provider asks for, and hardly more. */
    assert_true(pool->spent_micro + 1200 >= fake_cloud_cost_micro(rented.world.cloud));
    assert_true(pool->spent_micro <= fake_cloud_cost_micro(rented.world.cloud) + 2000);
    rented_end(&rented);
}

/* A wall clock that is set by years makes nothing older, and nothing end. */
static void
test_the_clock_is_set(void **state)
{
    static const int64_t year_ms = INT64_C(365) * 86400000;
    const int64_t jumps_ms[] = { year_ms * 5, -year_ms * 9, 3 * year_ms };
    struct rented rented;
    struct world *world = &rented.world;
    int64_t id;

    (void)state;
    rented_begin(&rented, 2);
    (void)world_blueprint(world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                 "\"memory_bytes\":67108864}");
    world_run(world, 20000);
    for (size_t i = 0; i < ARRAY_LEN(jumps_ms); i++) {
        fake_clock_jump(world->clock, jumps_ms[i]);
        world_run(world, 30000);
    }
    rented_until_active(&rented, 2, 180000);
    id = world_launch(world, "web", "ann");
    world_run(world, 10000);
    for (size_t i = 0; i < ARRAY_LEN(jumps_ms); i++) {
        fake_clock_jump(world->clock, jumps_ms[i]);
        world_run(world, 60000);
    }
    assert_int_equal(world_instance(world, id)->state, INSTANCE_RUNNING);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 2);
    assert_int_equal(fake_cloud_calls(world->cloud, CLOUD_LAUNCH), 2);
    assert_int_equal(rented_events(&rented, "clock.set"), 2 * ARRAY_LEN(jumps_ms));
    rented_end(&rented);
}

/* A host near its end takes what no other can, and nothing else. */
static void
test_the_last_choice(void **state)
{
    struct scene scene;
    struct host *old;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':1073741824}");
    old = scene_host(&scene, "h1");
    old->low = true;
    model_host_seen(mem_unconst(engine_model(scene.world.engine)), old,
                    engine_now_ms(scene.world.engine));
    for (int i = 0; i < 4; i++)
        assert_string_equal(scene_host_name(&scene, scene_run_one(&scene, "web")), "h2");
    id = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, id), "h1");
    scene_end(&scene);
}

/* Hosts remember that they are used: when first, and how often. */
static void
test_uses_are_counted(void **state)
{
    struct rented rented;
    struct pool_policy policy;
    const struct fake_row *row;
    int64_t host_id;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    host_id = rented_first(&rented)->id;
    assert_int_equal(rented_first(&rented)->first_used_at_ms, 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":67108864}");
    schema_defaults(&pool_policy_schema, &policy);
    policy.host_uses = 100;
    policy.min_hosts = 1;
    (void)world_pool_rented(&rented.world, "rent", &policy);
    for (int i = 0; i < 3; i++)
        (void)world_launch(&rented.world, "web", "ann");
    world_run(&rented.world, 5000);
    row = fake_store_row(rented.world.store, ROW_HOST, host_id);
    assert_int_equal(row->as.host.uses, 3);
    assert_true(row->as.host.first_used_at_ms > 0);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_minimum),
        cmocka_unit_test(test_grows_for_what_waits),
        cmocka_unit_test(test_calls_of_a_burst),
        cmocka_unit_test(test_gives_all_back),
        cmocka_unit_test(test_the_clock_is_set),
        cmocka_unit_test(test_the_last_choice),
        cmocka_unit_test(test_uses_are_counted),
        cmocka_unit_test(test_grows_for_what_is_larger),
        cmocka_unit_test(test_the_host_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
