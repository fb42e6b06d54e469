#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static const char plain[] = "{'name':'web','image':'img','memory_bytes':1073741824,"
                            "'ports':[{'container':80}]}";
static const char always[] = "{'name':'svc','image':'img','memory_bytes':67108864,"
                             "'restart':{'policy':'always'}}";

/* Containers without our cluster's label are never touched, whatever their names are. */
/* Another machine answers at the address: nothing runs there, policies decide. */
static void
test_replaced(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    struct list_node *node;
    struct fault fault;
    int64_t rest;
    int64_t mover;
    int64_t waits;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, always);
    rest = scene_run_one(&scene, "web");
    mover = scene_run_one(&scene, "svc");
    machine = world_machine(&scene.world, "h1");
    machine->unreachable = true;
    world_run(&scene.world, 20000);
    (void)snprintf(machine->info.engine_id, sizeof(machine->info.engine_id), "another");
    while ((node = list_pop(&machine->containers)))
        mem_free(CONTAINER_OF(node, struct fake_container, node));
    machine->unreachable = false;
    world_run(&scene.world, 300000);
    assert_int_equal(scene_events(&scene, "host.replaced", 0), 1);
    assert_false(scene_host(&scene, "h1")->reachable);
    assert_non_null(strstr(scene_host(&scene, "h1")->reason, "berth host activate h1"));
    assert_int_equal(scene_instance(&scene, rest)->state,
                     INSTANCE_RUNNING); /* nobody knows better */
    waits = scene_launch(&scene, "web");
    world_run(&scene.world, 10000);
    assert_int_equal(scene_instance(&scene, waits)->state, INSTANCE_QUEUED);

    assert_int_equal(engine_host_activate(scene.world.engine, scene_host(&scene, "h1"), &fault), 0);
    world_run(&scene.world, 60000);
    assert_string_equal(scene_host(&scene, "h1")->engine_id, "another");
    assert_string_equal(scene_host(&scene, "h1")->reason, "its engine answers");
    assert_int_equal(scene_instance(&scene, waits)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, rest)->state, INSTANCE_FAILED);
    assert_string_equal(scene_instance(&scene, rest)->reason,
                        "its container has disappeared from its host");
    assert_int_equal(scene_instance(&scene, mover)->state, INSTANCE_RUNNING);
    scene_end(&scene);
}

/* Two engines change places between two looks: neither's containers are taken for lost or for orphans. */
static void
test_changed_places(void **state)
{
    struct scene scene;
    struct fake_machine *one;
    struct fake_machine *two;
    char own[sizeof(one->info.engine_id)];
    struct list kept;
    int64_t ids[2];

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':3221225472}");
    for (int i = 0; i < 2; i++)
        ids[i] = scene_run_one(&scene, "web");
    assert_string_not_equal(scene_host_name(&scene, ids[0]), scene_host_name(&scene, ids[1]));
    one = world_machine(&scene.world, "h1");
    two = world_machine(&scene.world, "h2");
    for (int turn = 0; turn < 2; turn++) {
        list_init(&kept);
        list_move(&kept, &one->containers);
        list_move(&one->containers, &two->containers);
        list_move(&two->containers, &kept);
        memcpy(own, one->info.engine_id, sizeof(own));
        memcpy(one->info.engine_id, two->info.engine_id, sizeof(own));
        memcpy(two->info.engine_id, own, sizeof(own));
        world_run(&scene.world, 120000);
        assert_int_equal(scene_host(&scene, "h1")->reachable, turn == 1);
        assert_int_equal(scene_host(&scene, "h2")->reachable, turn == 1);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(scene_instance(&scene, ids[i])->state, INSTANCE_RUNNING);
        assert_int_equal(scene_instance(&scene, ids[i])->generation, 1);
    }
    assert_int_equal(scene_events(&scene, "host.orphan", 0), 0);
    scene_end(&scene);
}

/* The right engine is back at the address: nothing was lost. */
static void
test_replaced_for_a_while(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    char own[sizeof(machine->info.engine_id)];
    struct list kept;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    machine = world_machine(&scene.world, "h1");
    memcpy(own, machine->info.engine_id, sizeof(own));
    machine->unreachable = true;
    world_run(&scene.world, 70000);
    memcpy(machine->info.engine_id, "another", 8);
    list_init(&kept);
    list_move(&kept, &machine->containers);
    machine->unreachable = false;
    world_run(&scene.world, 60000);
    assert_false(scene_host(&scene, "h1")->reachable);
    memcpy(machine->info.engine_id, own, sizeof(own));
    list_move(&machine->containers, &kept);
    world_run(&scene.world, 60000);
    assert_true(scene_host(&scene, "h1")->reachable);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    scene_end(&scene);
}

/* An engine that lost its id is known by what runs on it; one on which nothing ran has nothing to prove. */
static void
test_id_lost(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    for (int i = 0; i < 2; i++) {
        struct fake_machine *machine = world_machine(&scene.world, i == 0 ? "h1" : "h2");

        machine->unreachable = true;
        world_run(&scene.world, 70000);
        memcpy(machine->info.engine_id, "another", 8);
        machine->unreachable = false;
        world_run(&scene.world, 60000);
    }
    assert_true(scene_host(&scene, "h1")->reachable);
    assert_true(scene_host(&scene, "h2")->reachable);
    assert_string_equal(scene_host(&scene, "h2")->engine_id, "another");
    assert_int_equal(scene_events(&scene, "host.engine_id", 0), 2);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_changed_places),
        cmocka_unit_test(test_replaced_for_a_while),
        cmocka_unit_test(test_id_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
