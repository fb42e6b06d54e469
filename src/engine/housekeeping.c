#include "housekeeping.h"

#include "departures.h"
#include "inventory.h"
#include "jumps.h"
#include "lane.h"
#include "mind.h"
#include "outlook.h"
#include "prepare.h"
#include "rounds.h"
#include "spawn.h"
#include "warm.h"

enum { HOUSEKEEPING_NOTICE_MS = 60000 /* what is left to move when a machine is taken back */ };

/* In order of time. */
static void housekeeping_on_timer(struct clock_timer *timer);
static void housekeeping_plan_all(struct engine *engine, bool all);
static void housekeeping_plan(struct engine *engine, struct pool *pool);
static void housekeeping_holds_tell(struct mind *mind, const struct policy_plan *plan);
static bool housekeeping_act(struct engine *engine, struct pool *pool,
                             const struct policy_action *action);

static bool
housekeeping_may_plan(const struct engine *engine)
{
    return engine->started && !engine->reloading && engine->health == ENGINE_SERVING &&
           !engine->info.restored;
}

bool
housekeeping_is_reading(const struct engine *engine)
{
    return engine->housekeeping.reading;
}

void
housekeeping_round(struct engine *engine)
{
    struct housekeeping *house = &engine->housekeeping;

    if (house->reading || !housekeeping_may_plan(engine))
        return;
    house->reading = true;
    house->began_mono_ms = state_mono_ms(engine);
    house->listings = 0;
    IDMAP_EACH(&engine->model->pools, struct pool, pool)
    {
        if (pool_provider_rents(pool->provider))
            house->listings += inventory_list(mind_of(engine, pool));
    }
    house->timer.fire = housekeeping_on_timer;
    if (house->listings > 0) {
        state_timer_set(engine, &house->timer, HOUSEKEEPING_DEADLINE_MS);
    } else {
        housekeeping_plan_all(engine, true);
    }
}

void
housekeeping_on_listed(struct engine *engine)
{
    struct housekeeping *house = &engine->housekeeping;

    if (house->reading && house->listings > 0 && --house->listings == 0) {
        housekeeping_plan_all(engine, true);
    } else {
        housekeeping_poke(engine);
    }
}

void
housekeeping_poke(struct engine *engine)
{
    struct housekeeping *house = &engine->housekeeping;
    int64_t in_ms = house->planned_mono_ms + HOUSEKEEPING_PAUSE_MS - state_mono_ms(engine);

    if (house->timer.at_mono_ms != 0 || !housekeeping_may_plan(engine))
        return;
    house->timer.fire = housekeeping_on_timer;
    state_timer_set(engine, &house->timer, in_ms > 0 ? in_ms : 0);
}

static void
housekeeping_on_timer(struct clock_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, housekeeping.timer);

    if (housekeeping_may_plan(engine))
        housekeeping_plan_all(engine, engine->housekeeping.reading);
}

void
housekeeping_stop(struct engine *engine)
{
    state_timer_clear(engine, &engine->housekeeping.timer);
    engine->housekeeping.reading = false;
    engine->housekeeping.planned_mono_ms = 0;
}

/* What happened between two rounds matters to pools that can grow: the others wait for their round. */
static void
housekeeping_plan_all(struct engine *engine, bool all)
{
    struct housekeeping *house = &engine->housekeeping;

    jumps_check(engine);
    state_timer_clear(engine, &house->timer);
    house->planned_mono_ms = state_mono_ms(engine);
    if (house->reading)
        meter_add(&engine->meter.rounds, (house->planned_mono_ms - house->began_mono_ms) * 1000);
    house->reading = false;
    IDMAP_EACH(&engine->model->pools, struct pool, pool)
    {
        if (all || pool_provider_rents(pool->provider))
            housekeeping_plan(engine, pool);
    }
    rounds_planned(engine);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
}

/* The policy says when the life of a host that was never used begins. */
static void
housekeeping_lives_begin(struct engine *engine, struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->view.host_count; i++) {
        struct policy_host *known = &outlook->hosts[i];
        struct host *host;

        if (!policy_life_begins(&outlook->view, known))
            continue;
        host = idmap_find(&engine->model->hosts, known->id);
        host->first_used_at_ms = known->first_used_at_ms = outlook->view.now_ms;
        model_host_touch(engine->model, host, outlook->view.now_ms);
    }
}

static void
housekeeping_low_set(struct engine *engine, const struct policy_view *view)
{
    for (size_t i = 0; i < view->host_count; i++) {
        struct host *host = idmap_find(&engine->model->hosts, view->hosts[i].id);
        bool low = policy_is_low(view, &view->hosts[i]);

        if (host->low == low)
            continue;
        host->low = low;
        model_host_seen(engine->model, host, state_now_ms(engine));
    }
}

static void
housekeeping_plan(struct engine *engine, struct pool *pool)
{
    struct policy_plan *plan = mem_new0(sizeof(*plan));
    struct outlook outlook;

    mind_hosts_check(mind_of(engine, pool));
    outlook_init(engine, pool, &outlook);
    housekeeping_lives_begin(engine, &outlook);
    policy_plan_make(&outlook.view, plan);
    engine_status_planned(mind_of(engine, pool), &outlook.view, plan);
    housekeeping_low_set(engine, &outlook.view);
    outlook_fini(&outlook);
    housekeeping_holds_tell(mind_of(engine, pool), plan);
    (void)housekeeping_carry_out(engine, pool, plan);
    mem_free(plan);
}

/* --- What holds back growth ----------------------------------------------------------------------- */

static void
housekeeping_holds_tell(struct mind *mind, const struct policy_plan *plan)
{
    struct engine *engine = mind->engine;
    uint32_t now = 0;

    for (size_t i = 0; i < plan->held_count; i++) {
        const struct policy_held *held = &plan->held[i];
        uint32_t bit = UINT32_C(1) << held->hold;

        if (!(mind->holds_told & bit)) {
            state_pool_event(engine, "pool.held", mind->pool, "%s: %s",
                             policy_hold_name(held->hold), held->text);
        }
        now |= bit;
    }
    for (int hold = 0; hold < HOLD_COUNT; hold++) {
        if ((mind->holds_told & ~now) & (UINT32_C(1) << hold)) {
            state_pool_event(engine, "pool.hold_ended", mind->pool, "%s holds back growth no more",
                             policy_hold_name((enum policy_hold)hold));
        }
    }
    mind->holds_told = now;
}

/* --- Carrying out ----------------------------------------------------------------------------------- */

size_t
housekeeping_carry_out(struct engine *engine, struct pool *pool, const struct policy_plan *plan)
{
    struct status_pool *status = &mind_of(engine, pool)->status;
    size_t begun = 0;

    for (size_t i = 0; i < plan->count; i++) {
        bool acted = housekeeping_act(engine, pool, &plan->actions[i]);

        status->begun[plan->actions[i].kind] += acted;
        begun += acted;
    }
    return begun;
}

static bool
housekeeping_spawn(struct engine *engine, struct pool *pool, const struct policy_action *action)
{
    const struct pool_machine *types = pool->machines.at;
    struct host *host;

    if (!engine->ports.cloud || !pool_provider_rents(pool->provider) || action->machine < 0 ||
        (size_t)action->machine >= pool->machines.count)
        return false;
    host = spawn_begin(engine, pool, (size_t)action->machine, action->reason);
    host->machine->warm = action->warm;
    state_event(engine, "pool.spawn", host, NULL, "%s on a machine of type %s: %s", host->name,
                types[action->machine].type, action->reason);
    return true;
}

static bool
housekeeping_activate(struct engine *engine, struct host *host, const char *reason)
{
    if (host->state != HOST_INACTIVE || host->lost || host->remove_when_empty || !host->lane)
        return false;
    mem_free(STEAL(host->waiting_for));
    host->ends_at_ms = 0;
    host->cause = CAUSE_NONE;
    host->pool->grown_at_ms = state_now_ms(engine);
    model_pool_save(engine->model, host->pool);
    state_event(engine, "host.activate", host, NULL, "%s", reason);
    model_host_move(engine->model, host, HOST_EV_ACTIVATED, reason, state_now_ms(engine));
    state_sweep(engine);
    return true;
}

/* Machines that are not ours stay where they are. */
static bool
housekeeping_remove(struct engine *engine, struct host *host, const char *reason)
{
    if (host->state != HOST_INACTIVE || !host_is_rented(host) || host->remove_when_empty)
        return false;
    host->remove_when_empty = true;
    /* What should have ended long ago ends with the machine. */
    if (host->instance_count > 0)
        host->lost = engine->hosts_lost = true;
    state_event(engine, "host.remove", host, NULL, "%s", reason);
    model_host_touch(engine->model, host, state_now_ms(engine));
    departures_check(engine);
    return true;
}

static bool
housekeeping_drain(struct engine *engine, struct host *host, const struct policy_action *action)
{
    int64_t now_ms = state_now_ms(engine);
    int64_t ends_at_ms = action->ends_at_ms;
    bool silent = host->lane && host->lane->state == LANE_BROKEN;

    if (host->state != HOST_ACTIVE && host->state != HOST_SPAWNED)
        return false;
    /* What runs on a host that does not answer cannot be moved: it is given up with its machine. */
    if (action->kind == POLICY_INACTIVATE && silent && host_is_rented(host) &&
        host->instance_count > 0)
        ends_at_ms = now_ms;
    state_event(engine, action->kind == POLICY_DRAIN ? "host.drain" : "host.inactivate", host, NULL,
                "%s", action->reason);
    departures_begin(engine, host, action->cause, ends_at_ms, action->reason);
    return true;
}

static bool
housekeeping_act(struct engine *engine, struct pool *pool, const struct policy_action *action)
{
    struct host *host = idmap_find(&engine->model->hosts, action->host_id);

    if (action->kind == POLICY_SPAWN)
        return housekeeping_spawn(engine, pool, action);
    if (!host || host->pool != pool)
        return false;
    switch (action->kind) {
    case POLICY_PREPARE:
        return prepare_order(engine, host, action->reason);
    case POLICY_ACTIVATE:
        return housekeeping_activate(engine, host, action->reason);
    case POLICY_WAKE:
        return warm_wake(engine, host, action->reason);
    case POLICY_REMOVE:
        return housekeeping_remove(engine, host, action->reason);
    case POLICY_DRAIN:
    case POLICY_INACTIVATE:
        return housekeeping_drain(engine, host, action);
    case POLICY_SPAWN:
    case POLICY_KIND_COUNT:
        break;
    }
    return false;
}

void
housekeeping_noticed(struct engine *engine, struct host *host)
{
    static const char why[] = "its provider takes the machine back";
    int64_t ends_at_ms = state_now_ms(engine) + HOUSEKEEPING_NOTICE_MS;

    /* One that is being drained has less time than it was given. */
    if (host->state != HOST_ACTIVE && (host->state != HOST_INACTIVE || host->instance_count == 0 ||
                                       (host->ends_at_ms > 0 && host->ends_at_ms <= ends_at_ms)))
        return;
    state_event(engine, "host.notice", host, NULL, why);
    departures_begin(engine, host, CAUSE_NOTICE, ends_at_ms, why);
    housekeeping_poke(engine);
}
