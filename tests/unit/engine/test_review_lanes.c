/*
 * What goes on beside what takes long: pulls that hang, many questions at once,
 * credentials that change, hosts that are left.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

enum { PULLS = 20, MANY = 120, LIGHT_MOST = 64, HEAVY_MOST = 32 };

static const char slow[] = "{'name':'slow','image':'slow:1','memory_bytes':8388608}";
static const char quick[] = "{'name':'web','image':'img:1','memory_bytes':8388608}";

static void
begin(struct scene *scene, int hosts)
{
    scene_begin(scene, hosts);
    scene_blueprint(scene, slow);
    scene_blueprint(scene, quick);
}

/* A registry that takes its time keeps nobody from starting and stopping what needs no pull. */
static void
test_slow_pulls_hold_up_nobody(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t kept;
    int64_t pulling[PULLS];

    (void)state;
    begin(&scene, 1);
    world_machine(&scene.world, "h1")->any_image = false;
    fake_machine_image_add(world_machine(&scene.world, "h1"), "img:1");
    kept = scene_run_one(&scene, "web");
    scene_fault(&scene, DOCKER_PULL, "h1", 0, (struct fake_fate){ .latency_ms = 600000 });
    for (int i = 0; i < PULLS; i++)
        pulling[i] = scene_launch(&scene, "slow");
    world_run(&scene.world, 1000);
    assert_int_equal(
        engine_instance_stop(scene.world.engine, world_instance(&scene.world, kept), "", &fault),
        0);
    scene_until(&scene, kept, INSTANCE_STOPPED, 5000);
    (void)scene_run_one(&scene, "web");
    for (int i = 0; i < PULLS; i++)
        assert_true(check_stop(&scene.check, pulling[i]));
    scene_end(&scene);
}

/* When all containers of a host end at once, its engine is not asked about all of them at once. */
static void
test_questions_at_once_are_bounded(void **state)
{
    struct scene scene;
    int64_t id = 0;

    (void)state;
    begin(&scene, 1);
    for (int i = 0; i < MANY; i++)
        id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_RUNNING, 60000);
    world_run(&scene.world, 1000);
    world_machine(&scene.world, "h1")->most_in_flight = 0;
    fake_machine_reboot(world_machine(&scene.world, "h1"));
    scene_until(&scene, id, INSTANCE_FAILED, 60000);
    assert_in_range(world_machine(&scene.world, "h1")->most_in_flight, 1,
                    LIGHT_MOST + HEAVY_MOST + 2);
    scene_end(&scene);
}

static size_t secrets_read;

static void
read_secret(struct world *world, const struct docker_call *call, const struct fake_fate *fate)
{
    const char *bytes;

    (void)world;
    (void)fate;
    if (call->verb != DOCKER_PULL || !call->in.registry_auth)
        return;
    bytes = secret_bytes(call->in.registry_auth);
    secrets_read += strlen(bytes) > 0;
}

static struct secret *
secret_of(const char *text)
{
    char copy[32] = { 0 };

    assert_true(strlen(text) < sizeof(copy));
    memcpy(copy, text, strlen(text) + 1);
    return secret_new(copy, strlen(text));
}

/* Credentials that are replaced while pulls wait stay until these have used them. */
static void
test_credentials_change_while_pulls_wait(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    check_fini(&scene.check); /* its hook is needed here */
    world_machine(&scene.world, "h1")->any_image = false;
    scene.world.on_call = read_secret;
    secrets_read = 0;
    engine_registry_set(scene.world.engine, "docker.io", secret_of("{\"one\":1}"));
    scene_fault(&scene, DOCKER_PULL, "h1", 0, (struct fake_fate){ .latency_ms = 2000 });
    for (int i = 0; i < PULLS; i++)
        (void)world_launch(&scene.world, "slow", "ann");
    world_run(&scene.world, 500);
    assert_in_range(secrets_read, 1, PULLS - 1);
    engine_registry_set(scene.world.engine, "docker.io", secret_of("{\"one\":1}"));
    engine_registry_set(scene.world.engine, "docker.io", secret_of("{\"two\":2}"));
    world_run(&scene.world, 60000);
    assert_int_equal(secrets_read, PULLS);
    /* What the configuration names no more is forgotten, and only that. */
    engine_registry_set(scene.world.engine, "other.example", secret_of("{\"three\":3}"));
    engine_registry_keep(scene.world.engine, (const char *[]){ "other.example" }, 1);
    engine_registry_keep(scene.world.engine, (const char *[]){ "docker.io", "other.example" }, 2);
    scene_blueprint(&scene, "{'name':'more','image':'more:1','memory_bytes':8388608}");
    (void)world_launch(&scene.world, "more", "ann");
    scene_blueprint(&scene, "{'name':'far','image':'other.example/a','memory_bytes':8388608}");
    (void)world_launch(&scene.world, "far", "ann");
    world_run(&scene.world, 60000);
    assert_int_equal(secrets_read, PULLS + 1);
    world_fini(&scene.world);
}

/* A container that could not be removed from a host that leaves is removed before the host goes. */
static void
test_nothing_is_left_on_a_host_that_leaves(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct fault fault;
    int64_t host_id;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    host_id = scene_host(&scene, "h1")->id;
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    scene_fault(&scene, DOCKER_START, "h1", 1,
                (struct fake_fate){ .latency_ms = 500, .kind = FAULT_ENGINE });
    scene_fault(&scene, DOCKER_REMOVE, "h1", 1,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
    id = scene_launch(&scene, "web");
    world_run(&scene.world, 100);
    assert_string_equal(scene_host_name(&scene, id), "h1");
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h1"), false, "op",
                                        &operation, &fault),
                     0);
    scene_until(&scene, id, INSTANCE_RUNNING, 30000);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    world_run(&scene.world, 60000);
    assert_int_equal(
        ((struct host *)idmap_find(&engine_model(scene.world.engine)->hosts, host_id))->state,
        HOST_REMOVED);
    assert_int_equal(world_machine(&scene.world, "h1")->containers.count, 0);
    scene_end(&scene);
}

/* What is still being pulled when a drain's deadline comes starts elsewhere. */
static void
test_a_pull_does_not_outlast_a_drain(void **state)
{
    struct scene scene;
    struct operation *drain;
    struct fault fault;
    int64_t drain_id;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    world_machine(&scene.world, "h1")->any_image = false;
    scene_fault(&scene, DOCKER_PULL, "h1", 0, (struct fake_fate){ .latency_ms = 3000000 });
    id = scene_launch(&scene, "slow");
    world_run(&scene.world, 1000);
    assert_string_equal(scene_host_name(&scene, id), "h1");
    assert_int_equal(
        engine_host_drain(scene.world.engine, scene_host(&scene, "h1"), 5000, "op", &drain, &fault),
        0);
    drain_id = drain->id;
    scene_until(&scene, id, INSTANCE_RUNNING, 15000);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    world_run(&scene.world, 5000);
    assert_int_equal(scene_operation(&scene, drain_id), OPERATION_DONE);
    scene_end(&scene);
}

static struct operation *
operation_of(struct scene *scene, int64_t id)
{
    return idmap_find(&engine_model(scene->world.engine)->operations, id);
}

/* The removal of a host that is taken back leaves the host, and what runs there; it takes work again
 * when nothing else drains it. */
static void
test_a_removal_is_taken_back(void **state)
{
    struct scene scene;
    struct operation *removal;
    struct operation *drain;
    struct fault fault;
    struct host *host;
    int64_t drain_id;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    id = scene_run_one(&scene, "web");
    host = scene_host(&scene, "h1");
    assert_int_equal(engine_host_drain(scene.world.engine, host, 30000, "op", &drain, &fault), 0);
    drain_id = drain->id;
    assert_int_equal(engine_host_remove(scene.world.engine, host, false, "op", &removal, &fault),
                     0);
    world_run(&scene.world, 5000);
    assert_int_equal(engine_operation_cancel(scene.world.engine, removal, &fault), 0);
    assert_int_equal(removal->state, OPERATION_CANCELLED);
    assert_non_null(host->waiting_for); /* the drain goes on */
    assert_int_equal(host->state, HOST_INACTIVE);
    assert_int_equal(
        engine_operation_cancel(scene.world.engine, operation_of(&scene, drain_id), &fault), 0);
    assert_null(host->waiting_for);
    assert_int_equal(host->state, HOST_ACTIVE);
    assert_string_equal(host->reason, "its drain was cancelled");
    world_run(&scene.world, 7200000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    (void)scene_run_one(&scene, "web");
    assert_true(check_stop(&scene.check, id));
    scene_until(&scene, id, INSTANCE_STOPPED, 5000);
    world_run(&scene.world, 10000);
    assert_int_equal(scene_host(&scene, "h1")->state, HOST_ACTIVE);

    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "h1"), true, "op",
                                        &removal, &fault),
                     0);
    assert_int_equal(engine_operation_cancel(scene.world.engine, removal, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_pulls_hold_up_nobody),
        cmocka_unit_test(test_questions_at_once_are_bounded),
        cmocka_unit_test(test_credentials_change_while_pulls_wait),
        cmocka_unit_test(test_nothing_is_left_on_a_host_that_leaves),
        cmocka_unit_test(test_a_pull_does_not_outlast_a_drain),
        cmocka_unit_test(test_a_removal_is_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
