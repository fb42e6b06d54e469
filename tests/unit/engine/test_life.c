/*
 * The life of instances that run: crashes and restarts, memory, lifetimes, idle
 * ones, and the clock.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define YEAR_MS INT64_C(31536000000)

static const char plain[] = "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'ports':[{'container':80}]}";
static const char always[] = "{'name':'svc','image':'img','memory_bytes':67108864,"
                             "'restart':{'policy':'always'}}";
static const char thrice[] = "{'name':'job','image':'img','memory_bytes':67108864,"
                             "'restart':{'policy':'on-failure','max_retries':3}}";
static const char mortal[] = "{'name':'tmp','image':'img','memory_bytes':67108864,"
                             "'lifetime_s':600,'end_grace_s':60}";
static const char idler[] = "{'name':'idl','image':'img','memory_bytes':67108864,"
                            "'idle_timeout_s':300,'end_grace_s':60}";

/* It ends by itself: with code 0 it is stopped, with another it has failed. */
static void
test_ends(void **state)
{
    struct scene scene;
    int64_t well;
    int64_t ill;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    well = scene_run_one(&scene, "web");
    ill = scene_run_one(&scene, "web");
    scene_crash(&scene, well, 0, false);
    scene_crash(&scene, ill, 1, false);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_instance(&scene, well)->state, INSTANCE_STOPPED);
    assert_int_equal(scene_instance(&scene, well)->exit_code, 0);
    assert_int_equal(scene_instance(&scene, ill)->state, INSTANCE_FAILED);
    assert_string_equal(scene_instance(&scene, ill)->reason, "ended with exit code 1");
    scene_end(&scene);
}

/* A thousand kills are counted, some are told. */
static void
test_a_flood_of_ooms(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864}");
    id = scene_run_one(&scene, "web");
    for (int second = 0; second < 30; second++) {
        for (int i = 0; i < 100; i++) {
            fake_docker_hint(scene.world.docker, world_machine(&scene.world, "h1"), "oom",
                             scene_container(&scene, id));
        }
        world_run(&scene.world, 1000);
    }
    assert_int_equal(scene_instance(&scene, id)->oom_kills, 3000);
    assert_int_equal(engine_meter(scene.world.engine)->oom_kills, 3000);
    assert_in_range(scene_events(&scene, "instance.oom", id), 30, 40);
    assert_in_range(scene_events(&scene, "host.oom", 0), 2, 3);
    assert_true(check_stop(&scene.check, id));
    scene_until(&scene, id, INSTANCE_STOPPED, 5000);
    scene_end(&scene); /* the number is on the disk */
}

/* An engine may tell of an out-of-memory kill after the end, and by its event stream alone. */
static void
test_oom_told_late(void **state)
{
    struct scene scene;
    int64_t late;
    int64_t never;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    late = scene_run_one(&scene, "web");
    never = scene_run_one(&scene, "web");
    scene_crash(&scene, late, 137, false);
    scene_crash(&scene, never, 137, false);
    world_run(&scene.world, 200);
    assert_int_equal(scene_instance(&scene, late)->state, INSTANCE_RUNNING);
    fake_docker_hint(scene.world.docker, world_machine(&scene.world, scene_host_name(&scene, late)),
                     "oom", scene_container(&scene, late));
    scene_until(&scene, late, INSTANCE_FAILED, 2000);
    scene_until(&scene, never, INSTANCE_FAILED, 2000);
    assert_int_equal(scene_instance(&scene, late)->oom_kills, 1);
    assert_int_equal(scene_instance(&scene, never)->oom_kills, 0);
    assert_non_null(strstr(scene_instance(&scene, late)->reason, "killed because it needed more"));
    assert_non_null(strstr(scene_instance(&scene, never)->reason, "killed, perhaps because"));
    scene_end(&scene);
}

/* An out-of-memory kill is counted once, though a hint and a look tell of it, and told. */
static void
test_oom(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, always);
    id = scene_run_one(&scene, "svc");
    scene_crash(&scene, id, 137, true);
    scene_until(&scene, id, INSTANCE_STARTING, 1000);
    assert_int_equal(scene_instance(&scene, id)->oom_kills, 1);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "more memory than its limit"));
    scene_until(&scene, id, INSTANCE_RUNNING, 10000);
    world_run(&scene.world, 10000);
    assert_int_equal(scene_events(&scene, "instance.oom", id), 1);

    /* Of the next generation only the look tells: the stream is broken. */
    scene_fault(&scene, DOCKER_EVENTS, NULL, 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE_REFUSED });
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    fake_docker_streams_break(scene.world.docker, world_machine(&scene.world, "h1"), FAULT_LOST);
    scene_crash(&scene, id, 137, true);
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, id)->oom_kills, 2);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* Pauses between restarts grow, up to a minute. */
static void
test_restart_pauses(void **state)
{
    struct scene scene;
    int64_t before_ms = 0;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, always);
    id = scene_run_one(&scene, "svc");
    for (int i = 0; i < 9; i++) {
        int64_t crashed_ms = world_mono(&scene.world);
        int64_t pause_ms;

        scene_crash(&scene, id, 1, false);
        scene_until(&scene, id, INSTANCE_STARTING, 1000);
        scene_until(&scene, id, INSTANCE_RUNNING, 65000);
        pause_ms = world_mono(&scene.world) - crashed_ms;
        assert_true(pause_ms >= before_ms - 100);
        assert_in_range(pause_ms, 1000, 61000);
        before_ms = pause_ms;
        world_run(&scene.world, 100);
    }
    assert_true(before_ms >= 60000);

    /* Having run for long, it starts anew with a short one. */
    world_run(&scene.world, 120000);
    scene_crash(&scene, id, 1, false);
    scene_until(&scene, id, INSTANCE_STARTING, 1000);
    scene_until(&scene, id, INSTANCE_RUNNING, 2000);
    scene_end(&scene);
}

/* As often as its blueprint allows in a row; having run long, it counts anew. */
static void
test_restart_limit(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, thrice);
    id = scene_run_one(&scene, "job");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            scene_crash(&scene, id, 1, false);
            scene_until(&scene, id, INSTANCE_STARTING, 1000);
            scene_until(&scene, id, INSTANCE_RUNNING, 65000);
            world_run(&scene.world, 100);
        }
        if (round == 0)
            world_run(&scene.world, 120000);
    }
    scene_crash(&scene, id, 1, false);
    scene_until(&scene, id, INSTANCE_FAILED, 1000);
    assert_string_equal(scene_instance(&scene, id)->reason, "ended with exit code 1");
    scene_end(&scene);
}

/* With code 0 it has done its job. */
static void
test_restart_success(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, thrice);
    id = scene_run_one(&scene, "job");
    scene_crash(&scene, id, 0, false);
    scene_until(&scene, id, INSTANCE_STOPPED, 1000);
    scene_end(&scene);
}

static void
end_at_once(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    fake_machine_end(machine, container, *(const int32_t *)cookie, false);
}

/* A job that has done its work before anybody could look did not fail. */
static void
test_quick_job(void **state)
{
    struct scene scene;
    int32_t code = 0;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, thrice);
    scene_blueprint(&scene, plain);
    fake_docker_on_start(scene.world.docker, end_at_once, &code);
    id = scene_launch(&scene, "job");
    scene_until(&scene, id, INSTANCE_STOPPED, 1000);
    assert_int_equal(scene_instance(&scene, id)->exit_code, 0);
    /* What was to answer at a port, and did not, has failed. */
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 1000);
    code = 127;
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 1000);
    assert_string_equal(scene_instance(&scene, id)->reason,
                        "ended with exit code 127 (its command was not found)");
    fake_docker_on_start(scene.world.docker, NULL, NULL);
    scene_end(&scene);
}

static void
never_ready(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    (void)cookie;
    (void)machine;
    container->ready = false;
}

/* What does not get ready fails after its time, with a reason; the host is not blamed. */
static void
test_never_ready(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'ports':[{'container':80}],'ready':{'timeout_s':10}}");
    fake_docker_on_start(scene.world.docker, never_ready, NULL);
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 15000);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "not ready after 10 s"));
    fake_docker_on_start(scene.world.docker, NULL, NULL);
    scene_end(&scene);
}

/* What its engine cannot stop is removed by force in the end. */
static void
test_cannot_be_stopped(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    scene_fault(&scene, DOCKER_STOP, NULL, 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE_REFUSED });
    assert_true(check_stop(&scene.check, id));
    scene_until(&scene, id, INSTANCE_STOPPED, 10000);
    assert_int_equal(world_machine(&scene.world, "h1")->containers.count, 0);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* The end of a lifetime is told, then comes; whoever extends it in time keeps it. */
static void
test_lifetime(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;
    int64_t other;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, mortal);
    id = scene_run_one(&scene, "tmp");
    other = scene_run_one(&scene, "tmp");
    world_run(&scene.world, 595000);
    assert_int_equal(scene_events(&scene, "instance.ending", id), 0);
    world_run(&scene.world, 10000);
    assert_int_equal(scene_events(&scene, "instance.ending", id), 1);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(engine_instance_extend(scene.world.engine, world_instance(&scene.world, other),
                                            engine_now_ms(scene.world.engine) + 300000, &fault),
                     0);
    assert_string_equal(scene_instance(&scene, other)->reason, "its end was moved");
    scene_until(&scene, id, INSTANCE_STOPPED, 62000);
    assert_string_equal(scene_instance(&scene, id)->reason, "its lifetime has passed");
    world_run(&scene.world, 200000);
    assert_int_equal(scene_instance(&scene, other)->state, INSTANCE_RUNNING);
    assert_int_equal(engine_instance_extend(scene.world.engine, world_instance(&scene.world, other),
                                            engine_now_ms(scene.world.engine) + 700000, &fault),
                     -1); /* beyond what its blueprint allows */
    scene_until(&scene, other, INSTANCE_STOPPED, 200000);
    scene_end(&scene);
}

/* A lifetime goes on over a crash of the daemon, and over restarts of the container. */
static void
test_lifetime_survives(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, mortal);
    id = scene_run_one(&scene, "tmp");
    world_run(&scene.world, 500000);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 140000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    scene_until(&scene, id, INSTANCE_STOPPED, 30000);
    scene_end(&scene);
}

/* Nobody uses it: it is told, then it is stopped. */
static void
test_idle(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, idler);
    id = scene_run_one(&scene, "idl");
    world_run(&scene.world, 280000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    scene_until(&scene, id, INSTANCE_STOPPED, 120000);
    assert_int_equal(scene_events(&scene, "instance.ending", id), 1);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "idle for"));
    scene_end(&scene);
}

/* The wall clock jumps by years: only what is due by it happens. */
static void
test_clock_forward(void **state)
{
    struct scene scene;
    int64_t web;
    int64_t idle;
    int64_t tmp;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, idler);
    scene_blueprint(&scene, mortal);
    web = scene_run_one(&scene, "web");
    idle = scene_run_one(&scene, "idl");
    tmp = scene_run_one(&scene, "tmp");
    world_run(&scene.world, 60000);
    fake_clock_jump(scene.world.clock, 10 * YEAR_MS);
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, web)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, idle)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, tmp)->state, INSTANCE_STOPPED);
    scene_end(&scene);
}

/* Back by years: what was to be started again soon is, and hosts are forgiven all the same. */
static void
test_clock_back(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, always);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "svc");
    scene_crash(&scene, id, 1, false);
    scene_until(&scene, id, INSTANCE_STARTING, 1000);
    fake_clock_jump(scene.world.clock, -10 * YEAR_MS);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    scene_until(&scene, id, INSTANCE_RUNNING, 65000);

    scene_fault(&scene, DOCKER_CREATE, "h1", 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
    (void)scene_launch(&scene, "web");
    world_run(&scene.world, 30000);
    scene.world.fates.count = 0;
    fake_clock_jump(scene.world.clock, -10 * YEAR_MS);
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_RUNNING, INT64_C(3) * SCORE_HALF_LIFE_MS);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_oom),
        cmocka_unit_test(test_a_flood_of_ooms),
        cmocka_unit_test(test_oom_told_late),
        cmocka_unit_test(test_restart_pauses),
        cmocka_unit_test(test_restart_limit),
        cmocka_unit_test(test_restart_success),
        cmocka_unit_test(test_quick_job),
        cmocka_unit_test(test_never_ready),
        cmocka_unit_test(test_cannot_be_stopped),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_lifetime_survives),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_clock_forward),
        cmocka_unit_test(test_clock_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
