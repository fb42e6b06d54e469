#pragma once

/*
 * Idempotency keys whose answer is not durable yet.
 */

#include "state.h"

void engine_answers_fini(struct engine *engine);
