/* What a container uses: one sample, or one each second. */

#include "find.h"
#include "handlers.h"
#include "stream.h"

enum { STATS_PERIOD_MS = 1000 };

struct stats_reader {
    struct stream stream;
    struct engine_call call;
    struct clock_timer timer;
    struct request *request; /* until it was answered */
    struct api_server *server;
    int64_t instance_id;
    bool open;
    bool calling;
    bool gone;
};

static int handler_stats_call(struct stats_reader *reader, const struct instance *instance,
                              struct fault *fault);
static void handler_stats_on_timer(struct clock_timer *timer);
static void handler_stats_on_done(struct engine_call *call, const struct fault *fault);
static void handler_stats_on_left(struct request *request);
static void handler_stats_on_gone(struct stream *stream);

static void
handler_stats_free(struct stats_reader *reader)
{
    const struct clock_port *clock = reader->server->clock;

    clock->timer_clear(clock->self, &reader->timer);
    mem_free(reader);
}

void
handler_stats_get(struct request *request)
{
    const struct instance *instance = find_instance(request);
    struct stats_reader *reader;
    struct fault fault;

    if (!instance)
        return;
    reader = mem_new0(sizeof(*reader));
    reader->request = request;
    reader->server = request->server;
    reader->instance_id = instance->id;
    reader->timer.fire = handler_stats_on_timer;
    reader->stream.gone = handler_stats_on_gone;
    if (handler_stats_call(reader, instance, &fault) < 0) {
        handler_stats_free(reader);
        request_fail(request, &fault);
        return;
    }
    request->work = reader;
    request->gone = handler_stats_on_left;
    request_suspend(request);
}

static int
handler_stats_call(struct stats_reader *reader, const struct instance *instance,
                   struct fault *fault)
{
    reader->call = (struct engine_call){
        .call = { .verb = DOCKER_STATS },
        .done = handler_stats_on_done,
    };
    if (engine_instance_call(reader->server->engine, instance, &reader->call, fault) < 0)
        return -1;
    reader->calling = true;
    return 0;
}

static void
handler_stats_render(const struct docker_stats *stats, struct json_out *out)
{
    json_out_object(out);
    json_out_kv_time(out, "at", stats->at_ms);
    json_out_kv_int(out, "memory_bytes", stats->memory_bytes);
    json_out_kv_int(out, "memory_limit_bytes", stats->memory_limit_bytes);
    json_out_kv_int(out, "cpu_ns", stats->cpu_ns);
    json_out_kv_int(out, "system_cpu_ns", stats->system_cpu_ns);
    json_out_kv_int(out, "cpus", stats->cpus);
    json_out_kv_int(out, "network_in_bytes", stats->network_in_bytes);
    json_out_kv_int(out, "network_out_bytes", stats->network_out_bytes);
    json_out_kv_int(out, "block_in_bytes", stats->block_in_bytes);
    json_out_kv_int(out, "block_out_bytes", stats->block_out_bytes);
    json_out_kv_int(out, "pids", stats->pids);
    json_out_object_end(out);
}

/* The first sample answers the request, or opens the stream. */
static void
handler_stats_first(struct stats_reader *reader, const struct fault *fault)
{
    struct request *request = STEAL(reader->request);
    struct json_out out;

    if (fault) {
        request_fail(request, fault);
    } else if (reader->call.call.out.stats.at_ms == 0) {
        request_refuse(request, FAULT_CONFLICT, "its container does not run");
    } else if (request->query.number[QUERY_STREAM]) {
        reader->open = stream_open(&reader->stream, request, "application/x-ndjson") == 0;
    } else {
        reply_json(request, MHD_HTTP_OK, &out);
        handler_stats_render(&reader->call.call.out.stats, &out);
    }
    request_finish(request);
}

static void
handler_stats_on_done(struct engine_call *call, const struct fault *fault)
{
    struct stats_reader *reader = CONTAINER_OF(call, struct stats_reader, call);
    const struct clock_port *clock = reader->server->clock;
    struct buf line = { 0 };
    struct json_out out;

    reader->calling = false;
    if (reader->request)
        handler_stats_first(reader, fault);
    if (!reader->open || reader->gone) {
        handler_stats_free(reader);
        return;
    }
    if (fault || call->call.out.stats.at_ms == 0) {
        stream_end(&reader->stream, fault != NULL);
        return;
    }
    json_out_init(&out, &line);
    handler_stats_render(&call->call.out.stats, &out);
    buf_append_char(&line, '\n');
    stream_write(&reader->stream, line.data, line.len);
    buf_fini(&line);
    clock->timer_set(clock->self, &reader->timer, api_mono_ms(reader->server) + STATS_PERIOD_MS);
}

static void
handler_stats_on_timer(struct clock_timer *timer)
{
    struct stats_reader *reader = CONTAINER_OF(timer, struct stats_reader, timer);
    const struct clock_port *clock = reader->server->clock;
    const struct instance *instance =
        idmap_find(&api_model(reader->server)->instances, reader->instance_id);

    if (stream_pending(&reader->stream) > STREAM_LOW) {
        clock->timer_set(clock->self, timer, api_mono_ms(reader->server) + STATS_PERIOD_MS);
    } else if (!instance || handler_stats_call(reader, instance, NULL) < 0) {
        stream_end(&reader->stream, false);
    }
}

static void
handler_stats_on_left(struct request *request)
{
    struct stats_reader *reader = request->work;

    reader->request = NULL;
    engine_call_cancel(reader->server->engine, &reader->call);
    request_refuse(request, FAULT_CANCELLED, "the client has gone");
    request_finish(request);
}

static void
handler_stats_on_gone(struct stream *stream)
{
    struct stats_reader *reader = CONTAINER_OF(stream, struct stats_reader, stream);

    reader->gone = true;
    if (reader->calling) {
        engine_call_cancel(reader->server->engine, &reader->call);
    } else {
        handler_stats_free(reader);
    }
}
