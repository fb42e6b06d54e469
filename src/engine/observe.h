#pragma once

/*
 * What a look at a container tells about its instance.
 */

#include "state.h"

/** observe_container() - take over its id and ports, if they have changed. */
void observe_container(struct engine *engine, struct instance *instance,
                       const struct docker_container *container);

/** observe_is_alive() - it runs, perhaps paused. */
bool observe_is_alive(const struct docker_container *container);

/** observe_may_be_told_more() - it was killed, and nobody said why: an engine may tell of an
 * out-of-memory kill a moment after the end, by its event stream alone (seen with 20.10). */
bool observe_may_be_told_more(const struct instance *instance,
                              const struct docker_container *container);

/** observe_exit_text() - FAULT_EXITED with why it ended, in plain words. */
void observe_exit_text(const struct instance *instance, const struct docker_container *container,
                       struct fault *ret_fault);
