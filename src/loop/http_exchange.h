#pragma once

/*
 * One exchange: its phases, its deadlines, and how it ends.
 */

#include "http_state.h"

/** http_exchange_new() - from the pool, or new. */
struct http_exchange *http_exchange_new(struct http *http, struct http_op *op);
/** http_exchange_free() - into the pool, or away when that is full; not its answer. */
void http_exchange_free(struct http_exchange *exchange);
/** http_exchange_drain() - empties the pool. */
void http_exchange_drain(struct http *http);

/** http_exchange_move() - into @list of its http, out of the one before. */
void http_exchange_move(struct http_exchange *exchange, struct list *list);
/** http_exchange_wake() - http_pass() runs at the end of this turn, or of the next. */
void http_exchange_wake(struct http *http);

/** http_exchange_enter() - @phase begins now. */
void http_exchange_enter(struct http_exchange *exchange, enum http_phase phase);
/** http_exchange_moved() - a piece of a body came or went. */
void http_exchange_moved(struct http_exchange *exchange);
/** http_exchange_watch() - set the timer for the deadline that comes first. */
void http_exchange_watch(struct http_exchange *exchange);

/** http_exchange_end() - its fate is @fault (NULL: success); only the first call counts. */
void http_exchange_end(struct http_exchange *exchange, const struct fault *fault);
/** http_exchange_cancel() - its fate is FAULT_CANCELLED, even if it has ended and only done is to come. */
void http_exchange_cancel(struct http_exchange *exchange);
/** http_exchange_fail() - http_exchange_end() with a fault of @kind. */
void http_exchange_fail(struct http_exchange *exchange, enum fault_kind kind, const char *format,
                        ...) PRINTF_LIKE(3, 4);
