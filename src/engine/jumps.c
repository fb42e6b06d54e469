#include "jumps.h"

/* In order of time. */
static void jumps_wait(struct engine *engine);
static void jumps_on_durable(struct engine_wait *wait, const struct fault *fault);

static void
jumps_move(int64_t *at_ms, int64_t by_ms)
{
    if (*at_ms > 0)
        *at_ms += by_ms;
}

static void
jumps_host(struct engine *engine, struct host *host, int64_t by_ms)
{
    if (host->state == HOST_REMOVED)
        return;
    jumps_move(&host->created_at_ms, by_ms);
    jumps_move(&host->active_at_ms, by_ms);
    jumps_move(&host->first_used_at_ms, by_ms);
    jumps_move(&host->ends_at_ms, by_ms);
    jumps_move(&host->score.at_ms, by_ms);
    if (host->machine) {
        jumps_move(&host->machine->launched_at_ms, by_ms);
        jumps_move(&host->machine->stage_at_ms, by_ms);
    }
    if (host->trial) {
        jumps_move(&host->trial->since_ms, by_ms);
        jumps_move(&host->trial->canary_at_ms, by_ms);
    }
    model_host_touch(engine->model, host, state_now_ms(engine));
}

static void
jumps_apply(struct engine *engine, int64_t by_ms)
{
    char span[32];

    IDMAP_EACH(&engine->model->pools, struct pool, pool)
    {
        jumps_move(&pool->grown_at_ms, by_ms);
        jumps_move(&pool->setback.last_at_ms, by_ms);
        model_pool_save(engine->model, pool);
    }
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (operation->state != OPERATION_RUNNING || operation->ends_at_ms == 0)
            continue;
        jumps_move(&operation->ends_at_ms, by_ms);
        model_operation_touch(engine->model, operation);
    }
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        jumps_host(engine, host, by_ms);
    }
    state_event(engine, "clock.set", NULL, NULL,
                "the wall clock was put %s by %s: ages of hosts move along",
                by_ms > 0 ? "forward" : "back", text_duration(by_ms > 0 ? by_ms : -by_ms, span));
}

static void
jumps_wait(struct engine *engine)
{
    struct jumps *jumps = &engine->jumps;

    if (jumps->waiting)
        return;
    jumps->waiting = true;
    jumps->waited_ms = jumps->ahead_ms;
    jumps->wait.done = jumps_on_durable;
    engine_wait_durable(engine, &jumps->wait);
}

/* The rows were moved further while they were waited for. */
static void
jumps_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct jumps *jumps = CONTAINER_OF(wait, struct jumps, wait);
    struct engine *engine = CONTAINER_OF(jumps, struct engine, jumps);

    jumps->waiting = false;
    if (fault)
        return;
    jumps->durable_ms = jumps->waited_ms;
    if (jumps->durable_ms != jumps->ahead_ms)
        jumps_wait(engine);
}

void
jumps_check(struct engine *engine)
{
    struct jumps *jumps = &engine->jumps;
    int64_t ahead_ms = state_now_ms(engine) - state_mono_ms(engine);
    int64_t by_ms = ahead_ms - jumps->ahead_ms;

    if (!jumps->known) {
        jumps->known = true;
        jumps->ahead_ms = jumps->durable_ms = ahead_ms;
        return;
    }
    if (by_ms > -JUMPS_LEAST_MS && by_ms < JUMPS_LEAST_MS)
        return;
    jumps->ahead_ms = ahead_ms;
    jumps_apply(engine, by_ms);
    jumps_wait(engine);
}

void
jumps_reloaded(struct engine *engine)
{
    engine->jumps.ahead_ms = engine->jumps.durable_ms;
}
