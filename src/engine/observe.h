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

/** observe_exit_text() - FAULT_EXITED with why it ended, in plain words. */
void observe_exit_text(const struct instance *instance, const struct docker_container *container,
                       struct fault *ret_fault);
