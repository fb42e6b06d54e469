/*
 * Hosts on trial: suspended beyond the threshold, back through a canary and probation only, whatever
 * crashes or clocks do meanwhile; and hosts that lie.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scene.h"

#define YEAR_MS (INT64_C(365) * 86400 * 1000)

enum { PROBATION = 2, SUSPENDED_MAX_MS = 120000 };

static const char web[] = "{'name':'web','image':'img','memory_bytes':8388608}";
static const char other[] = "{'name':'other','image':'more','memory_bytes':8388608}";
static const char always[] =
    "{'name':'svc','image':'img','memory_bytes':8388608,'restart':{'policy':'always'}}";
static const struct fake_fate failed = { .latency_ms = 1, .kind = FAULT_ENGINE };

static void
begin(struct scene *scene, int hosts)
{
    struct pool_policy policy;

    scene_begin(scene, hosts);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.probation = PROBATION;
    policy.suspended_max_ms = SUSPENDED_MAX_MS;
    (void)world_pool_put(&scene->world, "default", &policy);
    scene_blueprint(scene, web);
    scene_blueprint(scene, other);
    scene_blueprint(scene, always);
    world_run(&scene->world, 100);
}

static const struct trial *
trial_of(struct scene *scene, const char *host)
{
    return scene_host(scene, host)->trial;
}

static void
heal(struct scene *scene)
{
    scene->world.fates.count = 0;
}

/* h1 fails whatever is started there until it is suspended; nothing runs or waits.  Two blueprints, so
 * that neither is blamed. */
static void
suspend(struct scene *scene)
{
    scene_fault(scene, DOCKER_START, "h1", 0, failed);
    check_blame(&scene->check, world_machine(&scene->world, "h1"));
    for (int i = 0; i < 20 && !trial_of(scene, "h1"); i++) {
        int64_t id = scene_launch(scene, i % 2 == 0 ? "web" : "other");

        world_run(&scene->world, 1000);
        assert_true(check_stop(&scene->check, id));
        world_run(&scene->world, 1000);
    }
    assert_non_null(trial_of(scene, "h1"));
    assert_int_equal(trial_of(scene, "h1")->state, TRIAL_SUSPENDED);
}

static bool
is_on_probation(struct world *world)
{
    const struct trial *trial = trial_of(world->cookie, "h1");

    return trial && trial->state == TRIAL_PROBATION;
}

static bool
is_trusted(struct world *world)
{
    return !trial_of(world->cookie, "h1");
}

static size_t
canaries_on(struct scene *scene, const char *host)
{
    const struct fake_machine *machine = world_machine(&scene->world, host);
    size_t count = 0;

    for (struct list_node *node = list_first(&machine->containers); node;
         node = list_next(&machine->containers, node))
        count += CONTAINER_OF(node, struct fake_container, node)->seen.canary;
    return count;
}

/* Beyond the threshold: no work at once, the reason in plain words, other hosts go on. */
static void
test_suspended(void **state)
{
    struct scene scene;
    const char *text = "";
    size_t count;

    (void)state;
    begin(&scene, 2);
    suspend(&scene);
    assert_int_equal(scene_events(&scene, "host.suspended", 0), 1);
    for (const struct event *e = fake_store_events(scene.world.store, &count); count-- > 0; e++) {
        if (strcmp(e->kind, "host.suspended") == 0)
            text = e->text;
    }
    assert_non_null(strstr(text, "above the threshold of 3.000"));
    assert_non_null(strstr(text, "start: made up"));
    assert_false(host_is_trusted(scene_host(&scene, "h1"), 0));
    for (int i = 0; i < 5; i++)
        assert_string_equal(scene_host_name(&scene, scene_run_one(&scene, "web")), "h2");
    heal(&scene);
    scene_end(&scene);
}

/* The score falls below the threshold, but without a canary it is not trusted. */
static void
test_time_alone_heals_nothing(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    suspend(&scene);
    heal(&scene);
    scene_fault(&scene, DOCKER_CREATE, "h1", 0, failed); /* canaries fail, too */
    world_run(&scene.world, INT64_C(3) * SCORE_HALF_LIFE_MS);
    assert_true(trial_of(&scene, "h1")->canaries_failed > 5);
    assert_string_equal(scene_host_name(&scene, scene_run_one(&scene, "web")), "h2");
    assert_int_equal(scene_events(&scene, "host.untrusted", 0), 1);
    assert_true(trial_is_untrusted(trial_of(&scene, "h1"), SUSPENDED_MAX_MS));
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, TRIAL_PAUSE_MAX_MS));
    scene_end(&scene);
}

/* Canary, probation with one placement at a time, trusted: the score is cleared. */
static void
test_the_way_back(void **state)
{
    struct scene scene;
    int64_t ids[4];

    (void)state;
    begin(&scene, 1);
    suspend(&scene);
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    assert_int_equal(canaries_on(&scene, "h1"), 0);
    scene_fault(&scene, DOCKER_START, "h1", 0, (struct fake_fate){ .latency_ms = 5000 });
    for (int i = 0; i < 4; i++)
        ids[i] = scene_launch(&scene, "web");
    world_run(&scene.world, 1000);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_STARTING], 1);
    scene_until(&scene, ids[0], INSTANCE_RUNNING, 6000);
    world_run(&scene.world, 100);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_STARTING], 1);
    assert_int_equal(trial_of(&scene, "h1")->placements_left, 1);
    scene_until(&scene, ids[1], INSTANCE_RUNNING, 6000);
    assert_null(trial_of(&scene, "h1"));
    assert_int_equal(scene_host(&scene, "h1")->score.milli, 0);
    world_run(&scene.world, 100);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_STARTING], 2);
    scene_until(&scene, ids[3], INSTANCE_RUNNING, 6000);
    assert_int_equal(scene_events(&scene, "host.trusted", 0), 1);
    heal(&scene);
    scene_end(&scene);
}

/* What fails on probation is suspended again, and waits longer. */
static void
test_relapse(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    suspend(&scene);
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    world_machine(&scene.world, "h2")->unreachable = true;
    world_run(&scene.world, 30000);
    scene_fault(&scene, DOCKER_START, "h1", 1, failed);
    (void)scene_launch(&scene, "web");
    world_run(&scene.world, 1000);
    assert_int_equal(trial_of(&scene, "h1")->state, TRIAL_SUSPENDED);
    assert_int_equal(trial_of(&scene, "h1")->relapses, 1);
    assert_int_equal(trial_pause_ms(trial_of(&scene, "h1")), 2 * TRIAL_PAUSE_MIN_MS);
    assert_int_equal(scene_events(&scene, "host.suspended", 0), 2);
    world_machine(&scene.world, "h2")->unreachable = false;
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    scene_end(&scene);
}

static void
test_an_operator_vouches(void **state)
{
    struct scene scene;
    struct fault fault;

    (void)state;
    begin(&scene, 1);
    suspend(&scene);
    heal(&scene);
    assert_int_equal(engine_host_activate(scene.world.engine, scene_host(&scene, "h1"), &fault), 0);
    assert_null(trial_of(&scene, "h1"));
    assert_int_equal(scene_events(&scene, "host.trusted", 0), 0); /* with the turn */
    (void)scene_run_one(&scene, "web");
    assert_int_equal(scene_events(&scene, "host.trusted", 0), 1);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 0);
    scene_end(&scene);
}

static void
restart(struct scene *scene)
{
    world_crash(&scene->world, 0);
    world_start(&scene->world);
    world_run(&scene->world, 100);
}

/* Killed while suspended, with the clock put forward and back by years, and while a canary runs. */
static void
test_crashes_while_suspended(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    suspend(&scene);
    for (int i = 0; i < 2; i++) {
        fake_clock_jump(scene.world.clock, i == 0 ? 10 * YEAR_MS : -20 * YEAR_MS);
        restart(&scene);
        assert_non_null(trial_of(&scene, "h1"));
        assert_int_equal(trial_of(&scene, "h1")->state, TRIAL_SUSPENDED);
        assert_false(trial_is_untrusted(trial_of(&scene, "h1"), SUSPENDED_MAX_MS));
    }
    heal(&scene);
    world_machine(&scene.world, "h1")->canary_stays = true;
    for (int i = 0; i < 100 && canaries_on(&scene, "h1") == 0; i++)
        world_run(&scene.world, 1000);
    assert_int_equal(canaries_on(&scene, "h1"), 1);
    restart(&scene); /* what is left of it is removed */
    world_run(&scene.world, 1000);
    assert_int_equal(canaries_on(&scene, "h1"), 0);
    assert_int_equal(trial_of(&scene, "h1")->state, TRIAL_SUSPENDED);
    world_machine(&scene.world, "h1")->canary_stays = false;
    assert_true(world_run_until(&scene.world, is_on_probation, 120000));
    scene_end(&scene);
}

/* Killed during a placement on probation: there is still one at a time, and all of them are wanted. */
static void
test_crashes_on_probation(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 1);
    suspend(&scene);
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 120000));
    world_run(&scene.world, 10);
    scene_fault(&scene, DOCKER_START, "h1", 0, (struct fake_fate){ .latency_ms = 2000 });
    id = scene_launch(&scene, "web");
    (void)scene_launch(&scene, "web");
    world_run(&scene.world, 1000);
    restart(&scene);
    assert_int_equal(engine_model(scene.world.engine)->instance_counts[INSTANCE_STARTING], 1);
    assert_int_equal(trial_of(&scene, "h1")->placements_left, PROBATION);
    scene_until(&scene, id, INSTANCE_RUNNING, 10000);
    assert_true(world_run_until(&scene.world, is_trusted, 10000));
    heal(&scene);
    scene_end(&scene);
}

/* A canary that does not end, or ends badly, has failed, and is removed. */
static void
test_bad_canaries(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    suspend(&scene);
    heal(&scene);
    world_machine(&scene.world, "h1")->canary_stays = true;
    world_run(&scene.world, 60000);
    assert_int_equal(trial_of(&scene, "h1")->canaries_failed, 1);
    assert_int_equal(canaries_on(&scene, "h1"), 0);
    world_machine(&scene.world, "h1")->canary_stays = false;
    world_machine(&scene.world, "h1")->canary_code = 3;
    world_run(&scene.world, 60000);
    assert_int_equal(trial_of(&scene, "h1")->canaries_failed, 2);
    assert_int_equal(canaries_on(&scene, "h1"), 0);
    assert_int_equal(scene_events(&scene, "host.canary", 0), 2);
    world_machine(&scene.world, "h1")->canary_code = 0;
    assert_true(world_run_until(&scene.world, is_on_probation, 120000));
    scene_end(&scene);
}

/* An engine on a machine for which there is no program: created and removed is enough. */
static void
test_other_machines(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    memcpy(world_machine(&scene.world, "h1")->info.architecture, "riscv64", sizeof("riscv64"));
    world_machine(&scene.world, "h1")->canary_code = 126;
    suspend(&scene);
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    assert_int_equal(canaries_on(&scene, "h1"), 0);
    scene_end(&scene);
}

/* The image of the canary is brought along. */
static void
test_image_is_loaded(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    world_machine(&scene.world, "h1")->any_image = false;
    fake_machine_image_add(world_machine(&scene.world, "h1"), "img");
    fake_machine_image_add(world_machine(&scene.world, "h1"), "more");
    suspend(&scene);
    heal(&scene);
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_LOAD), 1);
    assert_int_equal(fake_docker_count(scene.world.docker, DOCKER_PULL), 0);
    scene_end(&scene);
}

/* An engine that hangs is found by deadlines; it comes back through a canary as soon as it answers. */
static void
test_hang(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    (void)scene_run_one(&scene, "web");
    world_machine(&scene.world, "h1")->hung = true;
    world_run(&scene.world, 300000);
    assert_non_null(trial_of(&scene, "h1"));
    assert_string_equal(scene_host_name(&scene, scene_run_one(&scene, "web")), "h2");
    assert_int_equal(trial_of(&scene, "h1")->canaries_failed, 0); /* nobody could be asked */
    world_machine(&scene.world, "h1")->hung = false;
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    scene_end(&scene);
}

/* An engine that is only restarted is not suspended. */
static void
test_a_short_absence(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 1);
    world_machine(&scene.world, "h1")->unreachable = true;
    world_run(&scene.world, 30000);
    assert_null(trial_of(&scene, "h1"));
    world_run(&scene.world, 600000);
    assert_non_null(trial_of(&scene, "h1")); /* but one that is away for long */
    world_machine(&scene.world, "h1")->unreachable = false;
    assert_true(world_run_until(&scene.world, is_on_probation, 60000));
    scene_end(&scene);
}

/* A thousand faults a minute make a handful of events. */
static void
test_events_are_bounded(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    for (int i = 0; i < 50; i++)
        (void)scene_run_one(&scene, "web");
    scene_fault(&scene, DOCKER_STATS, "h1", 0, failed);
    scene_fault(&scene, DOCKER_INSPECT, "h1", 0, failed);
    for (int i = 0; i < 60; i++) {
        fake_machine_reboot(world_machine(&scene.world, "h1"));
        world_run(&scene.world, 1000);
    }
    heal(&scene);
    assert_in_range(scene_events(&scene, "host.fault", 0), 1, 10);
    assert_in_range(scene_events(&scene, "host.unreachable", 0), 1, 20);
    world_run(&scene.world, 120000);
    scene_end(&scene);
}

/* Containers that vanish: once is an accident, again and again is a lie. */
static void
test_containers_vanish(void **state)
{
    struct scene scene;
    int64_t id;

    (void)state;
    begin(&scene, 2);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    id = scene_run_one(&scene, "svc");
    assert_string_equal(scene_host_name(&scene, id), "h1");
    for (int i = 0; i < 400 && !trial_of(&scene, "h1"); i++) {
        struct fake_container *container = scene_container(&scene, id);

        if (container && scene_instance(&scene, id)->state == INSTANCE_RUNNING) {
            list_remove(&world_machine(&scene.world, "h1")->containers, &container->node);
            mem_free(container);
        }
        world_run(&scene.world, 1000);
    }
    assert_non_null(trial_of(&scene, "h1"));
    assert_int_equal(scene_host(&scene, "h1")->score.last_kind, FAULT_INCONSISTENT);
    scene_until(&scene, id, INSTANCE_RUNNING, 120000);
    scene_end(&scene);
}

static void
swallow_starts(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    struct scene *scene = cookie;

    if (machine == world_machine(&scene->world, "h1") && !container->seen.canary)
        container->seen.state = DOCKER_CREATED;
}

/* It says that it starts, and nothing runs: the launches go elsewhere, once each. */
static void
test_starts_that_are_none(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, 2);
    check_blame(&scene.check, world_machine(&scene.world, "h1"));
    fake_docker_on_start(scene.world.docker, swallow_starts, &scene);
    for (int i = 0; i < 12; i++)
        assert_string_equal(scene_host_name(&scene, scene_run_one(&scene, "web")), "h2");
    assert_non_null(trial_of(&scene, "h1"));
    assert_int_equal(check_containers(&scene.check, world_machine(&scene.world, "h1"), false), 0);
    fake_docker_on_start(scene.world.docker, NULL, NULL);
    assert_true(world_run_until(&scene.world, is_on_probation, 120000));
    scene_end(&scene);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_time_alone_heals_nothing),
        cmocka_unit_test(test_the_way_back),
        cmocka_unit_test(test_relapse),
        cmocka_unit_test(test_an_operator_vouches),
        cmocka_unit_test(test_crashes_while_suspended),
        cmocka_unit_test(test_crashes_on_probation),
        cmocka_unit_test(test_bad_canaries),
        cmocka_unit_test(test_other_machines),
        cmocka_unit_test(test_image_is_loaded),
        cmocka_unit_test(test_hang),
        cmocka_unit_test(test_a_short_absence),
        cmocka_unit_test(test_events_are_bounded),
        cmocka_unit_test(test_containers_vanish),
        cmocka_unit_test(test_starts_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
