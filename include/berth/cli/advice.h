#pragma once

/*
 * What helps: the commands for what a plan or the status tells.
 */

#include "berth/base/json.h"
#include "berth/base/mem.h"

/** cli_advice_hold() - what lifts @held, an item of a plan's or a pool's `held`, of @pool. Owned. */
char *cli_advice_hold(const json_t *held, const char *pool) MUST_USE;

/** cli_advice_what() - @wrong, an item of the status' `wrong`, in a sentence. Owned. */
char *cli_advice_what(const json_t *wrong) MUST_USE;
/** cli_advice_todo() - the commands that help with it. Owned. */
char *cli_advice_todo(const json_t *wrong) MUST_USE;
