#pragma once

/*
 * What helps: the commands for what a plan or the status tells.
 */

#include "berth/base/json.h"
#include "berth/base/mem.h"

/** cli_advice_hold() - what lifts @hold ("budget", ...) of @pool. Owned. */
char *cli_advice_hold(const char *hold, const char *pool) MUST_USE;

/** cli_advice_what() - @wrong, an item of the status' `wrong`, in a sentence. Owned. */
char *cli_advice_what(const json_t *wrong) MUST_USE;
/** cli_advice_todo() - the commands that help with it. Owned. */
char *cli_advice_todo(const json_t *wrong) MUST_USE;
