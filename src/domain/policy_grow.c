/* Growth, and what holds it back. */

#include <inttypes.h>
#include <string.h>

#include "berth/domain/cost.h"

#include "policy_round.h"

enum { POLICY_MILLI_MICRO = 1000, POLICY_HOUR_MS = 3600000 };

void
policy_prepare(struct policy_round *round)
{
    const struct policy_view *view = round->view;
    int64_t attempts = round->policy->prepare_attempts;

    for (size_t i = 0; i < view->host_count && !round->policy->shutdown; i++) {
        const struct policy_host *host = &view->hosts[i];
        struct policy_action *action;

        if (host->state != HOST_SPAWNED || host->stage != MACHINE_UP ||
            host->prepare_failures >= attempts)
            continue;
        action = policy_round_add(round, POLICY_PREPARE, host);
        if (action && host->prepare_failures > 0) {
            policy_say(action->reason,
                       "its preparation failed %" PRIu32 " of at most %" PRId64 " times: once more",
                       host->prepare_failures, attempts);
        } else if (action) {
            policy_say(action->reason, "its machine runs and has an address");
        }
    }
}

bool
policy_helps(const struct policy_round *round, const struct policy_lack *lack,
             const struct host_amount *room)
{
    switch (lack->what) {
    case SHORT_QUEUE:
        return policy_holds(room, &round->average) ||
               policy_holds(room, &round->view->demand.largest);
    case SHORT_SLOTS:
        return room->slots > 0;
    case SHORT_MEMORY:
        return room->memory_bytes > 0;
    case SHORT_CPUS:
        return room->cpus_milli > 0;
    case SHORT_HOSTS:
        return true;
    case SHORT_BARRED: /* nobody knows what bars them there */
    case SHORT_NONE:
        break;
    }
    return false;
}

/* What was to move away from @host stays there now. */
static void
policy_stays(struct policy_round *round, const struct policy_host *host)
{
    struct host_amount moving = policy_moving(round, host);

    round->needed.memory_bytes -= moving.memory_bytes;
    round->needed.cpus_milli -= moving.cpus_milli;
    round->needed.slots -= moving.slots;
}

void
policy_take_back(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    for (size_t i = 0; i < view->host_count && !round->policy->shutdown; i++) {
        const struct policy_host *host = &view->hosts[i];
        struct policy_lack lack = policy_lack_of(round, &round->all);
        struct host_amount room = policy_room(host);
        struct policy_action *action;
        char why[POLICY_REASON_SIZE];

        if (host->state != HOST_INACTIVE || host->cause != CAUSE_CONSOLIDATED || host->busy ||
            host->untrusted || host->stage == MACHINE_RETURNING || policy_is_low(view, host) ||
            !policy_helps(round, &lack, &room))
            continue;
        policy_words_lack(round, &lack, why);
        action = policy_round_add(round, POLICY_ACTIVATE, host);
        if (action)
            policy_say(action->reason, "%s: it is taken back", why);
        policy_stays(round, host);
        policy_supply_add(round, &round->all, &room);
    }
}

/* Whether the limits on hosts and launches allow one more; else it is said. */
static bool
policy_may_launch(struct policy_round *round, const char *why)
{
    const struct policy_view *view = round->view;
    const struct pool_policy *policy = round->policy;
    int64_t launches = (int64_t)view->launches + round->taken[POLICY_SPAWN];
    int64_t hosts = round->hosts + round->taken[POLICY_SPAWN];
    int64_t free_at_ms = view->launches_free_at_ms > view->now_ms ? view->launches_free_at_ms
                                                                  : view->now_ms + POLICY_HOUR_MS;

    if (hosts >= policy->max_hosts) {
        policy_round_hold(round, HOLD_MAX_HOSTS,
                          "%s; the pool has %" PRId64 " hosts, max_hosts is %" PRId64, why, hosts,
                          policy->max_hosts);
        return false;
    }
    if (view->cloud_held_until_ms > view->now_ms) {
        policy_round_hold(round, HOLD_CLOUD, "%s; the provider refused lately; again at %s", why,
                          policy_words_time(view->cloud_held_until_ms).text);
        policy_round_wake(round, view->cloud_held_until_ms);
        return false;
    }
    if (policy->launches_per_hour > 0 && launches >= policy->launches_per_hour) {
        policy_round_hold(round, HOLD_LAUNCHES,
                          "%s; %" PRId64 " launches in the last hour, launches_per_hour is %" PRId64
                          "; again at %s",
                          why, launches, policy->launches_per_hour,
                          policy_words_time(free_at_ms).text);
        policy_round_wake(round, free_at_ms);
        return false;
    }
    return true;
}

/* What replaces machines that never became hosts is tried rarely, and one at a time; else it is said. */
static bool
policy_may_try(struct policy_round *round, const char *why)
{
    const struct setback *setback = &round->view->pool->setback;
    int64_t until_ms = setback_until_ms(setback, round->view->now_ms);

    if (until_ms > 0) {
        policy_round_hold(round, HOLD_FAILING,
                          "%s; %" PRId64 " hosts in a row did not come into service; again at %s; "
                          "the last: %s",
                          why, setback->hosts, policy_words_time(until_ms).text, setback->why);
        policy_round_wake(round, until_ms);
        return false;
    }
    if (setback_wait_ms(setback) > 0 && round->coming + round->taken[POLICY_SPAWN] > 0) {
        policy_round_hold(round, HOLD_FAILING,
                          "%s; %" PRId64 " hosts in a row did not come into service; more when the "
                          "one on the way succeeds; the last: %s",
                          why, setback->hosts, setback->why);
        return false;
    }
    return true;
}

bool
policy_may_spend(struct policy_round *round, int64_t price_micro, const char *what, const char *why)
{
    const struct policy_plan *plan = round->plan;
    int64_t budget = round->policy->budget_per_month_milli * POLICY_MILLI_MICRO;
    int64_t committed = cost_add_micro(plan->committed_micro, round->launch_micro);
    int64_t more = policy_launch_micro(round->view, price_micro);
    int64_t month_ms = cost_month_end_ms(round->view->now_ms);
    int64_t all = cost_add_micro(cost_add_micro(plan->spent_micro, committed), more);

    if (budget == 0 || all <= budget)
        return true;
    policy_round_hold(round, HOLD_BUDGET,
                      "%s; spent %s, committed %s, one %s up to %s, of %s this month; again at %s",
                      why, policy_words_money(plan->spent_micro).text,
                      policy_words_money(committed).text, what, policy_words_money(more).text,
                      policy_words_money(budget).text, policy_words_time(month_ms).text);
    policy_round_wake(round, month_ms);
    return false;
}

/* "one t3.large (24 slots)" */
static struct policy_words
policy_words_machine(const struct policy_round *round, int32_t index)
{
    const struct host_amount *capacity = &round->capacity[index];
    struct policy_words words;
    char text[POLICY_REASON_SIZE];

    if (capacity->slots > 0) {
        policy_say(text, "one %.24s (%" PRId64 " slots)", round->machines[index].type,
                   capacity->slots);
    } else if (capacity->memory_bytes > 0) {
        policy_say(text, "one %.24s (%s)", round->machines[index].type,
                   policy_words_size(capacity->memory_bytes).text);
    } else {
        policy_say(text, "one %.24s", round->machines[index].type);
    }
    memcpy(words.text, text, sizeof(words.text));
    words.text[sizeof(words.text) - 1] = '\0';
    return words;
}

void
policy_launched(struct policy_round *round, int64_t price_micro, const struct host_amount *room)
{
    policy_supply_add(round, &round->all, room);
    policy_supply_add(round, &round->fresh, room);
    round->launch_micro =
        cost_add_micro(round->launch_micro, policy_launch_micro(round->view, price_micro));
}

/* Return: NULL when it is held back or the round has its fill. */
static struct policy_action *
policy_launch_type(struct policy_round *round, int32_t index, const char *why)
{
    const struct pool_machine *machine = &round->machines[index];
    struct policy_action *action;

    if (!policy_may_launch(round, why) || !policy_may_try(round, why) ||
        !policy_may_spend(round, machine->price_micro, machine->type, why))
        return NULL;
    action = policy_round_add(round, POLICY_SPAWN, NULL);
    if (!action)
        return NULL;
    action->machine = index;
    policy_say(action->reason, "%s: %s", why, policy_words_machine(round, index).text);
    return action;
}

/* One more host for @lack. Return: false when it is held back or the round has its fill. */
static bool
policy_launch_one(struct policy_round *round, const struct policy_lack *lack)
{
    int32_t index = policy_machine_pick(round, lack);
    struct host_amount room;
    char why[POLICY_REASON_SIZE];

    policy_words_lack(round, lack, why);
    if (index < 0) {
        policy_round_hold(round, HOLD_NO_TYPE, "%s; machine_types of the pool is empty", why);
        return false;
    }
    if (!policy_launch_type(round, index, why))
        return false;
    room = policy_room_new(&round->capacity[index]);
    policy_launched(round, round->machines[index].price_micro, &room);
    return true;
}

/* It is paid for as long as it takes to prepare it: an hour at the most. */
bool
policy_launch_warm(struct policy_round *round, const struct policy_lack *lack, const char *why)
{
    int32_t index = policy_machine_pick(round, lack);
    struct policy_action *action = index < 0 ? NULL : policy_launch_type(round, index, why);

    if (!action)
        return false;
    action->warm = true;
    round->launch_micro = cost_add_micro(
        round->launch_micro, cost_of_micro(round->machines[index].price_micro, POLICY_HOUR_MS));
    return true;
}

/* What no machine could ever hold is said, and not grown for. */
static void
policy_misfits(struct policy_round *round)
{
    const struct policy_demand *demand = &round->view->demand;

    if (demand->misfits > 0) {
        policy_round_hold(round, HOLD_NO_TYPE,
                          "%" PRIu32 " waiting for up to %s of memory and %" PRId64
                          " slots: more than any machine type of the pool has",
                          demand->misfits, policy_words_size(demand->misfit.memory_bytes).text,
                          demand->misfit.slots);
    } else if (demand->count > 0 && !round->largest_possible && round->machine_count > 0) {
        policy_round_hold(round, HOLD_NO_TYPE,
                          "something of %" PRIu32 " waiting, for up to %s, fits no machine type as "
                          "its hosts turned out to be",
                          demand->count, policy_words_size(demand->largest.memory_bytes).text);
    } else if (demand->strangers > 0 && round->rents) {
        policy_round_hold(round, HOLD_NO_TYPE,
                          "%" PRIu32
                          " waiting for labels that a new host of the pool would not have",
                          demand->strangers);
    }
}

void
policy_launch(struct policy_round *round)
{
    struct policy_lack lack = policy_lack_of(round, &round->all);
    char why[POLICY_REASON_SIZE];

    policy_misfits(round);
    policy_words_lack(round, &lack, why);
    if (lack.what == SHORT_NONE)
        return;
    if (round->policy->shutdown) {
        policy_round_hold(round, HOLD_SHUTDOWN, "%s; the pool is being shut down", why);
        return;
    }
    if (!round->rents) {
        policy_round_hold(round, HOLD_BY_HAND, "%s; hosts are added by hand: berth host add", why);
        return;
    }
    while (lack.what != SHORT_NONE && policy_launch_one(round, &lack))
        lack = policy_lack_of(round, &round->all);
}
