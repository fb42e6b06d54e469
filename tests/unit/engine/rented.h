#pragma once

/*
 * A world with one pool, `rent`, whose machines come from a provider; short
 * words for what tests do in it, and what must hold after each turn.
 */

#include "world.h"

struct rented {
    struct world world;
    size_t awaited; /* active hosts */
};

/** rented_begin() - the pool wants @min_hosts and has no other wish. */
void rented_begin(struct rented *rented, int64_t min_hosts);
/** rented_end() - settle and go. */
void rented_end(struct rented *rented);
enum { RENTED_SUSPENDED_MS = 120000 /* a host that fails has so long to recover */ };

struct rented_rules {
    int64_t min_hosts;
    int64_t max_hosts;
    int64_t warm_hosts;
    bool shutdown;
};

/** rented_rule_set() - these from now on. */
void rented_rule_set(struct rented *rented, struct rented_rules rules);
/** rented_policy_set() - other wishes from now on. */
void rented_policy_set(struct rented *rented, int64_t min_hosts, bool shutdown);
struct pool *rented_pool(struct rented *rented);
/** rented_count() - hosts of the pool in @state. */
size_t rented_count(struct rented *rented, enum host_state state);
/** rented_until_active() - until so many hosts are active, at most @ms; fails when they never are. */
void rented_until_active(struct rented *rented, size_t count, int64_t ms);
/** rented_first() - the oldest host of the pool that is not removed; NULL: there is none. */
struct host *rented_first(struct rented *rented);
/** rented_events() - durable events of @kind. */
size_t rented_events(struct rented *rented, const char *kind);
/** rented_told() - what @tell writes about the pool, after a count of its instances; owned. */
json_t *rented_told(struct rented *rented,
                    void (*tell)(struct engine *engine, struct pool *pool, struct json_out *out));
/** rented_wrongs() - what `berth status` calls wrong with the pool, a list; owned. */
json_t *rented_wrongs(struct rented *rented);
/** rented_strays_launch() - machines with the cluster's tag whose host no row knows. */
void rented_strays_launch(struct rented *rented, size_t count);
