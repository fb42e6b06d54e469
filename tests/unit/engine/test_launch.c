/*
 * Launches: from a request to a running container, and what becomes of it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define GIB (INT64_C(1) << 30)
#define MIB (INT64_C(1) << 20)

static const char web[] = "{\"name\":\"web\",\"image\":\"img\",\"memory_bytes\":1073741824,"
                          "\"ports\":[{\"container\":80}]}";

static int64_t watched;

static bool
is_running(struct world *world)
{
    return world_instance(world, watched)->state == INSTANCE_RUNNING;
}

static bool
is_stopped(struct world *world)
{
    return world_instance(world, watched)->state == INSTANCE_STOPPED;
}

static bool
is_failed(struct world *world)
{
    return world_instance(world, watched)->state == INSTANCE_FAILED;
}

static void
begin(struct world *world)
{
    world_init(world, 1);
    world_pool(world, "default");
    world_host(world, "default", "h1", 4 * GIB, 4);
    world_host(world, "default", "h2", 4 * GIB, 4);
    world_blueprint(world, web);
    world_run(world, 100);
}

/* A request is placed, started, found ready, and its row says so. */
static void
test_runs(void **state)
{
    struct world world;
    struct fake_container *container;

    (void)state;
    begin(&world);
    watched = world_launch(&world, "web", "ann");
    assert_true(world_run_until(&world, is_running, 5000));
    assert_int_equal(world_instance(&world, watched)->port_count, 1);
    assert_int_equal(world_instance(&world, watched)->generation, 1);
    container = fake_machine_oldest(world_machine(&world, "h1"));
    assert_int_equal(container->seen.state, DOCKER_RUNNING);
    world_fini(&world);
}

/* No call to an engine leaves before the row that it rests on is durable. */
static void
test_output_commit(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    fake_docker_records_clear(world.docker);
    watched = world_launch(&world, "web", "ann");
    engine_turn_end(world.engine);
    engine_turn_end(world.engine);
    assert_int_equal(fake_store_pending(world.store), 1);
    assert_int_equal(fake_docker_count(world.docker, DOCKER_CREATE), 0);
    assert_true(fake_store_commit_next(world.store, NULL));
    assert_int_equal(fake_docker_count(world.docker, DOCKER_CREATE), 1);
    world_fini(&world);
}

/* Stopping removes the container and frees what was reserved. */
static void
test_stops(void **state)
{
    struct world world;
    struct fault fault;

    (void)state;
    begin(&world);
    watched = world_launch(&world, "web", "ann");
    assert_true(world_run_until(&world, is_running, 5000));
    assert_int_equal(
        engine_instance_stop(world.engine, world_instance(&world, watched), "asked by ann", &fault),
        0);
    assert_true(world_run_until(&world, is_stopped, 5000));
    assert_string_equal(world_instance(&world, watched)->reason, "asked by ann");
    assert_int_equal(world_machine(&world, "h1")->containers.count, 0);
    assert_int_equal(model_host_find(engine_model(world.engine),
                                     model_pool_find(engine_model(world.engine), "default"), "h1")
                         ->reserved.memory_bytes,
                     0);
    world_fini(&world);
}

/* What does not fit waits, and is placed when room appears. */
static void
test_queue(void **state)
{
    struct world world;
    struct fault fault;
    int64_t ids[9];

    (void)state;
    begin(&world);
    for (int i = 0; i < 9; i++)
        ids[i] = world_launch(&world, "web", "ann");
    watched = ids[7];
    assert_true(world_run_until(&world, is_running, 5000));
    assert_int_equal(world_instance(&world, ids[8])->state, INSTANCE_QUEUED);
    assert_int_equal(
        engine_instance_stop(world.engine, world_instance(&world, ids[0]), "asked", &fault), 0);
    watched = ids[8];
    assert_true(world_run_until(&world, is_running, 30000));
    world_fini(&world);
}

/* After kill -9 at any turn of a launch the instance ends up running, exactly once. */
static void
test_crash_at_each_turn(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 30; at++) {
        struct world world;
        uint64_t until;
        size_t containers;

        begin(&world);
        watched = world_launch(&world, "web", "ann");
        until = world.turns + at;
        while (world.turns < until && world_turn(&world, INT64_MAX)) {
        }
        world_crash(&world, at % 2);
        world_start(&world);
        world_run(&world, 60000);
        containers = world_machine(&world, "h1")->containers.count +
                     world_machine(&world, "h2")->containers.count;
        if (world_instance(&world, watched)) {
            assert_int_equal(world_instance(&world, watched)->state, INSTANCE_RUNNING);
            assert_int_equal(containers, 1);
        } else {
            assert_int_equal(containers, 0); /* it was never acknowledged */
        }
        world_fini(&world);
    }
}

/* An image that nobody has fails the instance and blames the blueprint, not the host. */
static void
test_bad_image(void **state)
{
    struct world world;
    const struct fake_rule rule = { .verb = DOCKER_CREATE, .fate = { .kind = FAULT_IMAGE } };

    (void)state;
    begin(&world);
    fake_docker_rule_add(world.docker, &rule);
    watched = world_launch(&world, "web", "ann");
    assert_true(world_run_until(&world, is_failed, 60000));
    assert_int_equal(model_host_find(engine_model(world.engine),
                                     model_pool_find(engine_model(world.engine), "default"), "h1")
                         ->score.milli,
                     0);
    assert_non_null(world_instance(&world, watched)->blueprint->breaker);
    fake_docker_rules_clear(world.docker);
    world_fini(&world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),      cmocka_unit_test(test_output_commit),
        cmocka_unit_test(test_stops),     cmocka_unit_test(test_queue),
        cmocka_unit_test(test_bad_image), cmocka_unit_test(test_crash_at_each_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
