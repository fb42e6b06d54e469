#include "sweep.h"

#include "explain.h"
#include "launch.h"
#include "turn.h"

void
sweep_ask(const struct engine *engine, const struct instance *instance,
          struct placement_ask *ret_ask)
{
    *ret_ask = (struct placement_ask){
        .pool = instance->pool,
        .blueprint = instance->blueprint,
        .amount = instance_amount(instance),
        .owner = instance->owner,
        .avoid = instance->attempts > 0 ? idmap_find(&engine->model->hosts, instance->last_host_id)
                                        : NULL,
    };
}

bool
sweep_try(struct engine *engine, struct instance *instance)
{
    struct model *model = engine->model;
    struct placement_ask ask;
    struct placement_why why = { 0 };
    struct host *host = NULL;
    int64_t now_ms = state_now_ms(engine);

    /* After a restore it may run already, on a host that was not yet looked at. */
    if (engine->info.restored)
        return false;
    sweep_ask(engine, instance, &ask);
    if (placement_pick(model->placement, &ask, &host, &why) != PLACEMENT_OK)
        return false;
    meter_add(&engine->meter.steps[METER_QUEUE], (now_ms - instance->moved_at_ms) * 1000);
    engine->meter.placements++;
    model_instance_place(model, instance, host, NULL, now_ms);
    turn_decision_add(engine, instance, explain_decision(engine, instance, &ask, &why));
    launch_start(engine, instance);
    return true;
}

/* Waiting for room, it keeps its place; waiting for a host to come back, it is in nobody's way. */
static void
sweep_skip(struct engine *engine, struct instance *instance, struct queue_sweep *sweep)
{
    struct placement_ask ask;

    sweep_ask(engine, instance, &ask);
    if (placement_has_host(engine->model->placement, &ask))
        queue_passed_over(engine->model->queue, instance, sweep, state_now_ms(engine));
    else
        queue_set_aside(engine->model->queue, instance, sweep);
}

static uint32_t
sweep_pool(struct engine *engine, const struct pool *pool, uint32_t most)
{
    struct queue_sweep sweep = { 0 };
    struct instance *instance;
    int64_t now_ms = state_now_ms(engine);
    uint32_t placed = 0;

    while (placed < most && (instance = queue_next(engine->model->queue, pool, &sweep, now_ms))) {
        if (sweep_try(engine, instance))
            placed++;
        else
            sweep_skip(engine, instance, &sweep);
    }
    return placed;
}

void
sweep_queues(struct engine *engine)
{
    uint32_t left = SWEEP_TURN_MAX;

    if (!engine->sweep_needed || engine->health != ENGINE_SERVING || engine->reloading ||
        engine->info.restored)
        return;
    engine->sweep_needed = false;
    IDMAP_EACH(&engine->model->pools, struct pool, pool)
    {
        if (queue_length(engine->model->queue, pool) > 0)
            left -= sweep_pool(engine, pool, left);
    }
    if (left == 0)
        state_sweep(engine);
}
