#include "adopt.h"

#include "bury.h"
#include "launch.h"
#include "observe.h"

static bool
adopt_new(struct engine *engine, struct host *host, const struct docker_container *container)
{
    struct model *model = engine->model;
    struct blueprint *blueprint = model_blueprint_version_find(model, container->label_blueprint,
                                                               container->label_blueprint_version);
    struct instance *instance;
    int64_t now_ms = state_now_ms(engine);
    int64_t id;

    if (!blueprint || !id_decode(ID_INSTANCE, container->label_instance, &id) || id <= 0 ||
        container->label_generation < 1)
        return false;
    instance = instance_new(id);
    instance->blueprint = blueprint;
    instance->pool = host->pool;
    instance->host = host;
    instance->last_host_id = host->id;
    instance->owner = container->label_owner;
    instance->state = INSTANCE_RUNNING;
    instance->desired = INSTANCE_RUNNING;
    instance->generation = (uint32_t)container->label_generation;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    instance->created_at_ms = now_ms;
    instance->started_at_ms = now_ms;
    if (blueprint->spec.lifetime_ms > 0)
        instance->ends_at_ms = now_ms + blueprint->spec.lifetime_ms;
    instance->lifetime_ms = blueprint->spec.lifetime_ms;
    engine->next_end_ms = 0; /* look through all of them once */
    state_event(engine, "instance.adopted", host, instance,
                "its container runs on %s, the restored rows did not know it", host->name);
    model_instance_add(model, instance, false);
    bury_look(engine, instance);
    return true;
}

bool
adopt_container(struct engine *engine, struct host *host, struct instance *instance,
                const struct docker_container *container)
{
    int64_t now_ms = state_now_ms(engine);

    if (!observe_is_alive(container))
        return false;
    if (!instance)
        return adopt_new(engine, host, container);
    if (instance->work || instance->pool != host->pool || instance->desired != INSTANCE_RUNNING ||
        container->label_generation <= (int64_t)instance->generation)
        return false;
    /* Of a host that answers late: the instance may have been started elsewhere meanwhile. */
    if (!engine->info.restored && instance->state != INSTANCE_QUEUED)
        return false;
    if (instance->host && instance->host != host)
        model_instance_move(engine->model, instance, INSTANCE_EV_RETRY, NULL, now_ms);
    if (instance->state == INSTANCE_QUEUED) {
        model_instance_place(engine->model, instance, host, "found running after a restore",
                             now_ms);
    }
    instance->generation = (uint32_t)container->label_generation;
    model_instance_touch(engine->model, instance);
    if (instance->state == INSTANCE_STARTING) {
        launch_start(engine, instance);
    } else {
        bury_look(engine, instance);
    }
    return true;
}
