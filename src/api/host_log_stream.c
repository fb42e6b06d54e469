#include <assert.h>

#include "berth/base/text.h"

#include "host_log.h"
#include "stream.h"

enum { HOST_LOG_BATCH = 100, HOST_LOG_CARRY = 4 };

struct host_log_stream {
    struct stream stream;
    struct list_node node; /* in server->host_logs */
    struct engine_wait wait;
    struct store_history history;
    struct host_log_filter filter; /* after: the last step that was written */
    int64_t live_place;            /* of the step that `live_sent` is about */
    int64_t live_sent;             /* bytes of its output that were written or left out */
    int64_t beat_at_mono_ms;
    bool reading; /* of history, or waiting for a commit before it */
    bool stale;   /* there may be more than what was read */
    bool last;    /* what is read now is all that will ever be there */
    bool gone;
};

static void host_log_stream_read(struct host_log_stream *log);
static void host_log_stream_on_durable(struct engine_wait *wait, const struct fault *fault);
static void host_log_stream_on_history(struct store_history *history, const struct fault *fault);
static void host_log_stream_on_drained(struct stream *stream);
static void host_log_stream_on_gone(struct stream *stream);

static void
host_log_stream_beat_later(struct host_log_stream *log)
{
    struct api_server *server = log->stream.server;

    log->beat_at_mono_ms = api_mono_ms(server) + server->limits.heartbeat_ms;
}

void
host_log_stream_start(struct request *request, const struct host_log_filter *filter)
{
    static const char hello[] = "retry: 2000\n\n";
    struct host_log_stream *log = mem_new0(sizeof(*log));

    log->filter = *filter;
    log->stream.drained = host_log_stream_on_drained;
    log->stream.gone = host_log_stream_on_gone;
    log->wait.done = host_log_stream_on_durable;
    if (stream_open(&log->stream, request, "text/event-stream") < 0) {
        mem_free(log);
        return;
    }
    list_push(&request->server->host_logs, &log->node);
    stream_write(&log->stream, hello, sizeof(hello) - 1);
    log->stale = true;
    host_log_stream_beat_later(log);
    host_log_stream_read(log);
}

static const struct host *
host_log_stream_host(const struct host_log_stream *log)
{
    return idmap_find(&api_model(log->stream.server)->hosts, log->filter.host_id);
}

static void
host_log_stream_read(struct host_log_stream *log)
{
    struct engine *engine = log->stream.server->engine;
    const struct host *host = host_log_stream_host(log);

    if (log->reading || !log->stale || log->gone || log->stream.ended ||
        stream_pending(&log->stream) > STREAM_HIGH)
        return;
    log->reading = true;
    log->stale = false;
    log->last = !host || !engine_host_is_preparing(engine, host);
    engine_wait_durable(engine, &log->wait);
}

static void
host_log_stream_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct host_log_stream *log = CONTAINER_OF(wait, struct host_log_stream, wait);

    if (log->gone) {
        mem_free(log); /* with the server, perhaps */
        return;
    }
    (void)fault; /* what is there can be read all the same */
    log->history = (struct store_history){
        .kind = HISTORY_STEPS,
        .host_id = log->filter.host_id,
        .after = log->filter.after,
        .run = log->filter.run,
        .failed = log->filter.failed,
        .limit = HOST_LOG_BATCH,
        .done = host_log_stream_on_history,
    };
    engine_history_start(log->stream.server->engine, &log->history);
}

static void
host_log_stream_ended(struct host_log_stream *log, const struct store_step *step)
{
    struct buf *pending = &log->stream.pending;
    struct json_out out;

    log->filter.after = store_step_place(step->run, step->step);
    buf_printf(pending, "id: %lld\nevent: step\ndata: ", (long long)log->filter.after);
    json_out_init(&out, pending);
    host_log_step(&out, step, false);
    buf_append(pending, "\n\n", 2);
}

/* What the step under way has written since the last time; a character that was cut in two waits for
 * its other half. */
static void
host_log_stream_progress(struct host_log_stream *log)
{
    struct buf *pending = &log->stream.pending;
    struct store_step step;
    struct json_out out;
    int64_t place;
    size_t whole;
    bool begins;

    if (!host_log_live(log->stream.server->engine, &log->filter, &step))
        return;
    place = store_step_place(step.run, step.step);
    begins = place != log->live_place;
    if (begins || log->live_sent < step.cut_bytes)
        log->live_sent = step.cut_bytes;
    log->live_place = place;
    step.output += log->live_sent - step.cut_bytes;
    step.len -= (size_t)(log->live_sent - step.cut_bytes);
    whole = text_utf8_len(step.output, step.len);
    if (step.len - whole < HOST_LOG_CARRY)
        step.len = whole;
    if (step.len == 0 && !begins)
        return;
    log->live_sent += (int64_t)step.len;
    buf_append_string(pending, "event: progress\ndata: ");
    json_out_init(&out, pending);
    host_log_step(&out, &step, true);
    buf_append(pending, "\n\n", 2);
}

static void
host_log_stream_end(struct host_log_stream *log)
{
    const struct host *host = host_log_stream_host(log);
    struct buf *pending = &log->stream.pending;
    struct json_out out;

    buf_append_string(pending, "event: end\ndata: ");
    json_out_init(&out, pending);
    json_out_object(&out);
    json_out_kv_bool(&out, "prepared", host && host->active_at_ms > 0);
    json_out_kv_string(&out, "state", host_state_name(host ? host->state : HOST_REMOVED));
    json_out_kv_string(&out, "reason", host ? host->reason : NULL);
    json_out_object_end(&out);
    buf_append(pending, "\n\n", 2);
    stream_end(&log->stream, false);
}

static void
host_log_stream_on_history(struct store_history *history, const struct fault *fault)
{
    struct host_log_stream *log = CONTAINER_OF(history, struct host_log_stream, history);

    log->reading = false;
    if (log->gone) {
        mem_free(log);
        return;
    }
    if (fault || log->stream.ended) {
        stream_end(&log->stream, true);
        return;
    }
    for (size_t i = 0; i < history->count; i++)
        host_log_stream_ended(log, &history->steps[i]);
    host_log_stream_beat_later(log);
    if (history->more) {
        log->stale = true;
    } else if (log->last) {
        host_log_stream_end(log);
    } else {
        host_log_stream_progress(log);
    }
    stream_wake(&log->stream);
    host_log_stream_read(log);
}

static void
host_log_stream_on_drained(struct stream *stream)
{
    host_log_stream_read(CONTAINER_OF(stream, struct host_log_stream, stream));
}

static void
host_log_stream_on_gone(struct stream *stream)
{
    struct host_log_stream *log = CONTAINER_OF(stream, struct host_log_stream, stream);

    list_remove(&stream->server->host_logs, &log->node);
    log->gone = true;
    if (!log->reading)
        mem_free(log);
}

static void
host_log_stream_read_again(struct host_log_stream *log)
{
    log->stale = true;
    host_log_stream_read(log);
}

void
host_log_stream_notify(struct api_server *server)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&server->host_logs); node; node = next) {
        next = list_next(&server->host_logs, node);
        host_log_stream_read_again(CONTAINER_OF(node, struct host_log_stream, node));
    }
}

void
host_log_stream_tick(struct api_server *server)
{
    int64_t now_mono_ms = api_mono_ms(server);
    struct list_node *node = list_first(&server->host_logs);

    for (; node; node = list_next(&server->host_logs, node)) {
        struct host_log_stream *log = CONTAINER_OF(node, struct host_log_stream, node);

        if (now_mono_ms < log->beat_at_mono_ms)
            continue;
        host_log_stream_beat_later(log);
        stream_write(&log->stream, ":\n\n", 3);
    }
}
