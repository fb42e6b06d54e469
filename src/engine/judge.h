#pragma once

/*
 * Whose fault a failed launch is: the host's or the blueprint's (domain/blame).  A blueprint that is to
 * blame is held back by its breaker (domain/breaker).
 */

#include "state.h"

/** judge_launch_failed() - a launch of @instance on its host ended with @fault. */
void judge_launch_failed(struct engine *engine, struct instance *instance,
                         const struct fault *fault);
/** judge_launch_went_well() - it runs. */
void judge_launch_went_well(struct engine *engine, struct instance *instance);
/** judge_canary_ran() - on @host, which was suspended. */
void judge_canary_ran(struct engine *engine, struct host *host);

/** judge_holds() - @instance may not be placed now, because its blueprint is held back; its reason says
 * so. */
bool judge_holds(struct engine *engine, struct instance *instance);
/** judge_placed() - it was placed. */
void judge_placed(const struct instance *instance);
/** judge_tick() - each second: pauses of breakers that have passed. */
void judge_tick(struct engine *engine);
