#include "event_stream.h"

#include <assert.h>
#include <string.h>

#include "stream.h"

enum { EVENT_BATCH = 200, EVENT_DIGITS_MAX = 18 };

struct event_stream {
    struct stream stream;
    struct list_node node; /* in server->events */
    struct store_history history;
    struct event_filter filter;
    int64_t after; /* the last one that was written */
    int64_t beat_at_mono_ms;
    bool reading;
    bool stale; /* there is more than what was read */
    bool gone;
};

static void event_stream_beat_later(struct event_stream *events);
static void event_stream_read(struct event_stream *events);
static void event_stream_on_history(struct store_history *history, const struct fault *fault);
static void event_stream_on_drained(struct stream *stream);
static void event_stream_on_gone(struct stream *stream);

bool
event_stream_number(const char *text, int64_t *ret_value)
{
    int64_t value = 0;
    size_t len = strlen(text);

    if (len == 0 || len > EVENT_DIGITS_MAX)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (*text - '0');
    }
    *ret_value = value;
    return true;
}

/* Where to begin: behind Last-Event-ID, ?after=, or now. */
static int
event_stream_begin(struct request *request, int64_t *ret_after)
{
    *ret_after = api_model(request->server)->last_seq;
    if (query_has(&request->query, QUERY_AFTER))
        *ret_after = request->query.number[QUERY_AFTER];
    if (!request->headers.last_event_id ||
        event_stream_number(request->headers.last_event_id, ret_after))
        return 0;
    request_refuse(request, FAULT_INVALID, "Last-Event-ID must be the id of an event");
    return -1;
}

void
event_stream_start(struct request *request, const struct event_filter *filter)
{
    static const char hello[] = "retry: 2000\n\n";
    struct event_stream *events;
    int64_t after;

    if (event_stream_begin(request, &after) < 0)
        return;
    events = mem_new0(sizeof(*events));
    events->filter = *filter;
    events->after = after;
    events->stream.drained = event_stream_on_drained;
    events->stream.gone = event_stream_on_gone;
    if (stream_open(&events->stream, request, "text/event-stream") < 0) {
        mem_free(events);
        return;
    }
    list_push(&request->server->events, &events->node);
    stream_write(&events->stream, hello, sizeof(hello) - 1);
    events->stale = true;
    event_stream_beat_later(events);
    event_stream_read(events);
}

static void
event_stream_beat_later(struct event_stream *events)
{
    struct api_server *server = events->stream.server;

    events->beat_at_mono_ms = api_mono_ms(server) + server->limits.heartbeat_ms;
}

static void
event_stream_read(struct event_stream *events)
{
    struct api_server *server = events->stream.server;
    struct store_history *history = &events->history;

    if (events->reading || !events->stale || events->gone || events->stream.ended ||
        stream_pending(&events->stream) > STREAM_HIGH)
        return;
    *history = (struct store_history){
        .kind = HISTORY_EVENTS,
        .after = events->after,
        .limit = EVENT_BATCH,
        .done = event_stream_on_history,
    };
    event_page_store_filter(&events->filter, engine_model(server->engine), &history->filter);
    events->reading = true;
    events->stale = false;
    engine_history_start(server->engine, history);
}

/* What was asked for may be kept no more: say so instead of leaving a hole. */
static void
event_stream_gap(struct event_stream *events, int64_t oldest_seq)
{
    if (oldest_seq <= events->after + 1)
        return;
    buf_printf(&events->stream.pending, "event: gap\ndata: {\"oldest_seq\":%lld}\n\n",
               (long long)oldest_seq);
    events->after = oldest_seq - 1;
}

static void
event_stream_write(struct event_stream *events, const struct model *model,
                   const struct event *event)
{
    struct buf *pending = &events->stream.pending;
    struct json_out out;

    assert(event->seq > events->after);
    buf_printf(pending, "id: %lld\nevent: %s\ndata: ", (long long)event->seq, event->kind);
    json_out_init(&out, pending);
    event_page_event(model, event, &out);
    buf_append(pending, "\n\n", 2);
    events->after = event->seq;
}

static void
event_stream_on_history(struct store_history *history, const struct fault *fault)
{
    struct event_stream *events = CONTAINER_OF(history, struct event_stream, history);
    const struct model *model;

    events->reading = false;
    if (events->gone) {
        mem_free(events);
        return;
    }
    if (fault || events->stream.ended) {
        stream_end(&events->stream, true);
        return;
    }
    model = engine_model(events->stream.server->engine);
    event_stream_gap(events, history->oldest_seq);
    for (size_t i = 0; i < history->count; i++)
        event_stream_write(events, model, &history->events[i]);
    if (history->count > 0)
        event_stream_beat_later(events);
    if (history->count == EVENT_BATCH)
        events->stale = true;
    stream_wake(&events->stream);
    event_stream_read(events);
}

static void
event_stream_on_drained(struct stream *stream)
{
    event_stream_read(CONTAINER_OF(stream, struct event_stream, stream));
}

static void
event_stream_on_gone(struct stream *stream)
{
    struct event_stream *events = CONTAINER_OF(stream, struct event_stream, stream);

    list_remove(&stream->server->events, &events->node);
    events->gone = true;
    if (!events->reading)
        mem_free(events);
}

void
event_stream_notify(struct api_server *server)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&server->events); node; node = next) {
        struct event_stream *events = CONTAINER_OF(node, struct event_stream, node);

        next = list_next(&server->events, node);
        events->stale = true;
        event_stream_read(events);
    }
}

void
event_stream_tick(struct api_server *server)
{
    int64_t now_mono_ms = api_mono_ms(server);
    struct list_node *node = list_first(&server->events);

    for (; node; node = list_next(&server->events, node)) {
        struct event_stream *events = CONTAINER_OF(node, struct event_stream, node);

        if (now_mono_ms < events->beat_at_mono_ms)
            continue;
        event_stream_beat_later(events);
        stream_write(&events->stream, ":\n\n", 3);
    }
}
