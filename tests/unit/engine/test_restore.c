/*
 * After a restore the rows are older than what runs: it is taken in, and only
 * then anything is started or removed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/id.h"

#include "scene.h"

static const char svc[] = "{'name':'svc','image':'img','memory_bytes':1073741824,"
                          "'restart':{'policy':'always'},'lifetime_s':600}";

static void
restore(struct scene *scene)
{
    world_crash(&scene->world, 0);
    fake_store_restored_set(scene->world.store, true);
    world_start(&scene->world);
}

/* A container of ours that the rows do not know, as one that was started since the backup. */
static struct fake_container *
add_unknown(struct scene *scene, const char *host, int64_t id, const char *blueprint)
{
    struct fake_container *container;
    char name[64];
    char text[ID_TEXT_SIZE];

    (void)snprintf(name, sizeof(name), "berth-%s-1", id_encode(ID_INSTANCE, id, text));
    container = fake_machine_add(world_machine(&scene->world, host), name,
                                 engine_cluster_id(scene->world.engine));
    (void)snprintf(container->seen.label_instance, sizeof(container->seen.label_instance), "%s",
                   text);
    (void)snprintf(container->seen.label_blueprint, sizeof(container->seen.label_blueprint), "%s",
                   blueprint);
    (void)snprintf(container->seen.label_owner, sizeof(container->seen.label_owner), "zoe");
    container->seen.label_generation = 1;
    container->seen.label_blueprint_version = 1;
    container->seen.state = DOCKER_RUNNING;
    return container;
}

/* Unknown ones get a row, and their end. */
static void
test_unknown(void **state)
{
    struct scene scene;
    int64_t known;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    known = scene_run_one(&scene, "svc");
    id = known + 1000000;
    (void)add_unknown(&scene, "h2", id, "svc");
    restore(&scene);
    world_run(&scene.world, 20000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_string_equal(scene_instance(&scene, id)->owner, "zoe");
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_int_equal(scene_instance(&scene, known)->generation, 1);
    assert_int_equal(scene_events(&scene, "instance.adopted", id), 1);
    assert_int_equal(scene_events(&scene, "store.compared", 0), 1);
    scene_settle(&scene);
    scene_until(&scene, id, INSTANCE_STOPPED, 700000);
    scene_end(&scene);
}

/* What nobody knows how to describe is an orphan, but only once all hosts were looked at. */
static void
test_unknown_blueprint(void **state)
{
    struct scene scene;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, svc);
    (void)add_unknown(&scene, "h1", scene_run_one(&scene, "svc") + 1000000, "newer");
    restore(&scene);
    world_run(&scene.world, 20000);
    assert_int_equal(world_machine(&scene.world, "h1")->containers.count, 1);
    scene_end(&scene);
}

/* It has moved since: its row follows, neither copy is killed or started again. */
static void
test_moved(void **state)
{
    struct scene scene;
    struct fake_container *container;
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    id = scene_run_one(&scene, "svc");
    container = scene_container(&scene, id);
    list_remove(&world_machine(&scene.world, "h1")->containers, &container->node);
    list_push(&world_machine(&scene.world, "h2")->containers, &container->node);
    (void)snprintf(name, sizeof(name), "%.*s-2", (int)strlen(container->seen.name) - 2,
                   container->seen.name);
    (void)snprintf(container->seen.name, sizeof(container->seen.name), "%s", name);
    container->seen.label_generation = 2;
    fake_docker_records_clear(scene.world.docker);
    restore(&scene);
    world_run(&scene.world, 20000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, id)->generation, 2);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_ptr_equal(scene_container(&scene, id), container);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_REMOVE), 0);
    scene_end(&scene);
}

/* It was waiting when the backup was made, and runs by now: it is not started a second time. */
static void
test_queued(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    for (int i = 0; i < 8; i++)
        (void)scene_run_one(&scene, "svc");
    id = scene_launch(&scene, "svc");
    world_run(&scene.world, 1000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_QUEUED);
    (void)add_unknown(&scene, "h2", id, "svc");
    scene.check.overfull = true;
    restore(&scene);
    world_run(&scene.world, 20000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_int_equal(check_containers(&scene.check, world_machine(&scene.world, "h1"), false), 4);
    check_fini(&scene.check);
    world_fini(&scene.world);
}

/* Requests are taken meanwhile, and wait; a host that does not answer does not hold them for ever. */
static void
test_unreachable(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    world_run(&scene.world, 100);
    world_machine(&scene.world, "h2")->hung = true;
    restore(&scene);
    id = scene_launch(&scene, "svc");
    world_run(&scene.world, 5000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_QUEUED);
    scene_until(&scene, id, INSTANCE_RUNNING, 120000);
    world_machine(&scene.world, "h2")->hung = false;
    world_run(&scene.world, 60000);
    scene_end(&scene);
}

/* A host that answers long after the comparison, and after another restart: what runs there is taken in
 * as far as it is safe, the rest is removed. */
static void
test_late(void **state)
{
    struct scene scene;
    int64_t known;
    int64_t id;
    int64_t twice;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    known = scene_run_one(&scene, "svc");
    assert_string_equal(scene_host_name(&scene, known), "h1");
    id = known + 1000000;
    (void)add_unknown(&scene, "h2", id, "svc");
    (void)add_unknown(&scene, "h2", id + 1, "newer");
    twice = known; /* it runs on h1 */
    add_unknown(&scene, "h2", twice, "svc")->seen.label_generation = 2;
    world_machine(&scene.world, "h2")->hung = true;
    restore(&scene);
    world_run(&scene.world, 120000);
    assert_int_equal(scene_events(&scene, "store.compared", 0), 1);
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 120000);
    assert_null(idmap_find(&engine_model(scene.world.engine)->instances, id));
    world_machine(&scene.world, "h2")->hung = false;
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_int_equal(world_machine(&scene.world, "h2")->containers.count, 1);
    assert_int_equal(scene_instance(&scene, known)->generation, 1);
    assert_string_equal(scene_host_name(&scene, known), "h1");

    /* That was the last: from now on what nobody knows is an orphan. */
    (void)add_unknown(&scene, "h2", id + 2, "svc");
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 20000);
    assert_int_equal(world_machine(&scene.world, "h2")->containers.count, 1);
    scene_until(&scene, id, INSTANCE_STOPPED, 700000);
    scene_end(&scene);
}

/* The daemon is stopped before the hosts were compared: the next start compares them. */
static void
test_stopped_early(void **state)
{
    struct scene scene;
    int64_t known;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    scene_blueprint(&scene, svc);
    known = scene_run_one(&scene, "svc");
    id = known + 1000000;
    (void)add_unknown(&scene, "h2", id, "svc");
    scene_fault(&scene, DOCKER_STOP, NULL, 0, (struct fake_fate){ .latency_ms = 1000 });
    assert_true(check_stop(&scene.check, known));
    world_run(&scene.world, 10);
    scene.world.fates.count = 0;
    restore(&scene);
    world_stop(&scene.world);
    world_start(&scene.world);
    world_run(&scene.world, 20000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, known)->state, INSTANCE_STOPPED);
    assert_int_equal(scene_events(&scene, "store.compared", 0), 1);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_unknown_blueprint),
        cmocka_unit_test(test_moved),
        cmocka_unit_test(test_queued),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_stopped_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
