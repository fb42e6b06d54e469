#pragma once

/*
 * What helps: the commands for what a plan or the status tells.
 */

#include "berth/base/json.h"
#include "berth/base/mem.h"

/** cli_advice_hold() - what lifts @held, an item of a plan's or a pool's `held`, of @pool. Owned. */
char *cli_advice_hold(const json_t *held, const char *pool) MUST_USE;

/** cli_advice_refused() - @refused, an item of a plan's or a pool's `refused`, of @pool, in a sentence.
 * @now_ms: the daemon's clock. Owned. */
char *cli_advice_refused(const json_t *refused, const char *pool, int64_t now_ms) MUST_USE;
/** cli_advice_mend() - what helps against @refused. Owned. */
char *cli_advice_mend(const json_t *refused, const char *pool) MUST_USE;

/** cli_advice_what() - @wrong, an item of the status' `wrong`, in a sentence. Owned. */
char *cli_advice_what(const json_t *wrong) MUST_USE;
/** cli_advice_todo() - the commands that help with it. Owned. */
char *cli_advice_todo(const json_t *wrong) MUST_USE;
