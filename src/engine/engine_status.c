/* How things stand with the pools: one walk over the hosts. */

#include <assert.h>

#include "berth/engine/status.h"

#include "housekeeping.h"
#include "lane.h"
#include "mind.h"
#include "outlook.h"
#include "upkeep.h"

static const char *const engine_status_wrong_names[WRONG_COUNT] = {
    [WRONG_OTHER_ENGINE] = "host_other_engine", [WRONG_UNREACHABLE] = "host_unreachable",
    [WRONG_MISSING] = "host_missing",           [WRONG_SUSPENDED] = "host_suspended",
    [WRONG_PROBATION] = "host_probation",       [WRONG_PREPARATION] = "host_preparation",
    [WRONG_WAITING] = "host_waiting",           [WRONG_OUT] = "host_out",
    [WRONG_CERTIFICATE] = "host_certificate",
};

const char *
engine_status_wrong_name(enum status_wrong wrong)
{
    assert((int)wrong >= 0 && wrong < WRONG_COUNT);
    return engine_status_wrong_names[wrong];
}

/* An inactive host that nothing will happen to by itself. */
static bool
engine_status_is_out(const struct host *host)
{
    bool leaves = host->remove_when_empty || host->waiting_for;

    return host->state == HOST_INACTIVE && !leaves &&
           (!host_is_rented(host) || host->instance_count > 0);
}

static bool
engine_status_is_silent(const struct host *host)
{
    return host->state == HOST_ACTIVE && (!host->reachable || host->breaker_open);
}

/* What is wrong with @host; WRONG_COUNT: nothing. */
static enum status_wrong
engine_status_judge(const struct host *host, int64_t now_ms)
{
    const struct machine *machine = host->machine;

    if (host->other_engine)
        return WRONG_OTHER_ENGINE;
    if (machine && machine->strikes > 0)
        return WRONG_MISSING;
    if (engine_status_is_silent(host))
        return WRONG_UNREACHABLE;
    if (host->trial && host->state == HOST_ACTIVE)
        return host->trial->state == TRIAL_SUSPENDED ? WRONG_SUSPENDED : WRONG_PROBATION;
    if (host->state == HOST_SPAWNED && !machine)
        return WRONG_WAITING;
    if (host->state == HOST_SPAWNED && machine->prepare_failures > 0)
        return WRONG_PREPARATION;
    if (engine_status_is_out(host))
        return WRONG_OUT;
    return upkeep_certificate_is_late(host, now_ms) ? WRONG_CERTIFICATE : WRONG_COUNT;
}

static void
engine_status_room(struct status_pool *status, const struct host *host, int64_t now_ms)
{
    int64_t free_bytes = host->capacity.memory_bytes - host->reserved.memory_bytes;

    status->capacity.memory_bytes += host->capacity.memory_bytes;
    status->capacity.cpus_milli += host->capacity.cpus_milli;
    status->capacity.slots += host->capacity.slots;
    if (free_bytes > status->largest_free_bytes && host_takes_work(host, now_ms))
        status->largest_free_bytes = free_bytes;
}

static void
engine_status_add(struct status_pool *status, const struct host *host, int64_t now_ms)
{
    enum status_wrong wrong = engine_status_judge(host, now_ms);
    int64_t score_milli = score_at(&host->score, now_ms);

    status->instances += host->instance_count;
    status->reserved.memory_bytes += host->reserved.memory_bytes;
    status->reserved.cpus_milli += host->reserved.cpus_milli;
    status->reserved.slots += host->reserved.slots;
    if (host->state == HOST_ACTIVE)
        engine_status_room(status, host, now_ms);
    if (host->trial)
        status->trials[host->trial->state]++;
    status->over_threshold += score_milli > host->pool->policy.error_threshold_milli;
    if (score_milli > status->score_max_milli)
        status->score_max_milli = score_milli;
    if (wrong == WRONG_COUNT)
        return;
    if (status->wrong[wrong].count < STATUS_NAMES_MAX)
        status->wrong[wrong].first[status->wrong[wrong].count] = host;
    status->wrong[wrong].count++;
}

/* What was counted goes, what is remembered stays. */
static void
engine_status_clear(struct status_pool *status)
{
    struct status_pool kept = { .plan = status->plan };

    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++)
        kept.begun[kind] = status->begun[kind];
    *status = kept;
}

void
engine_status_count(struct engine *engine)
{
    int64_t now_ms = state_now_ms(engine);
    struct status_pool *status = NULL;
    const struct pool *of = NULL;

    IDMAP_EACH(&engine->model->pools, struct pool, pool)
    engine_status_clear(&mind_of(engine, pool)->status);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (!status || host->pool != of) {
            of = host->pool;
            status = &mind_of(engine, host->pool)->status;
        }
        status->hosts[host->state]++;
        if (host->state != HOST_REMOVED)
            engine_status_add(status, host, now_ms);
    }
}

void
engine_status_planned(struct mind *mind, const struct policy_view *view,
                      const struct policy_plan *plan)
{
    struct status_plan *kept = &mind->status.plan;

    *kept = (struct status_plan){
        .at_ms = view->now_ms,
        .headroom = plan->headroom,
        .wanted = plan->wanted,
        .spent_micro = plan->spent_micro,
        .committed_micro = plan->committed_micro,
        .next_at_ms = plan->next_at_ms,
        .launches = view->launches,
        .held_count = plan->held_count,
    };
    for (size_t i = 0; i < plan->count; i++)
        kept->planned[plan->actions[i].kind]++;
    for (size_t i = 0; i < plan->held_count; i++)
        kept->held[i] = plan->held[i];
}

int64_t
engine_status_refused_ms(struct engine *engine, struct pool *pool, enum fault_kind kind)
{
    return refusal_kind_ms(mind_of(engine, pool), kind);
}

const struct status_pool *
engine_status_pool(struct engine *engine, struct pool *pool)
{
    struct mind *mind = mind_of(engine, pool);

    if (mind->status.plan.at_ms == 0) {
        struct policy_plan *plan = mem_new0(sizeof(*plan));
        struct outlook outlook;

        outlook_init(engine, pool, &outlook);
        policy_plan_make(&outlook.view, plan);
        engine_status_planned(mind, &outlook.view, plan);
        outlook_fini(&outlook);
        mem_free(plan);
    }
    return &mind->status;
}
