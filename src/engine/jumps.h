#pragma once

/*
 * A wall clock that is set, by hand or by a time service.  What hosts and pools
 * remember by it moves along, so that no host gets older or younger and no
 * machine dearer because of it.  The end of an instance was told as a time and
 * stays.  (What the clock was set to while the daemon did not run, nobody knows.)
 */

#include "state.h"

enum { JUMPS_LEAST_MS = 60000 /* less is not worth the rows */ };

/** jumps_check() - before anything is decided by ages or ends. */
void jumps_check(struct engine *engine);
/** jumps_reloaded() - the rows are as they were committed last: what was not is moved by the next check. */
void jumps_reloaded(struct engine *engine);
