#pragma once

/*
 * The model's rows as values to bind (rows.c), in the order of tables.c's
 * columns.  Their opposite is load.c.
 */

#include "batch.h"

enum { ROWS_PORT_BYTES = 5 }; /* of an instance's port: container, host, protocol */

/* The port's calls that collect. */
void rows_put(struct store_batch *batch, enum row_kind kind, const void *row);
void rows_drop(struct store_batch *batch, enum row_kind kind, int64_t id);
void rows_put_event(struct store_batch *batch, const struct event *event);
void rows_put_decision(struct store_batch *batch, const struct store_decision *decision);
void rows_put_log(struct store_batch *batch, const struct store_log *log);
void rows_put_step(struct store_batch *batch, const struct store_step *step);
void rows_put_answer(struct store_batch *batch, const struct store_answer *answer);
void rows_put_retention(struct store_batch *batch, const struct store_retention *retention);
void rows_put_compared(struct store_batch *batch);
