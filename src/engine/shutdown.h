#pragma once

/*
 * A pool that is being emptied because a person said so.  Its policy retires the
 * hosts and gives the machines back; this says until when, tells how far it is, and
 * ends with the proof: two complete listings without a machine of the pool, after
 * which what was made for the pool beside machines is deleted, too (forget.c).
 */

#include "inventory.h"

enum { SHUTDOWN_LISTINGS = 2 /* complete ones in a row that prove it */ };

/** shutdown_find() - the operation that empties @pool; NULL: none does. */
struct operation *shutdown_find(const struct engine *engine, const struct pool *pool);
/** shutdown_resume() - the rows were just loaded. */
void shutdown_resume(struct engine *engine);
/** shutdown_check() - each second: new hosts, deadlines, how far it is. */
void shutdown_check(struct engine *engine);
/** shutdown_listed() - the provider's list of @mind's pool was read. */
void shutdown_listed(struct mind *mind, const struct inventory_seen *seen);
/** shutdown_forgotten() - what was made for @mind's pool is deleted, or cannot be.
 * @deleted: what; NULL: there was nothing */
void shutdown_forgotten(struct mind *mind, const char *deleted, const struct fault *fault);
/** shutdown_undo() - the pool's policy does not want it any more: hosts that still can take work again. */
void shutdown_undo(struct engine *engine, struct pool *pool, const char *why);
