/* The life of a call: agree on a version, ask, read the answer, tell. */

#include "docker_job.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "docker_error.h"
#include "docker_json.h"
#include "docker_ready.h"
#include "docker_stream.h"
#include "docker_verbs.h"

#define VERSION_HEAD_MS 5000
#define REST_MS         10

enum { URL_MAX = 16 * 1024, BODY_MAX = 4 * 1024 * 1024, ERROR_MAX = 16 * 1024, MESSAGE_MAX = 512 };

static void docker_job_go(struct docker_job *job);
static void docker_job_version(struct docker_job *job);
static void docker_job_on_version(struct http_op *op, const struct fault *fault);
static void docker_job_request(struct docker_job *job);
static int docker_job_on_body(struct http_op *op, const char *data, size_t len);
static void docker_job_on_sent(struct http_op *op, int64_t sent);
static void docker_job_on_answer(struct http_op *op, const struct fault *fault);
static void docker_job_on_rested(struct clock_timer *timer);
static void docker_job_on_deadline(struct clock_timer *timer);
static void docker_job_on_failed(struct clock_timer *timer);

static void
docker_job_timer(struct docker_job *job, struct clock_timer *timer, int64_t in_ms)
{
    const struct clock_port *clock = job->common->clock;

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + in_ms);
}

void
docker_job_start(struct docker_host *host, struct docker_call *call)
{
    struct docker_job *job = mem_new0(sizeof(*job));

    job->host = host;
    job->common = host->common;
    job->endpoint = docker_endpoint_ref(host->endpoint);
    job->call = call;
    job->rule = docker_verbs_rule(call->verb);
    job->body_fd = -1;
    job->ready_socket = -1;
    buf_init(&job->url, URL_MAX);
    buf_init(&job->body, BODY_MAX);
    buf_init(&job->secret, URL_MAX);
    buf_init(&job->error, ERROR_MAX);
    docker_lines_init(&job->lines);
    list_push(&host->jobs, &job->node);
    call->adapter = job;
    memset(&call->out, 0, sizeof(call->out));
    job->deadline_ms = docker_verbs_deadline_ms(call);
    job->deadline.fire = docker_job_on_deadline;
    if (job->deadline_ms > 0)
        docker_job_timer(job, &job->deadline, job->deadline_ms);
    docker_job_go(job);
}

/* On to the request, now or when it is known which version to speak. */
static void
docker_job_go(struct docker_job *job)
{
    bool asks = job->call->verb == DOCKER_INFO && !job->retried;

    job->state = DOCKER_JOB_GOING;
    if (job->call->verb == DOCKER_READY && !job->call->in.ready.path) {
        docker_ready_connect(job);
    } else if (job->rule->unversioned || (job->host->version.api[0] && !asks)) {
        docker_job_request(job);
    } else if (job->host->leader && !asks) {
        job->state = DOCKER_JOB_WAITING;
        list_push(&job->host->waiting, &job->waiting);
    } else {
        docker_job_version(job);
    }
}

static void
docker_job_url_begin(struct docker_job *job)
{
    buf_clear(&job->url);
    buf_append_string(&job->url, job->endpoint->base);
}

static void
docker_job_version(struct docker_job *job)
{
    if (!job->host->leader)
        job->host->leader = job;
    job->state = DOCKER_JOB_VERSION;
    docker_job_url_begin(job);
    buf_append_string(&job->url, "/version");
    job->op = (struct http_op){
        .peer = docker_endpoint_peer(job->endpoint, job->host->id),
        .method = "GET",
        .url = buf_text(&job->url),
        .body_fd = -1,
        .answer_limit = (size_t)ERROR_MAX * 4,
        .head_ms = VERSION_HEAD_MS,
        .done = docker_job_on_version,
    };
    http_start(job->common->http, &job->op);
}

/* The others that wait for a version: all ask again, or all fail as this one did. */
static void
docker_job_release(struct docker_host *host, const struct fault *fault)
{
    struct list waiting;
    struct list_node *node;

    list_init(&waiting);
    list_move(&waiting, &host->waiting);
    while ((node = list_pop(&waiting))) {
        struct docker_job *job = CONTAINER_OF(node, struct docker_job, waiting);

        if (fault) {
            docker_job_fail(job, fault);
        } else {
            docker_job_go(job);
        }
    }
}

/* Why an exchange ended that was stopped by us, in the words of who stopped it. */
static const struct fault *
docker_job_fault(struct docker_job *job, const struct fault *fault)
{
    if (job->failed)
        return &job->fault;
    if (job->timed_out && job->state == DOCKER_JOB_VERSION) {
        (void)fault_set(&job->fault, FAULT_UNREACHABLE, job->rule->where,
                        "no answer about the engine's version within %" PRId64 " ms",
                        job->deadline_ms);
    } else if (job->timed_out) {
        (void)fault_set(&job->fault, FAULT_TIMEOUT, job->rule->where,
                        "no answer within %" PRId64 " ms", job->deadline_ms);
    } else {
        job->fault = *fault;
    }
    job->fault.where = job->rule->where;
    return &job->fault;
}

static int
docker_job_agree(struct docker_job *job, struct fault *fault)
{
    const struct http_op *op = &job->op;
    struct docker_error error = { job->call->verb, op->status, NULL };
    char message[MESSAGE_MAX];

    if (op->status == 200) {
        return docker_version_agree(buf_text(op->answer), op->answer->len, &job->host->version,
                                    fault);
    }
    error.message =
        docker_json_message(buf_text(op->answer), op->answer->len, message, sizeof(message));
    return docker_error_set(&error, "docker.version", fault);
}

static void
docker_job_on_version(struct http_op *op, const struct fault *fault)
{
    struct docker_job *job = CONTAINER_OF(op, struct docker_job, op);
    struct docker_host *host = job->host;
    bool led = host->leader == job;
    bool stopped = job->cancelled || job->timed_out;
    struct fault refused;

    if (led)
        host->leader = NULL;
    if (!fault && docker_job_agree(job, &refused) < 0)
        fault = &refused;
    if (fault)
        fault = docker_job_fault(job, fault);
    /* One that was stopped says nothing about the engine: the next of them asks. */
    if (led)
        docker_job_release(host, stopped ? NULL : fault);
    if (fault) {
        docker_job_end(job, fault);
    } else {
        docker_job_request(job);
    }
}

static void
docker_job_exchange(struct docker_job *job)
{
    bool endless = job->deadline_ms == 0;

    job->op = (struct http_op){
        .peer = docker_endpoint_peer(job->endpoint, job->host->id),
        .method = job->method,
        .url = buf_text(&job->url),
        .headers = job->headers,
        .header_count = job->header_count,
        .body = job->body.len ? job->body.data : NULL,
        .body_len = job->body_fd >= 0 ? (size_t)job->body_size : job->body.len,
        .body_fd = job->body_fd,
        /* A ping asks whether the engine lives, not whether an old connection does. */
        .fresh = job->call->verb == DOCKER_PING,
        .answer_limit = job->rule->answer_limit,
        /* What streams must begin in good time; the others may think until their deadline. */
        .head_ms = job->streaming || endless ? job->rule->head_ms : job->deadline_ms,
        .progress_ms = endless ? -1 : job->rule->progress_ms,
        .on_body = job->streaming ? docker_job_on_body : NULL,
        .on_sent = job->body_fd >= 0 ? docker_job_on_sent : NULL,
        .done = docker_job_on_answer,
    };
    /* A published port is reached by address, whatever way the engine is. */
    if (job->call->verb == DOCKER_READY)
        job->op.peer = (struct http_peer){ .key = job->host->id };
    http_start(job->common->http, &job->op);
}

static void
docker_job_request(struct docker_job *job)
{
    struct fault fault;

    job->state = DOCKER_JOB_REQUEST;
    job->method = "GET";
    job->streaming = false;
    job->header_count = 0;
    buf_clear(&job->body);
    buf_clear(&job->error);
    docker_job_url_begin(job);
    if (!job->rule->unversioned)
        buf_printf(&job->url, "/v%s", job->host->version.api);
    if (job->rule->request(job, &fault) < 0) {
        docker_job_fail(job, &fault);
        return;
    }
    if (job->url.overflow || job->body.overflow) {
        (void)fault_set(&fault, FAULT_TOO_LARGE, job->rule->where, "the request is too long");
        docker_job_fail(job, &fault);
        return;
    }
    if (job->streaming)
        docker_stream_begin(job);
    docker_job_exchange(job);
}

static int
docker_job_on_body(struct http_op *op, const char *data, size_t len)
{
    struct docker_job *job = CONTAINER_OF(op, struct docker_job, op);
    struct fault fault;

    if (job->call->verb == DOCKER_READY)
        return -1; /* the head has told all */
    if (op->status < 200 || op->status >= 300) {
        buf_append(&job->error, data, len);
        return 0;
    }
    if (job->rule->data(job, data, len, &fault) == 0)
        return 0;
    job->failed = true;
    job->fault = fault;
    return -1;
}

static void
docker_job_on_sent(struct http_op *op, int64_t sent)
{
    struct docker_job *job = CONTAINER_OF(op, struct docker_job, op);

    if (job->call->on_progress && !job->cancelled)
        job->call->on_progress(job->call, sent, job->body_size, "sending");
}

/* The engine answered with something else than 2xx. */
static void
docker_job_refused(struct docker_job *job)
{
    const struct buf *answer = job->streaming ? &job->error : job->op.answer;
    struct docker_error error = { job->call->verb, job->op.status, NULL };
    char message[MESSAGE_MAX];
    struct fault fault;

    error.message = docker_json_message(buf_text(answer), answer->len, message, sizeof(message));
    if (docker_version_is_refused(error.status, message) && !job->retried && !job->cancelled) {
        job->retried = true;
        job->host->version.api[0] = '\0';
        docker_job_go(job);
        return;
    }
    if (docker_error_is_success(&error)) {
        docker_job_end(job, NULL);
        return;
    }
    (void)docker_error_set(&error, job->rule->where, &fault);
    docker_job_end(job, &fault);
}

static void
docker_job_on_answer(struct http_op *op, const struct fault *fault)
{
    struct docker_job *job = CONTAINER_OF(op, struct docker_job, op);
    struct fault bad;
    int outcome = DOCKER_JOB_DONE;

    if (job->call->verb == DOCKER_READY && !(fault && job->cancelled)) {
        docker_job_end(job, docker_ready_judge(op->status, &bad) < 0 ? &bad : NULL);
        return;
    }
    if (fault) {
        docker_job_end(job, docker_job_fault(job, fault));
        return;
    }
    if (op->status < 200 || op->status >= 300) {
        docker_job_refused(job);
        return;
    }
    if (job->rule->answer)
        outcome = job->rule->answer(job, &bad);
    if (outcome == DOCKER_JOB_DONE || outcome < 0) {
        docker_job_end(job, outcome < 0 ? &bad : NULL);
        return;
    }
    job->state = DOCKER_JOB_RESTING;
    job->rest.fire = docker_job_on_rested;
    docker_job_timer(job, &job->rest, outcome == DOCKER_JOB_LATER ? REST_MS : 0);
}

static void
docker_job_on_rested(struct clock_timer *timer)
{
    /* Which version to speak may have to be asked anew since the last step. */
    docker_job_go(CONTAINER_OF(timer, struct docker_job, rest));
}

/* Make it end, with @fault unless it is an exchange: that one tells by itself. */
static void
docker_job_stop(struct docker_job *job, const struct fault *fault)
{
    switch (job->state) {
    case DOCKER_JOB_VERSION:
    case DOCKER_JOB_REQUEST:
        http_cancel(job->common->http, &job->op);
        return;
    case DOCKER_JOB_WAITING:
        list_remove(&job->host->waiting, &job->waiting);
        break;
    case DOCKER_JOB_RESTING:
        break;
    case DOCKER_JOB_READY:
        docker_ready_close(job);
        break;
    default:
        return; /* it is ending already */
    }
    docker_job_fail(job, fault);
}

void
docker_job_cancel(struct docker_job *job)
{
    struct fault fault;

    if (job->cancelled)
        return;
    job->cancelled = true;
    (void)fault_set(&fault, FAULT_CANCELLED, job->rule->where, "cancelled");
    docker_job_stop(job, &fault);
}

static void
docker_job_on_deadline(struct clock_timer *timer)
{
    struct docker_job *job = CONTAINER_OF(timer, struct docker_job, deadline);
    struct fault fault;

    job->timed_out = true;
    (void)fault_set(&fault,
                    job->state == DOCKER_JOB_WAITING ? FAULT_UNREACHABLE
                    : job->state == DOCKER_JOB_READY ? FAULT_NOT_READY
                                                     : FAULT_TIMEOUT,
                    job->rule->where, "no answer within %" PRId64 " ms", job->deadline_ms);
    docker_job_stop(job, &fault);
}

void
docker_job_pause(struct docker_job *job, bool paused)
{
    if (job->state == DOCKER_JOB_REQUEST && job->streaming)
        http_pause(job->common->http, &job->op, paused);
}

void
docker_job_fail(struct docker_job *job, const struct fault *fault)
{
    job->state = DOCKER_JOB_FAILING;
    job->fault = *fault;
    job->rest.fire = docker_job_on_failed;
    docker_job_timer(job, &job->rest, 0);
}

static void
docker_job_on_failed(struct clock_timer *timer)
{
    struct docker_job *job = CONTAINER_OF(timer, struct docker_job, rest);

    docker_job_end(job, &job->fault);
}

void
docker_job_end(struct docker_job *job, const struct fault *fault)
{
    const struct clock_port *clock = job->common->clock;
    struct docker_call *call = STEAL(job->call);

    assert(job->state != DOCKER_JOB_ENDED && job->ready_socket < 0);
    job->state = DOCKER_JOB_ENDED;
    clock->timer_clear(clock->self, &job->deadline);
    clock->timer_clear(clock->self, &job->rest);
    list_remove(&job->host->jobs, &job->node);
    list_push(&job->common->dead, &job->node);
    clock->timer_set(clock->self, &job->common->reap, clock->mono_ms(clock->self));
    call->adapter = NULL;
    call->done(call, fault);
}

void
docker_job_reap(struct docker_common *common)
{
    struct list_node *node;

    while ((node = list_pop(&common->dead))) {
        struct docker_job *job = CONTAINER_OF(node, struct docker_job, node);

        if (job->body_fd >= 0)
            (void)close(job->body_fd);
        if (job->secret.data)
            secret_wipe(job->secret.data, job->secret.cap);
        buf_fini(&job->secret);
        buf_fini(&job->url);
        buf_fini(&job->body);
        buf_fini(&job->error);
        docker_lines_fini(&job->lines);
        docker_layers_fini(&job->layers);
        docker_endpoint_unref(job->endpoint);
        mem_free(job->items);
        mem_free(job);
    }
}
