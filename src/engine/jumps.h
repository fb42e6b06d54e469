#pragma once

/*
 * A wall clock that is set, by hand or by a time service.  What rows remember by
 * it moves along, so that nothing gets older or younger, ends or goes on, because
 * of it.  (What it was set to while the daemon was not running, nobody knows.)
 */

#include "state.h"

enum { JUMPS_LEAST_MS = 60000 /* less is not worth the rows */ };

/** jumps_check() - before anything is decided by ages or ends. */
void jumps_check(struct engine *engine);
