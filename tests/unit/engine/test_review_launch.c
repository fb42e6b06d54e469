/*
 * Launches at the edges: a container that ran while nobody looked, ports that
 * somebody else has, commands that are not there, requests that fit nowhere.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

static const char job[] = "{'name':'job','image':'img','memory_bytes':67108864,"
                          "'ready':{'kind':'none'}}";
static const char web[] = "{'name':'web','image':'img','memory_bytes':67108864,"
                          "'ports':[{'container':80}]}";
static const char fixed[] = "{'name':'fixed','image':'img','memory_bytes':67108864,"
                            "'ports':[{'container':80,'host':8080}]}";
static const char again[] = "{'name':'again','image':'img','memory_bytes':67108864,"
                            "'restart':{'policy':'always','max_retries':1}}";

static void
begin(struct scene *scene, int hosts)
{
    scene_begin(scene, hosts);
    scene_blueprint(scene, job);
    scene_blueprint(scene, web);
    scene_blueprint(scene, fixed);
    scene_blueprint(scene, again);
}

static int32_t code_at_once;

static void
end_at_once(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    (void)cookie;
    fake_machine_end(machine, container, code_at_once, false);
}

/* A job that was started before a crash, and ended while nobody looked, is not done again. */
static void
test_a_job_is_not_done_twice(void **state)
{
    struct scene scene;
    struct fake_container *container;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    id = scene_launch(&scene, "job");
    while (fake_docker_count(scene.world.docker, DOCKER_START) == 0)
        assert_true(world_turn(&scene.world, INT64_MAX));
    world_crash(&scene.world, 9);
    container = fake_machine_oldest(world_machine(&scene.world, "h1"));
    container->seen.state = DOCKER_RUNNING;
    container->seen.started_at_ms = 1;
    fake_machine_end(world_machine(&scene.world, "h1"), container, 0, false);
    fake_docker_records_clear(scene.world.docker);
    world_start(&scene.world);
    scene_until(&scene, id, INSTANCE_STOPPED, 30000);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_START), 0);
    assert_int_equal(scene_instance(&scene, id)->exit_code, 0);
    scene_end(&scene);
}

/* The engine chose a port that is taken: the same container is started again and gets another. */
static void
test_a_port_of_the_engines_choice_is_tried_again(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_START, NULL, 1,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_PORT_TAKEN });
    id = scene_run_one(&scene, "web");
    assert_string_equal(scene_host_name(&scene, id), "h1");
    assert_int_equal(scene_instance(&scene, id)->generation, 1);
    assert_int_equal(scene_events(&scene, "instance.attempt_failed", id), 0);
    scene_end(&scene);
}

/* A fixed port that is taken on one host may be free on another. */
static void
test_a_fixed_port_is_tried_elsewhere(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    scene_fault(&scene, DOCKER_START, "h1", 0,
                (struct fake_fate){ .latency_ms = 1, .kind = FAULT_PORT_TAKEN });
    id = scene_run_one(&scene, "fixed");
    assert_string_equal(scene_host_name(&scene, id), "h2");
    assert_int_equal(scene_events(&scene, "instance.attempt_failed", id), 1);
    scene_end(&scene);
}

static enum fault_kind
blame_of(struct scene *scene, const char *blueprint)
{
    const struct blueprint *row =
        model_blueprint_find(engine_model(scene->world.engine), blueprint);

    return row->breaker ? (enum fault_kind)row->breaker->score.last_kind : FAULT_NONE;
}

/* A shell that does not find its command says 127: that is the command's fault. */
static void
test_a_missing_command_is_the_commands_fault(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    code_at_once = 127;
    fake_docker_on_start(scene.world.docker, end_at_once, NULL);
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 30000);
    assert_int_equal(blame_of(&scene, "web"), FAULT_COMMAND);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "command was not found"));
    assert_int_equal(scene_instance(&scene, id)->exit_code, 127);

    /* With restarts it may be there the next time. */
    id = scene_launch(&scene, "again");
    scene_until(&scene, id, INSTANCE_FAILED, 60000);
    assert_int_equal(blame_of(&scene, "again"), FAULT_EXITED);
    assert_int_equal(scene_instance(&scene, id)->generation, 2);

    code_at_once = 1;
    id = scene_launch(&scene, "web");
    scene_until(&scene, id, INSTANCE_FAILED, 30000);
    assert_int_equal(blame_of(&scene, "web"), FAULT_EXITED);
    fake_docker_on_start(scene.world.docker, NULL, NULL);
    scene_end(&scene);
}

/* A word that grows beyond all bounds when it is expanded is not cut to another one. */
static void
test_a_word_that_grows_too_long(void **state)
{
    struct scene scene;
    char owner[129];
    struct buf text;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    memset(owner, 'o', sizeof(owner) - 1);
    owner[sizeof(owner) - 1] = '\0';
    buf_init(&text, 0);
    buf_append_string(&text, "{\"name\":\"long\",\"image\":\"img\",\"memory_bytes\":67108864,"
                             "\"env\":{\"A\":\"");
    for (int i = 0; i < 2000; i++)
        buf_append_string(&text, "{owner}");
    buf_append_string(&text, "\"}}");
    (void)world_blueprint(&scene.world, buf_text(&text));
    buf_fini(&text);
    id = check_launch(&scene.check, "long", owner);
    scene_until(&scene, id, INSTANCE_FAILED, 5000);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "too long"));
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_CREATE), 0);
    id = check_launch(&scene.check, "long", "ann");
    scene_until(&scene, id, INSTANCE_RUNNING, 5000);
    scene_end(&scene);
}

/* What fits no host of the pool any more fails after a while, and says why; unless a host comes that
 * is large enough. */
static void
test_what_fits_nowhere_any_more_fails(void **state)
{
    struct scene scene;
    struct operation *operation;
    struct fault fault;
    int64_t first;
    int64_t second;

    (void)state;
    begin(&scene, 1);
    scene.check.overfull = true;
    scene.check.loose = true; /* what ran on a host that is given up */
    scene_blueprint(&scene, "{'name':'big','image':'img','memory_bytes':6442450944}");
    (void)world_host(&scene.world, "default", "large", 8 * GIB, 4);
    world_run(&scene.world, 1000);
    (void)scene_run_one(&scene, "big");
    first = scene_launch(&scene, "big");
    world_run(&scene.world, 120000);
    assert_int_equal(scene_instance(&scene, first)->state, INSTANCE_QUEUED);

    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "large"), true, "op",
                                        &operation, &fault),
                     0);
    world_run(&scene.world, 50000);
    assert_int_equal(scene_instance(&scene, first)->state, INSTANCE_QUEUED);
    scene_until(&scene, first, INSTANCE_FAILED, 40000);
    assert_non_null(strstr(scene_instance(&scene, first)->reason, "could ever hold it"));

    (void)world_host(&scene.world, "default", "larger", 8 * GIB, 4);
    world_run(&scene.world, 1000);
    (void)scene_run_one(&scene, "big");
    second = scene_launch(&scene, "big");
    assert_int_equal(engine_host_remove(scene.world.engine, scene_host(&scene, "larger"), true,
                                        "op", &operation, &fault),
                     0);
    world_run(&scene.world, 50000);
    (void)world_host(&scene.world, "default", "largest", 8 * GIB, 4);
    scene_until(&scene, second, INSTANCE_RUNNING, 40000);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_is_not_done_twice),
        cmocka_unit_test(test_a_port_of_the_engines_choice_is_tried_again),
        cmocka_unit_test(test_a_fixed_port_is_tried_elsewhere),
        cmocka_unit_test(test_a_missing_command_is_the_commands_fault),
        cmocka_unit_test(test_a_word_that_grows_too_long),
        cmocka_unit_test(test_what_fits_nowhere_any_more_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
