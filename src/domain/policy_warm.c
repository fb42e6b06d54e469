/* The reserve of warm hosts: prepared, stopped, and started when they are wanted. */

#include <inttypes.h>

#include "policy_round.h"

/* Only one whose machine has stopped, or is about to: what is still being prepared is warm later. */
static bool
policy_is_warm(const struct policy_host *host)
{
    return host->state == HOST_SPAWNED && host->warm && host->stage == MACHINE_WARM && !host->busy;
}

void
policy_wake(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    for (size_t i = 0; i < view->host_count && !round->policy->shutdown; i++) {
        const struct policy_host *host = &view->hosts[i];
        struct policy_lack lack = policy_lack_of(round, &round->all);
        struct host_amount room = policy_room_new(&host->capacity);
        struct policy_action *action;
        char why[POLICY_REASON_SIZE];

        if (!policy_is_warm(host) || !policy_helps(round, &lack, &room))
            continue;
        policy_words_lack(round, &lack, why);
        if (view->cloud_held_until_ms > view->now_ms ||
            !policy_may_spend(round, host->price_micro, host->name, why))
            continue;
        action = policy_round_add(round, POLICY_WAKE, host);
        if (!action)
            continue;
        policy_say(action->reason, "%s: it is warm, and started", why);
        policy_launched(round, host->price_micro, &room);
    }
}

/* More than are wanted: the newest go. */
static void
policy_warm_shed(struct policy_round *round)
{
    const struct policy_view *view = round->view;
    int64_t more = round->warm - round->policy->warm_hosts;

    for (size_t i = view->host_count; i > 0 && more > 0; i--) {
        const struct policy_host *host = &view->hosts[i - 1];
        struct policy_action *action =
            policy_is_warm(host) ? policy_round_add(round, POLICY_INACTIVATE, host) : NULL;

        if (!action)
            continue;
        action->cause = CAUSE_SHUTDOWN;
        policy_say(action->reason, "%" PRId64 " hosts are kept warm, warm_hosts is %" PRId64,
                   round->warm, round->policy->warm_hosts);
        more--;
    }
}

/* Nothing else is wanted more: then the reserve is filled, with the type that is preferred. */
void
policy_warm_fill(struct policy_round *round)
{
    const struct policy_lack lack = { .what = SHORT_HOSTS };
    int64_t have = round->warm;
    int64_t want = round->policy->warm_hosts;
    char why[POLICY_REASON_SIZE];

    policy_warm_shed(round);
    if (!round->rents || round->policy->shutdown || have >= want ||
        policy_lack_of(round, &round->all).what != SHORT_NONE)
        return;
    policy_say(why, "%" PRId64 " warm hosts, %" PRId64 " wanted", have, want);
    if (round->view->warm_refused) {
        policy_round_hold(round, HOLD_WARM,
                          "%s; the provider does not stop machines of this pool (spot?)", why);
        return;
    }
    while (have < want && policy_launch_warm(round, &lack, why))
        have++;
}
