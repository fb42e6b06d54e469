#pragma once

/*
 * Housekeeping on request: an operation that is done when each host was looked
 * at once more.
 */

#include "state.h"

/** rounds_host_looked() - a look at @host has ended, well or not. */
void rounds_host_looked(struct engine *engine, const struct host *host);
/** rounds_planned() - a plan was made. */
void rounds_planned(struct engine *engine);
/** rounds_fini() - forget all; before a reload and at the end. */
void rounds_fini(struct engine *engine);
