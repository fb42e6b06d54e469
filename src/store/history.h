#pragma once

/*
 * Reading events, decisions and logs, on the reader's thread.
 */

#include <sqlite3.h>

#include "berth/port/store.h"

/** history_copy() - a copy of @in with strings of its own. */
struct store_history *history_copy(const struct store_history *in);
/** history_read() - set the out fields of @history, a copy; its rows live as long as it. */
int history_read(sqlite3 *db, struct store_history *history, struct fault *fault);
/** history_free() - the copy and its rows. */
void history_free(struct store_history *history);
