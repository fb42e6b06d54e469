#pragma once

/* Metrics of each pool. */

#include "berth/base/buf.h"
#include "berth/engine/engine.h"

/** metrics_pools() - counts all hosts. */
void metrics_pools(struct buf *out, struct engine *engine);
