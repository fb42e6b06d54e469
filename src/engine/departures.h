#pragma once

/*
 * Hosts that are to go: draining, removal when empty, removal at once.
 */

#include "state.h"

/** departures_check() - at the end of a turn and each second: deadlines passed, hosts empty. */
void departures_check(struct engine *engine);
