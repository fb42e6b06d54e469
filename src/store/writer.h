#pragma once

/*
 * Transactions, on the writer's thread.
 */

#include <sqlite3.h>

#include "batch.h"

struct writer {
    sqlite3 *db; /* borrowed; this thread's alone */
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *rollback;
    sqlite3_stmt *statements[BATCH_STATEMENT_COUNT]; /* NULL until first used */
    uint64_t failed_epoch;                           /* what was started in it, or before, fails */
    struct fault failed;
};

int writer_init(struct writer *writer, sqlite3 *db, struct fault *fault);
void writer_fini(struct writer *writer);

/**
 * writer_run() - all of @batch in one transaction, durable on return
 *
 * After a failure each batch of the same or an earlier epoch fails with the same fault: it was made
 * from a model that took the failed one for done.
 *
 * Return: 0, or -1 with @batch->fault; nothing was written then.
 */
int writer_run(struct writer *writer, struct store_batch *batch);
