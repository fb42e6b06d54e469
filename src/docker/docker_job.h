#pragma once

/*
 * One call on its way to an engine and back.
 *
 *   go --version known--> request --> answer --> end
 *    |--nobody asks yet--> version --agreed--> request
 *    \--somebody asks----> waiting --agreed--> request
 *   answer --another step--> request       (exec: create, start, inspect)
 *   ready  --settled--> end                (a bare TCP connection)
 *   any    --cancel, deadline, bad input--> failing --> end, a moment later
 */

#include "berth/base/buf.h"
#include "berth/base/list.h"
#include "berth/docker/docker_demux.h"
#include "berth/loop/http.h"
#include "berth/loop/loop.h"
#include "berth/loop/worker.h"
#include "berth/port/docker.h"

#include "docker_endpoint.h"
#include "docker_layers.h"
#include "docker_lines.h"
#include "docker_version.h"

enum docker_job_state {
    DOCKER_JOB_GOING, /* inside a function of docker_job.c */
    DOCKER_JOB_WAITING,
    DOCKER_JOB_VERSION,
    DOCKER_JOB_REQUEST,
    DOCKER_JOB_RESTING,
    DOCKER_JOB_READY,
    DOCKER_JOB_FAILING,
    DOCKER_JOB_ENDED,
};

enum {
    DOCKER_JOB_HEADERS_MAX = 2,
    DOCKER_HOST_CLOSE_US = 2500, /* close_us of a host that has shown nothing yet */
};

struct docker_job;
struct docker_lookup;
struct docker_verb_rule;

/* What all hosts share. */
struct docker_common {
    struct http *http;
    struct loop *loop;
    const struct clock_port *clock;
    struct worker *resolver; /* of host names; made when the first one is met */
    struct list dead;        /* jobs that ended in this turn */
    struct clock_timer reap;
};

struct docker_host {
    int64_t id;
    struct docker_common *common;
    struct docker_endpoint *endpoint;
    struct docker_version version;
    struct docker_job *leader; /* the one that asks for the version, on behalf of all; or NULL */
    struct list waiting;       /* struct docker_job, for the leader */
    struct list jobs;          /* all that have not ended */
    int64_t close_us;          /* slowest hang-up of late of its port proxy: docker_ready.h */
};

struct docker_job {
    struct docker_host *host;
    struct docker_common *common;
    struct docker_endpoint *endpoint; /* counted */
    struct docker_call *call;
    const struct docker_verb_rule *rule;
    enum docker_job_state state;
    bool cancelled;
    bool timed_out;
    bool retried; /* asked for the version once more */
    bool failed;  /* @fault says why */
    struct fault fault;
    int64_t deadline_ms; /* in all; 0: none */
    struct clock_timer deadline;
    struct clock_timer rest;

    /* The exchange, filled by the verb's request(). */
    int step; /* of those with several exchanges */
    struct http_op op;
    const char *method;
    struct buf url;
    struct buf body;
    struct http_header headers[DOCKER_JOB_HEADERS_MAX];
    size_t header_count;
    bool streaming;    /* the answer goes to the verb's data() */
    struct buf secret; /* a header's value; wiped */
    struct buf error;  /* what a streaming exchange answered instead */
    int body_fd;
    int64_t body_size;

    /* Of the verbs. */
    struct docker_demux demux;
    struct docker_lines lines;
    struct docker_layers layers;
    char exec_id[DOCKER_ID_SIZE];
    void *items; /* owned: call->out.list.at or .images.at */
    struct docker_lookup *lookup;
    int ready_socket;
    struct loop_fd ready_fd;
    int64_t ready_at_us;

    struct list_node node;    /* of host->jobs, then common->dead */
    struct list_node waiting; /* of host->waiting */
};

enum docker_job_outcome {
    DOCKER_JOB_DONE,
    DOCKER_JOB_NEXT,  /* another exchange, job->step was moved on */
    DOCKER_JOB_LATER, /* the same one once more, a little later */
};

/** docker_job_start() - what port's call_start() does. */
void docker_job_start(struct docker_host *host, struct docker_call *call);
/** docker_job_cancel() / docker_job_pause() - what the port's functions do. */
void docker_job_cancel(struct docker_job *job);
void docker_job_pause(struct docker_job *job, bool paused);
/** docker_job_end() - done(@fault), which is NULL for success; @job is reaped later in the turn. */
void docker_job_end(struct docker_job *job, const struct fault *fault);
/** docker_job_fail() - end with @fault (copied), but not now: the caller may be in call_start(). */
void docker_job_fail(struct docker_job *job, const struct fault *fault);
/** docker_job_reap() - free what has ended. */
void docker_job_reap(struct docker_common *common);
