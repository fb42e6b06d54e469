#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SETTLE_MS = 60000 };

/* Endpoint names that rules may borrow. */
static char engines[10][FAKE_NAME_SIZE];

void
scene_begin(struct scene *scene, int hosts)
{
    *scene = (struct scene){ 0 };
    world_init(&scene->world, 11);
    scene->world.cookie = scene;
    check_init(&scene->check, &scene->world);
    (void)world_pool(&scene->world, "default");
    for (int i = 1; i <= hosts; i++) {
        const char name[] = { 'h', (char)('0' + i), '\0' };

        (void)world_host(&scene->world, "default", name, 4 * GIB, 4);
    }
    world_run(&scene->world, 100);
}

void
scene_settle(struct scene *scene)
{
    world_run(&scene->world, SETTLE_MS);
    while (fake_store_pending(scene->world.store) > 0)
        (void)world_turn(&scene->world, INT64_MAX);
    check_settled(&scene->check);
}

void
scene_end(struct scene *scene)
{
    scene_settle(scene);
    check_fini(&scene->check);
    world_fini(&scene->world);
}

void
scene_blueprint(struct scene *scene, const char *json)
{
    char text[1024];

    assert_true(strlen(json) < sizeof(text));
    for (size_t i = 0; i <= strlen(json); i++)
        text[i] = (char)(json[i] == '\'' ? '"' : json[i]);
    (void)world_blueprint(&scene->world, text);
}

int64_t
scene_launch(struct scene *scene, const char *blueprint)
{
    int64_t id = check_launch(&scene->check, blueprint, "ann");

    if (id == 0)
        fail_msg("%s", scene->check.refusal.text);
    return id;
}

static bool
scene_is_there(struct world *world)
{
    const struct scene *scene = world->cookie;
    const struct instance *instance = world_instance(world, scene->watched);

    return instance && instance->state == scene->awaited;
}

void
scene_until(struct scene *scene, int64_t id, enum instance_state state, int64_t ms)
{
    const struct instance *instance;

    scene->watched = id;
    scene->awaited = state;
    if (world_run_until(&scene->world, scene_is_there, ms))
        return;
    instance = world_instance(&scene->world, id);
    fail_msg("it is %s, not %s: %s", instance_state_name((enum instance_state)instance->state),
             instance_state_name(state), instance->reason ? instance->reason : "");
}

int64_t
scene_run_one(struct scene *scene, const char *blueprint)
{
    int64_t id = scene_launch(scene, blueprint);

    scene_until(scene, id, INSTANCE_RUNNING, 30000);
    world_run(&scene->world, 50);
    return id;
}

static bool
scene_host_is_there(struct world *world)
{
    const struct scene *scene = world->cookie;
    const struct host *host = idmap_find(&engine_model(world->engine)->hosts, scene->watched_host);

    return host && host->state == (int32_t)scene->awaited_host;
}

void
scene_until_host(struct scene *scene, const char *name, enum host_state state, int64_t ms)
{
    scene->watched_host = scene_host(scene, name)->id;
    scene->awaited_host = state;
    if (!world_run_until(&scene->world, scene_host_is_there, ms))
        fail_msg("host %s is not %s", name, host_state_name(state));
}

const struct instance *
scene_instance(struct scene *scene, int64_t id)
{
    const struct instance *instance = world_instance(&scene->world, id);

    assert_non_null(instance);
    return instance;
}

struct host *
scene_host(struct scene *scene, const char *name)
{
    const struct model *model = engine_model(scene->world.engine);

    return model_host_find(model, model_pool_find(model, "default"), name);
}

const char *
scene_host_name(struct scene *scene, int64_t id)
{
    const struct instance *instance = scene_instance(scene, id);
    const struct host *host =
        idmap_find(&engine_model(scene->world.engine)->hosts, instance->last_host_id);

    return host ? host->name : "";
}

struct fake_container *
scene_container(struct scene *scene, int64_t id)
{
    const struct instance *instance = scene_instance(scene, id);
    char name[INSTANCE_CONTAINER_NAME_SIZE];

    if (!instance->host)
        return NULL;
    (void)instance_container_name(instance, name);
    return fake_machine_find(world_machine(&scene->world, instance->host->name), name);
}

void
scene_crash(struct scene *scene, int64_t id, int32_t exit_code, bool oom_killed)
{
    struct fake_container *container = scene_container(scene, id);

    assert_non_null(container);
    fake_docker_crash(scene->world.docker, world_machine(&scene->world, scene_host_name(scene, id)),
                      container, exit_code, oom_killed);
}

size_t
scene_events(struct scene *scene, const char *kind, int64_t id)
{
    size_t count;
    size_t found = 0;
    const struct event *events = fake_store_events(scene->world.store, &count);

    for (size_t i = 0; i < count; i++) {
        found += strcmp(events[i].kind, kind) == 0 &&
                 (id == 0 || events[i].instance_id == id || events[i].host_id == id);
    }
    return found;
}

enum operation_state
scene_operation(struct scene *scene, int64_t id)
{
    const struct fake_row *row = fake_store_row(scene->world.store, ROW_OPERATION, id);

    assert_non_null(row);
    return (enum operation_state)row->as.operation.state;
}

void
scene_fault(struct scene *scene, enum docker_verb verb, const char *host, int nth,
            struct fake_fate fate)
{
    struct fake_rule rule = { .verb = (int)verb, .nth = nth, .fate = fate };

    if (host) {
        char *engine = engines[host[1] - '0'];

        (void)snprintf(engine, FAKE_NAME_SIZE, "%s", world_machine(&scene->world, host)->engine);
        rule.engine = engine;
    }
    fake_fate_rule_add(&scene->world.fates, &rule);
}
