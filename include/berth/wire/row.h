#pragma once

/*
 * Rows as the API shows them.  Each function appends one JSON object.  The
 * members are those of the shapes (wire/shape.h), always all of them; what is
 * unknown or does not apply is null.
 */

#include "berth/base/json.h"
#include "berth/domain/model.h"

/** wire_row_instance() - @queue: to tell its place while it waits; NULL: not told. */
void wire_row_instance(struct json_out *out, const struct instance *instance,
                       const struct queue *queue, int64_t now_ms);
void wire_row_host(struct json_out *out, const struct host *host, int64_t now_ms);
/** wire_row_host_stamp() - a number that is another one when wire_row_host() would write something
 * else: each change of a host either moves its revision or is a reservation. */
uint64_t wire_row_host_stamp(const struct host *host, int64_t now_ms);
void wire_row_pool(struct json_out *out, const struct pool *pool);
void wire_row_blueprint(struct json_out *out, const struct blueprint *blueprint);
/** wire_row_token() - @secret: what the client shows from now on, only when it was just made; NULL: no
 * such member. */
void wire_row_token(struct json_out *out, const struct token *token, const char *secret);
void wire_row_operation(struct json_out *out, const struct operation *operation);
/** wire_row_event() - @pool_name: of its pool; NULL: none. */
void wire_row_event(struct json_out *out, const struct event *event, const char *pool_name);
