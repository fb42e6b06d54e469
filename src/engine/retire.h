#pragma once

/*
 * Giving a machine back: asked for until the provider says that it is gone.
 * Then the host is removed, and what it cost is added to its pool in the same
 * commit.
 */

#include "rental.h"

/** retire_begin() - nothing runs on @host and it has no lane any more. */
void retire_begin(struct engine *engine, struct host *host);
/** retire_gone() - the machine of @rental is gone, whoever ended it. */
void retire_gone(struct rental *rental, const char *why);
/** retire_lost() - its host is of no use any more, and what runs there is lost; the machine is still to be
 * given back. */
void retire_lost(struct rental *rental, const char *why);

/* For the rental. */
void retire_poke(struct rental *rental);
void retire_on_deadline(struct rental *rental);
/** retire_seen() - a listing shows the machine of @rental. */
void retire_seen(struct rental *rental, const struct cloud_machine *seen);
/** retire_account() - what the machine cost this month up to now is its pool's. */
void retire_account(struct engine *engine, const struct host *host);
