#include "request.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/wire/problem.h"

#include "auth.h"
#include "body.h"
#include "connection.h"
#include "head.h"
#include "idempotency.h"
#include "listener.h"
#include "stream.h"

enum { SPARE_MAX = 256, SPARE_BODY_MAX = 65536 };

static enum MHD_Result request_begin(struct request *request, const char *method,
                                     const char *version);
static int request_admit(struct request *request, const char *method, char *query);
static enum MHD_Result request_end(struct request *request);
static void request_on_durable(struct engine_wait *wait, const struct fault *fault);

static struct request *
request_new(struct api_server *server)
{
    struct list_node *node = list_pop(&server->spare);
    struct request *request;

    if (node)
        return CONTAINER_OF(node, struct request, node);
    request = mem_new0(sizeof(*request));
    request->server = server;
    buf_init(&request->target, 2 * (size_t)API_HEAD_MAX + 16);
    return request;
}

/* What belongs to one request only. */
static void
request_reset(struct request *request)
{
    json_decref(request->json);
    request->json = NULL;
    if (request->input) {
        schema_free(request->input_schema, request->input);
        mem_free(request->input);
        request->input = NULL;
    }
    request->began_us = 0;
    body_abort(request);
    reply_fini(&request->reply);
    if (request->body.cap > SPARE_BODY_MAX)
        buf_fini(&request->body);
    buf_clear(&request->body);
    buf_clear(&request->target);
    request->body_len = 0;
    request->route = NULL;
    request->token = NULL;
    request->refused = request->started = request->is_head = false;
    if (request->stream)
        request->stream->request = NULL;
    request->stream = NULL;
    request->work = NULL;
    request->gone = NULL;
    request->mhd = NULL;
    request->id[0] = '\0';
}

void
request_drop(struct request *request)
{
    struct api_server *server = request->server;

    assert(!request->suspended && !list_is_in(&request->node));
    idempotency_end(request);
    request_reset(request);
    request->connection->request = NULL;
    request->connection = NULL;
    list_push(&server->spare, &request->node);
    if (server->spare.count > SPARE_MAX) {
        list_remove(&server->spare, &request->node);
        buf_fini(&request->target);
        buf_fini(&request->body);
        mem_free(request);
    }
}

void
request_spare_free(struct api_server *server)
{
    struct list_node *node;

    while ((node = list_pop(&server->spare))) {
        struct request *request = CONTAINER_OF(node, struct request, node);

        buf_fini(&request->target);
        buf_fini(&request->body);
        mem_free(request);
    }
}

void *
request_on_target(void *cookie, const char *target, struct MHD_Connection *mhd)
{
    struct listener *listener = cookie;
    struct connection *connection = connection_of(mhd);
    struct request *request = request_new(listener->server);

    if (connection->request)
        request_drop(connection->request);
    request->connection = connection;
    request->mhd = mhd;
    request->target_len = strlen(target);
    buf_append(&request->target, target, request->target_len + 1);
    buf_append(&request->target, target, request->target_len + 1);
    connection->request = request;
    return request;
}

/* microhttpd says which parameters it has, and in which order. */
/* NOLINTBEGIN(readability-function-size,bugprone-easily-swappable-parameters) */
enum MHD_Result
request_on_access(void *cookie, struct MHD_Connection *mhd, const char *url, const char *method,
                  const char *version, const char *data, size_t *data_len, void **slot)
{
    struct request *request = *slot;

    (void)cookie;
    (void)mhd;
    (void)url;
    if (request->began_us == 0)
        return request_begin(request, method, version);
    if (*data_len > 0) {
        bool go_on = body_take(request, data, *data_len);

        *data_len = 0;
        return go_on ? MHD_YES : MHD_NO;
    }
    return request_end(request);
}
/* NOLINTEND(readability-function-size,bugprone-easily-swappable-parameters) */

/* The head is there. */
static enum MHD_Result
request_begin(struct request *request, const char *method, const char *version)
{
    char *query = NULL;
    bool takes_body = strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;

    request->began_us = measure_now_us();
    request->refused =
        head_check(request, version, &query) < 0 || request_admit(request, method, query) < 0;
    if (request->refused && takes_body && (request->reply.close || body_is_unwanted(request))) {
        request->started = true;
        connection_phase_set(request->connection, CONNECTION_BUSY);
        return (enum MHD_Result)reply_queue(request);
    }
    if (head_has_body(request) && !request->upload) {
        connection_phase_set(request->connection, CONNECTION_BODY);
    } else {
        connection_phase_set(request->connection, CONNECTION_BUSY);
    }
    return MHD_YES;
}

static int
request_find_route(struct request *request, const char *name)
{
    enum route_method method = routes_method(name);
    unsigned allow;

    request->is_head = method == ROUTE_HEAD;
    request->route = routes_find(request->is_head ? ROUTE_GET : method, request->segments,
                                 request->segment_count, &allow);
    if (request->route)
        return 0;
    if (allow == 0) {
        request_refuse(request, FAULT_NOT_FOUND, "there is nothing at this path");
        return -1;
    }
    if (method == ROUTE_OPTIONS) {
        reply_empty(request, MHD_HTTP_NO_CONTENT);
    } else {
        request_refuse(request, FAULT_METHOD, "there is no %.20s here", name);
    }
    request->reply.allow = allow;
    return -1;
}

static int
request_admit(struct request *request, const char *method, char *query)
{
    struct problems problems = { 0 };

    if (request_find_route(request, method) < 0)
        return -1;
    if (request->server->stopping) {
        request->reply.close = true;
        request_refuse(request, FAULT_SHUTTING_DOWN, "the daemon is stopping");
        return -1;
    }
    if (auth_check(request) < 0)
        return -1;
    if (query_decode(query, request->route->query, engine_now_ms(request->server->engine),
                     &request->query, &problems) < 0) {
        request_refuse_problems(request, &problems);
        return -1;
    }
    return body_admit(request);
}

/* Head and body are there, or the answer to a suspended request is. */
static enum MHD_Result
request_end(struct request *request)
{
    if (!request->started) {
        request->started = true;
        if (request->connection->phase == CONNECTION_BODY)
            connection_phase_set(request->connection, CONNECTION_BUSY);
        /* The token may have gone while the body came. */
        if (!request->refused && auth_check(request) == 0 && body_decode(request) == 0)
            request->route->handler(request);
        request->token = NULL;
    }
    if (request->suspended)
        return MHD_YES;
    assert(request->reply.status > 0);
    return (enum MHD_Result)reply_queue(request);
}

void
request_on_completed(void *cookie, struct MHD_Connection *mhd, void **slot,
                     enum MHD_RequestTerminationCode code)
{
    struct request *request = *slot;
    struct connection *connection;

    (void)cookie;
    (void)mhd;
    (void)code;
    if (!request)
        return;
    *slot = NULL;
    connection = request->connection;
    request_drop(request);
    connection_phase_set(connection, CONNECTION_HEAD);
}

const char *
request_param(const struct request *request)
{
    assert(request->segment_count > 2);
    return request->segments[2];
}

void
request_suspend(struct request *request)
{
    assert(!request->suspended);
    request->suspended = true;
    list_push(&request->server->suspended, &request->node);
    MHD_suspend_connection(request->mhd);
}

void
request_finish(struct request *request)
{
    assert(request->suspended && request->reply.status > 0);
    idempotency_end(request);
    request->suspended = false;
    request->gone = NULL;
    list_remove(&request->server->suspended, &request->node);
    MHD_resume_connection(request->mhd);
    listener_poke(request->connection->listener);
}

void
request_commit(struct request *request)
{
    idempotency_keep(request);
    request->wait.done = request_on_durable;
    if (!request->suspended)
        request_suspend(request);
    engine_wait_durable(request->server->engine, &request->wait);
}

static void
request_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct request *request = CONTAINER_OF(wait, struct request, wait);

    if (fault) {
        reply_fini(&request->reply);
        request_fail(request, fault);
    }
    request_finish(request);
}

/* --- Refusals ---------------------------------------------------------------------------------- */

static void
request_problem(struct request *request, enum fault_kind kind, const char *detail,
                const struct problems *problems)
{
    char path[256];
    struct wire_problem problem = {
        .kind = kind,
        .detail = detail,
        .instance = path,
        .request_id = request->id,
        .problems = problems,
    };
    struct json_out out;
    size_t len = request->target.data ? strcspn(request->target.data, "?") : 0;

    (void)snprintf(path, sizeof(path), "%.*s", (int)(len < 200 ? len : 200),
                   buf_text(&request->target));
    reply_json(request, fault_rule(kind)->http_status, &out);
    wire_problem_encode(&out, &problem);
    request->reply.type = "application/problem+json";
    request->reply.etag[0] = request->reply.location[0] = '\0';
    if (request->reply.status == MHD_HTTP_TOO_MANY_REQUESTS ||
        request->reply.status == MHD_HTTP_SERVICE_UNAVAILABLE)
        request->reply.retry_after_s = kind == FAULT_STORAGE_FULL ? 10 : 1;
    idempotency_end(request);
}

void
request_fail(struct request *request, const struct fault *fault)
{
    request_problem(request, fault->kind, fault->text, NULL);
}

void
request_refuse(struct request *request, enum fault_kind kind, const char *format, ...)
{
    char text[FAULT_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    text_line_vprintf(text, sizeof(text), format, args);
    va_end(args);
    request_problem(request, kind, text, NULL);
}

void
request_refuse_problems(struct request *request, const struct problems *problems)
{
    const struct problem *first = &problems->at[0];
    struct fault fault;

    (void)fault_set(&fault, FAULT_INVALID, "api", "%s: %s", first->pointer, first->detail);
    request_problem(request, FAULT_INVALID, fault.text, problems);
}

void
request_refuse_field(struct request *request, const char *pointer, const char *code,
                     const char *detail)
{
    struct problems problems = { 0 };

    problems_add(&problems, pointer, code, "%s", detail);
    request_refuse_problems(request, &problems);
}
