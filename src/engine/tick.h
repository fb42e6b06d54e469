#pragma once

/*
 * What time brings: ends of lifetimes and idle times, retention, deadlines of
 * drains.
 */

#include "state.h"

/** tick_start() / tick_stop() - the timers. */
void tick_start(struct engine *engine);
void tick_stop(struct engine *engine);
/** tick_housekeep() - one round of retention and idle checks now. */
void tick_housekeep(struct engine *engine);
