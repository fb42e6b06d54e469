#include "berth/domain/forecast.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

enum { FORECAST_HOUR_MS = 3600000 };

/* Above all ids of rows. */
#define FORECAST_ID_MIN (INT64_MAX - INT64_C(1000000))

void
forecast_init(struct forecast *forecast, const struct policy_view *view)
{
    *forecast = (struct forecast){
        .view = *view,
        .pool = *view->pool,
        .room = view->host_count + (size_t)FORECAST_ROUNDS_MAX * POLICY_ACTIONS_MAX,
    };
    forecast->hosts = mem_new0(forecast->room * sizeof(*forecast->hosts));
    if (view->host_count > 0)
        memcpy(forecast->hosts, view->hosts, view->host_count * sizeof(*forecast->hosts));
    forecast->view.hosts = forecast->hosts;
    forecast->view.pool = &forecast->pool;
}

void
forecast_fini(struct forecast *forecast)
{
    mem_free(STEAL(forecast->hosts));
}

static struct policy_host *
forecast_host(struct forecast *forecast, int64_t id)
{
    for (size_t i = 0; i < forecast->view.host_count; i++) {
        if (forecast->hosts[i].id == id)
            return &forecast->hosts[i];
    }
    return NULL;
}

static void
forecast_serve(const struct forecast *forecast, struct policy_host *host)
{
    host->state = HOST_ACTIVE;
    host->stage = MACHINE_READY;
    host->cause = CAUSE_NONE;
    host->active_at_ms = forecast->view.now_ms;
    host->takes_work = true;
    host->ends_at_ms = 0;
}

static void
forecast_spawn(struct forecast *forecast, const struct policy_action *action)
{
    const struct pool_machine *machine =
        &((const struct pool_machine *)forecast->pool.machines.at)[action->machine];
    size_t count = forecast->view.host_count;

    if (count == forecast->room)
        return;
    forecast->hosts[count] = (struct policy_host){
        .id = FORECAST_ID_MIN + forecast->spawned++,
        .name = "the new host",
        .state = HOST_SPAWNED,
        .stage = MACHINE_BOOTING,
        .capacity = policy_machine_capacity(&forecast->pool, machine),
        .machine = action->machine,
        .created_at_ms = forecast->view.now_ms,
        .price_micro = machine->price_micro,
        .launched_at_ms = forecast->view.now_ms,
        .warm = action->warm,
    };
    forecast->view.host_count++;
    if (forecast->view.launches++ == 0)
        forecast->view.launches_free_at_ms = forecast->view.now_ms + FORECAST_HOUR_MS;
    forecast->pool.grown_at_ms = forecast->view.now_ms;
}

static void
forecast_act(struct forecast *forecast, const struct policy_action *action)
{
    struct policy_host *host = forecast_host(forecast, action->host_id);

    if (action->kind == POLICY_SPAWN) {
        forecast_spawn(forecast, action);
        return;
    }
    if (!host)
        return;
    switch (action->kind) {
    case POLICY_PREPARE:
        host->stage = MACHINE_PREPARING;
        break;
    case POLICY_ACTIVATE:
        forecast_serve(forecast, host);
        forecast->pool.grown_at_ms = forecast->view.now_ms;
        break;
    case POLICY_WAKE:
        host->warm = false;
        host->stage = MACHINE_PREPARING;
        host->launched_at_ms = forecast->view.now_ms;
        break;
    case POLICY_REMOVE:
        host->stage = MACHINE_RETURNING;
        break;
    case POLICY_DRAIN:
    case POLICY_INACTIVATE:
        host->state = HOST_INACTIVE;
        host->cause = (int32_t)action->cause;
        host->ends_at_ms = action->ends_at_ms;
        break;
    case POLICY_SPAWN:
    case POLICY_KIND_COUNT:
        break;
    }
}

/* What is under way has ended. Return: whether the host is still there. */
static bool
forecast_pass(const struct forecast *forecast, struct policy_host *host)
{
    bool over = host->ends_at_ms > 0 && forecast->view.now_ms >= host->ends_at_ms;

    host->busy = false;
    if (host->stage == MACHINE_RETURNING)
        return false;
    if (host->state == HOST_SPAWNED && host->stage == MACHINE_PREPARING && host->warm) {
        host->stage = MACHINE_WARM;
        host->launched_at_ms = 0;
    } else if (host->state == HOST_SPAWNED && host->stage == MACHINE_PREPARING) {
        forecast_serve(forecast, host);
    } else if (host->state == HOST_SPAWNED && host->stage < MACHINE_UP) {
        host->stage = MACHINE_UP;
    }
    if (host->state == HOST_INACTIVE && over) {
        host->instances = 0;
        host->movable = 0;
        host->reserved = (struct host_amount){ 0 };
    }
    return true;
}

void
forecast_step(struct forecast *forecast, const struct policy_plan *plan, int64_t step_ms)
{
    struct policy_view *view = &forecast->view;
    size_t kept = 0;

    assert(step_ms > 0);
    for (size_t i = 0; i < plan->count; i++)
        forecast_act(forecast, &plan->actions[i]);
    view->now_ms += step_ms;
    for (size_t i = 0; i < view->host_count; i++) {
        if (forecast_pass(forecast, &forecast->hosts[i]))
            forecast->hosts[kept++] = forecast->hosts[i];
    }
    view->host_count = kept;
    if (view->demand.count > 0)
        view->demand.oldest_ms += step_ms;
    /* Of the launches of the last hour only the oldest is dated: when it leaves, all do. */
    if (view->launches_free_at_ms > 0 && view->now_ms >= view->launches_free_at_ms) {
        view->launches = 0;
        view->launches_free_at_ms = 0;
    }
}

static bool
forecast_is_under_way(const struct policy_host *host)
{
    return host->busy || host->stage == MACHINE_RETURNING ||
           (host->state == HOST_SPAWNED && host->stage < MACHINE_READY);
}

int64_t
forecast_step_ms(const struct forecast *forecast, const struct policy_plan *plan, int64_t round_ms)
{
    int64_t left_ms = plan->next_at_ms - forecast->view.now_ms;
    bool goes_on = plan->count > 0;

    for (size_t i = 0; i < forecast->view.host_count; i++)
        goes_on |= forecast_is_under_way(&forecast->hosts[i]);
    if (goes_on || (plan->next_at_ms > 0 && left_ms <= 0))
        return round_ms;
    return plan->next_at_ms > 0 ? left_ms : 0;
}
