/* Instances in the model, and the one mover of their life cycle. */

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

#include "model_names.h"

static const char *const model_instance_events[INSTANCE_STATE_COUNT] = {
    [INSTANCE_QUEUED] = "instance.queued",   [INSTANCE_STARTING] = "instance.starting",
    [INSTANCE_RUNNING] = "instance.running", [INSTANCE_STOPPING] = "instance.stopping",
    [INSTANCE_STOPPED] = "instance.stopped", [INSTANCE_FAILED] = "instance.failed",
};

static bool
model_instance_holds_host(enum instance_state state)
{
    return state == INSTANCE_STARTING || state == INSTANCE_RUNNING || state == INSTANCE_STOPPING;
}

static void
model_instance_event_add(struct model *model, const struct instance *instance, const char *text,
                         int64_t now_ms)
{
    struct event event = {
        .kind = model_instance_events[instance->state],
        .pool_id = instance->pool->id,
        .host_id = instance->last_host_id,
        .instance_id = instance->id,
        .owner = instance->owner,
        .text = text,
    };

    model_event_add(model, &event, now_ms);
}

void
model_instance_add(struct model *model, struct instance *instance, bool loaded)
{
    enum instance_state state = (enum instance_state)instance->state;

    assert(instance->blueprint && instance->pool && instance->owner);
    assert(model_instance_holds_host(state) == (instance->host != NULL));
    model_row_added(model, instance->id);
    instance->owner = intern_get(model->strings, instance->owner);
    instance->reason = intern_get(model->strings, instance->reason);
    idmap_insert(&model->instances, instance->id, instance);
    instance->blueprint->instances++;
    model->instance_counts[state]++;
    if (!instance_state_is_final(state))
        model_names_owner_count(model, instance->owner, instance->blueprint->spec.name, 1);
    if (state == INSTANCE_QUEUED)
        queue_add(model->queue, instance);
    if (instance->host)
        model_host_occupy(model, instance->host, instance);
    if (loaded)
        return;
    model_dirty_put(model, ROW_INSTANCE, instance->id, instance, &instance->dirty);
    model_instance_event_add(model, instance, instance->reason, instance->created_at_ms);
}

void
model_instance_drop(struct model *model, struct instance *instance)
{
    struct blueprint *blueprint = instance->blueprint;

    assert(instance_state_is_final((enum instance_state)instance->state) && !instance->work);
    idmap_remove(&model->instances, instance->id);
    model->instance_counts[instance->state]--;
    model_dirty_drop(model, ROW_INSTANCE, instance->id, instance->dirty);
    intern_put(model->strings, instance->owner);
    intern_put(model->strings, instance->reason);
    instance_free(instance);
    blueprint->instances--;
    model_blueprint_release(model, blueprint);
}

void
model_instance_touch(struct model *model, struct instance *instance)
{
    instance->rev++;
    model_dirty_put(model, ROW_INSTANCE, instance->id, instance, &instance->dirty);
}

void
model_instance_reason_set(struct model *model, struct instance *instance, const char *reason)
{
    const char *before = instance->reason;

    instance->reason = intern_get(model->strings, reason);
    intern_put(model->strings, before);
}

/* The container of the generation before is not ours to ask about any more. */
static void
model_instance_container_forget(struct instance *instance)
{
    memset(instance->container_id, 0, sizeof(instance->container_id));
    (void)instance_ports_new(instance, 0);
    instance->oom_told = false;
}

static void
model_instance_state_set(struct model *model, struct instance *instance, enum instance_state to)
{
    model->instance_counts[instance->state]--;
    model->instance_counts[to]++;
    instance->state = (uint8_t)to;
}

static void
model_instance_leave(struct model *model, struct instance *instance, enum instance_state to)
{
    if (instance->state == INSTANCE_QUEUED)
        queue_remove(model->queue, instance);
    if (instance->host && !model_instance_holds_host(to)) {
        model_host_vacate(model, instance->host, instance);
        instance->host = NULL;
    }
}

static void
model_instance_enter(struct model *model, struct instance *instance, int64_t now_ms)
{
    instance->moved_at_ms = now_ms;
    switch ((enum instance_state)instance->state) {
    case INSTANCE_QUEUED:
        model_instance_container_forget(instance);
        queue_add(model->queue, instance);
        break;
    case INSTANCE_STARTING:
        model_instance_container_forget(instance);
        instance->generation++;
        break;
    case INSTANCE_RUNNING:
        if (instance->started_at_ms == 0)
            instance->started_at_ms = now_ms;
        break;
    case INSTANCE_STOPPING:
        instance->desired = INSTANCE_STOPPED;
        break;
    case INSTANCE_STOPPED:
    case INSTANCE_FAILED:
        instance->desired = INSTANCE_STOPPED;
        instance->ended_at_ms = now_ms;
        model_names_owner_count(model, instance->owner, instance->blueprint->spec.name, -1);
        break;
    case INSTANCE_STATE_COUNT:
        assert(!"a state");
    }
}

void
model_instance_move(struct model *model, struct instance *instance, enum instance_event event,
                    const char *reason, int64_t now_ms)
{
    enum instance_state to = INSTANCE_STATE_COUNT;
    int outcome = instance_next((enum instance_state)instance->state, event, &to);

    assert(outcome == INSTANCE_OK && event != INSTANCE_EV_PLACED);
    (void)outcome;
    if (reason)
        model_instance_reason_set(model, instance, reason);
    model_instance_leave(model, instance, to);
    model_instance_state_set(model, instance, to);
    model_instance_enter(model, instance, now_ms);
    model_instance_touch(model, instance);
    model_instance_event_add(model, instance, reason, now_ms);
}

void
model_instance_place(struct model *model, struct instance *instance, struct host *host,
                     const char *reason, int64_t now_ms)
{
    assert(instance->state == INSTANCE_QUEUED && !instance->host);
    if (reason)
        model_instance_reason_set(model, instance, reason);
    queue_served(model->queue, instance, now_ms);
    instance->host = host;
    instance->last_host_id = host->id;
    model_host_used(model, host, now_ms);
    model_host_occupy(model, host, instance);
    model_instance_state_set(model, instance, INSTANCE_STARTING);
    model_instance_enter(model, instance, now_ms);
    model_instance_touch(model, instance);
    model_instance_event_add(model, instance, reason, now_ms);
}
