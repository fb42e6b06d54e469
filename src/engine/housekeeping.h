#pragma once

/*
 * Rounds: what is there is read, the policy of each pool makes a plan, the plan
 * is carried out.  A round waits for no one longer than its deadline.  What
 * matters (a queue that grew, a host that was lost) brings a plan at once, one
 * a second at the most.
 */

#include "berth/domain/policy.h"

#include "state.h"

enum {
    HOUSEKEEPING_DEADLINE_MS = 3000, /* for the answers that a round waits for */
    HOUSEKEEPING_PAUSE_MS = 1000,    /* between two plans */
};

/** housekeeping_round() - read what is there, then plan. */
void housekeeping_round(struct engine *engine);
/** housekeeping_poke() - something happened that may change a plan. */
void housekeeping_poke(struct engine *engine);
/** housekeeping_on_listed() - a listing has ended. */
void housekeeping_on_listed(struct engine *engine);
/** housekeeping_is_reading() - a round has begun and its plan is not made yet. */
bool housekeeping_is_reading(const struct engine *engine);
/** housekeeping_noticed() - the provider takes @host's machine back: what runs there moves while there
 * is time. */
void housekeeping_noticed(struct engine *engine, struct host *host);
/** housekeeping_carry_out() - @plan of @pool, just made. Return: how many actions were begun. */
size_t housekeeping_carry_out(struct engine *engine, struct pool *pool,
                              const struct policy_plan *plan);
/** housekeeping_stop() - its timers; before a reload and at the end. */
void housekeeping_stop(struct engine *engine);
