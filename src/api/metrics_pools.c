/* What each pool does, and what it wants: plans, ceilings, money, scores. */

#include "metrics_pools.h"

#include <inttypes.h>

#include "berth/engine/status.h"

#include "metrics_text.h"

/* One number of a pool. */
struct pools_gauge {
    const char *name;
    const char *help;
    void (*value)(struct buf *out, const struct pool *pool, const struct status_pool *status);
};

static void
metrics_pools_bounded(struct buf *out, int64_t value)
{
    if (value >= POLICY_AMPLE) {
        buf_append_string(out, "+Inf");
    } else {
        buf_printf(out, "%" PRId64, value);
    }
}

static void
metrics_pools_capacity(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    buf_printf(out, "%" PRId64, status->capacity.memory_bytes);
}

static void
metrics_pools_reserved(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    buf_printf(out, "%" PRId64, status->reserved.memory_bytes);
}

static void
metrics_pools_headroom(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    metrics_pools_bounded(out, status->plan.headroom.memory_bytes);
}

static void
metrics_pools_headroom_slots(struct buf *out, const struct pool *pool,
                             const struct status_pool *status)
{
    (void)pool;
    metrics_pools_bounded(out, status->plan.headroom.slots);
}

static void
metrics_pools_wanted(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    metrics_pools_bounded(out, status->plan.wanted.memory_bytes);
}

static void
metrics_pools_wanted_slots(struct buf *out, const struct pool *pool,
                           const struct status_pool *status)
{
    (void)pool;
    metrics_pools_bounded(out, status->plan.wanted.slots);
}

static void
metrics_pools_launches(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    buf_printf(out, "%" PRIu32, status->plan.launches);
}

static void
metrics_pools_launches_limit(struct buf *out, const struct pool *pool,
                             const struct status_pool *status)
{
    (void)status;
    metrics_pools_bounded(out, pool->policy.launches_per_hour > 0 ? pool->policy.launches_per_hour
                                                                  : POLICY_AMPLE);
}

static void
metrics_pools_spent(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    metrics_micro(out, status->plan.spent_micro);
}

static void
metrics_pools_committed(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    metrics_micro(out, status->plan.committed_micro);
}

static void
metrics_pools_budget(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    int64_t budget_milli = pool->policy.budget_per_month_milli;

    (void)status;
    if (budget_milli > 0) {
        metrics_micro(out, budget_milli * 1000);
    } else {
        buf_append_string(out, "+Inf");
    }
}

static void
metrics_pools_score(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    buf_printf(out, "%" PRId64 ".%03d", status->score_max_milli / 1000,
               (int)(status->score_max_milli % 1000));
}

static void
metrics_pools_over(struct buf *out, const struct pool *pool, const struct status_pool *status)
{
    (void)pool;
    buf_printf(out, "%" PRIu32, status->over_threshold);
}

/* clang-format off */
static const struct pools_gauge pools_gauges[] = {
    { "pool_capacity_memory_bytes", "Memory that active hosts give to containers, with overcommit.", metrics_pools_capacity },
    { "pool_reserved_memory_bytes", "Memory that is reserved for instances.", metrics_pools_reserved },
    { "pool_headroom_memory_bytes", "Memory that counted as free in the last round, hosts to come included.", metrics_pools_headroom },
    { "pool_headroom_slots", "The same in slots; +Inf where they are not counted.", metrics_pools_headroom_slots },
    { "pool_wanted_memory_bytes", "Free memory that was wanted in the last round, what waits included.", metrics_pools_wanted },
    { "pool_wanted_slots", "The same in slots.", metrics_pools_wanted_slots },
    { "pool_launches_last_hour", "Machines launched in the last hour.", metrics_pools_launches },
    { "pool_launches_limit", "The ceiling for these; +Inf: none.", metrics_pools_launches_limit },
    { "pool_money_spent", "Spent on machines in this calendar month, in the currency of their prices.", metrics_pools_spent },
    { "pool_money_committed", "What the machines that are there may still cost this month.", metrics_pools_committed },
    { "pool_money_budget", "The ceiling for both together; +Inf: none.", metrics_pools_budget },
    { "pool_host_score_max", "The highest error score of the pool's hosts.", metrics_pools_score },
    { "pool_hosts_over_threshold", "Hosts whose error score is beyond the threshold.", metrics_pools_over },
};
/* clang-format on */

static void
metrics_pools_gauges(struct buf *out, struct engine *engine)
{
    const struct model *model = engine_model(engine);

    for (size_t i = 0; i < ARRAY_LEN(pools_gauges); i++) {
        const struct pools_gauge *gauge = &pools_gauges[i];

        metrics_family(out, gauge->name, "gauge", gauge->help);
        IDMAP_EACH(&model->pools, struct pool, pool)
        {
            buf_printf(out, "berth_%s{pool=\"%s\"} ", gauge->name, pool->name);
            gauge->value(out, pool, engine_status_pool(engine, pool));
            buf_append_char(out, '\n');
        }
    }
}

static void
metrics_pools_hosts(struct buf *out, struct engine *engine)
{
    const struct model *model = engine_model(engine);

    metrics_family(out, "hosts", "gauge", "Hosts by pool and state.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct status_pool *status = engine_status_pool(engine, pool);

        for (int state = 0; state < HOST_STATE_COUNT; state++) {
            buf_printf(out, "berth_hosts{pool=\"%s\",state=\"%s\"} %" PRIu32 "\n", pool->name,
                       host_state_name((enum host_state)state), status->hosts[state]);
        }
    }
    metrics_family(out, "hosts_on_trial", "gauge",
                   "Hosts that failed too often: without work (suspended) or with little "
                   "(probation).");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct status_pool *status = engine_status_pool(engine, pool);

        for (int state = 0; state < TRIAL_STATE_COUNT; state++) {
            buf_printf(out, "berth_hosts_on_trial{pool=\"%s\",state=\"%s\"} %" PRIu32 "\n",
                       pool->name, trial_state_name(state), status->trials[state]);
        }
    }
}

static void
metrics_pools_actions(struct buf *out, struct engine *engine)
{
    const struct model *model = engine_model(engine);

    metrics_family(out, "pool_plan_actions", "gauge", "Actions in the last plan by kind.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct status_pool *status = engine_status_pool(engine, pool);

        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            buf_printf(out, "berth_pool_plan_actions{pool=\"%s\",kind=\"%s\"} %" PRIu32 "\n",
                       pool->name, policy_kind_name((enum policy_kind)kind),
                       status->plan.planned[kind]);
        }
    }
    metrics_family(out, "pool_actions_total", "counter", "Actions of plans that were begun.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct status_pool *status = engine_status_pool(engine, pool);

        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            buf_printf(out, "berth_pool_actions_total{pool=\"%s\",kind=\"%s\"} %" PRIu64 "\n",
                       pool->name, policy_kind_name((enum policy_kind)kind), status->begun[kind]);
        }
    }
}

static void
metrics_pools_holds(struct buf *out, struct engine *engine)
{
    const struct model *model = engine_model(engine);

    metrics_family(out, "pool_held", "gauge", "1 while that holds back growth which is wanted.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct status_plan *plan = &engine_status_pool(engine, pool)->plan;

        for (int hold = 0; hold < HOLD_COUNT; hold++) {
            bool held = false;

            for (size_t i = 0; i < plan->held_count; i++)
                held |= (int)plan->held[i].hold == hold;
            buf_printf(out, "berth_pool_held{pool=\"%s\",hold=\"%s\"} %d\n", pool->name,
                       policy_hold_name((enum policy_hold)hold), held);
        }
    }
}

/* The kinds of one provider's answer are next to each other. */
static void
metrics_pools_refused(struct buf *out, struct engine *engine)
{
    metrics_family(out, "pool_refused_seconds", "gauge",
                   "For how long the provider has refused the pool something, last for that "
                   "reason; 0: it does not.");
    IDMAP_EACH(&engine_model(engine)->pools, struct pool, pool)
    {
        for (int kind = FAULT_CLOUD_CAPACITY;
             pool_provider_rents(pool->provider) && kind <= FAULT_CLOUD_UNSURE; kind++) {
            int64_t ms = engine_status_refused_ms(engine, pool, (enum fault_kind)kind);

            buf_printf(
                out, "berth_pool_refused_seconds{pool=\"%s\",kind=\"%s\"} %" PRId64 ".%03d\n",
                pool->name, fault_rule((enum fault_kind)kind)->code, ms / 1000, (int)(ms % 1000));
        }
    }
}

void
metrics_pools(struct buf *out, struct engine *engine)
{
    const struct model *model = engine_model(engine);

    engine_status_count(engine);
    metrics_pools_hosts(out, engine);
    metrics_pools_gauges(out, engine);
    metrics_pools_actions(out, engine);
    metrics_pools_holds(out, engine);
    metrics_pools_refused(out, engine);
    metrics_family(out, "queue_length", "gauge", "Instances that wait for room.");
    IDMAP_EACH(&model->pools, struct pool, pool)
    buf_printf(out, "berth_queue_length{pool=\"%s\"} %" PRIu32 "\n", pool->name,
               queue_length(model->queue, pool));
}
