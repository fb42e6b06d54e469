#pragma once

/* Parts of the commands to hosts that others need. */

#include "state.h"

/** engine_hosts_is_prepared() - it can take work; a machine that did not become a host, or is on its
 * way back, cannot. */
bool engine_hosts_is_prepared(const struct host *host);
/** engine_hosts_take_back() - @host takes work again. */
void engine_hosts_take_back(struct engine *engine, struct host *host, const char *reason);
