#pragma once

/*
 * A host's containers against the rows: adopted, finished, or removed.
 */

#include "state.h"

/** compare_is_surprised() - the list says other than @host's rows: something is missing there, or
 * is there that no row knows. */
bool compare_is_surprised(const struct engine *engine, const struct host *host,
                          const struct docker_container *containers, size_t count);

/** compare_is_proof() - the engine with this list is that of @host, whatever it calls itself: it has
 * containers of its rows, or there are no rows to lose; and none of another host's. */
bool compare_is_proof(const struct engine *engine, const struct host *host,
                      const struct docker_container *containers, size_t count);

/** compare_host() - @containers [count] is a complete list of those with our cluster's label. Return:
 * whether each of them may be there and is at rest. */
bool compare_host(struct engine *engine, struct host *host,
                  const struct docker_container *containers, size_t count);
