/*
 * Whose fault it is: a bad image on good hosts, a bad host with good images, both at once.  The others
 * keep their good names, and go on.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

enum { IMAGES = 5 };

static const char *const images[IMAGES] = { "a", "b", "c", "d", "e" };

/* What does not run: an image everywhere, or everything on one host. */
struct evil {
    struct scene *scene;
    const char *image; /* NULL: none */
    const char *host;  /* NULL: none */
};

static void
end_badly(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    const struct evil *evil = cookie;
    bool bad_host = evil->host && machine == world_machine(&evil->scene->world, evil->host);

    if (container->seen.canary)
        return;
    if (bad_host || (evil->image && strcmp(container->seen.image, evil->image) == 0))
        fake_machine_end(machine, container, 1, false);
}

static void
begin(struct scene *scene, int hosts)
{
    char text[160];

    scene_begin(scene, hosts);
    for (int i = 0; i < IMAGES; i++) {
        struct buf json = { .data = text, .cap = sizeof(text), .limit = sizeof(text) - 1 };

        buf_printf(&json, "{'name':'%s','image':'%s:1','memory_bytes':8388608}", images[i],
                   images[i]);
        scene_blueprint(scene, text);
    }
    scene_blueprint(scene, "{'name':'bad','image':'bad:1','memory_bytes':8388608}");
}

static const struct blueprint *
blueprint_of(struct scene *scene, const char *name)
{
    return model_blueprint_find(engine_model(scene->world.engine), name);
}

/* One launch of @name on the host with this @number, the only one that takes work now. */
static int64_t
launch_on(struct scene *scene, const char *name, int number)
{
    int64_t id;

    IDMAP_EACH(&engine_model(scene->world.engine)->hosts, struct host, other)
    {
        struct operation *operation;
        struct fault fault;

        if (other->name[1] - '0' != number) {
            assert_int_equal(
                engine_host_drain(scene->world.engine, other, -1, "op", &operation, &fault), 0);
        }
    }
    id = scene_launch(scene, name);
    world_run(&scene->world, 400); /* an attempt or two */
    return id;
}

static void
open_all(struct scene *scene)
{
    IDMAP_EACH(&engine_model(scene->world.engine)->hosts, struct host, host)
    {
        struct error_score kept = host->score;
        struct fault fault;

        if (host->state == HOST_INACTIVE)
            assert_int_equal(engine_host_activate(scene->world.engine, host, &fault), 0);
        host->score = kept;
    }
    world_run(&scene->world, 1000);
}

/* `berth explain` tells since when, and when one is tried: @pause_ms later. */
static void
expect_held_back(int64_t id, struct scene *scene, int64_t pause_ms)
{
    struct json_out out;
    struct buf buf;
    struct fault fault;
    json_t *now = NULL;
    json_t *held;
    int64_t since_ms = 0;
    int64_t next_ms = 0;

    buf_init(&buf, 1 << 20);
    json_out_init(&out, &buf);
    engine_explain(scene->world.engine, scene_instance(scene, id), &out);
    assert_int_equal(json_in_parse(buf.data, buf.len, &now, &fault), 0);
    held = json_object_get(now, "held_back");
    assert_true(text_time_parse(json_in_string(held, "since", ""), &since_ms));
    assert_true(text_time_parse(json_in_string(held, "next_trial_at", ""), &next_ms));
    assert_int_equal(next_ms - since_ms, pause_ms);
    assert_in_range(next_ms - engine_now_ms(scene->world.engine), 1, pause_ms);
    assert_int_equal(json_in_int(held, "times", 0), 1);
    json_decref(now);
    buf_fini(&buf);
}

/* A bad image fails on host after host: its breaker opens, no host has a score, others run on. */
static void
test_a_bad_image(void **state)
{
    struct scene scene;
    struct evil evil = { .scene = &scene, .image = "bad:1" };
    int64_t id;

    (void)state;
    begin(&scene, 5);
    fake_docker_on_start(scene.world.docker, end_badly, &evil);
    for (int i = 0; i < 5; i++) {
        if (!blueprint_of(&scene, "bad")->held)
            (void)launch_on(&scene, "bad", i + 1);
        open_all(&scene);
    }
    assert_true(blueprint_of(&scene, "bad")->held);
    assert_int_equal(scene_events(&scene, "blueprint.held", 0), 1);
    assert_int_equal(scene_events(&scene, "host.suspended", 0), 0);
    id = scene_launch(&scene, "bad");
    world_run(&scene.world, 1000);
    assert_int_equal(scene_instance(&scene, id)->state, INSTANCE_QUEUED);
    assert_non_null(strstr(scene_instance(&scene, id)->reason, "held back"));
    expect_held_back(id, &scene, 15000);
    (void)scene_run_one(&scene, "a");
    /* One launch at a time, ever later; the first that goes well lets all others follow. */
    scene_until(&scene, id, INSTANCE_FAILED, 30000);
    assert_int_equal(blueprint_of(&scene, "bad")->breaker->opened, 2);
    evil.image = NULL;
    for (int i = 0; i < 4; i++)
        id = scene_launch(&scene, "bad");
    scene_until(&scene, id, INSTANCE_RUNNING, 60000);
    assert_int_equal(scene_events(&scene, "blueprint.released", 0), 1);
    scene_end(&scene);
}

/* An image that makes engines fail: what that has added to the hosts' scores is given back. */
static void
test_scores_are_given_back(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 3);
    for (int i = 1; i <= 3; i++) {
        const char host[] = { 'h', (char)('0' + i), '\0' };

        scene_fault(&scene, DOCKER_START, host, 0,
                    (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
        id = launch_on(&scene, "bad", i);
        assert_true(i == 3 || scene_host(&scene, host)->score.milli > 0);
        assert_true(check_stop(&scene.check, id)); /* lest it runs elsewhere */
        world_run(&scene.world, 1000);
        scene.world.fates.count = 0;
        open_all(&scene);
    }
    assert_int_equal(scene_events(&scene, "host.fault", 0), 3);
    assert_int_equal(scene_events(&scene, "blueprint.held", 0), 1);
    for (int i = 1; i <= 3; i++) {
        const char host[] = { 'h', (char)('0' + i), '\0' };

        assert_int_equal(scene_host(&scene, host)->score.milli, 0);
    }
    id = scene_launch(&scene, "bad");
    scene_until(&scene, id, INSTANCE_RUNNING, 60000);
    scene_end(&scene);
}

/* A bad host lets five images fail that run elsewhere: it is suspended, they are not held back. */
static void
test_a_bad_host(void **state)
{
    struct scene scene;
    struct evil evil = { .scene = &scene, .host = "h1" };

    (void)state;
    begin(&scene, 3);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    for (int i = 0; i < IMAGES; i++)
        (void)launch_on(&scene, images[i], 2);
    open_all(&scene);
    fake_docker_on_start(scene.world.docker, end_badly, &evil);
    for (int i = 0; i < IMAGES && !scene_host(&scene, "h1")->trial; i++)
        (void)launch_on(&scene, images[i], 1);
    assert_non_null(scene_host(&scene, "h1")->trial);
    assert_int_equal(scene_events(&scene, "host.blamed", 0), 2);
    open_all(&scene);
    for (int i = 0; i < IMAGES; i++) {
        assert_false(blueprint_of(&scene, images[i])->held);
        (void)scene_run_one(&scene, images[i]);
    }
    assert_int_equal(scene_host(&scene, "h2")->score.milli, 0);
    assert_int_equal(scene_host(&scene, "h3")->score.milli, 0);
    scene_end(&scene);
}

/* Both at once: each gets its own. */
static void
test_both_at_once(void **state)
{
    struct scene scene;
    struct evil evil = { .scene = &scene, .host = "h1", .image = "bad:1" };

    (void)state;
    begin(&scene, 5);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    for (int i = 0; i < IMAGES; i++)
        (void)launch_on(&scene, images[i], 2);
    open_all(&scene);
    fake_docker_on_start(scene.world.docker, end_badly, &evil);
    for (int i = 0; i < IMAGES; i++) {
        if (!blueprint_of(&scene, "bad")->held)
            (void)launch_on(&scene, "bad", i + 1);
        open_all(&scene);
        if (!scene_host(&scene, "h1")->trial)
            (void)launch_on(&scene, images[i], 1);
        open_all(&scene);
    }
    assert_non_null(scene_host(&scene, "h1")->trial);
    assert_true(blueprint_of(&scene, "bad")->held);
    for (int i = 0; i < IMAGES; i++)
        assert_false(blueprint_of(&scene, images[i])->held);
    for (int i = 2; i <= 5; i++) {
        const char host[] = { 'h', (char)('0' + i), '\0' };

        assert_null(scene_host(&scene, host)->trial);
        assert_int_equal(scene_host(&scene, host)->score.milli, 0);
    }
    scene_end(&scene);
}

/* A pool of one host: the canary tells that it is the image. */
static void
test_one_host(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    for (int i = 0; i < 4; i++) {
        scene_fault(&scene, DOCKER_START, "h1", 1,
                    (struct fake_fate){ .latency_ms = 1, .kind = FAULT_ENGINE });
    }
    id = scene_launch(&scene, "bad");
    world_run(&scene.world, 10000);
    assert_non_null(scene_host(&scene, "h1")->trial);
    world_run(&scene.world, 10000);
    assert_null(scene_host(&scene, "h1")->trial);
    assert_true(blueprint_of(&scene, "bad")->held);
    (void)scene_run_one(&scene, "a");
    scene_until(&scene, id, INSTANCE_RUNNING, 60000);
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_image), cmocka_unit_test(test_scores_are_given_back),
        cmocka_unit_test(test_a_bad_host),  cmocka_unit_test(test_both_at_once),
        cmocka_unit_test(test_one_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
