#pragma once

/*
 * A small world without I/O for the policy: hosts, what runs on them, and rounds that carry out each
 * plan at once and to the letter.  Every action goes into a trace, "1020 spawn h2\n".
 *
 * A host is prepared in the round that says so, as the reference does it: one that fails for the
 * last time is given up in the same round.
 */

#include "berth/domain/policy.h"

enum {
    YARD_HOSTS_MAX = 1024,
    YARD_TRACE_SIZE = 1 << 16,
    YARD_SECOND_MS = 1000,
    YARD_MINUTE_MS = 60 * YARD_SECOND_MS,
};

struct yard {
    struct pool *pool; /* owned */
    struct policy_host hosts[YARD_HOSTS_MAX];
    size_t count;
    int64_t hosts_made;
    int64_t begin_ms;
    int64_t now_ms;
    struct policy_demand demand;
    int64_t launched_ms[YARD_HOSTS_MAX]; /* of all launches, [launches] */
    size_t launches;
    uint32_t prepare_failures; /* so many more preparations fail */
    struct policy_plan plan;   /* of the last round */
    char trace[YARD_TRACE_SIZE];
    size_t trace_len;
};

struct yard_sizes {
    int64_t small; /* slots */
    int64_t large;
    int64_t max_hosts;
};

/* Two machine types, small and large; the reference's parameters. */
void yard_init_reference(struct yard *yard, struct yard_sizes sizes);
/* No machine types and the defaults, for @provider. */
void yard_init(struct yard *yard, int32_t provider);
void yard_fini(struct yard *yard);

/* @price_micro an hour; @memory_bytes and @slots 0: not told. */
void yard_machine_add(struct yard *yard, const char *type, struct host_amount total,
                      int64_t price_micro);
/* A host that is active, of machine type @machine. */
struct policy_host *yard_host_add(struct yard *yard, int32_t machine);

/* What the round sees. */
struct policy_view yard_view(struct yard *yard);
/* The clocks of hosts that are used start now, as each of the reference's rounds begins. */
void yard_refresh(struct yard *yard);
/* Refresh, plan, carry out. Return: how many actions. */
size_t yard_round(struct yard *yard);
/* Rounds a minute apart: @now_ms moves on, then a round, until it is @until_s from the begin. */
void yard_run(struct yard *yard, int64_t until_s);
void yard_pass(struct yard *yard, int64_t s);

/* One instance of one slot, as the reference places it: first fit, hosts near their end last.
 * Return: its host, or NULL when there is no room. */
struct policy_host *yard_place(struct yard *yard);
void yard_leave(struct policy_host *host);
struct policy_host *yard_find(struct yard *yard, int64_t id);

/* "active spawned": the states in order of id. */
const char *yard_states(struct yard *yard);
