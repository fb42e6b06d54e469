#pragma once

/*
 * What the provider keeps of a pool beside its machines (a security group, a key pair) is deleted when
 * the pool was shut down and nothing is left in it.  Machines that have ended may hold on to it for a
 * while, so it is tried again, for FORGET_PATIENCE_MS in all; then the shutdown ends without it, and
 * says so.
 */

#include "mind.h"

enum { FORGET_PATIENCE_MS = 300000 };

/** forget_start() - unless it is under way: begin; shutdown_forgotten() comes in the end. */
void forget_start(struct mind *mind);
/** forget_says() - why it was not done the last time; NULL: it is not under way, or nothing was in its way. */
const char *forget_says(const struct mind *mind);
/** forget_is_busy() - it is under way. */
bool forget_is_busy(const struct mind *mind);
/** forget_stop() - the pool lives on: what is under way ends, and nobody is told. */
void forget_stop(struct mind *mind);
/** forget_cancel_all() - see recover.c. */
void forget_cancel_all(struct engine *engine);
/** forget_free() - NULL is fine; no call may be under way. */
void forget_free(struct forget *forget);
