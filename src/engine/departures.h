#pragma once

/*
 * Hosts that are to go: draining, removal when empty, removal at once.
 */

#include "state.h"

/** departures_begin() - @host takes no new work; what is there at @ends_at_ms (0: never) is stopped or
 * moved. */
void departures_begin(struct engine *engine, struct host *host, enum host_cause cause,
                      int64_t ends_at_ms, const char *reason);
/** departures_end() - @host, empty and without a lane, is removed. */
void departures_end(struct engine *engine, struct host *host, const char *reason);
/** departures_check() - at the end of a turn and each second: deadlines passed, hosts empty. */
void departures_check(struct engine *engine);
