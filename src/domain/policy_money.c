/* What a pool's machines have cost this month, and what they may still cost. */

#include "berth/domain/cost.h"

#include "policy_round.h"

enum { POLICY_WARM_MS = 3600000 /* one that is prepared for the reserve runs no longer */ };

static int64_t
policy_spent_of(const struct policy_view *view, const struct policy_host *host)
{
    int64_t from_ms = cost_month_start_ms(view->now_ms);

    if (host->launched_at_ms == 0)
        return 0;
    if (from_ms < host->launched_at_ms)
        from_ms = host->launched_at_ms;
    return cost_of_micro(host->price_micro, view->now_ms - from_ms);
}

int64_t
policy_spent_micro(const struct policy_view *view)
{
    const struct pool *pool = view->pool;
    int64_t spent = pool->spent_month == cost_month(view->now_ms) ? pool->spent_micro : 0;

    for (size_t i = 0; i < view->host_count; i++)
        spent = cost_add_micro(spent, policy_spent_of(view, &view->hosts[i]));
    return spent;
}

/* What a machine costs that runs until @end_ms, or this month's end. */
static int64_t
policy_until(const struct policy_view *view, int64_t price_micro, int64_t end_ms)
{
    int64_t month_ms = cost_month_end_ms(view->now_ms);

    return cost_of_micro(price_micro, (end_ms < month_ms ? end_ms : month_ms) - view->now_ms);
}

/* When a host whose life ends at @end_ms is empty at the latest. */
static int64_t
policy_retired_by(const struct policy_view *view, int64_t end_ms)
{
    int64_t deadline_ms = view->pool->policy.retire_deadline_ms;

    return deadline_ms > 0 && end_ms < POLICY_AMPLE ? end_ms + deadline_ms : INT64_MAX;
}

static int64_t
policy_committed_of(const struct policy_view *view, const struct policy_host *host)
{
    int64_t left_ms = policy_life_left_ms(view, host);
    int64_t end_ms = INT64_MAX;

    if (host->launched_at_ms == 0 && (host->state != HOST_SPAWNED || host->warm))
        return 0;
    if (host->state == HOST_INACTIVE && host->instances == 0 && host->cause != CAUSE_OPERATOR)
        return 0;
    if (host->state == HOST_INACTIVE) {
        end_ms = host->ends_at_ms > 0 ? host->ends_at_ms : INT64_MAX;
    } else if (host->warm) {
        end_ms = view->now_ms + POLICY_WARM_MS;
    } else if (left_ms < INT64_MAX) {
        end_ms = policy_retired_by(view, view->now_ms + left_ms);
    }
    return policy_until(view, host->price_micro, end_ms);
}

int64_t
policy_committed_micro(const struct policy_view *view)
{
    int64_t committed = 0;

    for (size_t i = 0; i < view->host_count; i++)
        committed = cost_add_micro(committed, policy_committed_of(view, &view->hosts[i]));
    return committed;
}

/* An unused host does not age: it may run until the month ends. */
int64_t
policy_launch_micro(const struct policy_view *view, int64_t price_micro)
{
    const struct pool_policy *policy = &view->pool->policy;
    int64_t end_ms = INT64_MAX;

    if (policy->host_lifetime_ms > 0 && policy->life_from == LIFE_FROM_ACTIVATION)
        end_ms = policy_retired_by(view, view->now_ms + policy->host_lifetime_ms);
    return policy_until(view, price_micro, end_ms);
}
