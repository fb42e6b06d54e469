#pragma once

/*
 * Archives that a host could not load: it is sent them again, after 1, 2, 4 ...
 * 60 minutes, until it has them or joins anew.
 */

#include "state.h"

/** image_retry_plan() - send @host @image's archive again; @delay_ms: of the last time, 0: this
 * was the first. */
void image_retry_plan(struct engine *engine, const struct host *host, const struct image *image,
                      int64_t delay_ms);
/** image_retry_drop() - nothing is planned for @host_id any more; 0: for nobody. */
void image_retry_drop(struct engine *engine, int64_t host_id);
