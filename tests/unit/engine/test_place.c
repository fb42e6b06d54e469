/*
 * Placing through the engine: who gets room, who waits, who is refused, and what
 * becomes of attempts that fail.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static const char gib[] = "{'name':'web','image':'img','memory_bytes':1073741824,"
                          "'ports':[{'container':80}]}";

static int
create(struct scene *scene, const char *owner, int64_t count, struct fault *fault)
{
    const struct instance_request request = { .blueprint = "web", .owner = owner, .count = count };
    struct instance *instances[INSTANCE_COUNT_MAX];

    return engine_instances_create(scene->world.engine, &request, instances, fault);
}

/* As many as a blueprint allows one owner; ended ones do not count. */
static void
test_quota(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'max_per_user':2}");
    id = scene_run_one(&scene, "web");
    assert_int_equal(create(&scene, "ann", 2, &fault), -1);
    assert_int_equal(fault.kind, FAULT_QUOTA);
    assert_int_equal(engine_model(scene.world.engine)->instances.live, 1); /* all or none */
    assert_int_equal(create(&scene, "ann", 1, &fault), 0);
    assert_int_equal(create(&scene, "ben", 2, &fault), 0);
    assert_true(check_stop(&scene.check, id));
    scene_until(&scene, id, INSTANCE_STOPPED, 1000);
    assert_int_equal(create(&scene, "ann", 1, &fault), 0);
    scene_end(&scene);
}

/* The queue has an end, and what no host could ever hold does not even wait. */
static void
test_refused(void **state)
{
    struct scene scene;
    struct fault fault;

    (void)state;
    scene_begin(&scene, 1);
    scene.world.config.queue_max = 10;
    engine_config_set(scene.world.engine, &scene.world.config);
    scene_blueprint(&scene, gib);
    assert_int_equal(create(&scene, "ann", 11, &fault), -1);
    assert_int_equal(fault.kind, FAULT_NO_CAPACITY);
    assert_int_equal(create(&scene, "ann", 10, &fault), 0);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':5368709120}");
    assert_int_equal(create(&scene, "ann", 1, &fault), -1);
    assert_int_equal(fault.kind, FAULT_NO_CAPACITY);
    scene_end(&scene);
}

/* Owners take turns: whoever asked for many does not keep others from their first. */
static void
test_fair(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t held[4];
    int64_t second;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, gib);
    for (int i = 0; i < 4; i++)
        held[i] = scene_run_one(&scene, "web");
    assert_int_equal(create(&scene, "ann", 20, &fault), 0);
    second = check_launch(&scene.check, "web", "ben");
    world_run(&scene.world, 1000);
    for (int i = 0; i < 2; i++) {
        assert_true(check_stop(&scene.check, held[i]));
        scene_until(&scene, held[i], INSTANCE_STOPPED, 1000);
        world_run(&scene.world, 1000);
    }
    assert_int_equal(scene_instance(&scene, second)->state, INSTANCE_RUNNING);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_QUEUED], 19);
    scene_end(&scene);
}

/* Nobody is sent where another instance has its fixed port, and waiting for one holds back nobody. */
static void
test_fixed_ports(void **state)
{
    struct scene scene;
    int64_t first;
    int64_t second;
    int64_t third;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'ports':[{'container':80,'host':8080}]}");
    scene_blueprint(&scene, "{'name':'other','image':'img','memory_bytes':67108864}");
    first = scene_launch(&scene, "web"); /* one after the other in the same turn */
    second = scene_launch(&scene, "web");
    third = scene_launch(&scene, "web");
    scene_until(&scene, first, INSTANCE_RUNNING, 2000);
    scene_until(&scene, second, INSTANCE_RUNNING, 2000);
    assert_string_not_equal(scene_host_name(&scene, first), scene_host_name(&scene, second));
    world_run(&scene.world, 300000);
    assert_int_equal(scene_instance(&scene, third)->state, INSTANCE_QUEUED);
    assert_int_equal(scene_instance(&scene, third)->attempts, 0);
    (void)scene_run_one(&scene, "other");
    assert_true(check_stop(&scene.check, second));
    scene_until(&scene, third, INSTANCE_RUNNING, 20000);
    assert_int_equal(scene_instance(&scene, third)->generation, 1);
    scene_end(&scene);
}

/* The next attempt goes to another host, when there is one. */
static void
test_avoid(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, gib);
    scene_fault(&scene, DOCKER_CREATE, "h1", 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_RUNNING, 2000);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_int_equal(scene_instance(&scene, id)->generation, 2);
    assert_int_equal(scene_host(&scene, "h2")->score.milli, 0);
    assert_int_equal(scene_events(&scene, "instance.attempt_failed", id), 1);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* Work that waits at a host whose score passes the threshold goes elsewhere without being tried there. */
static void
test_shed(void **state)
{
    enum { MANY = 20, BEYOND = 4, AT_ONCE = 2 }; /* failures until the score is above 3 */
    struct scene scene;
    int64_t ids[MANY];

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, "{'name':'small','image':'img:1','memory_bytes':67108864}");
    scene_host(&scene, "h1")->pool->policy.starts_per_host = AT_ONCE;
    scene_fault(&scene, DOCKER_START, "h1", 0,
                (struct fake_fate){ .latency_ms = 20, .kind = FAULT_ENGINE });
    for (size_t i = 0; i < MANY; i++)
        ids[i] = scene_launch(&scene, "small");
    world_run(&scene.world, 10);
    assert_string_equal(scene_host_name(&scene, ids[MANY - 1]), "h1");
    for (size_t i = 0; i < MANY; i++) {
        scene_until(&scene, ids[i], INSTANCE_RUNNING, 60000);
        assert_string_equal(scene_host_name(&scene, ids[i]), "h2");
    }
    assert_in_range(fake_docker_count(scene.world.docker, DOCKER_START), MANY + BEYOND,
                    MANY + BEYOND + AT_ONCE - 1);
    assert_int_equal(scene_host(&scene, "h2")->score.milli, 0);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* Nobody tries for ever, and the reason says why it failed. */
static void
test_attempts(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, gib);
    scene_fault(&scene, DOCKER_START, NULL, 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_PORT_TAKEN });
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 120000);
    assert_int_equal(scene_instance(&scene, id)->generation, 5);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "made up: start"));
    world_run(&scene.world, 100);
    assert_int_equal(scene_events(&scene, "instance.attempt_failed", id), 5);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* A reply that got lost is answered by looking: the container that is there is taken. */
static void
test_lost_replies(void **state)
{
    static const enum docker_verb verbs[] = { DOCKER_CREATE, DOCKER_START };
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        int64_t id;

        scene_begin(&scene, 1);
        scene_blueprint(&scene, gib);
        scene_fault(&scene, verbs[i], NULL, 1,
                    (struct fake_fate){ .latency_ms = 1, .kind = FAULT_LOST, .effect = FAKE_DONE });
        id = scene_launch(&scene, "web");
        scene_until(&scene, id, INSTANCE_RUNNING, 2000);
        assert_int_equal(scene_instance(&scene, id)->generation, 1);
        assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_CREATE), 1);
        assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_REMOVE), 0);
        scene_end(&scene);
    }
}

/* Nothing is placed beyond what a host has, less the reserve, times the factor. */
static void
test_capacity(void **state)
{
    struct scene scene;
    struct pool_policy policy;
    struct fault fault;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, gib);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 2 * GIB;
    policy.overcommit.memory_milli = 1500;
    world_pool_put(&scene.world, "default", &policy);
    assert_int_equal(create(&scene, "ann", 5, &fault), 0);
    world_run(&scene.world, 5000);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_RUNNING], 3);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_QUEUED], 2);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    world_pool_put(&scene.world, "default", &policy);
    world_run(&scene.world, 5000);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_RUNNING], 4);
    scene_end(&scene);
}

/* What waits is placed after a crash, too; leaving the queue costs nothing. */
static void
test_queue_survives(void **state)
{
    struct scene scene;
    int64_t held[4];
    int64_t waiting;
    int64_t leaving;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, gib);
    for (int i = 0; i < 4; i++)
        held[i] = scene_run_one(&scene, "web");
    leaving = scene_launch(&scene, "web");
    waiting = scene_launch(&scene, "web");
    world_run(&scene.world, 100);
    assert_true(check_stop(&scene.check, leaving));
    assert_int_equal(scene_instance(&scene, leaving)->state, INSTANCE_STOPPED);
    world_run(&scene.world, 100);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 100);
    assert_int_equal(scene_instance(&scene, waiting)->state, INSTANCE_QUEUED);
    assert_true(check_stop(&scene.check, held[0]));
    scene_until(&scene, waiting, INSTANCE_RUNNING, 5000);
    scene_end(&scene);
}

/* A round of housekeeping on request is done when each host was looked at. */
static void
test_housekeeping(void **state)
{
    struct scene scene;
    struct operation *operation = NULL;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 3);
    world_run(&scene.world, 1000);
    scene_fault(&scene, DOCKER_LIST, NULL, 0, (struct fake_fate){ .latency_ms = 500 });
    fake_docker_records_clear(scene.world.docker);
    assert_int_equal(engine_housekeep(scene.world.engine, "op", &operation, &fault), 0);
    id = operation->id;
    world_run(&scene.world, 400);
    assert_int_equal(scene_operation(&scene, id), OPERATION_RUNNING);
    world_run(&scene.world, 200);
    assert_int_equal(scene_operation(&scene, id), OPERATION_DONE);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LIST), 3);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* Ended instances, operations and removed hosts go after their time, also from the disk. */
static void
test_retention(void **state)
{
    struct scene scene;
    struct operation *operation = NULL;
    struct fault fault;
    int64_t ids[3];

    (void)state;
    scene_begin(&scene, 2);
    scene.world.config.retention.instances_max = 1;
    scene.world.config.retention.instances_ms = 3600000;
    scene.world.config.retention.hosts_ms = 3600000;
    scene.world.config.retention.operations_ms = 3600000;
    engine_config_set(scene.world.engine, &scene.world.config);
    scene_blueprint(&scene, gib);
    for (int i = 0; i < 3; i++) {
        struct instance *instance;

        ids[i] = world_launch(&scene.world, "web", "ann");
        scene_until(&scene, ids[i], INSTANCE_RUNNING, 5000);
        instance = world_instance(&scene.world, ids[i]);
        assert_int_equal(engine_instance_stop(scene.world.engine, instance, "asked to", &fault), 0);
        scene_until(&scene, ids[i], INSTANCE_STOPPED, 5000);
    }
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h2"), false, "op",
                                        &operation, &fault),
                     0);
    world_run(&scene.world, 20000);
    assert_null(world_instance(&scene.world, ids[0]));
    assert_null(world_instance(&scene.world, ids[1]));
    assert_non_null(world_instance(&scene.world, ids[2]));
    assert_int_equal(fake_store_count(scene.world.store, ROW_INSTANCE), 1);
    assert_int_equal(fake_store_count(scene.world.store, ROW_HOST), 2);
    world_run(&scene.world, 3700000);
    assert_int_equal(fake_store_count(scene.world.store, ROW_INSTANCE), 0);
    assert_int_equal(fake_store_count(scene.world.store, ROW_HOST), 1);
    assert_int_equal(fake_store_count(scene.world.store, ROW_OPERATION), 0);
    scene_end(&scene);
}

/* What a container wrote last is kept, of each generation, before it is removed. */
static size_t logs_found;

static void
on_logs(struct store_history *history, const struct fault *fault)
{
    assert_null(fault);
    logs_found = history->count;
    if (history->count > 0)
        assert_memory_equal(history->logs[0].data, "last words", 10);
}

static void
test_logs_kept(void **state)
{
    struct scene scene;
    struct store_history history = { .kind = HISTORY_LOG, .done = on_logs };
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, gib);
    id = scene_run_one(&scene, "web");
    memcpy(scene_container(&scene, id)->logs, "last words", 11);
    scene_crash(&scene, id, 1, false);
    scene_until(&scene, id, INSTANCE_FAILED, 1000);
    world_run(&scene.world, 100);
    history.instance_id = id;
    engine_history_start(scene.world.engine, &history);
    world_run(&scene.world, 100);
    assert_int_equal(logs_found, 1);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quota),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_fair),         cmocka_unit_test(test_shed),
        cmocka_unit_test(test_fixed_ports),  cmocka_unit_test(test_avoid),
        cmocka_unit_test(test_attempts),     cmocka_unit_test(test_lost_replies),
        cmocka_unit_test(test_capacity),     cmocka_unit_test(test_queue_survives),
        cmocka_unit_test(test_housekeeping), cmocka_unit_test(test_retention),
        cmocka_unit_test(test_logs_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
