#pragma once

/*
 * Placing: new instances at once where there is room, the others from the queue
 * when room appears.
 */

#include "state.h"

/** sweep_try() - place @instance, which is queued, if there is room: its launch begins.
 * Return: whether it was placed. */
bool sweep_try(struct engine *engine, struct instance *instance);
/** sweep_queues() - at the end of a turn: whatever fits now, a bounded number. */
void sweep_queues(struct engine *engine);
/** sweep_ask() - what @instance asks of a host. */
void sweep_ask(const struct engine *engine, const struct instance *instance,
               struct placement_ask *ret_ask);
