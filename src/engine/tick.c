#include "tick.h"

#include "bury.h"
#include "departures.h"
#include "housekeeping.h"
#include "idle.h"
#include "judge.h"
#include "jumps.h"
#include "lane.h"
#include "recover.h"
#include "registry.h"
#include "shutdown.h"
#include "turn.h"
#include "upkeep.h"

enum {
    TICK_MS = 1000,
    PRUNE_MAX = 2000,                /* rows dropped in one round */
    TICK_HOST_KEEP_MIN_MS = 3600000, /* launches of the last hour are counted in the rows */
};

static void
tick_end_announce(struct engine *engine, struct instance *instance)
{
    char grace[32];

    instance->end_announced = true;
    state_event(engine, "instance.ending", instance->host, instance,
                "its lifetime has passed; it is stopped in %s unless it is extended",
                text_duration(instance->blueprint->spec.end_grace_ms, grace));
    model_instance_reason_set(engine->model, instance, "its lifetime has passed; it stops soon");
    model_instance_touch(engine->model, instance);
}

/* Announced at its end, stopped after the grace. Return: when to look at it again; 0: never. */
static int64_t
tick_end_check(struct engine *engine, struct instance *instance, int64_t now_ms)
{
    int64_t grace_ms = instance->blueprint->spec.end_grace_ms;
    struct fault fault;

    if (instance->ends_at_ms == 0 || instance->desired != INSTANCE_RUNNING)
        return 0;
    if (now_ms < instance->ends_at_ms)
        return instance->ends_at_ms;
    if (!instance->end_announced && grace_ms > 0)
        tick_end_announce(engine, instance);
    if (now_ms < instance->ends_at_ms + grace_ms)
        return instance->ends_at_ms + grace_ms;
    (void)engine_instance_stop(engine, instance, "its lifetime has passed", &fault);
    return 0;
}

static void
tick_ends(struct engine *engine)
{
    int64_t now_ms = state_now_ms(engine);
    int64_t next_ms = 0;

    if (engine->next_end_ms > now_ms)
        return;
    IDMAP_EACH(&engine->model->instances, struct instance, instance)
    {
        int64_t at_ms = tick_end_check(engine, instance, now_ms);

        if (at_ms > 0 && (next_ms == 0 || at_ms < next_ms))
            next_ms = at_ms;
    }
    engine->next_end_ms = next_ms > 0 ? next_ms : INT64_MAX;
}

static void
tick_on_second(struct clock_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, tick_timer);

    state_timer_set(engine, &engine->tick_timer, TICK_MS);
    if (engine->reloading || engine->health == ENGINE_BROKEN)
        return;
    jumps_check(engine);
    tick_ends(engine);
    departures_check(engine);
    shutdown_check(engine);
    judge_tick(engine);
}

/* Ended instances beyond the limits go, the oldest first. */
static void
tick_prune_instances(struct engine *engine, int64_t now_ms)
{
    const struct engine_retention *keep = &engine->config.retention;
    struct model *model = engine->model;
    int64_t ended =
        model->instance_counts[INSTANCE_STOPPED] + model->instance_counts[INSTANCE_FAILED];
    int64_t dropped = 0;
    int64_t id = 0;
    struct instance *instance;

    while (dropped < PRUNE_MAX && (instance = idmap_after(&model->instances, id, &id))) {
        if (!instance_state_is_final(instance->state))
            continue;
        if (ended <= keep->instances_max && now_ms - instance->ended_at_ms < keep->instances_ms)
            continue;
        model_instance_drop(model, instance);
        ended--;
        dropped++;
    }
}

static void
tick_prune_rest(struct engine *engine, int64_t now_ms)
{
    const struct engine_retention *keep = &engine->config.retention;
    int64_t hosts_ms =
        keep->hosts_ms > TICK_HOST_KEEP_MIN_MS ? keep->hosts_ms : TICK_HOST_KEEP_MIN_MS;
    struct model *model = engine->model;
    struct operation *operation;
    struct host *host;
    int64_t id = 0;

    while ((operation = idmap_after(&model->operations, id, &id))) {
        if (operation->ended_at_ms > 0 && now_ms - operation->ended_at_ms > keep->operations_ms)
            model_operation_drop(model, operation);
    }
    id = 0;
    if (model->host_counts[HOST_REMOVED] == 0)
        return;
    while ((host = idmap_after(&model->hosts, id, &id))) {
        if (host->state == HOST_REMOVED && now_ms - host->removed_at_ms > hosts_ms)
            model_host_drop(model, host);
    }
}

void
tick_housekeep(struct engine *engine)
{
    const struct engine_retention *keep = &engine->config.retention;
    int64_t now_ms = state_now_ms(engine);
    const struct store_retention retention = {
        .events_max = keep->events_max,
        .events_before_ms = now_ms - keep->events_ms,
        .logs_before_ms = now_ms - keep->logs_ms,
        .logs_bytes_max = keep->logs_bytes_max,
        .steps_bytes_max = keep->steps_bytes_max,
        .answers_before_ms = now_ms - keep->answers_ms,
        .decisions_before_ms = now_ms - keep->instances_ms,
    };

    tick_prune_instances(engine, now_ms);
    tick_prune_rest(engine, now_ms);
    engine->ports.store->put_retention(turn_batch(engine), &retention);
    idle_check(engine);
    registry_tidy(engine);
    state_sweep(engine);
    upkeep_round(engine);
    housekeeping_round(engine);
}

static void
tick_on_housekeeping(struct clock_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, housekeeping_timer);

    state_timer_set(engine, &engine->housekeeping_timer, engine->config.housekeeping_ms);
    if (!engine->reloading && engine->health != ENGINE_BROKEN)
        tick_housekeep(engine);
}

void
tick_start(struct engine *engine)
{
    engine->next_end_ms = 0;
    engine->tick_timer.fire = tick_on_second;
    engine->housekeeping_timer.fire = tick_on_housekeeping;
    state_timer_set(engine, &engine->tick_timer, TICK_MS);
    state_timer_set(engine, &engine->housekeeping_timer, engine->config.housekeeping_ms);
}

void
tick_stop(struct engine *engine)
{
    state_timer_clear(engine, &engine->tick_timer);
    state_timer_clear(engine, &engine->housekeeping_timer);
}
