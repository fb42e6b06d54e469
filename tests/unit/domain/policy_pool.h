#pragma once

/* What the tests of single rules share: one pool of two machine types, and its plan as text.  After
 * cmocka.h. */

#include <stdio.h>

#include "yard.h"

#define GIB  INT64_C(1073741824)
#define HOUR (60 * (int64_t)YARD_MINUTE_MS)

static struct yard yard;
static struct pool_policy *policy;

/* A pool with machines of 8 and 16 GiB, at 0.10 and 0.16 an hour, that keeps nothing free. */
static inline int
setup(void **state)
{
    (void)state;
    yard_init(&yard, PROVIDER_EC2);
    policy = &yard.pool->policy;
    policy->reserve.memory_bytes = 0;
    yard_machine_add(&yard, "m8", (struct host_amount){ .memory_bytes = 8 * GIB }, 100000);
    yard_machine_add(&yard, "m16", (struct host_amount){ .memory_bytes = 16 * GIB }, 160000);
    return 0;
}

static inline int
teardown(void **state)
{
    (void)state;
    yard_fini(&yard);
    return 0;
}

static inline void
wait_for(int64_t memory_bytes, uint32_t count)
{
    const struct host_amount request = { .memory_bytes = memory_bytes };

    for (uint32_t i = 0; i < count; i++)
        policy_demand_add(&yard.demand, yard.pool, &request, 1000);
}

static inline const struct policy_plan *
plan(void)
{
    struct policy_view view = yard_view(&yard);

    policy_plan_make(&view, &yard.plan);
    return &yard.plan;
}

/* The plan as text: "spawn m8, spawn m8; held: max_hosts". */
static inline const char *
plan_text(void)
{
    static char text[2048];
    const struct pool_machine *machines = yard.pool->machines.at;
    size_t len = 0;

    (void)plan();
    text[0] = '\0';
    for (size_t i = 0; i < yard.plan.count; i++) {
        const struct policy_action *action = &yard.plan.actions[i];

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s ", i > 0 ? ", " : "",
                                policy_kind_name(action->kind));
        len += action->kind == POLICY_SPAWN ? (size_t)snprintf(text + len, sizeof(text) - len, "%s",
                                                               machines[action->machine].type)
                                            : (size_t)snprintf(text + len, sizeof(text) - len,
                                                               "h%lld", (long long)action->host_id);
    }
    for (size_t i = 0; i < yard.plan.held_count; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "; held: %s",
                                policy_hold_name(yard.plan.held[i].hold));
    }
    return text;
}

static inline struct policy_host *
host(int64_t used_bytes, uint32_t instances)
{
    struct policy_host *made = yard_host_add(&yard, 0);

    made->reserved.memory_bytes = used_bytes;
    made->instances = instances;
    made->movable = instances;
    if (instances > 0)
        made->first_used_at_ms = yard.now_ms;
    return made;
}
