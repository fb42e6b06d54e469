/*
 * The disk fails, at any point: who waited is told, memory goes back to what is
 * durable, nothing is doubled or forgotten, and all goes on when the disk does.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "scene.h"

enum { TURNS = 40, PLENTY_ROWS = 100000 };

static const char web[] = "{'name':'web','image':'img','memory_bytes':67108864,"
                          "'ports':[{'container':80}],'restart':{'policy':'always'}}";

static char playing[120];

static void
store_break(struct scene *scene, enum fault_kind kind, size_t room)
{
    struct fault fault;

    (void)fault_set(&fault, kind, "test", "made up");
    fake_store_break(scene->world.store, &fault, room);
}

static void
store_mend(struct scene *scene)
{
    fake_store_break(scene->world.store, NULL, 0);
}

static void
run_turns(struct scene *scene, uint64_t turns)
{
    uint64_t until = scene->world.turns + turns;

    while (scene->world.turns < until && world_turn(&scene->world, INT64_MAX)) {
    }
}

/* Something of everything is under way when the disk fails. */
static void
play(enum fault_kind kind, size_t room, uint64_t turns, int64_t disk_ms)
{
    struct scene scene;
    int64_t ids[3];

    (void)snprintf(playing, sizeof(playing), "%s, room %zu, after %llu turns, disk %lld ms",
                   fault_rule(kind)->code, room, (unsigned long long)turns, (long long)disk_ms);
    scene_begin(&scene, 2);
    scene_blueprint(&scene, web);
    for (int i = 0; i < 3; i++)
        ids[i] = scene_run_one(&scene, "web");
    scene.world.disk_ms = disk_ms;
    (void)scene_launch(&scene, "web");
    assert_true(check_stop(&scene.check, ids[0]));
    scene_crash(&scene, ids[1], 1, false);
    run_turns(&scene, turns);
    store_break(&scene, kind, room);
    (void)check_launch(&scene.check, "web", "ann");
    (void)check_stop(&scene.check, ids[2]);
    world_run(&scene.world, 20000);
    store_mend(&scene);
    world_run(&scene.world, 120000);
    scene_end(&scene);
    playing[0] = '\0';
}

static void
play_all(enum fault_kind kind, size_t room)
{
    for (uint64_t turns = 0; turns < TURNS; turns++) {
        play(kind, room, turns, 0);
        play(kind, room, turns, 3);
    }
}

static void
test_full(void **state)
{
    (void)state;
    play_all(FAULT_STORAGE_FULL, 0);
}

static void
test_full_with_ballast(void **state)
{
    (void)state;
    play_all(FAULT_STORAGE_FULL, PLENTY_ROWS);
}

static void
test_broken(void **state)
{
    (void)state;
    play_all(FAULT_STORAGE, 0);
}

/* On a full disk nothing new begins; reads and stops go on; it recovers by itself. */
static void
test_full_stops(void **state)
{
    struct scene scene;
    struct fault why;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    id = scene_run_one(&scene, "web");
    store_break(&scene, FAULT_STORAGE_FULL, PLENTY_ROWS);
    assert_true(check_launch(&scene.check, "web", "ann") > 0); /* nobody knows yet */
    world_run(&scene.world, 3000);
    assert_int_equal(engine_health(scene.world.engine, &why), ENGINE_FULL);
    assert_int_equal(engine_model(scene.world.engine)->instances.live, 1); /* it did not happen */
    assert_int_equal(check_launch(&scene.check, "web", "ann"), 0);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_true(check_stop(&scene.check, id));
    scene_until(&scene, id, INSTANCE_STOPPED, 5000);
    world_run(&scene.world, 60000);
    assert_int_equal(engine_health(scene.world.engine, &why), ENGINE_FULL);
    store_mend(&scene);
    world_run(&scene.world, 5000);
    assert_int_equal(engine_health(scene.world.engine, &why), ENGINE_SERVING);
    (void)scene_run_one(&scene, "web");
    scene_end(&scene);
}

/* A disk that fails altogether: reads only, and by itself again. */
static void
test_broken_reads(void **state)
{
    struct scene scene;
    struct fault why;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    id = scene_run_one(&scene, "web");
    store_break(&scene, FAULT_STORAGE, 0);
    assert_true(check_launch(&scene.check, "web", "ann") > 0);
    world_run(&scene.world, 300000);
    assert_int_equal(engine_health(scene.world.engine, &why), ENGINE_BROKEN);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_false(check_stop(&scene.check, id));
    assert_int_equal(check_launch(&scene.check, "web", "ann"), 0);
    store_mend(&scene);
    world_run(&scene.world, 40000);
    assert_int_equal(engine_health(scene.world.engine, &why), ENGINE_SERVING);
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    scene_end(&scene);
}

/* A host hangs at the same time: nobody looks at it while the rows are loaded again. */
static void
test_broken_and_hung(void **state)
{
    (void)state;
    for (int64_t ms = 0; ms < 40000; ms += 2000) {
        struct scene scene;

        scene_begin(&scene, 2);
        scene_blueprint(&scene, web);
        (void)scene_run_one(&scene, "web");
        store_break(&scene, FAULT_STORAGE, 0);
        (void)check_launch(&scene.check, "web", "ann");
        world_run(&scene.world, 1000);
        world_machine(&scene.world, "h1")->hung = true;
        world_run(&scene.world, ms);
        store_mend(&scene);
        world_run(&scene.world, 90000);
        world_machine(&scene.world, "h1")->hung = false;
        world_run(&scene.world, 60000);
        scene_end(&scene);
    }
}

/* The daemon is stopped while the disk fails. */
static void
test_stop_while_broken(void **state)
{
    (void)state;
    for (uint64_t turns = 0; turns < TURNS; turns++) {
        struct scene scene;

        scene_begin(&scene, 1);
        scene_blueprint(&scene, web);
        (void)scene_run_one(&scene, "web");
        store_break(&scene, FAULT_STORAGE, 0);
        (void)check_launch(&scene.check, "web", "ann");
        run_turns(&scene, turns);
        check_fini(&scene.check);
        world_fini(&scene.world);
    }
}

static int
teardown(void **state)
{
    (void)state;
    if (playing[0])
        print_error("in the case: %s\n", playing);
    playing[0] = '\0';
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_full, teardown),
        cmocka_unit_test_teardown(test_full_with_ballast, teardown),
        cmocka_unit_test_teardown(test_broken, teardown),
        cmocka_unit_test(test_full_stops),
        cmocka_unit_test(test_broken_reads),
        cmocka_unit_test(test_broken_and_hung),
        cmocka_unit_test(test_stop_while_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
