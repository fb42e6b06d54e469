/* The coming rounds: each plan is carried out on a copy, as if all went well. */

#include <assert.h>
#include <string.h>

#include "berth/domain/cost.h"

#include "policy_round.h"

enum { FORECAST_STEPS_MAX = 200, FORECAST_HOUR_MS = 3600000 };

/* The copy that is worked on. */
struct forecast_world {
    struct policy_forecast *forecast;
    struct policy_view view;
    struct pool pool; /* a shallow copy: what it points to is borrowed */
    struct policy_host *hosts;
    int64_t launched;
};

static void
forecast_take(struct policy_host *host, const struct host_amount *amount, int sign)
{
    host->reserved.memory_bytes += sign * amount->memory_bytes;
    host->reserved.cpus_milli += sign * amount->cpus_milli;
    host->reserved.slots += sign * amount->slots;
    host->instances += (uint32_t)sign;
}

/* Put one instance of @amount where there is room. Return: false when there is none. */
static bool
forecast_place(struct forecast_world *world, const struct host_amount *amount, bool movable)
{
    for (size_t i = 0; i < world->view.host_count; i++) {
        struct policy_host *host = &world->hosts[i];
        struct host_amount room = policy_room(host);

        if (!policy_counts(&world->view, host) || !policy_holds(&room, amount))
            continue;
        forecast_take(host, amount, 1);
        host->movable += movable;
        host->uses++;
        if (host->first_used_at_ms == 0)
            host->first_used_at_ms = world->view.now_ms;
        return true;
    }
    return false;
}

/* Of the same size each, since their sizes are not known. */
static struct host_amount
forecast_share(const struct host_amount *sum, uint32_t count)
{
    return (struct host_amount){
        .memory_bytes = sum->memory_bytes / count,
        .cpus_milli = sum->cpus_milli / count,
        .slots = sum->slots / count,
    };
}

static void
forecast_place_waiting(struct forecast_world *world)
{
    struct policy_demand *demand = &world->view.demand;

    while (demand->count > 0) {
        struct host_amount each = forecast_share(&demand->sum, demand->count);

        if (!forecast_place(world, &each, true))
            return;
        demand->sum.memory_bytes -= each.memory_bytes;
        demand->sum.cpus_milli -= each.cpus_milli;
        demand->sum.slots -= each.slots;
        if (--demand->count == 0)
            demand->largest = (struct host_amount){ 0 };
    }
}

static void
forecast_move(struct forecast_world *world, struct policy_host *host)
{
    while (host->movable > 0 && host->instances > 0) {
        struct host_amount each = forecast_share(&host->reserved, host->instances);

        if (!forecast_place(world, &each, true))
            return;
        forecast_take(host, &each, -1);
        host->movable--;
    }
}

/* --- Actions -------------------------------------------------------------------------------------- */

static struct policy_host *
forecast_find(struct forecast_world *world, int64_t id)
{
    for (size_t i = 0; i < world->view.host_count; i++) {
        if (world->hosts[i].id == id)
            return &world->hosts[i];
    }
    return NULL;
}

static void
forecast_spawn(struct forecast_world *world, int32_t machine)
{
    const struct pool_machine *machines = world->pool.machines.at;
    struct policy_host *host = &world->hosts[world->view.host_count];

    if (world->view.host_count == POLICY_FORECAST_HOSTS_MAX)
        return;
    *host = (struct policy_host){
        .id = POLICY_FORECAST_ID + world->launched++,
        .name = "",
        .state = HOST_SPAWNED,
        .stage = MACHINE_BOOTING,
        .machine = machine,
        .capacity = policy_machine_capacity(&world->pool, &machines[machine]),
        .price_micro = machines[machine].price_micro,
        .created_at_ms = world->view.now_ms,
        .launched_at_ms = world->view.now_ms,
    };
    world->view.host_count++;
    world->view.launches++;
    if (world->view.launches_free_at_ms == 0)
        world->view.launches_free_at_ms = world->view.now_ms + FORECAST_HOUR_MS;
    world->pool.grown_at_ms = world->view.now_ms;
}

static void
forecast_remove(struct forecast_world *world, struct policy_host *host)
{
    struct policy_host *end = &world->hosts[world->view.host_count];
    int64_t from_ms = cost_month_start_ms(world->view.now_ms);

    if (from_ms < host->launched_at_ms)
        from_ms = host->launched_at_ms;
    if (host->launched_at_ms > 0) {
        int64_t cost = cost_of_micro(host->price_micro, world->view.now_ms - from_ms);

        world->pool.spent_micro = cost_add_micro(world->pool.spent_micro, cost);
    }
    memmove(host, host + 1, (size_t)(end - (host + 1)) * sizeof(*host));
    world->view.host_count--;
}

static void
forecast_activate(struct forecast_world *world, struct policy_host *host)
{
    if (host->state == HOST_SPAWNED)
        host->active_at_ms = world->view.now_ms;
    host->state = HOST_ACTIVE;
    host->stage = MACHINE_READY;
    host->cause = CAUSE_NONE;
    host->takes_work = true;
}

static void
forecast_act(struct forecast_world *world, const struct policy_action *action)
{
    struct policy_host *host = forecast_find(world, action->host_id);

    if (action->kind == POLICY_SPAWN) {
        forecast_spawn(world, action->machine);
        return;
    }
    assert(host);
    switch (action->kind) {
    case POLICY_ACTIVATE:
        world->pool.grown_at_ms = world->view.now_ms;
        forecast_activate(world, host);
        break;
    case POLICY_PREPARE:
        forecast_activate(world, host);
        break;
    case POLICY_REMOVE:
        forecast_remove(world, host);
        break;
    default:
        host->state = HOST_INACTIVE;
        host->cause = (int32_t)action->cause;
        host->ends_at_ms = action->ends_at_ms;
        break;
    }
}

/* --- Time ----------------------------------------------------------------------------------------- */

/* When something is due on @host by itself; INT64_MAX: never. */
static int64_t
forecast_due_ms(const struct forecast_world *world, const struct policy_host *host)
{
    if (host->state == HOST_SPAWNED && host->stage < MACHINE_UP)
        return host->created_at_ms + world->forecast->boot_ms;
    if (host->busy || (host->state == HOST_SPAWNED && host->stage > MACHINE_UP))
        return world->view.now_ms;
    if (host->state == HOST_INACTIVE && host->instances > 0 && host->ends_at_ms > 0)
        return host->ends_at_ms;
    return INT64_MAX;
}

/* What is due by now has happened. */
static void
forecast_settle(struct forecast_world *world)
{
    for (size_t i = 0; i < world->view.host_count; i++) {
        struct policy_host *host = &world->hosts[i];

        if (forecast_due_ms(world, host) > world->view.now_ms)
            continue;
        if (host->state == HOST_SPAWNED && host->stage < MACHINE_UP) {
            host->stage = MACHINE_UP;
        } else if (host->state == HOST_SPAWNED) {
            forecast_activate(world, host); /* it was being prepared */
        } else if (host->state == HOST_INACTIVE && host->ends_at_ms > 0) {
            host->instances = 0;
            host->movable = 0;
            host->reserved = (struct host_amount){ 0 };
        }
        host->busy = false;
    }
    forecast_place_waiting(world);
    for (size_t i = 0; i < world->view.host_count; i++) {
        if (world->hosts[i].state == HOST_INACTIVE)
            forecast_move(world, &world->hosts[i]);
    }
}

/* The round after the one of @plan; INT64_MAX: there is nothing to come. */
static int64_t
forecast_next_ms(const struct forecast_world *world, const struct policy_plan *plan)
{
    int64_t soon_ms = world->view.now_ms + world->forecast->interval_ms;
    int64_t next_ms = plan->next_at_ms > 0 ? plan->next_at_ms : INT64_MAX;

    if (plan->count > 0)
        return soon_ms;
    for (size_t i = 0; i < world->view.host_count; i++) {
        int64_t due_ms = forecast_due_ms(world, &world->hosts[i]);

        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    return next_ms > soon_ms ? next_ms : soon_ms;
}

/* The launches of the last hour become free as a whole, an hour after the last of them. */
static void
forecast_go(struct forecast_world *world, int64_t to_ms)
{
    struct policy_view *view = &world->view;

    view->now_ms = to_ms;
    if (view->launches_free_at_ms > 0 && view->launches_free_at_ms <= to_ms) {
        view->launches = 0;
        view->launches_free_at_ms = 0;
    }
    if (world->pool.spent_month != cost_month(to_ms)) {
        world->pool.spent_month = cost_month(to_ms);
        world->pool.spent_micro = 0;
    }
}

void
policy_forecast_make(struct policy_forecast *forecast)
{
    const struct policy_view *view = forecast->view;
    struct forecast_world world = {
        .forecast = forecast,
        .view = *view,
        .pool = *view->pool,
        .hosts = forecast->hosts,
    };
    struct policy_plan *last = &forecast->rounds[0];

    assert(forecast->round_max > 0 && forecast->round_max <= POLICY_FORECAST_ROUNDS_MAX);
    assert(forecast->interval_ms > 0);
    policy_plan_make(view, last);
    forecast->round_count = 1;
    if (view->host_count >= POLICY_FORECAST_HOSTS_MAX)
        return;
    memcpy(forecast->hosts, view->hosts, view->host_count * sizeof(*view->hosts));
    world.view.hosts = forecast->hosts;
    world.view.pool = &world.pool;
    for (int i = 0; i < FORECAST_STEPS_MAX; i++) {
        int64_t next_ms;

        for (size_t j = 0; j < last->count; j++)
            forecast_act(&world, &last->actions[j]);
        next_ms = forecast_next_ms(&world, last);
        if (forecast->round_count == forecast->round_max || next_ms > forecast->until_ms)
            return;
        forecast_go(&world, next_ms);
        forecast_settle(&world);
        last = &forecast->rounds[forecast->round_count];
        policy_plan_make(&world.view, last);
        forecast->round_count += last->count > 0;
    }
}
