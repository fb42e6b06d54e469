#pragma once

/*
 * Starting crashed instances again, by their blueprint's policy and with pauses
 * that grow.
 */

#include "state.h"

enum { RESTART_DELAY_MAX_MS = 60000 };

/** restart_is_due() - its exit_code is set (INSTANCE_NO_EXIT_CODE: unknown, counts as a failure). */
bool restart_is_due(const struct instance *instance, int64_t now_ms);
/** restart_start() - @instance is running or starting, its container is gone: the next generation
 * starts on the same host after a pause, or, if that is to be empty, on another. @why: how it
 * ended. */
void restart_start(struct engine *engine, struct instance *instance, const char *why);
