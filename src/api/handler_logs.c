/*
 * What an instance wrote: from its engine while it has a container, from what
 * was kept of it afterwards.  Who follows one that has no container yet waits
 * for it.
 */
#include <string.h>

#include "berth/base/log.h"

#include "find.h"
#include "handlers.h"
#include "stream.h"

#define LOGS_TYPE "text/plain; charset=utf-8"

enum { LOGS_KEPT_MAX = 1000 };

/* From the engine. */
struct log_reader {
    struct stream stream;
    struct engine_call call;
    struct request *request;  /* until the stream is open or the request was answered */
    struct list_node waiting; /* in server->log_waiters: it has no container yet */
    int64_t instance_id;
    struct store_history history; /* what was kept, when it ended before we saw its container */
    bool reading;                 /* of history */
    bool open;
    bool paused;
    bool done; /* the call has ended, or has not begun */
    bool gone; /* the stream has ended */
};

/* What is wanted of it. */
struct log_part {
    int64_t tail; /* lines; -1: all */
    int64_t since_ms;
};

/* From what was kept. */
struct log_kept {
    struct store_history history;
    struct request *request;
    struct log_part part;
};

static void handler_logs_live(struct request *request, const struct instance *instance);
static void handler_logs_on_data(struct docker_call *call, int stream, const char *data,
                                 size_t len);
static void handler_logs_on_drained(struct stream *stream);
static void handler_logs_on_done(struct engine_call *call, const struct fault *fault);
static void handler_logs_wait(struct log_reader *reader);
static void handler_logs_on_rest(struct store_history *history, const struct fault *fault);
static void handler_logs_on_left(struct request *request);
static void handler_logs_on_gone(struct stream *stream);
static void handler_logs_kept(struct request *request, const struct instance *instance);
static void handler_logs_on_kept(struct store_history *history, const struct fault *fault);

void
handler_logs_get(struct request *request)
{
    const struct instance *instance = find_instance(request);

    if (!instance)
        return;
    if (instance_state_is_final((enum instance_state)instance->state)) {
        handler_logs_kept(request, instance);
    } else {
        handler_logs_live(request, instance);
    }
}

static bool
handler_logs_open(struct log_reader *reader)
{
    if (reader->open)
        return true;
    reader->open = stream_open(&reader->stream, reader->request, LOGS_TYPE) == 0;
    return reader->open;
}

static void
handler_logs_live(struct request *request, const struct instance *instance)
{
    struct log_reader *reader = mem_new0(sizeof(*reader));
    struct docker_call *call = &reader->call.call;
    struct fault fault;

    reader->request = request;
    reader->instance_id = instance->id;
    reader->stream.drained = handler_logs_on_drained;
    reader->stream.gone = handler_logs_on_gone;
    call->verb = DOCKER_LOGS;
    call->in.logs.follow = request->query.number[QUERY_FOLLOW] != 0;
    call->in.logs.tail = request->query.number[QUERY_TAIL];
    call->in.logs.since_ms = request->query.number[QUERY_SINCE];
    call->in.logs.timestamps = request->query.number[QUERY_TIMESTAMPS] != 0;
    call->on_data = handler_logs_on_data;
    reader->call.done = handler_logs_on_done;
    if (engine_instance_call(request->server->engine, instance, &reader->call, &fault) < 0) {
        if (fault.kind == FAULT_CONFLICT && call->in.logs.follow) {
            handler_logs_wait(reader);
            return;
        }
        if (fault.kind == FAULT_CONFLICT)
            fault_set(&fault, FAULT_CONFLICT, "logs", "%s; `follow` waits for it", fault.text);
        mem_free(reader);
        request_fail(request, &fault);
        return;
    }
    /* Whoever follows wants to know at once that it goes on. */
    if (call->in.logs.follow) {
        if (!handler_logs_open(reader))
            engine_call_cancel(request->server->engine, &reader->call);
        reader->request = NULL;
        return;
    }
    request->work = reader;
    request->gone = handler_logs_on_left;
    request_suspend(request);
}

static void
handler_logs_wait(struct log_reader *reader)
{
    struct api_server *server = reader->request->server;

    if (!handler_logs_open(reader)) {
        mem_free(reader);
        return;
    }
    reader->request = NULL;
    reader->done = true;
    list_push(&server->log_waiters, &reader->waiting);
}

/* It has ended, perhaps without ever having a container. */
static void
handler_logs_rest(struct log_reader *reader)
{
    reader->done = false;
    reader->reading = true;
    reader->history = (struct store_history){
        .kind = HISTORY_LOG,
        .limit = LOGS_KEPT_MAX,
        .instance_id = reader->instance_id,
        .done = handler_logs_on_rest,
    };
    engine_history_start(reader->stream.server->engine, &reader->history);
}

/* Return: whether @reader waits no more. */
static bool
handler_logs_retry(struct api_server *server, struct log_reader *reader)
{
    const struct instance *instance =
        idmap_find(&api_model(server)->instances, reader->instance_id);
    struct fault fault;

    if (!instance || instance_state_is_final((enum instance_state)instance->state)) {
        handler_logs_rest(reader);
        return true;
    }
    reader->done = engine_instance_call(server->engine, instance, &reader->call, &fault) < 0;
    return !reader->done;
}

void
handler_logs_notify(struct api_server *server)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&server->log_waiters); node; node = next) {
        next = list_next(&server->log_waiters, node);
        if (handler_logs_retry(server, CONTAINER_OF(node, struct log_reader, waiting)))
            list_remove(&server->log_waiters, node);
    }
}

/* The request can be answered now. */
static void
handler_logs_resume(struct log_reader *reader)
{
    struct request *request = STEAL(reader->request);

    if (request)
        request_finish(request);
}

static void
handler_logs_on_data(struct docker_call *call, int stream, const char *data, size_t len)
{
    struct log_reader *reader =
        CONTAINER_OF(CONTAINER_OF(call, struct engine_call, call), struct log_reader, call);

    (void)stream;
    if (reader->request && !handler_logs_open(reader))
        engine_call_cancel(reader->request->server->engine, &reader->call);
    handler_logs_resume(reader);
    if (!reader->open || reader->gone)
        return;
    stream_write(&reader->stream, data, len);
    if (stream_pending(&reader->stream) > STREAM_HIGH && !reader->paused) {
        reader->paused = true;
        engine_call_pause(reader->stream.server->engine, &reader->call, true);
    }
}

static void
handler_logs_on_drained(struct stream *stream)
{
    struct log_reader *reader = CONTAINER_OF(stream, struct log_reader, stream);

    if (!reader->paused || reader->done)
        return;
    reader->paused = false;
    engine_call_pause(stream->server->engine, &reader->call, false);
}

static void
handler_logs_on_done(struct engine_call *call, const struct fault *fault)
{
    struct log_reader *reader = CONTAINER_OF(call, struct log_reader, call);

    reader->done = true;
    if (reader->request && fault) {
        request_fail(reader->request, fault);
    } else if (reader->request) {
        reply_empty(reader->request, MHD_HTTP_OK);
        reader->request->reply.type = LOGS_TYPE;
    }
    handler_logs_resume(reader);
    if (fault && reader->open && !reader->gone)
        log_warn("api", "a stream of logs broke off: %s", fault->text);
    if (reader->open && !reader->gone) {
        stream_end(&reader->stream, fault != NULL);
    } else {
        mem_free(reader);
    }
}

/* The client went away before the first byte. */
static void
handler_logs_on_left(struct request *request)
{
    struct log_reader *reader = request->work;

    engine_call_cancel(request->server->engine, &reader->call);
    request_refuse(request, FAULT_CANCELLED, "the client has gone");
    handler_logs_resume(reader);
}

static void
handler_logs_on_gone(struct stream *stream)
{
    struct log_reader *reader = CONTAINER_OF(stream, struct log_reader, stream);

    reader->gone = true;
    if (list_is_in(&reader->waiting))
        list_remove(&stream->server->log_waiters, &reader->waiting);
    if (reader->done) {
        mem_free(reader);
    } else if (!reader->reading) {
        engine_call_cancel(stream->server->engine, &reader->call);
    }
}

/* --- Kept ---------------------------------------------------------------------------------------- */

static void
handler_logs_kept(struct request *request, const struct instance *instance)
{
    struct log_kept *kept = mem_new0(sizeof(*kept));

    kept->request = request;
    kept->part.tail = request->query.number[QUERY_TAIL];
    kept->part.since_ms = request->query.number[QUERY_SINCE];
    kept->history.kind = HISTORY_LOG;
    kept->history.limit = LOGS_KEPT_MAX;
    kept->history.instance_id = instance->id;
    kept->history.done = handler_logs_on_kept;
    request_suspend(request);
    engine_history_start(request->server->engine, &kept->history);
}

/* Drops all but the last @tail lines. */
static void
handler_logs_cut(struct buf *text, int64_t tail)
{
    size_t at = text->len;

    if (at > 0 && text->data[at - 1] == '\n')
        at--;
    if (tail == 0)
        at = text->len;
    while (at > 0 && tail > 0) {
        if (text->data[at - 1] == '\n' && --tail == 0)
            break;
        at--;
    }
    buf_consume(text, at);
}

/* What is wanted of @history, to @out, which is empty. */
static void
handler_logs_fill(const struct store_history *history, const struct log_part *part, struct buf *out)
{
    for (size_t i = 0; i < history->count; i++) {
        if (history->logs[i].at_ms >= part->since_ms)
            buf_append(out, history->logs[i].data, history->logs[i].len);
    }
    if (part->tail >= 0)
        handler_logs_cut(out, part->tail);
}

static void
handler_logs_on_rest(struct store_history *history, const struct fault *fault)
{
    struct log_reader *reader = CONTAINER_OF(history, struct log_reader, history);
    const struct log_part part = { reader->call.call.in.logs.tail,
                                   reader->call.call.in.logs.since_ms };
    struct buf text;

    reader->done = true;
    reader->reading = false;
    if (reader->gone) {
        mem_free(reader);
        return;
    }
    buf_init(&text, STREAM_LIMIT);
    if (!fault)
        handler_logs_fill(history, &part, &text);
    if (text.len > 0)
        stream_write(&reader->stream, text.data, text.len);
    buf_fini(&text);
    stream_end(&reader->stream, fault != NULL);
}

static void
handler_logs_on_kept(struct store_history *history, const struct fault *fault)
{
    struct log_kept *kept = CONTAINER_OF(history, struct log_kept, history);
    struct request *request = kept->request;

    if (fault) {
        request_fail(request, fault);
    } else {
        reply_empty(request, MHD_HTTP_OK);
        handler_logs_fill(history, &kept->part, &request->reply.body);
        request->reply.type = LOGS_TYPE;
    }
    mem_free(kept);
    request_finish(request);
}
