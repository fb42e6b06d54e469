#pragma once

/*
 * The configuration's pools, hosts and credentials, brought into the engine: at
 * the start and at each reload.  What the file names is as the file says.
 */

#include "berth/daemon/config.h"
#include "berth/engine/engine.h"

/** apply_engine_config() - the part that the engine takes by value; borrows from @config. */
void apply_engine_config(const struct config *config, struct engine_config *ret_config);

/** apply_pools() - make, change, add; hosts that the file named before and names no more are
 * drained and removed. Troubles with single hosts are logged. */
int apply_pools(struct engine *engine, const struct config *config, struct fault *fault);

/** apply_registries() - read the password files. */
int apply_registries(struct engine *engine, const struct config *config, struct fault *fault);
