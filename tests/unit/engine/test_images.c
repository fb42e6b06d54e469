/*
 * Images: pulled when they are missing, loaded on every host of a pool, also on
 * those that join later; and what failures say.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define ARCHIVE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char missing[] = "{'name':'web','image':'img:1','memory_bytes':67108864}";
static const char every[] = "{'name':'all','image':'img:1','memory_bytes':67108864,"
                            "'pull':'always'}";
static const char never[] = "{'name':'own','image':'img:1','memory_bytes':67108864,"
                            "'pull':'never'}";

/* The name of the image that the archive holds. */
static const char kept[] = "{'name':'kept','image':'" ARCHIVE "','memory_bytes':67108864,"
                           "'pull':'never'}";
static const char sent[] = "{'name':'sent','image':'" ARCHIVE "','memory_bytes':67108864}";

static void
begin(struct scene *scene, int hosts)
{
    scene_begin(scene, hosts);
    for (int i = 1; i <= hosts; i++) {
        const char name[] = { 'h', (char)('0' + i), '\0' };

        world_machine(&scene->world, name)->any_image = false;
    }
    scene_blueprint(scene, missing);
    scene_blueprint(scene, every);
    scene_blueprint(scene, never);
    scene_blueprint(scene, kept);
    scene_blueprint(scene, sent);
}

static bool
has_image(const char *host, struct scene *scene, const char *reference)
{
    const struct fake_machine *machine = world_machine(&scene->world, host);

    for (size_t i = 0; i < machine->image_count; i++) {
        if (strcmp(machine->images[i], reference) == 0)
            return true;
    }
    return false;
}

static const char *
operation_text(struct scene *scene, int64_t id)
{
    const char *text = fake_store_row(scene->world.store, ROW_OPERATION, id)->as.operation.text;

    return text ? text : "";
}

static int64_t
load(struct scene *scene)
{
    const struct image_request request = {
        .pool = "default",
        .spool = ARCHIVE,
        .size_bytes = 4096,
        .owner = "op",
    };
    struct operation *operation = NULL;
    struct fault fault;

    assert_int_equal(engine_image_load(scene->world.engine, &request, &operation, &fault), 0);
    return operation->id;
}

/* Pulled once where it is missing; always: each time; never: it must be there. */
static void
test_pull_policies(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    id = scene_launch(&scene, "own");
    scene_until(&scene, id, INSTANCE_FAILED, 5000);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "image img:1 is not on the host"));
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 0);
    id = scene_run_one(&scene, "web");
    assert_int_equal(scene_events(&scene, "instance.pull", id), 1);
    id = scene_run_one(&scene, "web");
    assert_int_equal(scene_events(&scene, "instance.pull", id), 0);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 1);
    (void)scene_run_one(&scene, "all");
    (void)scene_run_one(&scene, "all");
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 3);
    (void)scene_run_one(&scene, "own");
    scene_end(&scene);
}

/* An image that cannot be had fails at once and blames the blueprint; a registry is tried again. */
static void
test_pull_faults(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_PULL, NULL, 1,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_IMAGE });
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 5000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 1);
    assert_non_null(scene_instance(&scene, id)->blueprint->breaker);
    assert_int_equal(scene_host(&scene, "h1")->score.milli, 0);
    scene.world.fates.count = 0;

    scene_fault(&scene, DOCKER_PULL, NULL, 1,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_REGISTRY });
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_RUNNING, 5000);
    scene_end(&scene);
}

/* An archive goes to all hosts, and no sooner than its row is durable. */
static void
test_load(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 3);
    scene.world.disk_ms = 10;
    id = load(&scene);
    world_run(&scene.world, 5);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 0);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_DONE);
    for (int i = 1; i <= 3; i++) {
        const char name[] = { 'h', (char)('0' + i), '\0' };

        assert_true(has_image(name, &scene, ARCHIVE));
    }
    assert_int_equal(fake_store_count(scene.world.store, ROW_IMAGE), 1);
    scene_end(&scene);
}

/* Who joins later gets it, and who has it already does not get it again. */
static void
test_load_later(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    (void)load(&scene);
    world_run(&scene.world, 1000);
    (void)world_host(&scene.world, "default", "h2", 4 * GIB, 4);
    world_machine(&scene.world, "h2")->any_image = false;
    world_run(&scene.world, 1000);
    assert_true(has_image("h2", &scene, ARCHIVE));
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 2);
    world_crash(&scene.world, 1);
    world_start(&scene.world);
    world_run(&scene.world, 1000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 2);
    scene_end(&scene);
}

/* What waits for a host is placed when it joins, and then for the archive that holds its image; nobody is
 * asked for what comes anyway. */
static void
test_launch_waits_for_an_archive(void **state)
{
    static const char *const blueprints[] = { "kept", "sent" };
    struct scene scene;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(blueprints); i++) {
        int64_t id;

        begin(&scene, 0);
        (void)load(&scene);
        id = scene_launch(&scene, blueprints[i]);
        world_run(&scene.world, 1000);
        assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_QUEUED);
        scene_fault(&scene, DOCKER_LOAD, "h1", 1, (struct fake_fate){ .latency_ms = 5000 });
        (void)world_host(&scene.world, "default", "h1", 4 * GIB, 4);
        world_machine(&scene.world, "h1")->any_image = false;
        world_run(&scene.world, 3000);
        assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STARTING);
        world_run(&scene.world, 5000);
        assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
        assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 0);
        scene_end(&scene);
    }
}

/* An archive that can't be loaded is waited for no longer. */
static void
test_launch_waits_in_vain(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 0);
    (void)load(&scene);
    id = scene_launch(&scene, "kept");
    scene_fault(&scene, DOCKER_LOAD, "h1", 1,
                (struct fake_fate){ .latency_ms = 3000, .kind = FAULT_ENGINE });
    (void)world_host(&scene.world, "default", "h1", 4 * GIB, 4);
    world_machine(&scene.world, "h1")->any_image = false;
    world_run(&scene.world, 2000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STARTING);
    world_run(&scene.world, 3000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_FAILED);
    scene_end(&scene);
}

static bool
is_removing(struct world *world)
{
    return fake_docker_count(world->docker, DOCKER_REMOVE) > 0;
}

/* Who waits for one and is stopped makes sure that no container is left; the archive comes while that is
 * under way, and begins nothing. */
static void
test_archive_comes_to_what_is_removed(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    begin(&scene, 0);
    (void)load(&scene);
    id = scene_launch(&scene, "kept");
    scene_fault(&scene, DOCKER_LOAD, "h1", 1, (struct fake_fate){ .latency_ms = 3000 });
    scene_fault(&scene, DOCKER_REMOVE, "h1", 1, (struct fake_fate){ .latency_ms = 5000 });
    (void)world_host(&scene.world, "default", "h1", 4 * GIB, 4);
    world_machine(&scene.world, "h1")->any_image = false;
    world_run(&scene.world, 2000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STARTING);
    assert_int_equal(engine_instance_stop(scene.world.engine, world_instance(&scene.world, id),
                                          "asked to", &fault),
                     0);
    assert_true(world_run_until(&scene.world, is_removing, 1000));
    scene_until(&scene, id, INSTANCE_STOPPED, 30000);
    scene_end(&scene);
}

/* Who waits for one can be stopped, and loses nothing to a crash. */
static void
test_launch_that_waits_ends(void **state)
{
    struct scene scene;
    struct instance *instance;
    int64_t id;

    (void)state;
    begin(&scene, 0);
    (void)load(&scene);
    id = scene_launch(&scene, "kept");
    scene_fault(&scene, DOCKER_LOAD, "h1", 0, (struct fake_fate){ .latency_ms = 5000 });
    (void)world_host(&scene.world, "default", "h1", 4 * GIB, 4);
    world_machine(&scene.world, "h1")->any_image = false;
    world_run(&scene.world, 2000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STARTING);
    world_crash(&scene.world, 1);
    world_start(&scene.world);
    world_run(&scene.world, 2000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STARTING);
    instance = idmap_find(&engine_model(scene.world.engine)->instances, id);
    assert_int_equal(engine_instance_stop(scene.world.engine, instance, "enough", NULL), 0);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_STOPPED);
    scene_end(&scene);
}

/* One host fails: the operation has failed and names it; the others have the image. */
static void
test_load_fails(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_LOAD, "h2", 1,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
    id = load(&scene);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_FAILED);
    assert_non_null(strstr(operation_text(&scene, id), "h2"));
    assert_true(has_image("h1", &scene, ARCHIVE));
    scene_end(&scene);
}

/* A host that could not load it is sent it again, ever later, until it has it. */
static void
test_load_again(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_LOAD, "h2", 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE_REFUSED });
    (void)load(&scene);
    world_run(&scene.world, 1000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 2);
    world_run(&scene.world, 59500);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 3);
    world_run(&scene.world, 119000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 3);
    world_run(&scene.world, 2000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 4);
    assert_int_equal(scene_events(&scene, "host.image_failed", 0), 3);
    assert_false(has_image("h2", &scene, ARCHIVE));
    scene.world.fates.count = 0;
    world_run(&scene.world, 241000);
    assert_true(has_image("h2", &scene, ARCHIVE));
    world_run(&scene.world, 7200000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 5);
    scene_end(&scene);
}

/* It can be cancelled, also while an engine says nothing. */
static void
test_cancel(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_LOAD, NULL, 0, (struct fake_fate){ .latency_ms = 20000 });
    id = load(&scene);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_RUNNING);
    assert_int_equal(engine_operation_cancel(
                         scene.world.engine,
                         idmap_find(&engine_model(scene.world.engine)->operations, id), &fault),
                     0);
    world_run(&scene.world, 100);
    assert_int_equal(scene_operation(&scene, id), OPERATION_CANCELLED);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* What waits for one host is bounded: the newest fail, which is not the host's fault. */
static void
test_too_many(void **state)
{
    enum { WAITING_MAX = 10000, ASKED = WAITING_MAX + 50 };
    struct scene scene;
    int64_t first;
    int64_t last = 0;
    size_t failed = 0;
    size_t running;

    (void)state;
    begin(&scene, 1);
    scene_fault(&scene, DOCKER_LOAD, NULL, 0, (struct fake_fate){ .latency_ms = 20000 });
    first = load(&scene);
    for (int i = 1; i < ASKED; i++)
        last = load(&scene);
    world_run(&scene.world, 1000);
    running = fake_docker_count(scene.world.docker, DOCKER_LOAD);
    IDMAP_EACH(&engine_model(scene.world.engine)->operations, struct operation, operation)
    {
        failed += operation->state == OPERATION_FAILED;
    }
    assert_int_equal(failed, ASKED - WAITING_MAX - running);
    assert_int_equal(scene_operation(&scene, first), OPERATION_RUNNING);
    assert_int_equal(scene_operation(&scene, last), OPERATION_FAILED);
    assert_non_null(strstr(operation_text(&scene, last), "calls waiting"));
    assert_int_equal(scene_host(&scene, "h1")->score.milli, 0);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* What the daemon's death interrupted has failed, and says so. */
static void
test_interrupted(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    scene_fault(&scene, DOCKER_LOAD, NULL, 0, (struct fake_fate){ .latency_ms = 20000 });
    id = load(&scene);
    world_run(&scene.world, 1000);
    scene.world.fates.count = 0;
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 1000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_FAILED);
    assert_non_null(strstr(operation_text(&scene, id), "interrupted"));
    assert_true(has_image("h1", &scene, ARCHIVE)); /* the host gets it all the same */
    scene_end(&scene);
}

/* The disk fails meanwhile: the operation is one that was interrupted. */
static void
test_disk_fails(void **state)
{
    struct scene scene;
    struct fault fault;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_LOAD, NULL, 0, (struct fake_fate){ .latency_ms = 20000 });
    id = load(&scene);
    world_run(&scene.world, 1000);
    scene.world.fates.count = 0;
    (void)fault_set(&fault, FAULT_STORAGE, "test", "made up");
    fake_store_break(scene.world.store, &fault, 0);
    (void)check_launch(&scene.check, "own", "ann");
    world_run(&scene.world, 5000);
    fake_store_break(scene.world.store, NULL, 0);
    world_run(&scene.world, 60000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_FAILED);
    assert_true(has_image("h1", &scene, ARCHIVE) && has_image("h2", &scene, ARCHIVE));
    scene_end(&scene);
}

/* A pull on every host of the pool, as an operation. */
static void
test_pull_operation(void **state)
{
    struct scene scene;
    struct operation *operation = NULL;
    struct fault fault;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    assert_int_equal(engine_image_pull(scene.world.engine,
                                       &(struct image_pull_request){
                                           .pool = "default", .reference = "img:1", .owner = "op" },
                                       &operation, &fault),
                     0);
    id = operation->id;
    world_run(&scene.world, 1000);
    assert_int_equal(scene_operation(&scene, id), OPERATION_DONE);
    assert_true(has_image("h1", &scene, "img:1") && has_image("h2", &scene, "img:1"));
    assert_int_equal(engine_image_pull(scene.world.engine,
                                       &(struct image_pull_request){
                                           .pool = "nowhere", .reference = "img:1", .owner = "op" },
                                       &operation, &fault),
                     -1);
    assert_int_equal(fault.kind, FAULT_NOT_FOUND);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pull_policies),
        cmocka_unit_test(test_pull_faults),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_load_later),
        cmocka_unit_test(test_launch_waits_for_an_archive),
        cmocka_unit_test(test_launch_waits_in_vain),
        cmocka_unit_test(test_archive_comes_to_what_is_removed),
        cmocka_unit_test(test_launch_that_waits_ends),
        cmocka_unit_test(test_load_fails),
        cmocka_unit_test(test_load_again),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_disk_fails),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_pull_operation),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
