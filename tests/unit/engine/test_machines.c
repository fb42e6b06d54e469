/*
 * What is found on machines: ours and foreign containers, engines that were
 * replaced or restarted, and how much an engine is asked at once.
 */

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
static void
test_foreign(void **state)
{
    struct scene scene;
    struct fake_machine *machine;

    (void)state;
    scene_begin(&scene, 1);
    machine = world_machine(&scene.world, "h1");
    (void)fake_machine_add(machine, "postgres", "");
    (void)fake_machine_add(machine, "berth-i-0000000000001-1", "another-cluster");
    scene_blueprint(&scene, plain);
    (void)scene_run_one(&scene, "web");
    scene_settle(&scene);
    assert_non_null(fake_machine_find(machine, "postgres"));
    assert_non_null(fake_machine_find(machine, "berth-i-0000000000001-1"));
    scene_end(&scene);
}

/* A foreign container has the very name: another generation is tried, it is not touched. */
static void
test_name_taken(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_launch(&scene, "web");
    machine = world_machine(&scene.world, "h1");
    (void)fake_machine_add(machine, instance_container_name(scene_instance(&scene, id), name), "");
    scene_until(&scene, id, INSTANCE_RUNNING, 30000);
    assert_int_equal(scene_instance(&scene, id)->generation, 2);
    assert_non_null(fake_machine_find(machine, name));
    scene_end(&scene);
}

/* Ours without a row are removed, with an event, and no more at once than the host's limit. */
static void
test_orphans(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    char name[32];

    (void)state;
    scene_begin(&scene, 1);
    machine = world_machine(&scene.world, "h1");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "old-%d", i);
        (void)fake_machine_add(machine, name, engine_cluster_id(scene.world.engine));
    }
    scene_fault(&scene, DOCKER_REMOVE, NULL, 0, (struct fake_fate){ .latency_ms = 20 });
    machine->most_in_flight = 0;
    world_run(&scene.world, 40000);
    assert_int_equal(machine->containers.count, 0);
    assert_int_equal(scene_events(&scene, "host.orphan", 0), 100);
    assert_in_range(machine->most_in_flight, 2, 16 + 3); /* 4 × 4 processors, and looks */
    scene_end(&scene);
}

/* A burst of launches: no more at once on an engine than its limit. */
static void
test_limit(void **state)
{
    struct scene scene;
    struct fake_machine *machine;

    (void)state;
    scene_begin(&scene, 1);
    machine = world_machine(&scene.world, "h1");
    scene_blueprint(&scene, always);
    scene_fault(&scene, DOCKER_CREATE, NULL, 0, (struct fake_fate){ .latency_ms = 100 });
    machine->most_in_flight = 0;
    for (int i = 0; i < 60; i++)
        (void)scene_launch(&scene, "svc");
    world_run(&scene.world, 90);
    assert_in_range(machine->most_in_flight, 16, 16 + 2);
    scene_end(&scene);
}

/* The machine restarts: all containers have ended, policies decide. */
static void
test_reboot(void **state)
{
    struct scene scene;
    struct fake_machine *machine;
    int64_t rest;
    int64_t mover;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, always);
    rest = scene_run_one(&scene, "web");
    mover = scene_run_one(&scene, "svc");
    world_run(&scene.world, 10000);
    machine = world_machine(&scene.world, "h1");
    fake_machine_reboot(machine);
    check_blame(&scene.check, machine);
    fake_docker_streams_break(scene.world.docker, machine, FAULT_LOST);
    world_run(&scene.world, 5000); /* the broken stream is reason enough to look at once */
    assert_int_equal(scene_instance(&scene, rest)->state, INSTANCE_FAILED);
    assert_int_equal(scene_instance(&scene, rest)->exit_code, 137);
    assert_non_null(strstr(scene_instance(&scene, rest)->reason, "exit code 137 (killed, perhaps"));
    assert_int_equal(scene_instance(&scene, mover)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, mover)->generation, 2);
    scene_end(&scene);
}

/* Somebody removed a container by hand, and nothing told us. */
static void
test_disappears(void **state)
{
    struct scene scene;
    struct fake_container *container;
    int64_t rest;
    int64_t mover;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    scene_blueprint(&scene, always);
    rest = scene_run_one(&scene, "web");
    mover = scene_run_one(&scene, "svc");
    for (int i = 0; i < 2; i++) {
        container = scene_container(&scene, i == 0 ? rest : mover);
        list_remove(&world_machine(&scene.world, "h1")->containers, &container->node);
        mem_free(container);
    }
    check_blame(&scene.check, world_machine(&scene.world, "h1")); /* two: no accident */
    world_run(&scene.world, 30000);
    assert_int_equal(scene_instance(&scene, rest)->state, INSTANCE_FAILED);
    assert_int_equal(scene_instance(&scene, mover)->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, mover)->generation, 2);
    scene_end(&scene);
}

/* A paused container lives: it is neither buried nor taken for ready with an error. */
static void
test_paused(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    id = scene_run_one(&scene, "web");
    scene_container(&scene, id)->seen.state = DOCKER_PAUSED;
    world_run(&scene.world, 60000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_RUNNING);
    assert_non_null(scene_container(&scene, id));
    scene_container(&scene, id)->seen.state = DOCKER_RUNNING;
    scene_end(&scene);
}

/* One engine under two names: neither takes the other's containers for orphans. */
static void
test_same_engine(void **state)
{
    struct scene scene;
    int64_t ids[2];

    (void)state;
    scene_begin(&scene, 1);
    scene_blueprint(&scene, plain);
    ids[0] = scene_run_one(&scene, "web");
    {
        struct fake_machine *machine = world_machine(&scene.world, "h1");
        struct host_request request = { .pool = "default", .name = "twin" };
        struct host *host;
        struct fault fault;

        request.endpoint.engine = machine->engine;
        request.endpoint.plain = true;
        assert_int_equal(engine_host_add(scene.world.engine, &request, &host, &fault), 0);
    }
    world_run(&scene.world, 40000);
    ids[1] = scene_run_one(&scene, "web");
    world_run(&scene.world, 40000);
    assert_int_equal(scene_instance(&scene, ids[0])->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, ids[1])->state, INSTANCE_RUNNING);
    assert_int_equal(scene_instance(&scene, ids[0])->generation, 1);
    scene.check.loose = true; /* either host lists what runs for the other */
    scene_end(&scene);
}

/* An engine that ends each event stream at once is not asked without end. */
static void
test_no_events(void **state)
{
    struct scene scene;

    (void)state;
    scene_begin(&scene, 1);
    scene_fault(&scene, DOCKER_EVENTS, NULL, 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE_REFUSED });
    fake_docker_streams_break(scene.world.docker, world_machine(&scene.world, "h1"), FAULT_LOST);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    fake_docker_records_clear(scene.world.docker);
    world_run(&scene.world, 60000);
    assert_in_range(fake_docker_count(scene.world.docker, DOCKER_EVENTS), 1, 10);
    assert_in_range(fake_docker_count(scene.world.docker, DOCKER_LIST), 1, 10);
    scene.world.fates.count = 0;
    scene_end(&scene);
}

/* A host h5 with the label zone=b. */
static void
add_labelled(struct scene *scene)
{
    struct schema_pair pair = { .key = (char[]){ "zone" }, .value = (char[]){ "b" } };
    struct host_request request = { .pool = "default",
                                    .name = "h5",
                                    .endpoint = { .engine = (char[]){ "tcp://h5:2376" },
                                                  .plain = true },
                                    .labels = { .at = &pair, .count = 1 } };
    struct host *host;
    struct fault fault;

    world_machine(&scene->world, "h5")->any_image = true;
    assert_int_equal(engine_host_add(scene->world.engine, &request, &host, &fault), 0);
    world_run(&scene->world, 100);
}

/* Who waits for a class of hosts that is full, however long, holds back nobody's other requests. */
static void
test_a_full_class(void **state)
{
    struct scene scene;
    int64_t first;
    int64_t waits;
    int64_t other;

    (void)state;
    scene_begin(&scene, 1);
    add_labelled(&scene);
    scene_blueprint(&scene, "{'name':'near','image':'img','memory_bytes':7516192768,"
                            "'host_labels':{'zone':'b'}}");
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':1073741824}");
    first = scene_run_one(&scene, "near");
    waits = scene_launch(&scene, "near");
    other = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, other), "h1");
    assert_true(check_stop(&scene.check, other));
    world_run(&scene.world, 300000); /* nothing asks for less than it holds by now */
    for (int i = 0; i < 3; i++) {
        other = scene_run_one(&scene, "web");
        assert_string_equal(scene_host_name(&scene, other), "h1");
    }
    assert_int_equal(scene_instance(&scene, waits)->state, INSTANCE_QUEUED);
    assert_true(check_stop(&scene.check, first));
    scene_until(&scene, waits, INSTANCE_RUNNING, 20000);
    assert_string_equal(scene_host_name(&scene, waits), "h5");
    scene_end(&scene);
}

/* Labels: its own and the pool's; what asks for others waits elsewhere. */
static void
test_labels(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    scene_begin(&scene, 2);
    add_labelled(&scene);
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'host_labels':{'zone':'b'}}");
    id = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, id), "h5");
    scene_blueprint(&scene, "{'name':'far','image':'img','memory_bytes':67108864,"
                            "'host_labels':{'zone':'c'}}");
    assert_int_equal(check_launch(&scene.check, "far", "ann"), 0); /* no host ever could */
    scene_end(&scene);
}

static void
pool_label(struct scene *scene, const char *value)
{
    struct pool_policy policy;
    struct pool_request put = { .name = "default", .provider = PROVIDER_STATIC, .expect = -1 };
    struct pool *pool;
    struct fault fault;

    put.policy = &policy;
    schema_defaults(&pool_policy_schema, &policy);
    if (value) {
        policy.labels.at = mem_new0(sizeof(struct schema_pair));
        policy.labels.at[0] = (struct schema_pair){ mem_strdup("zone"), mem_strdup(value) };
        policy.labels.count = 1;
    }
    assert_int_equal(engine_pool_put(scene->world.engine, &put, &pool, &fault), 0);
    schema_free(&pool_policy_schema, &policy);
    world_run(&scene->world, 100);
}

static const char *
label_of(struct scene *scene, const char *name)
{
    const struct host *host = scene_host(scene, name);

    return host->labels.count == 0 ? "" : host->labels.at[0].value;
}

/* A pool's new labels reach the hosts that are there, those that wait for them, and the disk. */
static void
test_labels_of_the_pool(void **state)
{
    struct scene scene;
    int64_t rev;
    int64_t id;

    (void)state;
    scene_begin(&scene, 1);
    add_labelled(&scene); /* its own zone=b */
    pool_label(&scene, "a");
    rev = scene_host(&scene, "h1")->rev;
    scene_blueprint(&scene, "{'name':'web','image':'img','memory_bytes':67108864,"
                            "'host_labels':{'zone':'c'}}");
    assert_int_equal(check_launch(&scene.check, "web", "ann"), 0); /* nowhere */
    pool_label(&scene, "c");
    assert_string_equal(label_of(&scene, "h1"), "c");
    assert_string_equal(label_of(&scene, "h5"), "b");
    assert_true(scene_host(&scene, "h1")->rev > rev);
    id = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, id), "h1");
    world_crash(&scene.world, 0);
    world_start(&scene.world);
    world_run(&scene.world, 1000);
    assert_string_equal(label_of(&scene, "h1"), "c");
    pool_label(&scene, NULL);
    assert_string_equal(label_of(&scene, "h1"), "");
    assert_string_equal(label_of(&scene, "h5"), "b");
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign),      cmocka_unit_test(test_name_taken),
        cmocka_unit_test(test_orphans),      cmocka_unit_test(test_limit),
        cmocka_unit_test(test_reboot),       cmocka_unit_test(test_disappears),
        cmocka_unit_test(test_paused),       cmocka_unit_test(test_same_engine),
        cmocka_unit_test(test_no_events),    cmocka_unit_test(test_labels),
        cmocka_unit_test(test_a_full_class), cmocka_unit_test(test_labels_of_the_pool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
