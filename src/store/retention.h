#pragma once

#include <sqlite3.h>

#include "berth/port/store.h"

enum { RETENTION_ROWS = 2000 }; /* most rows of each table that one call deletes */

/** retention_run() - a bounded share of the history that @retention does not want kept, oldest first,
 * inside the transaction that is open. The newest event always stays: it says which number is next. */
int retention_run(sqlite3 *db, const struct store_retention *retention, struct fault *fault);
