#pragma once

/*
 * The kept answers to requests with an Idempotency-Key, looked up on the loop's
 * thread: one page of a B-tree, as a rule cached.
 */

#include <sqlite3.h>

#include "berth/port/store.h"

struct answers {
    sqlite3 *db; /* borrowed; the loop thread's */
    sqlite3_stmt *find;
    char *location; /* owned: of the last answer */
    char *body;
};

int answers_init(struct answers *answers, sqlite3 *db, struct fault *fault);
void answers_fini(struct answers *answers);
/** answers_find() - @ret_answer's strings are borrowed until the next call; its key is @key. What
 * cannot be read counts as not there, with a line in the log. */
bool answers_find(struct answers *answers, const char *key, struct store_answer *ret_answer);
