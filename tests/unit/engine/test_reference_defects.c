/*
 * The defects of the reference, each a test that passes here.
 *
 *   1  a machine deleted outside stops all rounds             here
 *   2  a crash after the launch orphans the machine           here; each turn: test_rented_faults.c
 *   3  an unreachable host keeps its place for ever           here
 *   4  errors never decay and are ignored by selection        unit.domain.score, test_trial*.c
 *   5  one action a round, preparing blocks the round         here
 *   6  capacity is not checked again after the lock           here
 *   7  locks have no owner and no expiry                      here
 *   8  refused = gone, and failures after create, leak        here; each fault: test_bury_faults.c
 *   9  slots have nothing to do with memory                   here; unit.domain.policy*
 *  10  exactly one mapped port                                unit.docker.reference_defects
 *  11  random queue; one certificate that nobody verifies     here; unit.docker.reference_defects
 *  12  images reach a host only when it is prepared           here
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rented.h"
#include "scene.h"

static const char web[] = "{'name':'web','image':'img','memory_bytes':1073741824}";
static const char kept[] = "{\"name\":\"kept\",\"pool\":\"rent\",\"image\":\"img\","
                           "\"memory_bytes\":1073741824,\"restart\":{\"policy\":\"always\"}}";

static int64_t watched;

static bool
is_running(struct world *world)
{
    return world_instance(world, watched)->state == INSTANCE_RUNNING;
}

static struct fake_vm *
vm_of(struct rented *rented, const struct host *host)
{
    return fake_vm_by_id(fake_cloud_vms(rented->world.cloud), host->machine->id);
}

static void
test_1_a_machine_deleted_outside_stalls_nothing(void **state)
{
    struct rented rented;
    const struct host *host;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 2);
    (void)world_pool(world, "default");
    (void)world_host(world, "default", "h1", 4 * GIB, 4);
    (void)world_blueprint(world, kept);
    (void)world_blueprint(world,
                          "{\"name\":\"web\",\"image\":\"img\",\"memory_bytes\":1073741824}");
    rented_until_active(&rented, 2, 180000);
    watched = world_launch(world, "kept", "ann");
    assert_true(world_run_until(world, is_running, 10000));
    host = world_instance(world, watched)->host;
    fake_vm_vanish(vm_of(&rented, host));
    fake_docker_machine(world->docker, host->endpoint.engine)->unreachable = true;
    world_run(world, 180000);
    /* It is gone, what ran there runs elsewhere, and another one took its place. */
    assert_int_equal(host->state, HOST_REMOVED);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 2);
    assert_true(is_running(world));
    /* The other pool never noticed. */
    watched = world_launch(world, "web", "ann");
    assert_true(world_run_until(world, is_running, 1000));
    rented_end(&rented);
}

static bool
is_launched(struct world *world)
{
    return fake_cloud_alive(world->cloud) > 0;
}

static void
test_2_a_crash_after_the_launch_orphans_nothing(void **state)
{
    struct rented rented;
    int64_t host_id;

    (void)state;
    rented_begin(&rented, 1);
    assert_true(world_run_until(&rented.world, is_launched, 60000));
    host_id = rented_first(&rented)->id;
    world_crash(&rented.world, 0);
    world_start(&rented.world);
    rented_until_active(&rented, 1, 180000);
    assert_int_equal(rented_first(&rented)->id, host_id);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
    assert_int_equal(rented_events(&rented, "pool.orphan"), 0);
    rented_end(&rented);
}

/* Under a maximum of one it would stand in the way of its replacement. */
static void
test_3_an_unreachable_host_is_replaced(void **state)
{
    struct rented rented;
    const struct host *host;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 1);
    rented_rule_set(&rented, (struct rented_rules){ .min_hosts = 1, .max_hosts = 1 });
    (void)world_blueprint(world, kept);
    rented_until_active(&rented, 1, 180000);
    host = rented_first(&rented);
    watched = world_launch(world, "kept", "ann");
    assert_true(world_run_until(world, is_running, 10000));
    fake_docker_machine(world->docker, host->endpoint.engine)->unreachable = true;
    world_run(world, RENTED_SUSPENDED_MS + 400000);
    assert_int_equal(host->state, HOST_REMOVED);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    assert_true(is_running(world));
    assert_int_equal(fake_cloud_alive(world->cloud), 1);
    rented_end(&rented);
}

static void
test_5_hosts_are_prepared_side_by_side(void **state)
{
    struct fake_shell_rule hangs = {
        .nth = 1, .fate = { .step_ms = 10000, .fails_at = 2, .kind = FAULT_TIMEOUT }
    };
    struct rented rented;
    int64_t one_ms;
    int64_t began_ms;

    (void)state;
    rented_begin(&rented, 1);
    began_ms = world_mono(&rented.world);
    rented_until_active(&rented, 1, 180000);
    one_ms = world_mono(&rented.world) - began_ms;
    rented_policy_set(&rented, 6, false);
    fake_shell_rule_add(rented.world.shell, &hangs);
    /* Four more, though the preparation of a fifth hangs. */
    rented_until_active(&rented, 5, one_ms + 20000);
    rented_until_active(&rented, 6, 3600000);
    rented_end(&rented);
}

static void
test_6_no_host_is_overfilled(void **state)
{
    struct scene scene;
    struct instance *instances[9];
    const struct instance_request request = { .blueprint = "web", .owner = "ann", .count = 9 };
    struct fault fault;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, web);
    scene.world.disk_ms = 50;
    /* Nine at once, and one each time something else happens: room for eight. */
    assert_int_equal(engine_instances_create(scene.world.engine, &request, instances, &fault), 0);
    for (int i = 0; i < 9; i++) {
        (void)scene_launch(&scene, "web");
        (void)world_turn(&scene.world, INT64_MAX);
    }
    world_run(&scene.world, 5000);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_RUNNING], 8);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_QUEUED], 10);
    scene_end(&scene);
}

static void
test_7_nothing_is_locked_by_the_dead(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    id = scene_launch(&scene, "web");
    for (int i = 0; i < 3; i++)
        (void)world_turn(&scene.world, INT64_MAX);
    world_crash(&scene.world, 2);
    world_start(&scene.world);
    (void)scene_run_one(&scene, "web");
    scene_until(&scene, id, INSTANCE_RUNNING, 5000);
    scene_end(&scene);
}

static void
test_8_nothing_is_leaked(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    machine = world_machine(&scene.world, "h1");
    /* Made, though its maker was told otherwise. */
    scene_fault(&scene, DOCKER_CREATE, "h1", 1,
                (struct fake_fate){ 1, FAULT_ENGINE, FAKE_DONE, 0 });
    (void)scene_run_one(&scene, "web");
    assert_int_equal(check_containers(&scene.check, machine, false), 1);
    /* A host that refuses connections has not lost its containers. */
    id = scene_run_one(&scene, "web");
    machine->unreachable = true;
    assert_true(check_stop(&scene.check, id));
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STOPPING);
    machine->unreachable = false;
    scene_until(&scene, id, INSTANCE_STOPPED, 120000);
    assert_int_equal(check_containers(&scene.check, machine, false), 1);
    scene_end(&scene);
}

/* The pool grows for the memory and the number of what waits. */
static void
test_9_growth_knows_sizes(void **state)
{
    struct rented rented;
    struct world *world = &rented.world;

    (void)state;
    rented_begin(&rented, 0);
    (void)world_blueprint(world, kept);
    for (int i = 0; i < 3; i++)
        (void)world_launch(world, "kept", "ann");
    world_run(world, 240000);
    assert_int_equal(engine_model(world->engine)->instance_counts[INSTANCE_RUNNING], 3);
    rented_end(&rented);
}

/* First come, first served; and the secret of one instance is not the id of another. */
static void
test_11_the_queue_is_in_order(void **state)
{
    struct scene scene;
    int64_t ids[8];

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, web);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = scene_launch(&scene, "web");
    world_run(&scene.world, 2000);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(scene_instance(&scene, ids[i + 3])->state, INSTANCE_RUNNING);
        assert_int_equal(scene_instance(&scene, ids[i + 4])->state, INSTANCE_QUEUED);
        assert_true(check_stop(&scene.check, ids[i]));
        scene_until(&scene, ids[i + 4], INSTANCE_RUNNING, 30000);
    }
    scene_end(&scene);
}

static void
test_12_a_new_image_reaches_old_hosts(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    world_machine(&scene.world, "h1")->any_image = false;
    scene_blueprint(&scene, "{'name':'new','image':'fresh:2','memory_bytes':1073741824}");
    id = scene_run_one(&scene, "new");
    assert_int_equal(scene_events(&scene, "instance.pull", id), 1);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_1_a_machine_deleted_outside_stalls_nothing),
        cmocka_unit_test(test_2_a_crash_after_the_launch_orphans_nothing),
        cmocka_unit_test(test_3_an_unreachable_host_is_replaced),
        cmocka_unit_test(test_5_hosts_are_prepared_side_by_side),
        cmocka_unit_test(test_6_no_host_is_overfilled),
        cmocka_unit_test(test_7_nothing_is_locked_by_the_dead),
        cmocka_unit_test(test_8_nothing_is_leaked),
        cmocka_unit_test(test_9_growth_knows_sizes),
        cmocka_unit_test(test_11_the_queue_is_in_order),
        cmocka_unit_test(test_12_a_new_image_reaches_old_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
