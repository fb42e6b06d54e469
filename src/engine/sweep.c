#include "sweep.h"

#include "explain.h"
#include "housekeeping.h"
#include "judge.h"
#include "launch.h"
#include "outlook.h"
#include "trust.h"
#include "turn.h"

enum { SWEEP_MISFIT_MS = 60000 }; /* hosts may be on their way */

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

static bool
sweep_place(struct engine *engine, struct instance *instance, const struct placement_ask *ask,
            struct placement_why *ret_why)
{
    struct model *model = engine->model;
    struct host *host = NULL;
    int64_t now_ms = state_now_ms(engine);

    if (placement_pick(model->placement, ask, &host, ret_why) != PLACEMENT_OK)
        return false;
    meter_add(&engine->meter.steps[METER_QUEUE], (now_ms - instance->moved_at_ms) * 1000);
    engine->meter.placements++;
    instance->blueprint->misfit = NULL;
    model_instance_place(model, instance, host, NULL, now_ms);
    judge_placed(instance);
    trust_work_changed(engine, host);
    turn_decision_add(engine, instance, explain_decision(engine, instance, ask, ret_why));
    launch_start(engine, instance);
    return true;
}

bool
sweep_try(struct engine *engine, struct instance *instance)
{
    struct placement_ask ask;
    struct placement_why why = { 0 };

    /* After a restore it may run already, on a host that was not yet looked at. */
    if (engine->info.restored || judge_holds(engine, instance))
        return false;
    sweep_ask(engine, instance, &ask);
    return sweep_place(engine, instance, &ask, &why);
}

/* No host of the pool could hold it, were it empty, and that has been so for a while. */
static bool
sweep_is_hopeless(struct engine *engine, const struct instance *instance,
                  const struct placement_ask *ask)
{
    struct blueprint *blueprint = instance->blueprint;
    int64_t mono_ms = state_mono_ms(engine);

    if (outlook_could_ever(engine, ask)) {
        blueprint->misfit = NULL;
        return false;
    }
    if (blueprint->misfit != ask->pool) {
        blueprint->misfit = ask->pool;
        blueprint->misfit_mono_ms = mono_ms;
    }
    return mono_ms - blueprint->misfit_mono_ms >= SWEEP_MISFIT_MS &&
           state_now_ms(engine) - instance->moved_at_ms >= SWEEP_MISFIT_MS;
}

static void
sweep_give_up(struct engine *engine, struct instance *instance)
{
    CLEANUP(mem_freep)
    char *why =
        mem_printf("no host of pool %s could ever hold it (memory, cpus, slots or labels), even "
                   "when empty",
                   instance->pool->name);

    model_instance_move(engine->model, instance, INSTANCE_EV_FAILED, why, state_now_ms(engine));
}

/* Room would help on some host, were it there. */
static bool
sweep_wants_room(const struct placement_why *why)
{
    return why->counts[PLACEMENT_LEFT] > 0 || why->counts[PLACEMENT_MEMORY] > 0 ||
           why->counts[PLACEMENT_CPUS] > 0 || why->counts[PLACEMENT_SLOTS] > 0;
}

/* Waiting for room, it keeps its place; waiting for a host to come back, it is in nobody's way.
 * Return: whether it does not wait any more. */
static bool
sweep_skip(struct engine *engine, struct instance *instance, const struct placement_ask *ask,
           const struct placement_why *why, struct queue_sweep *sweep)
{
    struct queue *queue = engine->model->queue;

    if (sweep_is_hopeless(engine, instance, ask)) {
        sweep_give_up(engine, instance);
        return true;
    }
    if (!placement_has_host(engine->model->placement, ask)) {
        queue_set_aside(queue, instance, sweep);
    } else if (sweep_wants_room(why)) {
        queue_passed_over(queue, instance, sweep, state_now_ms(engine));
    } else {
        queue_stand_by(queue, instance);
    }
    return false;
}

/* Return: whether @instance does not wait any more. */
static bool
sweep_one(struct engine *engine, struct instance *instance, struct queue_sweep *sweep)
{
    const struct blueprint *leave[QUEUE_HOLDS_MAX];
    struct placement_ask ask;
    struct placement_why why = { 0 };

    sweep_ask(engine, instance, &ask);
    ask.leave = leave;
    ask.leave_count = queue_leave(sweep, instance, leave);
    return sweep_place(engine, instance, &ask, &why) ||
           sweep_skip(engine, instance, &ask, &why, sweep);
}

static uint32_t
sweep_pool(struct engine *engine, struct pool *pool, uint32_t most)
{
    const struct placement_ask any = { .pool = pool };
    struct queue_sweep sweep = { 0 };
    struct instance *instance;
    int64_t now_ms = state_now_ms(engine);
    uint32_t served = 0;

    if (!placement_has_host(engine->model->placement, &any))
        return 0; /* whoever waits there waits for hosts */
    while (served < most && (instance = queue_next(engine->model->queue, pool, &sweep, now_ms))) {
        served += sweep_one(engine, instance, &sweep);
    }
    return served;
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
        if (queue_length(engine->model->queue, pool) == 0)
            continue;
        left -= sweep_pool(engine, pool, left);
        /* What came back to the queue wants a host as much as what is new. */
        if (pool_provider_rents(pool->provider) && queue_length(engine->model->queue, pool) > 0)
            housekeeping_poke(engine);
    }
    if (left == 0)
        state_sweep(engine);
}
