#pragma once

/*
 * Whether an engine lives while it is silent: when answers are awaited and
 * nothing has been heard for PULSE_SILENCE_MS, it is pinged on a connection of
 * its own.  One that does not answer that in time either is broken: nobody has
 * to wait for the deadline of a long call.
 */

#include "lane.h"

enum { PULSE_SILENCE_MS = 5000, PULSE_DEADLINE_MS = 5000 };

/** pulse_begin() - @op, of a lane, is under way. */
void pulse_begin(struct lane_op *op);
/** pulse_end() - it has ended, with @fault or NULL. */
void pulse_end(const struct lane_op *op, const struct fault *fault);
/** pulse_heard() - something came from the host's engine. */
void pulse_heard(struct lane *lane);
/** pulse_free() - with its lane: no call is under way. */
void pulse_free(struct lane *lane);
