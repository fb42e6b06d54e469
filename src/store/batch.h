#pragma once

/*
 * Rows on their way to the writer: which statement, and the values to bind,
 * copied on the loop thread into a few flat arrays, so that collecting costs a
 * fraction of writing and the model may change or free the rows meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/domain/model.h"
#include "berth/loop/worker.h"
#include "berth/port/store.h"

/* The statements of the writer; their texts are in tables.c. */
enum batch_statement {
    BATCH_PUT,                               /* + enum row_kind */
    BATCH_DROP = BATCH_PUT + ROW_KIND_COUNT, /* + enum row_kind; one value, the id */
    BATCH_EVENT = BATCH_DROP + ROW_KIND_COUNT,
    BATCH_DECISION,
    BATCH_LOG,
    BATCH_ANSWER,
    BATCH_STEP,
    BATCH_COMPARED,
    BATCH_DROP_DECISIONS, /* of an instance */
    BATCH_DROP_LOGS,      /* of an instance */
    BATCH_DROP_STEPS,     /* of a host */
    BATCH_STATEMENT_COUNT,
};

enum batch_cell_type { CELL_NULL, CELL_INT, CELL_TEXT, CELL_BLOB, CELL_STATIC };

struct batch_cell {
    union {
        int64_t number;
        size_t offset;    /* TEXT, BLOB: in bytes */
        const char *text; /* STATIC */
    } as;
    uint32_t len;
    uint8_t type;
};

struct batch_op {
    uint16_t statement;
    uint16_t cells;
};

struct store;

enum { BATCH_SPARE_BYTES = 1 << 20 };

struct store_batch {
    struct batch_op *ops;
    size_t op_count;
    size_t op_cap;
    struct batch_cell *cells; /* of all ops, one after the other */
    size_t cell_count;
    size_t cell_cap;
    char *bytes;
    size_t byte_count;
    size_t byte_cap;
    struct store_retention retention;
    bool retain;

    /* The commit; see store_writer.c. */
    struct worker_job job;
    struct store *store;
    struct store_commit *commit;
    uint64_t epoch;
    int64_t took_us;
    struct fault fault;
};

struct store_batch *batch_new(void *store);
void batch_free(void *store, struct store_batch *batch);
/** batch_clear() - as new, with the memory that it had. Return: whether that is worth keeping: it
 * is neither none nor more than BATCH_SPARE_BYTES. */
bool batch_clear(struct store_batch *batch);

/** batch_op() - the next row; its values follow, in the order of the statement's parameters. */
void batch_op(struct store_batch *batch, int statement);
void batch_int(struct store_batch *batch, int64_t value);
/** batch_id() - NULL when it is 0. */
void batch_id(struct store_batch *batch, int64_t id);
/** batch_text() - copied; NULL gives NULL. */
void batch_text(struct store_batch *batch, const char *text);
/** batch_static() - not copied. */
void batch_static(struct store_batch *batch, const char *text);
/** batch_blob() - room for @len bytes, to be filled before the next call. */
void *batch_blob(struct store_batch *batch, size_t len);
void batch_null(struct store_batch *batch);
