#pragma once

/*
 * The end of a turn: one commit for all that was changed, then replies and
 * effects.
 */

#include "state.h"

/** turn_init() / turn_fini() - the lists. */
void turn_init(struct engine *engine);
void turn_fini(struct engine *engine);

/** turn_commit() - start a commit if there is anything to write and room for one more. */
void turn_commit(struct engine *engine);
/** turn_is_clean() - nothing to write, nothing in flight. */
bool turn_is_clean(const struct engine *engine);
/** turn_drop() - forget what was not committed, fail all that waits for it. */
void turn_drop(struct engine *engine, const struct fault *fault);

/** turn_decision_add() - why @instance was placed so; @json is taken. */
void turn_decision_add(struct engine *engine, const struct instance *instance, char *json);
/** turn_log_add() - what @instance's container wrote last; @data is taken. */
void turn_log_add(struct engine *engine, const struct instance *instance, char *data, size_t len);
/** turn_batch() - the batch to come, for rows that are only written. */
struct store_batch *turn_batch(struct engine *engine);
