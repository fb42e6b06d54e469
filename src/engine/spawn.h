#pragma once

/*
 * From a decision to a host: a row that says what is about to be done, a machine
 * from the provider, a playbook on it, an engine that answers.
 *
 * Each launch has a token that is derived from the cluster, the host, the
 * attempt and the machine type: asked again, the provider gives the same
 * machine, so that an answer that got lost, or a crash, makes no second one.
 */

#include "rental.h"

/** spawn_begin() - one more host of @pool on the machine type with this index. */
struct host *spawn_begin(struct engine *engine, struct pool *pool, size_t machine,
                         const char *reason);
/** spawn_give_up() - it stays inactive until the policy gives its machine back. */
void spawn_give_up(struct rental *rental, const char *why);

/* For the rental: what a stage asks for, and what it means that it took too long. */
void spawn_poke(struct rental *rental);
void spawn_on_deadline(struct rental *rental);
/** spawn_seen() - a listing shows the machine of @rental. */
void spawn_seen(struct rental *rental, const struct cloud_machine *seen);
