#pragma once

/*
 * The pool as its policy looks at it: filled from the rows, from what waits, and
 * from what the engine remembers of the provider.
 */

#include "berth/domain/policy.h"

#include "state.h"

struct outlook {
    struct policy_view view;
    struct policy_host *hosts; /* [view.host_count], owned */
    const struct zone *zones[POOL_SCHEDULES_MAX];
};

/** outlook_init() - of @pool now; valid as long as no row changes. */
void outlook_init(struct engine *engine, struct pool *pool, struct outlook *ret_outlook);
void outlook_fini(struct outlook *outlook);

/** outlook_demand() - what waits for room in @pool, and that more hosts would help. */
void outlook_demand(const struct engine *engine, const struct pool *pool,
                    struct policy_demand *ret_demand);

/** outlook_could_ever() - a host of the pool, were it empty, or a machine that the pool may launch would
 * have the room and the labels that @ask wants; or hosts are still expected. */
bool outlook_could_ever(const struct engine *engine, const struct placement_ask *ask);

/** outlook_affords() - the month's budget would hold if @host's machine cost @price_micro an hour. */
bool outlook_affords(struct engine *engine, const struct host *host, int64_t price_micro);

/** outlook_machine_index() - of @host's machine type in its pool; -1: it has none of them. */
int32_t outlook_machine_index(const struct host *host);

/** outlook_digest() - of all that the plan rests on, time aside; hex digits. */
enum { OUTLOOK_DIGEST_SIZE = 17 };
void outlook_digest(const struct outlook *outlook, const struct policy_plan *plan,
                    char ret_text[OUTLOOK_DIGEST_SIZE]);
