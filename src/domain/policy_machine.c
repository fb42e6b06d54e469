/* Which machine type to launch. */

#include "berth/domain/cost.h"

#include "policy_round.h"

enum { MACHINES_MOST = 1000000 };

struct host_amount
policy_machine_capacity(const struct pool *pool, const struct pool_machine *machine)
{
    const struct host_amount total = {
        .memory_bytes = machine->memory_bytes,
        .cpus_milli = machine->cpus_milli,
        .slots = machine->slots,
    };

    struct host_amount capacity = host_capacity_of(&pool->policy, &total);

    /* Told, and too small for anything: not the same as not told. */
    if (machine->memory_bytes > 0 && capacity.memory_bytes == 0)
        capacity.memory_bytes = 1;
    if (machine->cpus_milli > 0 && capacity.cpus_milli == 0)
        capacity.cpus_milli = 1;
    return capacity;
}

static void
policy_amount_most(struct host_amount *most, const struct host_amount *amount)
{
    if (most->memory_bytes < amount->memory_bytes)
        most->memory_bytes = amount->memory_bytes;
    if (most->cpus_milli < amount->cpus_milli)
        most->cpus_milli = amount->cpus_milli;
    if (most->slots < amount->slots)
        most->slots = amount->slots;
}

void
policy_demand_bar(struct policy_demand *demand, const struct host_amount *request, int64_t hosts)
{
    struct policy_barred *barred = &demand->barred;

    barred->count++;
    barred->sum.memory_bytes += request->memory_bytes;
    barred->sum.cpus_milli += request->cpus_milli;
    barred->sum.slots += request->slots;
    policy_amount_most(&barred->largest, request);
    if (barred->hosts < hosts)
        barred->hosts = hosts;
}

bool
policy_could_launch(const struct pool *pool, const struct host_amount *request)
{
    const struct pool_machine *machines = pool->machines.at;
    bool fits = false;

    for (size_t i = 0; pool_provider_rents(pool->provider) && i < pool->machines.count; i++) {
        struct host_amount capacity = policy_machine_capacity(pool, &machines[i]);
        struct host_amount room = policy_room_new(&capacity);

        fits = fits || policy_holds(&room, request);
    }
    return fits;
}

bool
policy_demand_add(struct policy_demand *demand, const struct pool *pool,
                  const struct host_amount *request, int64_t waited_ms)
{
    bool fits = pool->machines.count == 0 || !pool_provider_rents(pool->provider) ||
                policy_could_launch(pool, request);

    policy_amount_most(fits ? &demand->largest : &demand->misfit, request);
    if (!fits) {
        demand->misfits++;
        return false;
    }
    demand->count++;
    demand->sum.memory_bytes += request->memory_bytes;
    demand->sum.cpus_milli += request->cpus_milli;
    demand->sum.slots += request->slots;
    if (demand->oldest_ms < waited_ms)
        demand->oldest_ms = waited_ms;
    return true;
}

/* A type whose hosts turn out to be smaller than promised must not be launched again and again for
 * what they cannot hold. */
static void
policy_machine_observe(struct policy_round *round, const struct policy_host *host)
{
    struct host_amount *known;

    if (host->state != HOST_ACTIVE || host->machine < 0 ||
        (size_t)host->machine >= round->machine_count || host->capacity.memory_bytes == 0)
        return;
    known = &round->capacity[host->machine];
    if (known->memory_bytes == 0 || host->capacity.memory_bytes < known->memory_bytes)
        known->memory_bytes = host->capacity.memory_bytes;
    if (host->capacity.cpus_milli > 0 &&
        (known->cpus_milli == 0 || host->capacity.cpus_milli < known->cpus_milli))
        known->cpus_milli = host->capacity.cpus_milli;
}

void
policy_machine_learn(struct policy_round *round)
{
    const struct policy_view *view = round->view;

    for (size_t i = 0; i < round->machine_count; i++)
        round->capacity[i] = policy_machine_capacity(view->pool, &round->machines[i]);
    for (size_t i = 0; i < view->host_count; i++)
        policy_machine_observe(round, &view->hosts[i]);
    for (size_t i = 0; i < round->machine_count; i++) {
        struct host_amount room = policy_room_new(&round->capacity[i]);

        round->largest_possible |= policy_holds(&room, &view->demand.largest);
        round->average_possible |= policy_holds(&room, &round->average);
        round->barred_possible |= policy_holds(&room, &view->demand.barred.largest);
    }
    /* People choose the machine then. */
    if (!round->rents) {
        round->largest_possible = true;
        round->average_possible = true;
        round->barred_possible = true;
    }
}

/* Machines of @room for @lack, 1 at least. */
static int64_t
policy_machine_count(const struct host_amount *room, const struct host_amount *lack)
{
    const int64_t pairs[][2] = {
        { lack->memory_bytes, room->memory_bytes },
        { lack->cpus_milli, room->cpus_milli },
        { lack->slots, room->slots },
    };
    int64_t count = 1;

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        int64_t wanted = pairs[i][0] / pairs[i][1] + (pairs[i][0] % pairs[i][1] > 0);

        if (wanted > count)
            count = wanted;
    }
    return count < MACHINES_MOST ? count : MACHINES_MOST;
}

/* The cheapest for all of @lack of those that hold @least; the first of equals. */
static int32_t
policy_machine_cheapest(const struct policy_round *round, const struct policy_lack *lack,
                        const struct host_amount *least)
{
    int64_t best_micro = INT64_MAX;
    int32_t best = -1;

    for (size_t i = 0; i < round->machine_count; i++) {
        struct host_amount room = policy_room_new(&round->capacity[i]);
        int64_t count = policy_machine_count(&room, &lack->amount);
        int64_t micro;

        if (!policy_holds(&room, least))
            continue;
        if (__builtin_mul_overflow(count, round->machines[i].price_micro, &micro))
            micro = INT64_MAX - 1;
        if (micro < best_micro) {
            best_micro = micro;
            best = (int32_t)i;
        }
    }
    return best;
}

int32_t
policy_machine_pick(const struct policy_round *round, const struct policy_lack *lack)
{
    static const struct host_amount nothing = { 0 };
    const struct host_amount *in_use = &round->in_use;
    const struct host_amount *least = &nothing;
    bool used = in_use->memory_bytes > 0 || in_use->cpus_milli > 0 || in_use->slots > 0;

    if (round->machine_count == 0)
        return -1;
    if (lack->what == SHORT_QUEUE) {
        least = round->largest_possible   ? &round->view->demand.largest
                : round->average_possible ? &round->average
                                          : &nothing;
    }
    if (lack->what == SHORT_BARRED)
        least = &round->view->demand.barred.largest;
    if (round->policy->machine_choice == CHOICE_BY_USE) {
        int32_t index = used ? (int32_t)round->machine_count - 1 : 0;
        struct host_amount room = policy_room_new(&round->capacity[index]);

        if (policy_holds(&room, least))
            return index;
    }
    return policy_machine_cheapest(round, lack, least);
}
