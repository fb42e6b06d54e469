/* Launches in an hour and money in a month: when a host is decided, the limit is not reached; and what
 * the pools have spent is what the provider asks for. */

#include "sim_book.h"

#define LIMITS        "10 launches and money stay within limits"
#define MONEY         "10 money is counted as the provider does"
#define HOUR_S        3600
#define HOUR_MS       3600000
#define MICRO         1e6
#define MONTH_ENDS_MS INT64_C(1701388800000) /* the one in which each run begins */

/* How far the two counts may be apart, for each machine, with a round so often. */
enum { LESS_S = 10, MORE_S = 300, ROUND_MS = 15000 };

enum { SPAWN_MS = 1000 }; /* from the decision until its row is durable, at most */

/* Of the machines of one pool, as the provider counts; the disks of stopped ones are not counted. */
static int64_t
sim_cost_micro(const struct sim *sim, int64_t pool_id)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;
    int64_t cost = 0;

    while ((vm = fake_vm_next(vms, vm)))
        cost += vm->cluster[0] && vm->pool_id == pool_id ? fake_vm_run_micro(vm) : 0;
    return cost;
}

/* Of those that a row names: one that came and went while no daemon ran is not heard of. */
static int64_t
sim_cost_known_micro(struct sim *sim, int64_t pool_id)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;
    int64_t cost = 0;

    while ((vm = fake_vm_next(vms, vm)))
        cost += vm->pool_id == pool_id && sim_is_known(sim, vm) ? fake_vm_run_micro(vm) : 0;
    return cost;
}

/* Of the pool, as the engine counts. */
static int64_t
sim_spent_micro(struct sim *sim, struct pool *pool)
{
    struct json_out out;
    struct buf buf;
    struct fault fault;
    int64_t spent_micro = -1;
    CLEANUP(json_freep) json_t *plan = NULL;

    buf_init(&buf, 1 << 18);
    json_out_init(&out, &buf);
    engine_pool_plan(sim->engine, pool, 1, &out);
    if (json_in_parse(buf.data, buf.len, &plan, &fault) == 0) {
        const json_t *money = json_object_get(plan, "money");

        spent_micro = (int64_t)(json_number_value(json_object_get(money, "spent")) * MICRO + 0.5);
    }
    buf_fini(&buf);
    return spent_micro;
}

/* They are known when they are durable: what was decided an hour apart may be so a little earlier. */
static int64_t
sim_spawns_lately(const struct sim_pool *pool, int64_t now)
{
    int64_t count = 0;

    for (uint64_t i = 0; i < pool->spawns && i < SIM_SPAWNS_MAX; i++)
        count += now - pool->spawns_ms[i] < HOUR_MS - SPAWN_MS;
    return count;
}

void
sim_limits_spawn(struct sim *sim, int64_t pool_id)
{
    struct sim_pool *pool = sim_book_pool(sim->book, pool_id);
    const struct pool *row = idmap_find(&engine_model(sim->engine)->pools, pool_id);
    int64_t now = sim_mono(sim);
    int64_t most = pool->launches_per_hour;

    pool->spawns_ms[pool->spawns++ % SIM_SPAWNS_MAX] = now;
    /* An hour of a clock that jumps is not an hour; and what another policy allowed stays allowed. */
    if (!row || sim->stats.jumps > 0)
        return;
    if (row->policy.launches_per_hour > most || row->policy.launches_per_hour == 0)
        most = row->policy.launches_per_hour;
    if (most > 0 && most < SIM_SPAWNS_MAX && pool->launches_per_hour > 0 &&
        sim_spawns_lately(pool, now) > most) {
        sim_fail(sim, LIMITS, "%s has launched more than %lld in an hour", row->name,
                 (long long)most);
    }
    if (pool->budget_milli > 0 && row->policy.budget_per_month_milli > 0 &&
        engine_now_ms(sim->engine) < MONTH_ENDS_MS &&
        sim_cost_micro(sim, pool_id) > pool->budget_milli * 1000) {
        sim_fail(sim, LIMITS, "%s has cost %lld millionths and grows", row->name,
                 (long long)sim_cost_micro(sim, pool_id));
    }
}

/* What was decided by the policy before becomes durable a little later. */
static void
sim_limits_keep_one(struct sim *sim, const struct pool *row, struct sim_pool *pool)
{
    bool same = pool->launches_per_hour == row->policy.launches_per_hour &&
                pool->budget_milli == row->policy.budget_per_month_milli;

    if (same || pool->changed_ms == 0)
        pool->changed_ms = same ? 0 : sim_mono(sim);
    if (same || sim_mono(sim) - pool->changed_ms < SPAWN_MS)
        return;
    pool->changed_ms = 0;
    pool->launches_per_hour = row->policy.launches_per_hour;
    pool->budget_milli = row->policy.budget_per_month_milli;
}

void
sim_limits_keep(struct sim *sim, const char *name)
{
    (void)name;
    IDMAP_EACH(&engine_model(sim->engine)->pools, struct pool, row)
    {
        sim_limits_keep_one(sim, row, sim_book_pool(sim->book, row->id));
    }
}

/* What the pool's machines cost in a second, if all were as dear as the dearest; and one that was asked
 * for and never came. */
static int64_t
sim_second_micro(const struct sim *sim, int64_t pool_id)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;
    int64_t machines = 1;

    while ((vm = fake_vm_next(vms, vm)))
        machines += vm->pool_id == pool_id;
    return machines * SIM_DEAREST_MICRO / HOUR_S;
}

/* A machine counts from when it is asked for until its end is seen: a little longer than it costs, and as
 * long again as the provider did not answer. */
void
sim_limits_rest(struct sim *sim)
{
    if (sim->stats.jumps > 0 || engine_now_ms(sim->engine) >= MONTH_ENDS_MS)
        return;
    IDMAP_EACH(&engine_model(sim->engine)->pools, struct pool, pool)
    {
        int64_t cost = sim_cost_micro(sim, pool->id);
        int64_t spent = sim_spent_micro(sim, pool);
        int64_t second = sim_second_micro(sim, pool->id);
        int64_t more_s = MORE_S * sim->config.housekeeping_ms / ROUND_MS +
                         (int64_t)(sim->stats.storms_s + sim->stats.down_s);

        if (!pool_provider_rents(pool->provider))
            continue;
        if (spent < sim_cost_known_micro(sim, pool->id) - LESS_S * second ||
            spent > cost + more_s * second) {
            sim_fail(sim, MONEY, "%s has spent %lld millionths, its machines cost %lld", pool->name,
                     (long long)spent, (long long)cost);
        }
    }
}
