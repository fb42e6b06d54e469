#pragma once

/*
 * Pools whose machines are rented, and where: what is asked of another region or account finds nothing, and
 * gives nothing back.  So a pool that has machines stays where it is, or nothing of a new configuration holds.
 */

#include "berth/daemon/config.h"
#include "berth/engine/engine.h"

/** places_check() - no pool of @model that has machines is somewhere else in @config.
 * Return: 0, or -1 with FAULT_INVALID: which, how many, and what to do. */
int places_check(const struct config *config, const struct model *model, struct fault *fault);

/** places_check_stored() - the same for the database in the configuration's data_dir, if there is one; says on
 * stderr what is wrong, and which pools with machines have no section any more.
 * Return: 0, or -1. */
int places_check_stored(const struct config *config);

/** places_apply() - remember where pools are, and tell of those with machines that have no section. */
void places_apply(const struct config *config, struct engine *engine);
