/*
 * Commands: what they answer, when their answer counts, and what they refuse.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static const char web[] = "{'name':'web','image':'img','memory_bytes':67108864,"
                          "'ports':[{'container':80}]}";

/* An idempotency key is in flight, then its answer is kept, also over a crash. */
static void
test_answers(void **state)
{
    struct scene scene;
    struct store_answer answer = { .key = "t-1 key", .status = 202, .body = "{}", .body_len = 2 };
    struct store_answer found;

    (void)state;
    scene_begin(&scene, 1);
    assert_int_equal(engine_answer_find(scene.world.engine, answer.key, &found), ANSWER_NONE);
    engine_answer_begin(scene.world.engine, answer.key);
    assert_int_equal(engine_answer_find(scene.world.engine, answer.key, &found), ANSWER_IN_FLIGHT);
    engine_answer_keep(scene.world.engine, &answer);
    world_run(&scene.world, 10);
    engine_answer_end(scene.world.engine, answer.key);
    assert_int_equal(engine_answer_find(scene.world.engine, answer.key, &found), ANSWER_KEPT);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    assert_int_equal(engine_answer_find(scene.world.engine, answer.key, &found), ANSWER_KEPT);
    assert_int_equal(found.status, 202);
    world_run(&scene.world, 100);
    scene_end(&scene);
}

/* The answer is in the same commit as what it tells of: both or none. */
static void
test_answer_and_rows(void **state)
{
    (void)state;
    for (size_t durable = 0; durable < 2; durable++) {
        struct scene scene;
        struct store_answer answer = { .key = "k", .status = 202, .body = "{}", .body_len = 2 };
        struct store_answer found;
        int64_t id;

        scene_begin(&scene, 1);
        scene_blueprint(&scene, web);
        world_run(&scene.world, 10);
        scene.world.disk_ms = 50;
        id = scene_launch(&scene, "web");
        engine_answer_keep(scene.world.engine, &answer);
        world_run(&scene.world, 10);
        world_crash(&scene.world, durable);
        world_start(&scene.world);
        assert_int_equal(world_instance(&scene.world, id) != NULL, durable);
        assert_int_equal(engine_answer_find(scene.world.engine, "k", &found) == ANSWER_KEPT,
                         durable);
        world_run(&scene.world, 100);
        scene_end(&scene);
    }
}

struct asked {
    struct engine_wait wait;
    int answers;
    bool failed;
};

static void
on_asked(struct engine_wait *wait, const struct fault *fault)
{
    struct asked *asked = CONTAINER_OF(wait, struct asked, wait);

    asked->answers++;
    asked->failed = fault != NULL;
}

/* Who waits for the disk is told once, and not before it is so. */
static void
test_waits(void **state)
{
    struct scene scene;
    struct asked kept = { .wait = { .done = on_asked } };
    struct asked idle = { .wait = { .done = on_asked } };
    struct asked failing = { .wait = { .done = on_asked } };
    struct fault fault;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    world_run(&scene.world, 10);
    engine_wait_durable(scene.world.engine, &idle.wait); /* nothing is to be written */
    assert_int_equal(idle.answers, 0);
    world_run(&scene.world, 1);
    assert_int_equal(idle.answers, 1);

    scene.world.disk_ms = 50;
    (void)scene_launch(&scene, "web");
    engine_wait_durable(scene.world.engine, &kept.wait);
    world_run(&scene.world, 40);
    assert_int_equal(kept.answers, 0);
    world_run(&scene.world, 20);
    assert_int_equal(kept.answers, 1);
    assert_false(kept.failed);

    (void)fault_set(&fault, FAULT_STORAGE, "test", "made up");
    fake_store_break(scene.world.store, &fault, 0);
    (void)scene_launch(&scene, "web");
    engine_wait_durable(scene.world.engine, &failing.wait);
    world_run(&scene.world, 200);
    assert_int_equal(failing.answers, 1);
    assert_true(failing.failed);
    fake_store_break(scene.world.store, NULL, 0);
    world_run(&scene.world, 10000);
    scene_end(&scene);
}

/* Versions: the same again makes none, an outdated one is refused, what runs keeps its own. */
static void
test_blueprints(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    scene_blueprint(&scene, web);
    id = scene_run_one(&scene, "web");
    assert_int_equal(scene_instance(&scene, id)->blueprint->version, 1);
    scene_blueprint(&scene, "{'name':'web','image':'img2','memory_bytes':67108864}");
    assert_int_equal(scene_instance(&scene, id)->blueprint->version, 1);
    assert_int_equal(engine_blueprint_delete(scene.world.engine, "web", 1, &fault), -1);
    assert_int_equal(fault.kind, FAULT_PRECONDITION);
    assert_int_equal(engine_blueprint_delete(scene.world.engine, "web", 2, &fault), 0);
    assert_int_equal(check_launch(&scene.check, "web", "ann"), 0);
    assert_int_equal(scene.check.refusal.kind, FAULT_NOT_FOUND);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    world_run(&scene.world, 100);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    scene_end(&scene);
}

/* Stopping twice, or what has ended, is no mistake; moving the end of that is one. */
static void
test_stop_again(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    id = scene_run_one(&scene, "web");
    assert_true(check_stop(&scene.check, id));
    assert_true(check_stop(&scene.check, id));
    assert_int_equal(
        engine_instance_extend(scene.world.engine, world_instance(&scene.world, id), 0, &fault),
        -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    scene_until(&scene, id, INSTANCE_STOPPED, 1000);
    assert_true(check_stop(&scene.check, id));
    scene_end(&scene);
}

/* The same engine at another address: what runs there runs on. */
static void
test_endpoint(void **state)
{
    struct scene scene;
    struct host_endpoint endpoint = { .engine = (char[]){ "tcp://new:2376" }, .plain = true };
    struct fake_machine *from;
    struct fake_machine *to;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    id = scene_run_one(&scene, "web");
    from = world_machine(&scene.world, "h1");
    to = world_machine(&scene.world, "new");
    to->info = from->info;
    to->any_image = true;
    list_move(&to->containers, &from->containers);
    from->unreachable = true;
    assert_int_equal(
        engine_host_endpoint_set(scene.world.engine, scene_host(&scene, "h1"), &endpoint, &fault),
        0);
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    assert_string_equal(scene_host(&scene, "h1")->address, "new");
    scene_end(&scene);
}

/* A drain that was cancelled by activating is told to be so; a host that is gone is refused. */
static void
test_host_commands(void **state)
{
    struct scene scene;
    struct operation *operation = NULL;
    struct host *host;
    struct fault fault;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, web);
    (void)scene_run_one(&scene, "web");
    host = scene_host(&scene, "h1");
    assert_int_equal(engine_host_drain(scene.world.engine, host, 60000, "op", &operation, &fault),
                     0);
    id = operation->id;
    world_run(&scene.world, 2000);
    assert_int_equal(engine_host_activate(scene.world.engine, host, &fault), 0);
    world_run(&scene.world, 2000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_CANCELLED);
    assert_int_equal(host->state, HOST_ACTIVE);

    host = scene_host(&scene, "h2");
    assert_int_equal(engine_host_remove(scene.world.engine, host, false, "op", &operation, &fault),
                     0);
    world_run(&scene.world, 5000);
    assert_int_equal(host->state, HOST_REMOVED);
    assert_int_equal(engine_host_drain(scene.world.engine, host, 0, "op", &operation, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_int_equal(engine_host_activate(scene.world.engine, host, &fault), -1);
    assert_int_equal(engine_host_remove(scene.world.engine, host, true, "op", &operation, &fault),
                     -1);
    scene_end(&scene);
}

/* The doctor is content with a healthy daemon, and sees a host that is silent and a disk that fails. */
static void
test_doctor(void **state)
{
    struct scene scene;
    struct fault fault;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    (void)scene_run_one(&scene, "web");
    assert_int_equal(world_doctor(&scene.world), 0);
    world_machine(&scene.world, "h1")->unreachable = true;
    world_run(&scene.world, 20000);
    assert_int_equal(world_doctor(&scene.world), 1);
    (void)fault_set(&fault, FAULT_STORAGE, "test", "made up");
    fake_store_break(scene.world.store, &fault, 0);
    (void)scene_launch(&scene, "web");
    world_run(&scene.world, 1000);
    assert_true(world_doctor(&scene.world) >= 1);
    world_machine(&scene.world, "h1")->unreachable = false;
    fake_store_break(scene.world.store, NULL, 0);
    scene_end(&scene);
}

static void
on_notify(void *cookie)
{
    (*(int *)cookie)++;
}

/* Event streams are told after the commit, not before. */
static void
test_listen(void **state)
{
    struct scene scene;
    int told = 0;

    (void)state;
    scene_begin(&scene, 1);
    scene.world.disk_ms = 50;
    engine_listen(scene.world.engine, on_notify, &told);
    scene_blueprint(&scene, web);
    world_run(&scene.world, 40);
    assert_int_equal(told, 0);
    world_run(&scene.world, 20);
    assert_int_equal(told, 1);
    engine_listen(scene.world.engine, NULL, NULL);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_answer_and_rows),
        cmocka_unit_test(test_waits),         cmocka_unit_test(test_blueprints),
        cmocka_unit_test(test_stop_again),    cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_host_commands), cmocka_unit_test(test_doctor),
        cmocka_unit_test(test_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
