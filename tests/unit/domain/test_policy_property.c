/*
 * What holds of every plan, tried on thousands of views from a seed; and rounds that are carried out
 * to the letter come to rest.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/cost.h"

#include "yard.h"

#define GIB INT64_C(1073741824)

enum { SEED = 20261122, VIEWS = 20000, WORLDS = 2000, LOADS_MAX = 40 };

static struct yard yard;
static uint64_t dice;

/* xorshift64*: the same numbers everywhere. */
static uint64_t
roll(uint64_t sides)
{
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (dice * UINT64_C(2685821657736338717) >> 33) % sides;
}

static int64_t
pick(int64_t from, int64_t to)
{
    return from + (int64_t)roll((uint64_t)(to - from + 1));
}

/* --- Plans of views that may be anything ---------------------------------------------------------- */

static void
random_policy(struct pool_policy *policy)
{
    policy->max_hosts = pick(0, 12);
    policy->min_hosts = pick(0, policy->max_hosts) * pick(0, 1);
    policy->free_slots = pick(0, 1) * pick(0, 20);
    policy->free_memory_bytes = pick(0, 1) * pick(0, 20) * GIB;
    policy->free_share_milli = pick(0, 1) * pick(0, 1000);
    policy->launches_per_hour = pick(0, 6);
    policy->budget_per_month_milli = pick(0, 1) * pick(1, 200000);
    policy->machine_choice = (int32_t)pick(0, 1);
    policy->life_from = (int32_t)pick(0, 1);
    policy->retire = (int32_t)pick(0, 1);
    policy->host_lifetime_ms = pick(0, 1) * pick(600, 86400) * YARD_SECOND_MS;
    policy->host_uses = pick(0, 1) * pick(1, 20);
    policy->retire_deadline_ms = pick(0, 1) * pick(0, 7200) * YARD_SECOND_MS;
    policy->consolidate_after_ms = pick(0, 1) * 900 * YARD_SECOND_MS;
    policy->shutdown = pick(0, 15) == 0;
    policy->prepare_attempts = pick(1, 4);
    policy->actions_per_round = pick(0, 1) * pick(1, 5);
    policy->actions_per_kind = pick(0, 1) * pick(1, 3);
    policy->reserve.memory_bytes = 0;
}

static struct host_amount
random_amount(void)
{
    return (struct host_amount){ pick(0, 8) * GIB, pick(0, 4000), pick(0, 24) };
}

static int64_t
some_time_ago(void)
{
    return yard.now_ms - pick(0, 90000) * YARD_SECOND_MS;
}

static void
random_host(void)
{
    int64_t types = (int64_t)yard.pool->machines.count;
    struct policy_host *host = yard_host_add(&yard, types > 0 ? (int32_t)pick(0, types - 1) : -1);

    host->state = (int32_t)pick(HOST_SPAWNED, HOST_INACTIVE);
    host->stage = (int32_t)pick(0, MACHINE_STAGE_COUNT - 1);
    host->cause = (int32_t)pick(0, CAUSE_COUNT - 1);
    host->instances = (uint32_t)(pick(0, 1) * pick(0, 9));
    host->movable = (uint32_t)pick(0, (int64_t)host->instances);
    if (host->instances > 0)
        host->reserved = random_amount();
    host->uses = (uint32_t)pick(0, 30);
    host->prepare_failures = (uint32_t)pick(0, 5);
    host->launched_at_ms = some_time_ago();
    host->active_at_ms = some_time_ago();
    host->first_used_at_ms = pick(0, 1) * some_time_ago();
    host->ends_at_ms = pick(0, 1) * some_time_ago();
    host->takes_work = pick(0, 3) > 0;
    host->untrusted = pick(0, 7) == 0;
    host->busy = pick(0, 3) == 0;
}

static void
random_yard(void)
{
    int64_t waiting = pick(0, 1) * pick(0, 20);
    int64_t hosts = pick(0, 14);

    yard_init(&yard, pick(0, 5) == 0 ? PROVIDER_STATIC : PROVIDER_EC2);
    random_policy(&yard.pool->policy);
    for (int64_t i = pick(0, 3); i > 0; i--)
        yard_machine_add(&yard, "type", random_amount(), pick(0, 400000));
    for (int64_t i = 0; i < hosts; i++)
        random_host();
    for (int64_t i = 0; i < waiting; i++) {
        struct host_amount request = random_amount();

        if (policy_demand_add(&yard.demand, yard.pool, &request, pick(0, 100000)) &&
            pick(0, 3) == 0)
            policy_demand_bar(&yard.demand, &request, pick(1, 4));
    }
    yard.pool->grown_at_ms = some_time_ago();
    for (int64_t i = pick(0, 1) * pick(0, 9); i > 0; i--)
        setback_add(&yard.pool->setback, yard.now_ms, "no way in", yard.now_ms - pick(0, 7200000));
    yard.pool->spent_micro = pick(0, 100) * 1000000;
    yard.pool->spent_month = cost_month(yard.now_ms);
}

static void
expect_same(const struct policy_plan *a, const struct policy_plan *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->held_count, b->held_count);
    assert_int_equal(a->next_at_ms, b->next_at_ms);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->actions[i].kind, b->actions[i].kind);
        assert_int_equal(a->actions[i].host_id, b->actions[i].host_id);
        assert_int_equal(a->actions[i].machine, b->actions[i].machine);
        assert_int_equal(a->actions[i].cause, b->actions[i].cause);
        assert_int_equal(a->actions[i].ends_at_ms, b->actions[i].ends_at_ms);
        assert_string_equal(a->actions[i].reason, b->actions[i].reason);
    }
    for (size_t i = 0; i < a->held_count; i++)
        assert_string_equal(a->held[i].text, b->held[i].text);
}

/* What each kind of action may be done to. */
static void
check_action(const struct policy_action *action)
{
    const struct policy_host *host = yard_find(&yard, action->host_id);
    bool rents = pool_provider_rents(yard.pool->provider);

    assert_true(strlen(action->reason) > 0);
    if (action->kind == POLICY_SPAWN) {
        assert_true(rents && !yard.pool->policy.shutdown);
        assert_true(action->machine >= 0 && action->machine < (int64_t)yard.pool->machines.count);
        return;
    }
    assert_non_null(host);
    assert_false(host->busy);
    if (action->kind == POLICY_PREPARE)
        assert_int_equal(host->state, HOST_SPAWNED);
    if (action->kind == POLICY_WAKE)
        assert_true(host->state == HOST_SPAWNED && host->warm && host->stage == MACHINE_WARM);
    if (action->kind == POLICY_ACTIVATE || action->kind == POLICY_REMOVE)
        assert_int_equal(host->state, HOST_INACTIVE);
    if (action->kind == POLICY_REMOVE)
        assert_true(rents && (host->instances == 0 || host->ends_at_ms > 0));
    if (action->kind == POLICY_DRAIN || action->kind == POLICY_INACTIVATE)
        assert_true(action->cause != CAUSE_NONE && host->state != HOST_INACTIVE);
    assert_true(action->ends_at_ms == 0 || action->ends_at_ms >= yard.now_ms);
    if (action->cause == CAUSE_CONSOLIDATED)
        assert_int_equal(action->ends_at_ms, 0);
}

/* Without the policy's own arithmetic: a new host costs its price until the month ends. */
static void
check_ceilings(const struct policy_plan *plan, const uint32_t kinds[POLICY_KIND_COUNT])
{
    const struct pool_policy *policy = &yard.pool->policy;
    const struct pool_machine *machines = yard.pool->machines.at;
    int64_t spawns = kinds[POLICY_SPAWN];
    int64_t cost = plan->spent_micro + plan->committed_micro;
    bool ends = policy->life_from == LIFE_FROM_ACTIVATION && policy->host_lifetime_ms > 0 &&
                policy->retire_deadline_ms > 0;
    int64_t run_ms = cost_month_end_ms(yard.now_ms) - yard.now_ms;

    if (ends && policy->host_lifetime_ms + policy->retire_deadline_ms < run_ms)
        run_ms = policy->host_lifetime_ms + policy->retire_deadline_ms;
    if (spawns > 0)
        assert_true((int64_t)yard.count + spawns <= policy->max_hosts);
    if (spawns > 0 && policy->launches_per_hour > 0)
        assert_true(spawns <= policy->launches_per_hour);
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->actions[i].kind == POLICY_SPAWN)
            cost += machines[plan->actions[i].machine].price_micro * (run_ms / 1000) / 3600;
    }
    if (spawns > 0 && policy->budget_per_month_milli > 0)
        assert_true(cost <= policy->budget_per_month_milli * 1000);
}

/* After hosts that failed in a row nothing is launched for a while, and then one at a time. */
static void
check_setback(uint32_t spawns)
{
    const struct setback *setback = &yard.pool->setback;
    size_t coming = 0;

    if (spawns == 0 || setback->steps < 2)
        return;
    assert_true(yard.now_ms - setback->last_at_ms >= setback_wait_ms(setback));
    for (size_t i = 0; i < yard.count; i++) {
        coming += yard.hosts[i].state == HOST_SPAWNED && yard.hosts[i].stage != MACHINE_RETURNING &&
                  yard.hosts[i].prepare_failures < yard.pool->policy.prepare_attempts;
    }
    assert_int_equal(spawns + coming, 1);
}

static void
check_plan(const struct policy_plan *plan)
{
    const struct pool_policy *policy = &yard.pool->policy;
    uint32_t kinds[POLICY_KIND_COUNT] = { 0 };

    assert_true(plan->count <= POLICY_ACTIONS_MAX);
    if (policy->actions_per_round > 0)
        assert_true((int64_t)plan->count <= policy->actions_per_round);
    for (size_t i = 0; i < plan->count; i++) {
        const struct policy_action *action = &plan->actions[i];

        check_action(action);
        kinds[action->kind]++;
        assert_true(i == 0 || plan->actions[i - 1].kind <= action->kind);
        for (size_t j = 0; j < i && action->host_id != 0; j++)
            assert_true(plan->actions[j].host_id != action->host_id);
        if (policy->actions_per_kind > 0)
            assert_true(kinds[action->kind] <= policy->actions_per_kind);
    }
    assert_true(plan->next_at_ms == 0 || plan->next_at_ms > yard.now_ms);
    check_ceilings(plan, kinds);
    check_setback(kinds[POLICY_SPAWN]);
}

static void
test_plans_of_random_views(void **state)
{
    static struct policy_plan first;
    static struct policy_plan second;
    size_t acted = 0;

    (void)state;
    for (uint64_t seed = SEED; seed < SEED + VIEWS; seed++) {
        struct policy_view view;

        dice = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        random_yard();
        view = yard_view(&yard);
        memset(&first, 0xaa, sizeof(first));
        memset(&second, 0x55, sizeof(second));
        policy_plan_make(&view, &first);
        policy_plan_make(&view, &second);
        expect_same(&first, &second);
        check_plan(&first);
        acted += first.count > 0;
        yard_fini(&yard);
    }
    /* Most views want something. */
    assert_true(acted > VIEWS / 2);
}

/* --- Rounds that come to rest ----------------------------------------------------------------------- */

struct load {
    struct host_amount amount;
    int64_t host_id; /* 0: it waits */
    bool stays;      /* it cannot move */
};

static struct load loads[LOADS_MAX];
static size_t load_count;

static bool
has_room(const struct policy_host *host, const struct host_amount *more)
{
    return host->state == HOST_ACTIVE && host->takes_work &&
           host->reserved.memory_bytes + more->memory_bytes <= host->capacity.memory_bytes &&
           (host->capacity.slots == 0 ||
            host->reserved.slots + more->slots <= host->capacity.slots);
}

static void
put(struct load *load, struct policy_host *host)
{
    load->host_id = host->id;
    host->reserved.memory_bytes += load->amount.memory_bytes;
    host->reserved.slots += load->amount.slots;
    host->instances++;
    host->movable += !load->stays;
}

/* What has no host gets the first with room, or waits. */
static void
place(void)
{
    for (size_t i = 0; i < load_count; i++) {
        for (size_t j = 0; j < yard.count && loads[i].host_id == 0; j++) {
            if (has_room(&yard.hosts[j], &loads[i].amount))
                put(&loads[i], &yard.hosts[j]);
        }
        if (loads[i].host_id == 0)
            policy_demand_add(&yard.demand, yard.pool, &loads[i].amount, 1000);
    }
}

/* The books anew: what moves leaves hosts that are out of service, and what waits is placed. */
static void
settle(void)
{
    for (size_t i = 0; i < yard.count; i++) {
        yard.hosts[i].reserved = (struct host_amount){ 0 };
        yard.hosts[i].instances = 0;
        yard.hosts[i].movable = 0;
    }
    yard.demand = (struct policy_demand){ 0 };
    for (size_t i = 0; i < load_count; i++) {
        struct policy_host *host = yard_find(&yard, loads[i].host_id);

        if (host && (host->state == HOST_ACTIVE || loads[i].stays)) {
            put(&loads[i], host);
        } else {
            loads[i].host_id = 0;
        }
    }
    place();
}

static void
random_world(void)
{
    struct pool_policy *policy;
    bool slots = pick(0, 1) == 1;

    yard_init(&yard, PROVIDER_EC2);
    policy = &yard.pool->policy;
    policy->reserve.memory_bytes = 0;
    policy->max_hosts = pick(1, 30);
    policy->min_hosts = pick(0, 1) * pick(0, 3);
    if (policy->min_hosts > policy->max_hosts)
        policy->min_hosts = policy->max_hosts;
    policy->free_memory_bytes = pick(0, 1) * pick(1, 12) * GIB;
    policy->free_slots = slots ? pick(0, 8) : 0;
    policy->free_share_milli = pick(0, 2) * 200;
    policy->launches_per_hour = 0;
    policy->consolidate_after_ms = pick(0, 5) * YARD_MINUTE_MS;
    policy->machine_choice = (int32_t)pick(0, 1);
    policy->actions_per_round = pick(0, 1) * pick(1, 3);
    for (int64_t i = pick(1, 3); i > 0; i--) {
        struct host_amount total = { pick(2, 16) * GIB, 0, slots ? pick(2, 24) : 0 };

        yard_machine_add(&yard, "type", total, pick(0, 400000));
    }
    load_count = (size_t)pick(0, LOADS_MAX);
    for (size_t i = 0; i < load_count; i++) {
        loads[i] = (struct load){ .amount = { pick(1, 6) * GIB / 2, 0, pick(0, 2) },
                                  .stays = pick(0, 3) == 0 };
    }
}

static void
comes_to_rest(uint64_t seed)
{
    enum { MOST = 400, QUIET = 30 };
    size_t quiet = 0;

    for (int i = 0; i < MOST && quiet < QUIET; i++) {
        settle();
        quiet = yard_round(&yard) == 0 ? quiet + 1 : 0;
        assert_true((int64_t)yard.count <= yard.pool->policy.max_hosts);
        yard_pass(&yard, 60);
    }
    if (quiet < QUIET) {
        fail_msg("seed %llu does not come to rest: ...%s", (unsigned long long)seed,
                 yard.trace + (yard.trace_len > 1500 ? yard.trace_len - 1500 : 0));
    }
}

static void
test_rounds_come_to_rest(void **state)
{
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + WORLDS; seed++) {
        dice = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
        random_world();
        comes_to_rest(seed);
        /* Less to do: it shrinks, and rests again. */
        load_count /= 3;
        comes_to_rest(seed);
        load_count = 0;
        comes_to_rest(seed);
        if (yard.demand.count == 0 && yard.pool->policy.min_hosts == 0 &&
            yard.pool->policy.free_memory_bytes == 0 && yard.pool->policy.free_slots == 0)
            assert_int_equal(yard.count, 0);
        yard_fini(&yard);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_of_random_views),
        cmocka_unit_test(test_rounds_come_to_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
