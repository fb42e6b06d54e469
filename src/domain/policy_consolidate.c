/* One host less, when that is no loss. */

#include <inttypes.h>

#include "policy_round.h"

/* It leaves more free than is wanted, so that the next instance does not bring the host back. */
enum { POLICY_SPARE_SHARE = 4 };

static bool
policy_is_emptier(const struct policy_host *host, const struct policy_host *than)
{
    if (host->instances != than->instances)
        return host->instances < than->instances;
    if (host->reserved.memory_bytes != than->reserved.memory_bytes)
        return host->reserved.memory_bytes < than->reserved.memory_bytes;
    if (host->reserved.slots != than->reserved.slots)
        return host->reserved.slots < than->reserved.slots;
    return host->price_micro > than->price_micro;
}

static const struct policy_host *
policy_emptiest(const struct policy_view *view)
{
    const struct policy_host *emptiest = NULL;

    for (size_t i = 0; i < view->host_count; i++) {
        const struct policy_host *host = &view->hosts[i];

        if (policy_counts(view, host) && !host->busy &&
            (!emptiest || policy_is_emptier(host, emptiest)))
            emptiest = host;
    }
    return emptiest;
}

static int64_t
policy_spare(int64_t needed, int64_t load)
{
    return needed + needed / POLICY_SPARE_SHARE + load + load / POLICY_SPARE_SHARE;
}

/* What has to be free on the others to do without a host with @load, now and soon. */
static struct host_amount
policy_needed_without(const struct policy_round *round, const struct policy_targets *soon,
                      const struct host_amount *load)
{
    struct host_amount needed = round->needed;

    if (needed.memory_bytes < soon->free_memory_bytes)
        needed.memory_bytes = soon->free_memory_bytes;
    if (needed.slots < soon->free_slots)
        needed.slots = soon->free_slots;
    return (struct host_amount){
        .memory_bytes = policy_spare(needed.memory_bytes, load->memory_bytes),
        .cpus_milli = policy_spare(needed.cpus_milli, load->cpus_milli),
        .slots = policy_spare(needed.slots, load->slots),
    };
}

/* Whether the others hold what runs on @least, with what is wanted now and soon to spare. */
static bool
policy_does_without(const struct policy_round *round, const struct policy_host *least)
{
    const struct policy_view *view = round->view;
    struct policy_targets soon =
        policy_targets_at(view, &round->in_use, view->now_ms + round->policy->consolidate_after_ms);
    struct host_amount needed = policy_needed_without(round, &soon, &least->reserved);
    int64_t min_hosts = round->targets.min_hosts;
    struct policy_round rest = *round;
    struct policy_supply supply = { 0 };

    /* As if all that runs there waited for room: it goes in pieces. */
    rest.average = least->reserved;
    if (least->instances > 0) {
        rest.average.memory_bytes /= least->instances;
        rest.average.cpus_milli /= least->instances;
        rest.average.slots /= least->instances;
    }
    for (size_t i = 0; i < view->host_count; i++) {
        struct host_amount room = policy_room(&view->hosts[i]);

        if (&view->hosts[i] != least && policy_counts(view, &view->hosts[i]))
            policy_supply_add(&rest, &supply, &room);
    }
    if (min_hosts < soon.min_hosts)
        min_hosts = soon.min_hosts;
    return supply.hosts >= min_hosts && supply.fits >= least->instances &&
           policy_holds(&supply.free, &needed);
}

/* Nothing else is going on, nor has been for a while. */
static bool
policy_may_consolidate(struct policy_round *round)
{
    const struct policy_view *view = round->view;
    int64_t after_ms = view->pool->grown_at_ms + round->policy->consolidate_after_ms;

    if (!round->policy->consolidate || !round->rents || round->policy->shutdown)
        return false;
    if (view->demand.count > 0 || round->coming > 0 || round->emptying > 0)
        return false;
    for (size_t i = 0; i < round->plan->count; i++) {
        if (round->plan->actions[i].kind != POLICY_REMOVE)
            return false;
    }
    if (policy_lack_of(round, &round->active).what != SHORT_NONE)
        return false;
    if (view->now_ms < after_ms)
        policy_round_wake(round, after_ms);
    return view->now_ms >= after_ms;
}

void
policy_consolidate(struct policy_round *round)
{
    const struct policy_host *least;
    struct policy_action *action;

    if (!policy_may_consolidate(round))
        return;
    least = policy_emptiest(round->view);
    if (!least || !policy_does_without(round, least))
        return;
    action =
        policy_round_add(round, least->instances > 0 ? POLICY_DRAIN : POLICY_INACTIVATE, least);
    if (!action)
        return;
    action->cause = CAUSE_CONSOLIDATED;
    policy_say(action->reason,
               "the emptiest (instances: %" PRIu32 "); the other %" PRId64
               " hold its load and the headroom",
               least->instances, round->active.hosts - 1);
}
