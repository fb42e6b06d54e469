/* The actions of a round, within their limits. */

#include "policy_round.h"

#include <string.h>

#include "berth/base/text.h"

static bool
policy_round_has(const struct policy_round *round, const struct policy_host *host)
{
    for (size_t i = 0; i < round->plan->count; i++) {
        if (round->plan->actions[i].host_id == host->id)
            return true;
    }
    return false;
}

struct policy_action *
policy_round_add(struct policy_round *round, enum policy_kind kind, const struct policy_host *host)
{
    const struct pool_policy *policy = round->policy;
    struct policy_plan *plan = round->plan;
    int64_t most = policy->actions_per_round > 0 ? policy->actions_per_round : POLICY_ACTIONS_MAX;
    struct policy_action *action;

    if ((int64_t)plan->count >= most || plan->count >= POLICY_ACTIONS_MAX)
        return NULL;
    if (policy->actions_per_kind > 0 && round->taken[kind] >= policy->actions_per_kind)
        return NULL;
    if (host && (host->busy || policy_round_has(round, host)))
        return NULL;
    round->taken[kind]++;
    action = &plan->actions[plan->count++];
    *action = (struct policy_action){
        .kind = kind,
        .host_id = host ? host->id : 0,
        .machine = -1,
    };
    return action;
}

void
policy_round_hold(struct policy_round *round, enum policy_hold hold, const char *format, ...)
{
    struct policy_plan *plan = round->plan;
    struct policy_held *held;
    va_list args;

    if (round->held & 1U << hold || plan->held_count == POLICY_HOLDS_MAX)
        return;
    round->held |= 1U << hold;
    held = &plan->held[plan->held_count++];
    held->hold = hold;
    va_start(args, format);
    text_line_vprintf(held->text, sizeof(held->text), format, args);
    va_end(args);
}

void
policy_round_wake(struct policy_round *round, int64_t at_ms)
{
    int64_t *next_at_ms = &round->plan->next_at_ms;

    if (at_ms > round->view->now_ms && (*next_at_ms == 0 || at_ms < *next_at_ms))
        *next_at_ms = at_ms;
}
