#pragma once

/*
 * What the rounds after this one would do, if all goes well: what a plan begins has ended when the next
 * round comes, nobody asks for anything new, and no host fails.
 */

#include "berth/domain/policy.h"

enum { FORECAST_ROUNDS_MAX = 10 };

struct forecast {
    struct policy_view view; /* of the coming round */
    struct pool pool; /* what view.pool points to: its row as it would be; nothing is owned */
    struct policy_host *hosts; /* owned: what view.hosts points to */
    size_t room;               /* for so many of them */
    int64_t spawned;           /* that were launched so far */
};

/** forecast_init() - begin with @view, whose pool, zones and texts stay borrowed. */
void forecast_init(struct forecast *forecast, const struct policy_view *view);
void forecast_fini(struct forecast *forecast);

/** forecast_step() - @plan, made of the view, was carried out, and @step_ms have passed. */
void forecast_step(struct forecast *forecast, const struct policy_plan *plan, int64_t step_ms);

/** forecast_step_ms() - how long until the next round that may do something: @round_ms while something
 * is under way, else until time alone changes @plan; 0: nothing will. */
int64_t forecast_step_ms(const struct forecast *forecast, const struct policy_plan *plan,
                         int64_t round_ms);
