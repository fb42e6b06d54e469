/* What a pool has, and what it lacks. */

#include <assert.h>

#include "policy_round.h"

enum { POLICY_EMPTY_FIT = 1000000 };

static int64_t
policy_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
policy_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t
policy_sum(int64_t a, int64_t b)
{
    return policy_least(a + b, POLICY_AMPLE);
}

static void
policy_amount_add(struct host_amount *to, const struct host_amount *more)
{
    to->memory_bytes = policy_sum(to->memory_bytes, more->memory_bytes);
    to->cpus_milli = policy_sum(to->cpus_milli, more->cpus_milli);
    to->slots = policy_sum(to->slots, more->slots);
}

bool
policy_holds(const struct host_amount *room, const struct host_amount *request)
{
    return request->memory_bytes <= room->memory_bytes && request->cpus_milli <= room->cpus_milli &&
           request->slots <= room->slots;
}

struct host_amount
policy_room(const struct policy_host *host)
{
    const struct host_amount *capacity = &host->capacity;
    const struct host_amount *reserved = &host->reserved;

    return (struct host_amount){
        .memory_bytes = policy_most(capacity->memory_bytes - reserved->memory_bytes, 0),
        .cpus_milli = policy_most(capacity->cpus_milli - reserved->cpus_milli, 0),
        .slots =
            capacity->slots > 0 ? policy_most(capacity->slots - reserved->slots, 0) : POLICY_AMPLE,
    };
}

struct host_amount
policy_room_new(const struct host_amount *capacity)
{
    return (struct host_amount){
        .memory_bytes = capacity->memory_bytes > 0 ? capacity->memory_bytes : POLICY_AMPLE,
        .cpus_milli = capacity->cpus_milli > 0 ? capacity->cpus_milli : POLICY_AMPLE,
        .slots = capacity->slots > 0 ? capacity->slots : POLICY_AMPLE,
    };
}

bool
policy_is_worn(const struct policy_view *view, const struct policy_host *host)
{
    int64_t uses = view->pool->policy.host_uses;

    return host->outdated || policy_life_left_ms(view, host) <= 0 ||
           (uses > 0 && host->uses >= uses);
}

bool
policy_is_low(const struct policy_view *view, const struct policy_host *host)
{
    return policy_life_left_ms(view, host) <= view->pool->policy.host_lifetime_low_ms ||
           policy_is_worn(view, host);
}

bool
policy_counts(const struct policy_view *view, const struct policy_host *host)
{
    return host->state == HOST_ACTIVE && host->stage != MACHINE_RETURNING && host->takes_work &&
           !host->untrusted && !policy_is_low(view, host);
}

/* How many requests of the average size @room takes. */
static uint64_t
policy_fits(const struct policy_round *round, const struct host_amount *room)
{
    const struct host_amount *average = &round->average;
    int64_t fits = POLICY_EMPTY_FIT;

    if (average->memory_bytes > 0)
        fits = policy_least(fits, room->memory_bytes / average->memory_bytes);
    if (average->cpus_milli > 0)
        fits = policy_least(fits, room->cpus_milli / average->cpus_milli);
    if (average->slots > 0)
        fits = policy_least(fits, room->slots / average->slots);
    return (uint64_t)fits;
}

void
policy_supply_add(const struct policy_round *round, struct policy_supply *supply,
                  const struct host_amount *room)
{
    policy_amount_add(&supply->free, room);
    supply->fits += policy_fits(round, room);
    supply->largest_fits |= policy_holds(room, &round->view->demand.largest);
    supply->barred_fits |= policy_holds(room, &round->view->demand.barred.largest);
    supply->hosts++;
}

struct host_amount
policy_moving(const struct policy_round *round, const struct policy_host *host)
{
    const struct host_amount *reserved = &host->reserved;
    bool leaves = host->state == HOST_INACTIVE;

    if (host->state == HOST_ACTIVE && round->policy->retire == RETIRE_DRAIN)
        leaves = policy_is_low(round->view, host);
    if (!leaves || host->movable == 0 || host->instances == 0)
        return (struct host_amount){ 0 };
    /* Divided first: what is lost is less than an instance's share of a byte. */
    return (struct host_amount){
        .memory_bytes = reserved->memory_bytes / host->instances * host->movable,
        .cpus_milli = reserved->cpus_milli / host->instances * host->movable,
        .slots = reserved->slots / host->instances * host->movable,
    };
}

static void
policy_count_inactive(struct policy_round *round, const struct policy_host *host)
{
    round->emptying += host->instances > 0 && host->cause == CAUSE_CONSOLIDATED;
    round->leaving += host->instances == 0 && host->cause != CAUSE_OPERATOR;
    round->retired +=
        host->cause == CAUSE_AGE || host->cause == CAUSE_USES || host->cause == CAUSE_ERRORS;
    round->lost += host->cause == CAUSE_ERRORS || host->cause == CAUSE_GAVE_UP;
}

static void
policy_count_spawned(struct policy_round *round, const struct policy_host *host)
{
    struct host_amount room = policy_room_new(&host->capacity);

    if (host->stage == MACHINE_RETURNING ||
        host->prepare_failures >= round->policy->prepare_attempts)
        return;
    round->warm += host->warm;
    round->failing += host->warm && host->prepare_failures > 0;
    if (host->warm)
        return; /* it is no supply before it is woken */
    round->coming++;
    round->failing += host->prepare_failures > 0;
    policy_supply_add(round, &round->all, &room);
    policy_supply_add(round, &round->fresh, &room);
}

static int64_t
policy_average(int64_t sum, uint32_t count)
{
    return count > 0 ? sum / count + (sum % count > 0) : 0;
}

/* First what is in use: the targets may be a share of it. */
static void
policy_need_sum(struct policy_round *round)
{
    const struct policy_demand *demand = &round->view->demand;
    struct host_amount moving = { 0 };

    for (size_t i = 0; i < round->view->host_count; i++) {
        struct host_amount more = policy_moving(round, &round->view->hosts[i]);

        policy_amount_add(&round->in_use, &round->view->hosts[i].reserved);
        policy_amount_add(&moving, &more);
    }
    round->targets = policy_targets_at(round->view, &round->in_use, round->view->now_ms);
    round->average = (struct host_amount){
        .memory_bytes = policy_average(demand->sum.memory_bytes, demand->count),
        .cpus_milli = policy_average(demand->sum.cpus_milli, demand->count),
        .slots = policy_average(demand->sum.slots, demand->count),
    };
    round->needed = (struct host_amount){
        .memory_bytes = round->targets.free_memory_bytes,
        .slots = round->targets.free_slots,
    };
    policy_amount_add(&round->needed, &demand->sum);
    policy_amount_add(&round->needed, &moving);
}

void
policy_supply_sum(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    policy_need_sum(round);
    policy_machine_learn(round);
    round->hosts = (int64_t)view->host_count;
    for (size_t i = 0; i < view->host_count; i++) {
        const struct policy_host *host = &view->hosts[i];
        struct host_amount room = policy_room(host);

        assert(i == 0 || view->hosts[i - 1].id < host->id);
        if (host->state == HOST_INACTIVE) {
            policy_count_inactive(round, host);
        } else if (host->state == HOST_SPAWNED) {
            policy_count_spawned(round, host);
        } else if (policy_counts(view, host)) {
            policy_supply_add(round, &round->active, &room);
            policy_supply_add(round, &round->all, &room);
        }
    }
}

/* What is lacking on hosts to come for those that are barred from all that are there. Return: whether
 * anything is. */
static bool
policy_is_barred(const struct policy_round *round, struct host_amount *amount)
{
    const struct policy_barred *barred = &round->view->demand.barred;
    const struct policy_supply *fresh = &round->fresh;

    if (barred->count == 0 || !round->barred_possible ||
        (fresh->hosts >= barred->hosts && fresh->barred_fits &&
         policy_holds(&fresh->free, &barred->sum)))
        return false;
    amount->memory_bytes = policy_most(amount->memory_bytes, barred->largest.memory_bytes);
    amount->cpus_milli = policy_most(amount->cpus_milli, barred->largest.cpus_milli);
    amount->slots = policy_most(amount->slots, barred->largest.slots);
    return true;
}

/* The shortage that is said is the first of these: what waits, then what was asked for. */
struct policy_lack
policy_lack_of(const struct policy_round *round, const struct policy_supply *supply)
{
    const struct policy_demand *demand = &round->view->demand;
    const struct host_amount *needed = &round->needed;
    int64_t waiting = round->average_possible ? (int64_t)demand->count - (int64_t)supply->fits : 0;
    bool too_small = round->largest_possible && !supply->largest_fits;
    struct policy_lack lack = {
        .amount.memory_bytes = policy_most(needed->memory_bytes - supply->free.memory_bytes, 0),
        .amount.cpus_milli = policy_most(needed->cpus_milli - supply->free.cpus_milli, 0),
        .amount.slots = policy_most(needed->slots - supply->free.slots, 0),
    };
    struct host_amount *amount = &lack.amount;

    if (demand->count > 0 && (waiting > 0 || too_small)) {
        waiting = policy_most(waiting, 1);
        amount->memory_bytes =
            policy_most(amount->memory_bytes, round->average.memory_bytes * waiting);
        amount->cpus_milli = policy_most(amount->cpus_milli, round->average.cpus_milli * waiting);
        amount->slots = policy_most(amount->slots, round->average.slots * waiting);
        lack.what = SHORT_QUEUE;
    } else if (policy_is_barred(round, amount)) {
        lack.what = SHORT_BARRED;
    } else if (amount->slots > 0) {
        lack.what = SHORT_SLOTS;
    } else if (amount->memory_bytes > 0) {
        lack.what = SHORT_MEMORY;
    } else if (amount->cpus_milli > 0) {
        lack.what = SHORT_CPUS;
    } else if (supply->hosts < round->targets.min_hosts) {
        lack.what = SHORT_HOSTS;
    }
    return lack;
}
