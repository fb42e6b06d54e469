/*
 * A command in a container: its output at once as JSON, up to a bound, or line
 * by line while it runs.
 */
#include <string.h>

#include "berth/wire/request.h"

#include "find.h"
#include "handlers.h"
#include "head.h"
#include "stream.h"

enum { EXEC_OUTPUT_MAX = 1 << 20, EXEC_STREAMS = 2, EXEC_CARRY = 4 };

struct exec_run {
    struct stream stream;
    struct engine_call call;
    struct request *request; /* until it was answered; NULL with a stream */
    struct engine *engine;
    struct wire_request_exec *asked; /* owned */
    struct buf output[EXEC_STREAMS]; /* stdout, stderr; with a stream: the start of a character */
    bool open;
    bool paused;
    bool done;
    bool gone;
};

static const char *const exec_stream_names[EXEC_STREAMS] = { "stdout", "stderr" };

static void handler_exec_on_data(struct docker_call *call, int stream, const char *data,
                                 size_t len);
static void handler_exec_on_drained(struct stream *stream);
static void handler_exec_on_done(struct engine_call *call, const struct fault *fault);
static void handler_exec_on_left(struct request *request);
static void handler_exec_on_gone(struct stream *stream);

static void
handler_exec_free(struct exec_run *run)
{
    schema_free(&wire_request_exec_schema, run->asked);
    mem_free(run->asked);
    for (size_t i = 0; i < EXEC_STREAMS; i++)
        buf_fini(&run->output[i]);
    mem_free(run);
}

static struct exec_run *
handler_exec_new(struct request *request)
{
    struct exec_run *run = mem_new0(sizeof(*run));
    struct docker_call *call = &run->call.call;

    run->request = request;
    run->engine = request->server->engine;
    run->asked = STEAL(request->input); /* the call may outlive the request */
    run->stream.drained = handler_exec_on_drained;
    run->stream.gone = handler_exec_on_gone;
    for (size_t i = 0; i < EXEC_STREAMS; i++)
        buf_init(&run->output[i], EXEC_OUTPUT_MAX);
    call->verb = DOCKER_EXEC;
    call->in.exec.command = run->asked->command.at;
    call->in.exec.count = run->asked->command.count;
    call->in.exec.user = run->asked->user;
    call->in.exec.workdir = run->asked->workdir;
    call->on_data = handler_exec_on_data;
    run->call.done = handler_exec_on_done;
    return run;
}

void
handler_exec_run(struct request *request)
{
    const struct wire_request_exec *asked = request->input;
    const struct instance *instance = find_instance(request);
    struct exec_run *run;
    struct fault fault;

    if (!instance)
        return;
    if (asked->command.count == 0 || asked->command.at[0][0] == '\0') {
        request_refuse_field(request, "/command", "range", "must name a program");
        return;
    }
    run = handler_exec_new(request);
    if (engine_instance_call(run->engine, instance, &run->call, &fault) < 0) {
        handler_exec_free(run);
        request_fail(request, &fault);
        return;
    }
    if (!head_accepts(request, "application/x-ndjson")) {
        request->work = run;
        request->gone = handler_exec_on_left;
        request_suspend(request);
        return;
    }
    run->request = NULL;
    run->open = stream_open(&run->stream, request, "application/x-ndjson") == 0;
    if (!run->open)
        engine_call_cancel(run->engine, &run->call);
}

/* A line of output.  A character that was cut in two waits for its other half. */
static void
handler_exec_line(struct exec_run *run, int stream, const char *data, size_t len)
{
    struct buf *carry = &run->output[stream];
    struct buf line = { 0 };
    struct json_out out;
    size_t whole;

    buf_append(carry, data, len);
    whole = text_utf8_len(carry->data, carry->len);
    if (carry->len - whole >= EXEC_CARRY || len == 0)
        whole = carry->len;
    if (whole == 0)
        return;
    json_out_init(&out, &line);
    json_out_object(&out);
    json_out_kv_string(&out, "stream", exec_stream_names[stream]);
    json_out_key(&out, "data");
    json_out_string_n(&out, carry->data, whole);
    json_out_object_end(&out);
    buf_append_char(&line, '\n');
    buf_consume(carry, whole);
    stream_write(&run->stream, line.data, line.len);
    buf_fini(&line);
}

static void
handler_exec_on_data(struct docker_call *call, int stream, const char *data, size_t len)
{
    struct exec_run *run =
        CONTAINER_OF(CONTAINER_OF(call, struct engine_call, call), struct exec_run, call);
    int to = stream == 2 ? 1 : 0;

    if (len == 0 || run->gone)
        return;
    if (!run->open) {
        buf_append(&run->output[to], data, len);
        return;
    }
    handler_exec_line(run, to, data, len);
    if (stream_pending(&run->stream) > STREAM_HIGH && !run->paused) {
        run->paused = true;
        engine_call_pause(run->engine, &run->call, true);
    }
}

static void
handler_exec_on_drained(struct stream *stream)
{
    struct exec_run *run = CONTAINER_OF(stream, struct exec_run, stream);

    if (!run->paused || run->done)
        return;
    run->paused = false;
    engine_call_pause(run->engine, &run->call, false);
}

/* The last line of a stream. */
static void
handler_exec_end(struct exec_run *run, const struct fault *fault)
{
    struct buf line = { 0 };
    struct json_out out;

    for (int i = 0; i < EXEC_STREAMS; i++) {
        if (run->output[i].len > 0)
            handler_exec_line(run, i, "", 0);
    }
    json_out_init(&out, &line);
    json_out_object(&out);
    if (fault) {
        json_out_kv_string(&out, "error", fault->text);
        json_out_kv_string(&out, "code", fault_rule(fault->kind)->code);
    } else {
        json_out_kv_int(&out, "exit_code", run->call.call.out.exit_code);
    }
    json_out_object_end(&out);
    buf_append_char(&line, '\n');
    stream_write(&run->stream, line.data, line.len);
    stream_end(&run->stream, false);
    buf_fini(&line);
}

static void
handler_exec_answer(struct exec_run *run, struct request *request)
{
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_int(&out, "exit_code", run->call.call.out.exit_code);
    for (size_t i = 0; i < EXEC_STREAMS; i++) {
        json_out_key(&out, exec_stream_names[i]);
        json_out_string_n(&out, buf_text(&run->output[i]), run->output[i].len);
    }
    json_out_kv_bool(&out, "truncated", run->output[0].overflow || run->output[1].overflow);
    json_out_object_end(&out);
    if (request->key) {
        request_commit(request);
    } else {
        request_finish(request);
    }
}

static void
handler_exec_on_done(struct engine_call *call, const struct fault *fault)
{
    struct exec_run *run = CONTAINER_OF(call, struct exec_run, call);
    struct request *request = run->request;

    run->done = true;
    if (run->open && !run->gone) {
        handler_exec_end(run, fault);
        return;
    }
    if (request && fault) {
        request_fail(request, fault);
        request_finish(request);
    } else if (request) {
        handler_exec_answer(run, request);
    }
    handler_exec_free(run);
}

static void
handler_exec_on_left(struct request *request)
{
    struct exec_run *run = request->work;

    run->request = NULL;
    engine_call_cancel(run->engine, &run->call);
    request_refuse(request, FAULT_CANCELLED, "the client has gone");
    request_finish(request);
}

static void
handler_exec_on_gone(struct stream *stream)
{
    struct exec_run *run = CONTAINER_OF(stream, struct exec_run, stream);

    run->gone = true;
    if (run->done) {
        handler_exec_free(run);
    } else {
        engine_call_cancel(run->engine, &run->call);
    }
}
