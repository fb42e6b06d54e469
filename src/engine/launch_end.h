#pragma once

/*
 * The end of a launch: undoing what was done, and what becomes of the instance.
 */

#include "launch.h"

/** launch_end_is_lost() - the answer got lost, the effect may be there. */
bool launch_end_is_lost(const struct fault *fault);

/* Undo of start: keep what the container wrote. Undo of create: remove it. */
void launch_end_keep_log(struct flow *flow);
void launch_end_remove(struct flow *flow);

/** launch_end_settle() - the flow has ended: running, tried again, stopped or failed. */
void launch_end_settle(struct launch *launch, const struct fault *fault);
/** launch_end_now() - it waits for its timer: end that wait. */
void launch_end_now(struct launch *launch);
void launch_end_free(struct launch *launch);
