/* What the policy asks for at a time: its own figures, and those of its schedules. */

#include "berth/domain/cron.h"

#include "policy_round.h"

enum { TARGET_MILLI = 1000, TARGET_S_MS = 1000 };

static void
policy_target_raise(int64_t *target, int64_t to, bool *raised)
{
    if (*target < to) {
        *target = to;
        *raised = true;
    }
}

/* A share of what is in use; without overflow for sizes up to 2^60. */
static int64_t
policy_target_share(int64_t in_use, int64_t share_milli)
{
    return in_use / TARGET_MILLI * share_milli + in_use % TARGET_MILLI * share_milli / TARGET_MILLI;
}

static void
policy_target_edge(struct policy_targets *targets, int64_t at_s)
{
    int64_t at_ms = at_s * TARGET_S_MS;

    if (targets->next_at_ms == 0 || at_ms < targets->next_at_ms)
        targets->next_at_ms = at_ms;
}

static void
policy_target_schedule(struct policy_targets *targets, const struct pool_schedule *schedule,
                       const struct zone *zone, int64_t at_ms)
{
    int64_t duration_s = schedule->duration_ms / TARGET_S_MS;
    int64_t at_s = at_ms / TARGET_S_MS;
    struct cron cron;
    int64_t begun_s;

    if (cron_parse(schedule->cron, &cron))
        return;
    policy_target_edge(targets, cron_next_s(&cron, zone, at_s));
    begun_s = cron_last_s(&cron, zone, at_s, at_s - duration_s + 1);
    if (begun_s == INT64_MIN)
        return;
    policy_target_edge(targets, begun_s + duration_s);
    policy_target_raise(&targets->min_hosts, schedule->min_hosts, &targets->scheduled);
    policy_target_raise(&targets->free_memory_bytes, schedule->free_memory_bytes,
                        &targets->scheduled);
    policy_target_raise(&targets->free_slots, schedule->free_slots, &targets->scheduled);
}

struct policy_targets
policy_targets_at(const struct policy_view *view, const struct host_amount *in_use, int64_t at_ms)
{
    const struct pool_policy *policy = &view->pool->policy;
    const struct pool_schedule *schedules = policy->schedules.at;
    int64_t share = policy->free_share_milli;
    struct policy_targets targets = {
        .min_hosts = policy->min_hosts,
        .free_memory_bytes = policy->free_memory_bytes,
        .free_slots = policy->free_slots,
    };
    bool raised = false;

    if (policy->shutdown)
        return (struct policy_targets){ 0 };
    policy_target_raise(&targets.free_memory_bytes,
                        policy_target_share(in_use->memory_bytes, share), &raised);
    policy_target_raise(&targets.free_slots, policy_target_share(in_use->slots, share), &raised);
    for (size_t i = 0; i < policy->schedules.count; i++) {
        policy_target_schedule(&targets, &schedules[i], view->zones ? view->zones[i] : NULL, at_ms);
    }
    return targets;
}
