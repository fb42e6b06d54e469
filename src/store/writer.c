#include "writer.h"

#include <assert.h>

#include "db.h"
#include "retention.h"
#include "tables.h"

static int writer_write(struct writer *writer, struct store_batch *batch);
static int writer_ops(struct writer *writer, const struct store_batch *batch, struct fault *fault);
static int writer_step(struct writer *writer, sqlite3_stmt *statement, struct fault *fault);

int
writer_init(struct writer *writer, sqlite3 *db, struct fault *fault)
{
    *writer = (struct writer){ .db = db };
    if (db_prepare(db, "BEGIN IMMEDIATE", &writer->begin, fault) != 0 ||
        db_prepare(db, "COMMIT", &writer->commit, fault) != 0 ||
        db_prepare(db, "ROLLBACK", &writer->rollback, fault) != 0) {
        writer_fini(writer);
        return -1;
    }
    return 0;
}

void
writer_fini(struct writer *writer)
{
    (void)sqlite3_finalize(writer->begin);
    (void)sqlite3_finalize(writer->commit);
    (void)sqlite3_finalize(writer->rollback);
    for (size_t i = 0; i < BATCH_STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(writer->statements[i]);
    *writer = (struct writer){ 0 };
}

int
writer_run(struct writer *writer, struct store_batch *batch)
{
    assert(batch->epoch > 0);
    if (batch->epoch <= writer->failed_epoch) {
        batch->fault = writer->failed;
        return -1;
    }
    if (writer_write(writer, batch) == 0)
        return 0;
    /* SQLite has rolled back by itself after some faults. */
    if (!sqlite3_get_autocommit(writer->db))
        (void)writer_step(writer, writer->rollback, NULL);
    writer->failed_epoch = batch->epoch;
    writer->failed = batch->fault;
    return -1;
}

static int
writer_write(struct writer *writer, struct store_batch *batch)
{
    struct fault *fault = &batch->fault;

    if (writer_step(writer, writer->begin, fault) != 0 || writer_ops(writer, batch, fault) != 0)
        return -1;
    if (batch->retain && retention_run(writer->db, &batch->retention, fault) != 0)
        return -1;
    return writer_step(writer, writer->commit, fault);
}

static int
writer_step(struct writer *writer, sqlite3_stmt *statement, struct fault *fault)
{
    int rc = sqlite3_step(statement);

    if (rc != SQLITE_DONE)
        (void)db_fault(writer->db, rc, "store.commit", fault);
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE ? 0 : -1;
}

static int
writer_statement(struct writer *writer, enum batch_statement which, sqlite3_stmt **ret_statement,
                 struct fault *fault)
{
    sqlite3_stmt **slot = &writer->statements[which];

    if (!*slot) {
        CLEANUP(mem_freep) char *sql = tables_write(which);

        if (db_prepare(writer->db, sql, slot, fault) != 0)
            return -1;
    }
    *ret_statement = *slot;
    return 0;
}

/* The batch outlives the step, so nothing is copied once more. */
static int
writer_bind(sqlite3_stmt *statement, int at, const struct store_batch *batch,
            const struct batch_cell *cell)
{
    switch ((enum batch_cell_type)cell->type) {
    case CELL_NULL:
        return sqlite3_bind_null(statement, at);
    case CELL_INT:
        return sqlite3_bind_int64(statement, at, cell->as.number);
    case CELL_STATIC:
        return sqlite3_bind_text(statement, at, cell->as.text, (int)cell->len, SQLITE_STATIC);
    case CELL_TEXT:
        return sqlite3_bind_text(statement, at, batch->bytes + cell->as.offset, (int)cell->len,
                                 SQLITE_STATIC);
    case CELL_BLOB:
        return sqlite3_bind_blob(statement, at, batch->bytes + cell->as.offset, (int)cell->len,
                                 SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static int
writer_ops(struct writer *writer, const struct store_batch *batch, struct fault *fault)
{
    const struct batch_cell *cell = batch->cells;

    for (size_t i = 0; i < batch->op_count; i++) {
        sqlite3_stmt *statement;
        int rc = SQLITE_OK;

        if (writer_statement(writer, batch->ops[i].statement, &statement, fault) != 0)
            return -1;
        assert(batch->ops[i].cells == sqlite3_bind_parameter_count(statement));
        for (int at = 1; at <= batch->ops[i].cells && rc == SQLITE_OK; at++)
            rc = writer_bind(statement, at, batch, cell++);
        if (rc != SQLITE_OK)
            return db_fault(writer->db, rc, "store.commit", fault);
        if (writer_step(writer, statement, fault) != 0)
            return -1;
    }
    return 0;
}
