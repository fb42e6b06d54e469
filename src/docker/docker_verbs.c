/* The table, and for each verb the URL, the body and what to make of the answer. */

#include "docker_verbs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

#include "docker_json.h"
#include "docker_parse.h"
#include "docker_ready.h"
#include "docker_spec.h"
#include "docker_stats.h"
#include "docker_stream.h"
#include "docker_url.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define KIB    ((size_t)1024)
#define MIB    (1024 * KIB)

static int docker_verbs_info(struct docker_job *job, struct fault *fault);
static int docker_verbs_info_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_ping(struct docker_job *job, struct fault *fault);
static int docker_verbs_list(struct docker_job *job, struct fault *fault);
static int docker_verbs_list_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_create(struct docker_job *job, struct fault *fault);
static int docker_verbs_create_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_start(struct docker_job *job, struct fault *fault);
static int docker_verbs_stop(struct docker_job *job, struct fault *fault);
static int docker_verbs_remove(struct docker_job *job, struct fault *fault);
static int docker_verbs_inspect(struct docker_job *job, struct fault *fault);
static int docker_verbs_inspect_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_image(struct docker_job *job, struct fault *fault);
static int docker_verbs_image_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_images(struct docker_job *job, struct fault *fault);
static int docker_verbs_images_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_pull(struct docker_job *job, struct fault *fault);
static int docker_verbs_load(struct docker_job *job, struct fault *fault);
static int docker_verbs_logs(struct docker_job *job, struct fault *fault);
static int docker_verbs_stats(struct docker_job *job, struct fault *fault);
static int docker_verbs_stats_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_exec(struct docker_job *job, struct fault *fault);
static int docker_verbs_exec_answer(struct docker_job *job, struct fault *fault);
static int docker_verbs_events(struct docker_job *job, struct fault *fault);

/* clang-format off */
static const struct docker_verb_rule rules[DOCKER_VERB_COUNT] = {
    /*                        where                   deadline     head         progress    most kept  unversioned */
    [DOCKER_INFO]          = { "docker.info",          15 * SECOND, 0,           0,          MIB,       false,
                               docker_verbs_info,    docker_verbs_info_answer,    NULL },
    [DOCKER_PING]          = { "docker.ping",          5 * SECOND,  0,           0,          64 * KIB,  true,
                               docker_verbs_ping,    NULL,                        NULL },
    [DOCKER_LIST]          = { "docker.list",          30 * SECOND, 0,           0,          128 * MIB, false,
                               docker_verbs_list,    docker_verbs_list_answer,    NULL },
    [DOCKER_CREATE]        = { "docker.create",        60 * SECOND, MINUTE,      0,          MIB,       false,
                               docker_verbs_create,  docker_verbs_create_answer,  NULL },
    [DOCKER_START]         = { "docker.start",         60 * SECOND, MINUTE,      0,          64 * KIB,  false,
                               docker_verbs_start,   NULL,                        NULL },
    [DOCKER_STOP]          = { "docker.stop",          30 * SECOND, 0,           0,          64 * KIB,  false,
                               docker_verbs_stop,    NULL,                        NULL },
    [DOCKER_REMOVE]        = { "docker.remove",        60 * SECOND, MINUTE,      0,          64 * KIB,  false,
                               docker_verbs_remove,  NULL,                        NULL },
    [DOCKER_INSPECT]       = { "docker.inspect",       10 * SECOND, 0,           0,          4 * MIB,   false,
                               docker_verbs_inspect, docker_verbs_inspect_answer, NULL },
    [DOCKER_IMAGE_INSPECT] = { "docker.image_inspect", 10 * SECOND, 0,           0,          4 * MIB,   false,
                               docker_verbs_image,   docker_verbs_image_answer,   NULL },
    [DOCKER_IMAGE_LIST]    = { "docker.image_list",    30 * SECOND, 0,           0,          64 * MIB,  false,
                               docker_verbs_images,  docker_verbs_images_answer,  NULL },
    [DOCKER_PULL]          = { "docker.pull",          HOUR,        5 * MINUTE,  5 * MINUTE, 64 * KIB,  false,
                               docker_verbs_pull,    docker_stream_lines_end,     docker_stream_lines },
    [DOCKER_LOAD]          = { "docker.load",          HOUR,        20 * MINUTE, 2 * MINUTE, 64 * KIB,  false,
                               docker_verbs_load,    docker_stream_lines_end,     docker_stream_lines },
    [DOCKER_LOGS]          = { "docker.logs",          MINUTE,      0,           0,          64 * KIB,  false,
                               docker_verbs_logs,    docker_stream_output_end,    docker_stream_output },
    [DOCKER_STATS]         = { "docker.stats",         10 * SECOND, 0,           0,          MIB,       false,
                               docker_verbs_stats,   docker_verbs_stats_answer,   NULL },
    [DOCKER_EXEC]          = { "docker.exec",          10 * MINUTE, 0,           -1,         MIB,       false,
                               docker_verbs_exec,    docker_verbs_exec_answer,    docker_stream_output },
    [DOCKER_EVENTS]        = { "docker.events",        0,           0,           -1,         64 * KIB,  false,
                               docker_verbs_events,  docker_stream_lines_end,     docker_stream_lines },
    [DOCKER_READY]         = { "docker.ready",         5 * SECOND,  5 * SECOND,  0,          64 * KIB,  true,
                               docker_ready_request, NULL,                        NULL },
};
/* clang-format on */

const struct docker_verb_rule *
docker_verbs_rule(enum docker_verb verb)
{
    assert((int)verb >= 0 && verb < DOCKER_VERB_COUNT);
    return &rules[verb];
}

int64_t
docker_verbs_deadline_ms(const struct docker_call *call)
{
    int64_t deadline_ms = docker_verbs_rule(call->verb)->deadline_ms;

    if (call->deadline_ms > 0)
        return call->deadline_ms;
    if (call->verb == DOCKER_STOP)
        return deadline_ms + call->in.grace_ms;
    if (call->verb == DOCKER_LOGS && call->in.logs.follow)
        return 0;
    return deadline_ms;
}

/* Appends @before, the call's name encoded, @after. */
static void
docker_verbs_path(struct docker_job *job, const char *before, const char *after)
{
    buf_append_string(&job->url, before);
    docker_url_encode(&job->url, job->call->name ? job->call->name : "");
    buf_append_string(&job->url, after);
}

static void
docker_verbs_json_body(struct docker_job *job)
{
    job->headers[job->header_count++] = (struct http_header){ "Content-Type", "application/json" };
}

static int
docker_verbs_parse(const struct docker_job *job, json_t **ret_json, struct fault *fault)
{
    const struct buf *answer = job->op.answer;

    return docker_json_parse(buf_text(answer), answer->len, ret_json, fault);
}

static int
docker_verbs_info(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    buf_append_string(&job->url, "/info");
    return 0;
}

static int
docker_verbs_info_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct docker_info *info = &job->call->out.info;
    const struct docker_version *version = &job->host->version;

    if (docker_verbs_parse(job, &json, fault) < 0)
        return -1;
    docker_parse_info(json, info);
    if (info->engine_id[0] == '\0' || info->memory_bytes <= 0) {
        return fault_set(fault, FAULT_GARBLED, job->rule->where,
                         "the engine does not tell its id or memory");
    }
    (void)snprintf(info->engine_version, sizeof(info->engine_version), "%s", version->engine);
    (void)snprintf(info->engine_api, sizeof(info->engine_api), "%s", version->api);
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_ping(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    buf_append_string(&job->url, "/_ping");
    return 0;
}

static int
docker_verbs_list(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    buf_append_string(&job->url, "/containers/json?all=1&");
    docker_url_filters(&job->url, job->endpoint->cluster_id, false);
    return 0;
}

static int
docker_verbs_list_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct docker_container *list;

    if (docker_verbs_parse(job, &json, fault) < 0 ||
        docker_parse_list(json, job->endpoint->cluster_id, &list, &job->call->out.list.count,
                          fault) < 0)
        return -1;
    job->items = job->call->out.list.at = list;
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_create(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "POST";
    docker_verbs_path(job, "/containers/create?name=", "");
    docker_spec_encode(&job->call->in.create, &job->body);
    docker_verbs_json_body(job);
    return 0;
}

static int
docker_verbs_create_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (docker_verbs_parse(job, &json, fault) < 0 ||
        docker_parse_id(json, "Id", job->call->out.container_id, DOCKER_ID_SIZE, fault) < 0)
        return -1;
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_start(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "POST";
    docker_verbs_path(job, "/containers/", "/start");
    return 0;
}

static int
docker_verbs_stop(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "POST";
    docker_verbs_path(job, "/containers/", "/stop?t=");
    buf_printf(&job->url, "%" PRId64, (job->call->in.grace_ms + SECOND - 1) / SECOND);
    return 0;
}

static int
docker_verbs_remove(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "DELETE";
    docker_verbs_path(job, "/containers/", "?force=1&v=1");
    return 0;
}

static int
docker_verbs_inspect(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "GET";
    docker_verbs_path(job, "/containers/", "/json");
    return 0;
}

static int
docker_verbs_inspect_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (docker_verbs_parse(job, &json, fault) < 0 ||
        docker_parse_inspect(json, &job->call->out.container, fault) < 0)
        return -1;
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_image(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "GET";
    docker_verbs_path(job, "/images/", "/json");
    return 0;
}

static int
docker_verbs_image_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (docker_verbs_parse(job, &json, fault) < 0 ||
        docker_parse_id(json, "Id", job->call->out.container_id,
                        sizeof(job->call->out.container_id), fault) < 0)
        return -1;
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_images(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    buf_append_string(&job->url, "/images/json");
    return 0;
}

static int
docker_verbs_images_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct docker_image *images;

    if (docker_verbs_parse(job, &json, fault) < 0 ||
        docker_parse_images(json, &images, &job->call->out.images.count, fault) < 0)
        return -1;
    job->items = job->call->out.images.at = images;
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_pull(struct docker_job *job, struct fault *fault)
{
    const struct secret *auth = job->call->in.registry_auth;
    char *text;

    (void)fault;
    job->method = "POST";
    job->streaming = true;
    buf_append_string(&job->url, "/images/create?");
    docker_url_image(&job->url, job->call->name);
    if (!auth)
        return 0;
    text = buf_reserve(&job->secret, (secret_len(auth) + 2) / 3 * 4);
    if (!text)
        return fault_set(fault, FAULT_INVALID, job->rule->where, "the credentials are too long");
    text_base64url((const uint8_t *)secret_bytes(auth), secret_len(auth), text);
    job->headers[job->header_count++] = (struct http_header){ "X-Registry-Auth", text };
    return 0;
}

/* The archive is a file, which is sent as it is read. */
static int
docker_verbs_load_file(struct docker_job *job, struct fault *fault)
{
    struct stat file;

    if (job->body_fd < 0)
        job->body_fd = open(job->call->in.load.path, O_RDONLY | O_CLOEXEC);
    if (job->body_fd < 0 || fstat(job->body_fd, &file) < 0) {
        return fault_set(fault, FAULT_STORAGE, job->rule->where,
                         "the image archive cannot be read: %s", strerrordesc_np(errno));
    }
    if (!S_ISREG(file.st_mode))
        return fault_set(fault, FAULT_STORAGE, job->rule->where, "the image archive is no file");
    job->body_size = file.st_size;
    return 0;
}

static int
docker_verbs_load(struct docker_job *job, struct fault *fault)
{
    const struct docker_call *call = job->call;

    if (!call->in.load.path) {
        buf_append(&job->body, call->in.load.data, call->in.load.size);
    } else if (docker_verbs_load_file(job, fault) < 0) {
        return -1;
    }
    job->method = "POST";
    job->streaming = true;
    buf_append_string(&job->url, "/images/load?quiet=1");
    job->headers[job->header_count++] = (struct http_header){ "Content-Type", "application/x-tar" };
    return 0;
}

static int
docker_verbs_logs(struct docker_job *job, struct fault *fault)
{
    const struct docker_call *call = job->call;

    (void)fault;
    job->streaming = true;
    job->method = "GET";
    docker_verbs_path(job, "/containers/", "/logs?stdout=1&stderr=1");
    if (call->in.logs.follow)
        buf_append_string(&job->url, "&follow=1");
    if (call->in.logs.timestamps)
        buf_append_string(&job->url, "&timestamps=1");
    if (call->in.logs.tail >= 0)
        buf_printf(&job->url, "&tail=%" PRId64, call->in.logs.tail);
    if (call->in.logs.since_ms > 0) {
        buf_printf(&job->url, "&since=%" PRId64 ".%03d000000", call->in.logs.since_ms / SECOND,
                   (int)(call->in.logs.since_ms % SECOND));
    }
    return 0;
}

static int
docker_verbs_stats(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = "GET";
    docker_verbs_path(job, "/containers/", "/stats?stream=false&one-shot=true");
    return 0;
}

static int
docker_verbs_stats_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (docker_verbs_parse(job, &json, fault) < 0)
        return -1;
    docker_stats_parse(json, &job->call->out.stats);
    return DOCKER_JOB_DONE;
}

static int
docker_verbs_events(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->streaming = true;
    buf_append_string(&job->url, "/events?");
    docker_url_filters(&job->url, job->endpoint->cluster_id, true);
    return 0;
}

/* Exec is three exchanges: make it, run it with its output, ask how it ended. */
enum { EXEC_CREATE, EXEC_START, EXEC_INSPECT };

static void
docker_verbs_exec_body(struct docker_job *job)
{
    const struct docker_call *call = job->call;
    struct json_out out;

    json_out_init(&out, &job->body);
    json_out_object(&out);
    json_out_kv_bool(&out, "AttachStdout", true);
    json_out_kv_bool(&out, "AttachStderr", true);
    json_out_kv_bool(&out, "Tty", false);
    if (call->in.exec.user)
        json_out_kv_string(&out, "User", call->in.exec.user);
    if (call->in.exec.workdir)
        json_out_kv_string(&out, "WorkingDir", call->in.exec.workdir);
    json_out_key(&out, "Cmd");
    json_out_array(&out);
    for (size_t i = 0; i < call->in.exec.count; i++)
        json_out_string(&out, call->in.exec.command[i]);
    json_out_array_end(&out);
    json_out_object_end(&out);
}

static int
docker_verbs_exec(struct docker_job *job, struct fault *fault)
{
    (void)fault;
    job->method = job->step == EXEC_INSPECT ? "GET" : "POST";
    if (job->step == EXEC_CREATE) {
        job->method = "POST";
        docker_verbs_path(job, "/containers/", "/exec");
        docker_verbs_exec_body(job);
        docker_verbs_json_body(job);
        return 0;
    }
    buf_append_string(&job->url, "/exec/");
    docker_url_encode(&job->url, job->exec_id);
    buf_append_string(&job->url, job->step == EXEC_START ? "/start" : "/json");
    if (job->step == EXEC_START) {
        job->streaming = true;
        buf_append_string(&job->body, "{\"Detach\":false,\"Tty\":false}");
        docker_verbs_json_body(job);
    }
    return 0;
}

static int
docker_verbs_exec_answer(struct docker_job *job, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;

    if (job->step == EXEC_START) {
        job->step = EXEC_INSPECT;
        return docker_stream_output_end(job, fault) < 0 ? -1 : DOCKER_JOB_NEXT;
    }
    if (docker_verbs_parse(job, &json, fault) < 0)
        return -1;
    if (job->step == EXEC_CREATE) {
        job->step = EXEC_START;
        if (docker_parse_id(json, "Id", job->exec_id, sizeof(job->exec_id), fault) < 0)
            return -1;
        return DOCKER_JOB_NEXT;
    }
    /* The output may end a moment before the engine knows of the end. */
    if (json_in_bool(json, "Running", false))
        return DOCKER_JOB_LATER;
    job->call->out.exit_code = (int32_t)json_in_int(json, "ExitCode", -1);
    return DOCKER_JOB_DONE;
}
