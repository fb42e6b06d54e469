#include "yard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/cost.h"

enum { LIFETIME_MS = 900 * YARD_SECOND_MS, LOW_MS = 300 * YARD_SECOND_MS, TARGET_SLOTS = 4 };

static const int64_t begin_ms = 1700000000000;

void
yard_init(struct yard *yard, int32_t provider)
{
    memset(yard, 0, sizeof(*yard));
    yard->pool = pool_new("yard", provider);
    yard->begin_ms = begin_ms;
    yard->now_ms = begin_ms;
}

void
yard_init_reference(struct yard *yard, struct yard_sizes sizes)
{
    struct pool_policy *policy;

    yard_init(yard, PROVIDER_EC2);
    policy = &yard->pool->policy;
    policy->free_slots = TARGET_SLOTS;
    policy->max_hosts = sizes.max_hosts;
    policy->host_lifetime_ms = LIFETIME_MS;
    policy->host_lifetime_low_ms = LOW_MS;
    policy->actions_per_round = 1;
    policy->retire = RETIRE_WHEN_EMPTY;
    policy->life_from = LIFE_FROM_FIRST_USE;
    policy->machine_choice = CHOICE_BY_USE;
    policy->prepare_attempts = 6;
    policy->consolidate = false;
    policy->launches_per_hour = 0;
    yard_machine_add(yard, "small", (struct host_amount){ .slots = sizes.small }, 0);
    yard_machine_add(yard, "large", (struct host_amount){ .slots = sizes.large }, 0);
}

void
yard_fini(struct yard *yard)
{
    pool_free(yard->pool);
}

void
yard_machine_add(struct yard *yard, const char *type, struct host_amount total, int64_t price_micro)
{
    struct schema_array *machines = &yard->pool->machines;
    struct pool_machine *at =
        mem_resize(machines->at, machines->count + 1, sizeof(struct pool_machine));

    at[machines->count] = (struct pool_machine){
        .type = mem_strdup(type),
        .price_micro = price_micro,
        .memory_bytes = total.memory_bytes,
        .cpus_milli = total.cpus_milli,
        .slots = total.slots,
    };
    *machines = (struct schema_array){ .at = at, .count = machines->count + 1 };
}

static struct policy_host *
yard_make(struct yard *yard, int32_t machine)
{
    const struct pool_machine *machines = yard->pool->machines.at;
    struct policy_host *host = &yard->hosts[yard->count++];

    assert_true(yard->count <= YARD_HOSTS_MAX);
    *host = (struct policy_host){
        .id = ++yard->hosts_made,
        .name = "",
        .state = HOST_SPAWNED,
        .stage = MACHINE_UP,
        .machine = machine,
        .created_at_ms = yard->now_ms,
    };
    if (machine >= 0) {
        host->capacity = policy_machine_capacity(yard->pool, &machines[machine]);
        host->price_micro = machines[machine].price_micro;
        host->launched_at_ms = yard->now_ms;
    }
    return host;
}

static void
yard_prepared(struct yard *yard, struct policy_host *host)
{
    host->state = HOST_ACTIVE;
    host->stage = MACHINE_READY;
    host->active_at_ms = yard->now_ms;
    host->takes_work = true;
    setback_clear(&yard->pool->setback);
}

struct policy_host *
yard_host_add(struct yard *yard, int32_t machine)
{
    struct policy_host *host = yard_make(yard, machine);

    yard_prepared(yard, host);
    return host;
}

static void
yard_spawn(struct yard *yard, const struct policy_action *action)
{
    assert_true(yard->launches < YARD_HOSTS_MAX);
    (void)yard_make(yard, action->machine);
    yard->launched_ms[yard->launches++] = yard->now_ms;
    yard->pool->grown_at_ms = yard->now_ms;
}

static void
yard_prepare(struct yard *yard, struct policy_host *host)
{
    if (yard->prepare_failures == 0) {
        yard_prepared(yard, host);
        return;
    }
    yard->prepare_failures--;
    host->prepare_failures++;
    if (host->prepare_failures >= yard->pool->policy.prepare_attempts) {
        host->state = HOST_INACTIVE;
        host->cause = CAUSE_GAVE_UP;
        setback_add(&yard->pool->setback, host->created_at_ms, "no way in", yard->now_ms);
    }
}

static void
yard_remove(struct yard *yard, struct policy_host *host)
{
    struct pool *pool = yard->pool;
    int64_t month_ms = cost_month_start_ms(yard->now_ms);
    int64_t from_ms = host->launched_at_ms > month_ms ? host->launched_at_ms : month_ms;

    if (pool->spent_month != cost_month(yard->now_ms)) {
        pool->spent_month = cost_month(yard->now_ms);
        pool->spent_micro = 0;
    }
    pool->spent_micro += cost_of_micro(host->price_micro, yard->now_ms - from_ms);
    memmove(host, host + 1, (size_t)(&yard->hosts[yard->count] - (host + 1)) * sizeof(*host));
    yard->count--;
}

static void
yard_note(struct yard *yard, const struct policy_action *action)
{
    const struct pool_machine *machines = yard->pool->machines.at;
    bool spawn = action->kind == POLICY_SPAWN;
    int64_t id = spawn ? yard->hosts_made + 1 : action->host_id;

    assert_true(yard->trace_len < YARD_TRACE_SIZE - 64);
    yard->trace_len += (size_t)snprintf(
        yard->trace + yard->trace_len, YARD_TRACE_SIZE - yard->trace_len, "%lld %s h%lld%s%s\n",
        (long long)(yard->now_ms - yard->begin_ms) / YARD_SECOND_MS, policy_kind_name(action->kind),
        (long long)id, spawn ? " " : "", spawn ? machines[action->machine].type : "");
}

static void
yard_carry_out(struct yard *yard, const struct policy_action *action)
{
    struct policy_host *host = yard_find(yard, action->host_id);

    yard_note(yard, action);
    if (action->kind == POLICY_SPAWN) {
        yard_spawn(yard, action);
        return;
    }
    assert_non_null(host);
    switch (action->kind) {
    case POLICY_PREPARE:
        yard_prepare(yard, host);
        break;
    case POLICY_ACTIVATE:
        host->state = HOST_ACTIVE;
        host->cause = CAUSE_NONE;
        yard->pool->grown_at_ms = yard->now_ms;
        break;
    case POLICY_WAKE:
        host->warm = false;
        host->stage = MACHINE_BOOTING;
        host->launched_at_ms = yard->now_ms;
        yard->pool->grown_at_ms = yard->now_ms;
        break;
    case POLICY_REMOVE:
        yard_remove(yard, host);
        break;
    default:
        host->state = HOST_INACTIVE;
        host->cause = (int32_t)action->cause;
        host->ends_at_ms = action->ends_at_ms;
        break;
    }
}

struct policy_view
yard_view(struct yard *yard)
{
    struct policy_view view = {
        .pool = yard->pool,
        .hosts = yard->hosts,
        .host_count = yard->count,
        .demand = yard->demand,
        .now_ms = yard->now_ms,
    };

    for (size_t i = 0; i < yard->launches; i++) {
        int64_t free_at_ms = yard->launched_ms[i] + INT64_C(60) * YARD_MINUTE_MS;

        if (free_at_ms <= yard->now_ms)
            continue;
        if (view.launches++ == 0)
            view.launches_free_at_ms = free_at_ms;
    }
    return view;
}

void
yard_refresh(struct yard *yard)
{
    struct policy_view view = yard_view(yard);

    for (size_t i = 0; i < yard->count; i++) {
        struct policy_host *host = &yard->hosts[i];

        if (host->first_used_at_ms == 0 && (host->instances > 0 || policy_life_begins(&view, host)))
            host->first_used_at_ms = yard->now_ms;
    }
}

size_t
yard_round(struct yard *yard)
{
    struct policy_view view;

    yard_refresh(yard);
    view = yard_view(yard);
    policy_plan_make(&view, &yard->plan);
    for (size_t i = 0; i < yard->plan.count; i++)
        yard_carry_out(yard, &yard->plan.actions[i]);
    return yard->plan.count;
}

void
yard_pass(struct yard *yard, int64_t s)
{
    yard->now_ms += s * YARD_SECOND_MS;
}

void
yard_run(struct yard *yard, int64_t until_s)
{
    while (yard->now_ms - yard->begin_ms < until_s * YARD_SECOND_MS) {
        yard->now_ms += YARD_MINUTE_MS;
        (void)yard_round(yard);
    }
}

struct policy_host *
yard_place(struct yard *yard)
{
    struct policy_view view = yard_view(yard);

    for (int low = 0; low < 2; low++) {
        for (size_t i = 0; i < yard->count; i++) {
            struct policy_host *host = &yard->hosts[i];

            if (host->state != HOST_ACTIVE || !host->takes_work ||
                policy_is_low(&view, host) != (low == 1) ||
                host->reserved.slots >= host->capacity.slots)
                continue;
            host->reserved.slots++;
            host->instances++;
            host->uses++;
            return host;
        }
    }
    return NULL;
}

void
yard_leave(struct policy_host *host)
{
    if (host->instances == 0)
        return;
    host->instances--;
    host->reserved.slots--;
}

struct policy_host *
yard_find(struct yard *yard, int64_t id)
{
    for (size_t i = 0; i < yard->count; i++) {
        if (yard->hosts[i].id == id)
            return &yard->hosts[i];
    }
    return NULL;
}

const char *
yard_states(struct yard *yard)
{
    static char text[YARD_HOSTS_MAX];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < yard->count; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? " " : "",
                                host_state_name((enum host_state)yard->hosts[i].state));
    }
    return text;
}
