/* Demultiplexed output, progress of images, events. */

#include "docker_stream.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"

#include "docker_error.h"
#include "docker_parse.h"
#include "docker_verbs.h"

static void docker_stream_on_output(struct docker_demux *demux, int stream, const char *data,
                                    size_t len);
static int docker_stream_on_line(struct docker_lines *lines, const json_t *json,
                                 struct fault *fault);

void
docker_stream_begin(struct docker_job *job)
{
    job->demux = (struct docker_demux){ .on_data = docker_stream_on_output };
    docker_lines_fini(&job->lines);
    docker_lines_init(&job->lines);
    job->lines.on_line = docker_stream_on_line;
}

int
docker_stream_output(struct docker_job *job, const char *data, size_t len, struct fault *fault)
{
    if (docker_demux_feed(&job->demux, data, len) < 0) {
        return fault_set(fault, FAULT_GARBLED, job->rule->where,
                         "the engine's stream has a frame that is none");
    }
    return 0;
}

static void
docker_stream_on_output(struct docker_demux *demux, int stream, const char *data, size_t len)
{
    struct docker_job *job = CONTAINER_OF(demux, struct docker_job, demux);

    /* After a cancel the rest of the piece is not wanted any more. */
    if (job->call->on_data && !job->cancelled)
        job->call->on_data(job->call, stream, data, len);
}

int
docker_stream_output_end(struct docker_job *job, struct fault *fault)
{
    if (!docker_demux_is_whole(&job->demux))
        return fault_set(fault, FAULT_LOST, job->rule->where, "the stream ended inside a frame");
    return DOCKER_JOB_DONE;
}

int
docker_stream_lines(struct docker_job *job, const char *data, size_t len, struct fault *fault)
{
    return docker_lines_feed(&job->lines, data, len, fault);
}

int
docker_stream_lines_end(struct docker_job *job, struct fault *fault)
{
    if (docker_lines_end(&job->lines, fault) < 0)
        return -1;
    if (job->failed) {
        *fault = job->fault;
        return -1;
    }
    /* The engine only ends the stream of events when it goes away. */
    if (job->call->verb == DOCKER_EVENTS)
        return fault_set(fault, FAULT_LOST, job->rule->where, "the engine ended the stream");
    return DOCKER_JOB_DONE;
}

static void
docker_stream_event(struct docker_job *job, const json_t *json)
{
    struct docker_container container;
    const char *action = docker_parse_event(json, &container);

    if (action && job->call->on_hint && !job->cancelled)
        job->call->on_hint(job->call, action, &container);
}

static void
docker_stream_progress(struct docker_job *job, const json_t *json)
{
    const char *text = json_in_string(json, "status", "");
    int64_t done;
    int64_t total;

    docker_layers_update(&job->layers, json, &done, &total);
    if (job->call->on_progress && !job->cancelled)
        job->call->on_progress(job->call, done, total, text);
}

/* "Loaded image: name:tag\n" or "Loaded image ID: sha256:...\n", once for each. */
static void
docker_stream_loaded(struct docker_job *job, const char *text)
{
    static const char *const starts[] = { "Loaded image: ", "Loaded image ID: " };
    char *out = job->call->out.text;
    size_t have = strlen(out);

    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        size_t len = strlen(starts[i]);

        if (strncmp(text, starts[i], len) == 0) {
            (void)snprintf(out + have, sizeof(job->call->out.text) - have, "%s%.*s",
                           have ? " " : "", (int)strcspn(text + len, "\n"), text + len);
        }
    }
}

static int
docker_stream_on_line(struct docker_lines *lines, const json_t *json, struct fault *fault)
{
    struct docker_job *job = CONTAINER_OF(lines, struct docker_job, lines);
    const char *error = json_in_string(json, "error", NULL);

    (void)fault;
    if (job->call->verb == DOCKER_EVENTS) {
        docker_stream_event(job, json);
        return 0;
    }
    error = json_in_string(json_object_get(json, "errorDetail"), "message", error);
    if (error) {
        /* The head said 200: only here is told that it failed. */
        struct docker_error said = { job->call->verb, 200, error };

        job->failed = true;
        (void)docker_error_set(&said, job->rule->where, &job->fault);
    } else if (job->call->verb == DOCKER_LOAD) {
        docker_stream_loaded(job, json_in_string(json, "stream", ""));
    } else {
        docker_stream_progress(job, json);
    }
    return 0;
}
