#pragma once

/*
 * The first admin token: made by the first start, in <data_dir>/admin.token.
 */

#include "berth/engine/engine.h"

/** admin_token_ensure() - if no token exists at all, make one and write it (mode 0600). */
int admin_token_ensure(struct engine *engine, const char *data_dir,
                       const struct random_port *random, struct fault *fault);
