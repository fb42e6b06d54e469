#pragma once

/*
 * One request, from its first line to the last byte of its answer.  A handler
 * gets it when head and body were read and found good, and either fills in
 * request->reply at once (reply_*), or suspends it and fills that in later
 * (request_suspend(), request_finish()).
 */

#include "berth/base/buf.h"
#include "berth/base/json.h"
#include "berth/base/schema.h"
#include "berth/domain/token.h"

#include "api.h"
#include "query.h"
#include "reply.h"
#include "routes.h"

/* Header values: microhttpd's until the answer was sent; NULL: not there. */
struct request_headers {
    const char *host;
    const char *authorization;
    const char *content_type;
    const char *content_length;
    const char *transfer_encoding;
    const char *accept;
    const char *expect;
    const char *if_match;
    const char *if_none_match;
    const char *idempotency_key;
    const char *last_event_id;
    const char *request_id;
};

struct stream;

struct request {
    struct list_node node; /* in server->spare or server->suspended */
    struct api_server *server;
    struct connection *connection;
    struct MHD_Connection *mhd;

    /* The head. */
    struct buf target; /* as it came, NUL, and once more, for `segments` to be decoded in */
    size_t target_len;
    struct request_headers headers;
    char id[API_REQUEST_ID_MAX + 1];
    const struct route *route; /* NULL: none */
    bool is_head;
    const char *segments[ROUTE_SEGMENTS_MAX];
    size_t segment_count;
    struct query query;
    int64_t began_us;

    /* The body. */
    struct buf body;
    uint64_t body_len; /* of all that came, kept or not */
    json_t *json;      /* parsed; NULL: none */
    void *input;       /* owned: decoded by input_schema; NULL: none */
    const struct schema *input_schema;
    struct spool_write *upload; /* NULL: none */

    /* Who asks: valid in this turn only. */
    const struct token *token;

    /* The answer. */
    struct reply reply;
    bool refused;   /* before the handler: the rest of the body is only swallowed */
    bool started;   /* the handler was called */
    bool suspended; /* in microhttpd */
    struct engine_wait wait;
    char *key; /* owned: token id and Idempotency-Key, in flight; NULL: none */
    uint8_t key_digest[TEXT_SHA256_SIZE];

    struct stream *stream; /* that answers it; NULL: none */

    /* What the handler put aside. */
    void *work;                            /* its own; freed by `gone` */
    void (*gone)(struct request *request); /* the client left while it was suspended */
};

/** request_param() - the value of the route's first {parameter}, decoded. */
const char *request_param(const struct request *request);

/** request_suspend() - the answer comes later, with request_finish(). */
void request_suspend(struct request *request);
/** request_finish() - request->reply is filled in; from the loop, not from a handler. */
void request_finish(struct request *request);

/** request_commit() - the answer in request->reply leaves when what was changed is durable; with an
 * Idempotency-Key it is kept in the same commit. Suspends. */
void request_commit(struct request *request);

/** request_fail() - answer with @fault. */
void request_fail(struct request *request, const struct fault *fault);
/** request_refuse() - the same with a kind and a text. */
void request_refuse(struct request *request, enum fault_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);
/** request_refuse_field() - 400 that names one field. @pointer: "/name" or "?name" */
void request_refuse_field(struct request *request, const char *pointer, const char *code,
                          const char *detail);

/** request_refuse_problems() - 400 that names the fields. */
void request_refuse_problems(struct request *request, const struct problems *problems);

/** request_drop() - its end; it must not be suspended. */
void request_drop(struct request *request);

/* microhttpd's callbacks. */
void *request_on_target(void *cookie, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_on_access(void *cookie, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_len, void **slot);
void request_on_completed(void *cookie, struct MHD_Connection *mhd, void **slot,
                          enum MHD_RequestTerminationCode code);

/** request_spare_free() - the requests kept for later use. */
void request_spare_free(struct api_server *server);
