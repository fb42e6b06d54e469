#pragma once

/*
 * Hosts that are kept warm: prepared, then stopped, and started again when they are wanted.  No engine
 * is asked anything while they are.
 *
 *   preparing -> parking -> warm -> waking -> ready
 */

#include "rental.h"

/** warm_park() - what was prepared is stopped. */
void warm_park(struct rental *rental);
/** warm_wake() - start the machine of @host again, to be in service. Return: whether it begins. */
bool warm_wake(struct engine *engine, struct host *host, const char *reason);

/* For the rental and the inventory. */
/** warm_is_stage() - the machine is stopped, or on its way there or back. */
bool warm_is_stage(int32_t stage);
void warm_poke(struct rental *rental);
/** warm_seen() - a listing shows the machine of @rental, which is in such a stage. */
void warm_seen(struct rental *rental, const struct cloud_machine *seen);
