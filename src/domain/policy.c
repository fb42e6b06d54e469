/*
 * The least that a pool's policy does: its minimum of hosts, room for what
 * waits, machines of hosts that are not wanted given back.
 */

#include "berth/domain/policy.h"

#include <assert.h>
#include <string.h>

static const char *const policy_kind_names[POLICY_KIND_COUNT] = {
    [POLICY_PREPARE] = "prepare", [POLICY_ACTIVATE] = "activate",
    [POLICY_REMOVE] = "remove",   [POLICY_SPAWN] = "spawn",
    [POLICY_DRAIN] = "drain",     [POLICY_INACTIVATE] = "inactivate",
};

static const char *const policy_hold_names[HOLD_COUNT] = {
    [HOLD_MAX_HOSTS] = "max_hosts", [HOLD_LAUNCHES] = "launches", [HOLD_BUDGET] = "budget",
    [HOLD_NO_TYPE] = "no_type",     [HOLD_BY_HAND] = "by_hand",   [HOLD_SHUTDOWN] = "shutdown",
    [HOLD_CLOUD] = "cloud",
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
    (void)view;
    (void)host;
    return INT64_MAX;
}

bool
policy_is_low(const struct policy_view *view, const struct policy_host *host)
{
    (void)view;
    (void)host;
    return false;
}

int64_t
policy_spent_micro(const struct policy_view *view)
{
    return view->pool->spent_micro;
}

static void
policy_text_set(char text[POLICY_REASON_SIZE], const char *words)
{
    size_t len = strlen(words);

    assert(len < POLICY_REASON_SIZE);
    memcpy(text, words, len + 1);
}

static void
policy_add(struct policy_plan *plan, enum policy_kind kind, const struct policy_host *host,
           const char *reason)
{
    struct policy_action *action = &plan->actions[plan->count];

    if (plan->count == POLICY_ACTIONS_MAX)
        return;
    plan->count++;
    action->kind = kind;
    action->host_id = host ? host->id : 0;
    policy_text_set(action->reason, reason);
}

static void
policy_host_plan(const struct policy_view *view, const struct policy_host *host,
                 struct policy_plan *plan)
{
    if (host->busy)
        return;
    if (host->state == HOST_SPAWNED && host->stage == MACHINE_UP) {
        policy_add(plan, POLICY_PREPARE, host, "its machine is up");
    } else if (host->state == HOST_INACTIVE && host->instances == 0 && host->machine >= 0) {
        policy_add(plan, POLICY_REMOVE, host, "nothing runs there any more");
    } else if (host->state == HOST_ACTIVE && view->pool->policy.shutdown) {
        policy_add(plan, POLICY_DRAIN, host, "the pool is shut down");
        plan->actions[plan->count - 1].cause = CAUSE_SHUTDOWN;
    } else if (host->state == HOST_ACTIVE && host->untrusted) {
        policy_add(plan, POLICY_INACTIVATE, host, "it did not recover");
        plan->actions[plan->count - 1].cause = CAUSE_ERRORS;
    }
}

static void
policy_grow(const struct policy_view *view, struct policy_plan *plan)
{
    const struct pool_policy *policy = &view->pool->policy;
    int64_t hosts = (int64_t)view->host_count;
    int64_t good = 0;
    int64_t fits = 0; /* of the largest that waits */

    for (size_t i = 0; i < view->host_count; i++) {
        const struct policy_host *host = &view->hosts[i];

        if (host->state != HOST_SPAWNED && !(host->state == HOST_ACTIVE && host->takes_work))
            continue;
        good++;
        if (view->demand.largest.memory_bytes > 0)
            fits += (host->capacity.memory_bytes - host->reserved.memory_bytes) /
                    view->demand.largest.memory_bytes;
    }
    if (good >= policy->min_hosts && fits >= (int64_t)view->demand.count)
        return;
    if (view->cloud_held_until_ms > 0) {
        plan->held[0].hold = HOLD_CLOUD;
        policy_text_set(plan->held[0].text, "the provider refused lately");
        plan->held_count = 1;
        return;
    }
    do {
        if (hosts++ < policy->max_hosts)
            policy_add(plan, POLICY_SPAWN, NULL, "more room is wanted");
    } while (++good < policy->min_hosts);
}

void
policy_plan_make(const struct policy_view *view, struct policy_plan *ret_plan)
{
    *ret_plan = (struct policy_plan){ .spent_micro = view->pool->spent_micro };
    for (size_t i = 0; i < view->host_count; i++)
        policy_host_plan(view, &view->hosts[i], ret_plan);
    if (pool_provider_rents(view->pool->provider) && view->pool->machines.count > 0 &&
        !view->pool->policy.shutdown)
        policy_grow(view, ret_plan);
}
