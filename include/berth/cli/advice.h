#pragma once

/*
 * What helps: the commands for what a plan or the status tells.
 */

#include "berth/base/mem.h"

/** cli_advice_hold() - what lifts @hold ("budget", ...) of @pool. Owned. */
char *cli_advice_hold(const char *hold, const char *pool) MUST_USE;
