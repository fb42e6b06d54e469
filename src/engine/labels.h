#pragma once

/*
 * The labels that a host carries: its own and its pool's.  Its own win.  One of
 * its own that is the same as its pool's counts as the pool's.
 */

#include "state.h"

/** labels_merge() - @own and those of @pool that are not overridden; sorted by key, copied. */
struct schema_map labels_merge(const struct schema_map *own, const struct schema_map *pool);

/** labels_set() - @host carries @own (copied) and its pool's labels now. */
void labels_set(struct engine *engine, struct host *host, const struct schema_map *own);

/** labels_pool_changed() - @host carries its pool's present labels in place of @before. */
void labels_pool_changed(struct engine *engine, struct host *host, const struct schema_map *before);
