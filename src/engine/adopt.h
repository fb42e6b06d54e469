#pragma once

/*
 * After a restore from a backup the hosts may run what the rows do not know
 * yet: containers that were started since.  They are taken in by their labels.
 */

#include "state.h"

/** adopt_container() - take @container in if that is possible; @instance is its row or NULL.
 * Return: whether it belongs to a row now. */
bool adopt_container(struct engine *engine, struct host *host, struct instance *instance,
                     const struct docker_container *container);
