#include "berth/domain/policy.h"

#include <assert.h>

#include "policy_round.h"

static const char *const policy_kind_names[POLICY_KIND_COUNT] = {
    [POLICY_PREPARE] = "prepare", [POLICY_ACTIVATE] = "activate",
    [POLICY_REMOVE] = "remove",   [POLICY_SPAWN] = "spawn",
    [POLICY_DRAIN] = "drain",     [POLICY_INACTIVATE] = "inactivate",
    [POLICY_WAKE] = "wake",
};

static const char *const policy_hold_names[HOLD_COUNT] = {
    [HOLD_MAX_HOSTS] = "max_hosts", [HOLD_LAUNCHES] = "launches", [HOLD_BUDGET] = "budget",
    [HOLD_NO_TYPE] = "no_type",     [HOLD_BY_HAND] = "by_hand",   [HOLD_SHUTDOWN] = "shutdown",
    [HOLD_CLOUD] = "cloud",         [HOLD_FAILING] = "failing",   [HOLD_WARM] = "warm",
};

const char *
policy_kind_name(enum policy_kind kind)
{
    assert((int)kind >= 0 && kind < POLICY_KIND_COUNT);
    return policy_kind_names[kind];
}

const char *
policy_hold_name(enum policy_hold hold)
{
    assert((int)hold >= 0 && hold < HOLD_COUNT);
    return policy_hold_names[hold];
}

int64_t
policy_life_left_ms(const struct policy_view *view, const struct policy_host *host)
{
    const struct pool_policy *policy = &view->pool->policy;
    int64_t from_ms =
        policy->life_from == LIFE_FROM_FIRST_USE ? host->first_used_at_ms : host->active_at_ms;
    int64_t left_ms;

    if (policy->shutdown)
        return 0;
    if (policy->host_lifetime_ms == 0 || from_ms == 0)
        return INT64_MAX;
    left_ms = policy->host_lifetime_ms - (view->now_ms - from_ms);
    return left_ms > 0 ? left_ms : 0;
}

bool
policy_life_begins(const struct policy_view *view, const struct policy_host *host)
{
    return view->host_count == 1 && host->state == HOST_ACTIVE && host->first_used_at_ms == 0 &&
           host->machine > 0 && view->pool->policy.machine_choice == CHOICE_BY_USE;
}

/* A host gets low, and its life ends, by time alone. */
static void
policy_wake_ages(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    for (size_t i = 0; i < view->host_count; i++) {
        int64_t left_ms = policy_life_left_ms(view, &view->hosts[i]);

        if (view->hosts[i].state != HOST_ACTIVE || left_ms == INT64_MAX)
            continue;
        policy_round_wake(round, view->now_ms + left_ms - round->policy->host_lifetime_low_ms);
        policy_round_wake(round, view->now_ms + left_ms);
    }
}

void
policy_plan_make(const struct policy_view *view, struct policy_plan *ret_plan)
{
    struct policy_round round = {
        .view = view,
        .policy = &view->pool->policy,
        .machines = view->pool->machines.at,
        .machine_count = view->pool->machines.count,
        .plan = ret_plan,
        .rents = pool_provider_rents(view->pool->provider),
    };

    ret_plan->count = 0;
    ret_plan->held_count = 0;
    ret_plan->next_at_ms = 0;
    policy_supply_sum(&round);
    ret_plan->headroom = round.all.free;
    ret_plan->wanted = round.needed;
    ret_plan->spent_micro = policy_spent_micro(view);
    ret_plan->committed_micro = policy_committed_micro(view);
    policy_round_wake(&round, round.targets.next_at_ms);
    policy_wake_ages(&round);
    policy_prepare(&round);
    policy_take_back(&round);
    policy_wake(&round);
    policy_remove(&round);
    policy_launch(&round);
    policy_warm_fill(&round);
    policy_retire(&round);
    policy_consolidate(&round);
}
