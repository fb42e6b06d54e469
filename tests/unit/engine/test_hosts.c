/*
 * Hosts: they join, fail, come back, are drained and removed, and what runs on
 * them fares as it should.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static const char plain[] = "{'name':'web','image':'img','memory_bytes':1073741824,"
                            "'ports':[{'container':80}]}";
static const char always[] = "{'name':'svc','image':'img','memory_bytes':1073741824,"
                             "'restart':{'policy':'always'}}";

/* A host is active once its engine told its size and its containers were compared. */
static void
test_join(void **state)
{
    struct scene scene;
    const struct host *host;

    (void)state;
    scene_begin(&scene, 1);
    host = scene_host(&scene, "h1");
    assert_int_equal(host->state, HOST_ACTIVE);
    assert_null(host->waiting_for);
    assert_int_equal(host->capacity.memory_bytes,
                     world_machine(&scene.world, "h1")->info.memory_bytes);
    assert_string_equal(host->engine_version, "20.10.24");
    assert_true(engine_ready(scene.world.engine));
    scene_end(&scene);
}

/* A host that does not answer yet does not keep the daemon from being ready, and joins later. */
static void
test_join_late(void **state)
{
    struct scene scene;

    (void)state;
    scene_begin(&scene, 1);
    world_machine(&scene.world, "h2")->unreachable = true;
    (void)world_host(&scene.world, "default", "h2", 4 * GIB, 4);
    world_run(&scene.world, 60000);
    assert_true(engine_ready(scene.world.engine));
    assert_int_equal(scene_host(&scene, "h2")->state, HOST_SPAWNED);
    world_machine(&scene.world, "h2")->unreachable = false;
    scene_until_host(&scene, "h2", HOST_ACTIVE, 45000);
    scene_end(&scene);
}

/* A host whose endpoint cannot be used any more after a restart takes no work, holds nothing up, and is
 * back once that was mended. */
static void
test_endpoint_that_broke(void **state)
{
    struct scene scene;
    int64_t there;
    int64_t other;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    there = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, there), "h1");
    world_crash(&scene.world, 9);
    world_machine(&scene.world, "h1")->unset = true;
    world_start(&scene.world);
    world_run(&scene.world, 60000);
    assert_true(engine_ready(scene.world.engine));
    assert_true(scene_host(&scene, "h1")->breaker_open);
    assert_int_equal(scene_events(&scene, "host.unreachable", 0), 1);
    other = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, other), "h2");
    assert_true(check_stop(&scene.check, there));
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, there)->state, INSTANCE_STOPPING);

    world_machine(&scene.world, "h1")->unset = false;
    scene_until(&scene, there, INSTANCE_STOPPED, 60000);
    assert_false(scene_host(&scene, "h1")->breaker_open);
    scene_end(&scene);
}

/* An engine that hangs delays nothing on another host, and is forgiven by itself. */
static void
test_hang(void **state)
{
    struct scene scene;
    int64_t there[4];
    int64_t other;
    int64_t before;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    for (int i = 0; i < 4; i++)
        there[i] = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, there[3]), "h1");
    world_machine(&scene.world, "h1")->hung = true;
    assert_true(check_stop(&scene.check, there[3]));
    for (int i = 0; i < 4; i++) {
        before = world_mono(&scene.world);
        other = scene_launch(&scene, "web");
        scene_until(&scene, other, INSTANCE_RUNNING, 500);
        assert_true(world_mono(&scene.world) - before < 500);
        assert_string_equal(scene_host_name(&scene, other), "h2");
    }
    assert_true(check_stop(&scene.check, other));
    scene_until(&scene, other, INSTANCE_STOPPED, 500);
    world_run(&scene.world, 120000);
    assert_false(scene_host(&scene, "h1")->reachable);
    assert_int_equal(scene_instance(&scene, there[3])->state, INSTANCE_STOPPING);

    world_machine(&scene.world, "h1")->hung = false;
    world_run(&scene.world, 90000);
    assert_true(scene_host(&scene, "h1")->reachable);
    assert_int_equal(scene_instance(&scene, there[3])->state, INSTANCE_STOPPED);
    assert_int_equal(scene_instance(&scene, there[0])->generation, 1); /* it ran on all the time */
    scene_end(&scene);
}

/* An engine that says nothing is asked whether it lives: long before a call's own deadline. */
static void
test_silence(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, id), "h1");
    world_run(&scene.world, 20000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PING), 0);
    world_machine(&scene.world, "h1")->hung = true;
    assert_true(check_stop(&scene.check, id));
    scene_fault(&scene, DOCKER_STOP, "h1", 0, (struct fake_fate){ .latency_ms = 300000 });
    world_run(&scene.world, 10500);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PING), 1);
    assert_false(scene_host(&scene, "h1")->reachable);
    assert_int_equal(scene_events(&scene, "host.unreachable", 0), 1);
    assert_true(scene_host(&scene, "h2")->reachable);
    world_machine(&scene.world, "h1")->hung = false;
    scene.world.fates.count = 0;
    scene_until(&scene, id, INSTANCE_STOPPED, 60000);
    scene_end(&scene);
}

/* One that is slow, but lives, is left in peace. */
static void
test_slow_is_not_silent(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_fault(&scene, DOCKER_START, "h1", 1, (struct fake_fate){ .latency_ms = 30000 });
    id = scene_launch(&scene, "web");
    world_run(&scene.world, 29000);
    assert_in_range(fake_docker_count(scene.world.docker, DOCKER_PING), 2, 6);
    assert_true(scene_host(&scene, "h1")->reachable);
    scene_until(&scene, id, INSTANCE_RUNNING, 5000);
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    assert_int_equal(scene_events(&scene, "host.fault", 0), 0);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* A host that does not answer takes no new work at once; its instances are not given up. */
static void
test_breaker(void **state)
{
    struct scene scene;
    int64_t first;
    int64_t second;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    first = scene_run_one(&scene, "web");
    world_machine(&scene.world, "h1")->unreachable = true;
    world_run(&scene.world, 20000);
    assert_true(scene_host(&scene, "h1")->breaker_open);
    assert_int_equal(scene_events(&scene, "host.unreachable", 0), 1);
    second = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, second), "h2");
    assert_int_equal(scene_instance(&scene, first)->state, INSTANCE_RUNNING);

    world_machine(&scene.world, "h1")->unreachable = false;
    world_run(&scene.world, 40000);
    assert_false(scene_host(&scene, "h1")->breaker_open);
    assert_int_equal(scene_events(&scene, "host.reachable", 0), 1);
    assert_int_equal(scene_instance(&scene, first)->generation, 1);
    scene_end(&scene);
}

/* Many errors: no new work, though it answers; the score falls, and then it takes work again. */
static void
test_score(void **state)
{
    struct scene scene;
    const struct fake_fate failed = { .latency_ms = 1, .kind = FAULT_ENGINE };
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_fault(&scene, DOCKER_CREATE, "h1", 0, failed);
    id = scene_launch(&scene, "web");
    world_run(&scene.world, 30000);
    scene.world.fates.count = 0;
    assert_true(scene_instance(&scene, id)->state == INSTANCE_QUEUED ||
                scene_instance(&scene, id)->state == INSTANCE_FAILED);
    id = scene_launch(&scene, "web");
    world_run(&scene.world, 2000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_QUEUED);
    scene_until(&scene, id, INSTANCE_RUNNING, INT64_C(3) * SCORE_HALF_LIFE_MS);
    scene_end(&scene);
}

/* Draining: no new work; at the deadline what may move is moved, the rest is stopped. */
static void
test_drain(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct fault fault;
    int64_t rest;
    int64_t mover;
    int64_t fresh;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, always);
    rest = scene_run_one(&scene, "web");
    mover = scene_run_one(&scene, "svc");
    assert_string_equal(scene_host_name(&scene, mover), "h1");
    assert_int_equal(engine_host_drain(scene.world.engine, scene_host(&scene, "h1"), 10000, "op",
                                       &operation, &fault),
                     0);
    id = operation->id;
    fresh = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, fresh), "h2");
    world_run(&scene.world, 5000);
    assert_int_equal(scene_instance(&scene, rest)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_operation(&scene, id), OPERATION_RUNNING);
    scene_until(&scene, rest, INSTANCE_STOPPED, 10000);
    assert_string_equal(scene_instance(&scene, rest)->reason, "its host was drained");
    scene_until(&scene, mover, INSTANCE_RUNNING, 10000);
    world_run(&scene.world, 2000);
    assert_string_equal(scene_host_name(&scene, mover), "h2");
    assert_int_equal(scene_instance(&scene, mover)->generation, 2);
    assert_int_equal(scene_operation(&scene, id), OPERATION_DONE);
    assert_int_equal(scene_host(&scene, "h1")->state, HOST_INACTIVE);
    assert_int_equal(engine_host_activate(scene.world.engine, scene_host(&scene, "h1"), &fault), 0);
    assert_int_equal(scene_host(&scene, "h1")->state, HOST_ACTIVE);
    scene_end(&scene);
}

/* What crashes again and again, before it is ready, does not keep a host from being emptied. */
static void
test_drain_crash_loop(void **state)
{
    struct scene scene;
    const struct fake_fate exits = { .latency_ms = 1, .kind = FAULT_EXITED };
    struct operation *operation;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, always);
    id = scene_run_one(&scene, "svc");
    scene_fault(&scene, DOCKER_START, "h1", 0, exits);
    scene_crash(&scene, id, 1, false);
    world_run(&scene.world, 5000);
    assert_int_equal(engine_host_drain(scene.world.engine, scene_host(&scene, "h1"), 0, "op",
                                       &operation, &fault),
                     0);
    world_run(&scene.world, 90000);
    assert_int_equal(scene_host(&scene, "h1")->instance_count, 0);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* Removing drains first; a removed host is asked nothing any more. */
static void
test_remove(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct fault fault;
    int64_t id;
    int64_t host_id;
    int64_t operation_id;
    const struct fake_record *records;
    size_t count;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    host_id = scene_host(&scene, "h1")->id;
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h1"), false, "op",
                                        &operation, &fault),
                     0);
    operation_id = operation->id;
    world_run(&scene.world, 3000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_true(check_stop(&scene.check, id));
    world_run(&scene.world, 5000);
    assert_null(scene_host(&scene, "h1"));
    assert_int_equal(scene_operation(&scene, operation_id), OPERATION_DONE);
    fake_docker_records_clear(scene.world.docker);
    world_run(&scene.world, 60000);
    records = fake_docker_records(scene.world.docker, &count);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(records[i].host_id, host_id);
    scene_end(&scene);
}

/* Removed by force: its instances start elsewhere or are lost; added again, nothing is left over. */
static void
test_remove_by_force(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct fault fault;
    int64_t rest;
    int64_t mover;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, always);
    rest = scene_run_one(&scene, "web");
    mover = scene_run_one(&scene, "svc");
    world_machine(&scene.world, "h1")->hung = true;
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h1"), true, "op",
                                        &operation, &fault),
                     0);
    world_run(&scene.world, 10000);
    assert_null(scene_host(&scene, "h1"));
    assert_int_equal(scene_instance(&scene, rest)->state, INSTANCE_FAILED);
    assert_string_equal(scene_instance(&scene, rest)->reason, "its host was removed");
    assert_int_equal(scene_instance(&scene, mover)->state, INSTANCE_RUNNING);
    assert_string_equal(scene_host_name(&scene, mover), "h2");

    world_machine(&scene.world, "h1")->hung = false;
    (void)world_host(&scene.world, "default", "h1", 4 * GIB, 4);
    world_run(&scene.world, 40000);
    assert_int_equal(check_containers(&scene.check, world_machine(&scene.world, "h1"), false), 0);
    scene_end(&scene);
}

/* A request's call that is under way ends before its host is forgotten. */
static void
on_call_done(struct engine_call *call, const struct fault *fault)
{
    (void)call;
    assert_non_null(fault);
}

static void
test_remove_ends_calls(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct engine_call call = { .call = { .verb = DOCKER_LOGS }, .done = on_call_done };
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    call.call.in.logs.follow = true;
    assert_int_equal(
        engine_instance_call(scene.world.engine, scene_instance(&scene, id), &call, &fault), 0);
    world_run(&scene.world, 100);
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h1"), true, "op",
                                        &operation, &fault),
                     0);
    world_run(&scene.world, 10000);
    assert_null(scene_host(&scene, "h1"));
    scene_end(&scene);
}

/* Logs and commands of an instance whose container is not made yet: refused, with the reason. */
static void
test_call_before_container(void **state)
{
    struct scene scene;
    struct engine_call call = { .call = { .verb = DOCKER_LOGS }, .done = on_call_done };
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_STARTING, 10000);
    assert_int_equal(
        engine_instance_call(scene.world.engine, scene_instance(&scene, id), &call, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_non_null(strstr(fault.text, "no container yet"));
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_slow_is_not_silent),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_late),
        cmocka_unit_test(test_endpoint_that_broke),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_breaker),
        cmocka_unit_test(test_score),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_drain_crash_loop),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_remove_by_force),
        cmocka_unit_test(test_remove_ends_calls),
        cmocka_unit_test(test_call_before_container),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
