#pragma once

/*
 * The fake store's data: rows, history and one transaction on them.
 */

#include "berth/port/store.h"

#include "support/fake_row.h"

/* An array that grows: at[count] of some struct. */
#define FAKE_LIST(type)                                                                            \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t count;                                                                              \
        size_t cap;                                                                                \
    }

struct fake_op {
    struct fake_row *row; /* NULL: drop */
    enum row_kind kind;
    int64_t id;
};

/* Rows beside the model, their strings owned. */
struct fake_side {
    FAKE_LIST(struct event) events;
    FAKE_LIST(struct store_decision) decisions;
    FAKE_LIST(struct store_log) logs;
    FAKE_LIST(struct store_step) steps;
    FAKE_LIST(struct store_answer) answers;
};

struct store_batch {
    FAKE_LIST(struct fake_op) ops;
    struct fake_side side;
    struct store_retention retention;
    bool retain;
    bool compared;
};

struct fake_data {
    struct idmap rows[ROW_KIND_COUNT]; /* struct fake_row */
    struct fake_side side;
    bool restored;
};

/* The port's calls that collect. */
struct store_batch *fake_store_data_batch_new(void *self);
void fake_store_data_batch_free(void *self, struct store_batch *batch);
void fake_store_data_put(struct store_batch *batch, enum row_kind kind, const void *row);
void fake_store_data_drop(struct store_batch *batch, enum row_kind kind, int64_t id);
void fake_store_data_put_event(struct store_batch *batch, const struct event *event);
void fake_store_data_put_decision(struct store_batch *batch, const struct store_decision *decision);
void fake_store_data_put_log(struct store_batch *batch, const struct store_log *log);
void fake_store_data_put_step(struct store_batch *batch, const struct store_step *step);
void fake_store_data_put_answer(struct store_batch *batch, const struct store_answer *answer);
void fake_store_data_put_retention(struct store_batch *batch,
                                   const struct store_retention *retention);
void fake_store_data_put_compared(struct store_batch *batch);

/** fake_store_data_apply() - all of @batch, which is empty afterwards. Return: how many rows. */
size_t fake_store_data_apply(struct fake_data *data, struct store_batch *batch);
/** fake_store_data_rows() - how many rows @batch holds. */
size_t fake_store_data_rows(const struct store_batch *batch);
void fake_store_data_fini(struct fake_data *data);

/** fake_store_data_read() - set @history's out fields; the arrays go to fake_store_data_read_end(). */
void fake_store_data_read(const struct fake_data *data, struct store_history *history);
void fake_store_data_read_end(struct store_history *history);
