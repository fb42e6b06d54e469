#pragma once

/*
 * Instances that nobody uses: no network traffic to speak of and hardly any
 * processor time for as long as their blueprint allows.
 */

#include "state.h"

/** idle_check() - ask for a sample of each running instance that has an idle time. */
void idle_check(struct engine *engine);
/** idle_fini() - forget all samples; none may be under way. */
void idle_fini(struct engine *engine);
