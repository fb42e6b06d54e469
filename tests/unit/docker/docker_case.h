#pragma once

/*
 * What the tests of the adapter share: a loop, the adapter with host 1, and
 * calls that remember how they ended.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/docker/docker.h"

#include "support/fake_http.h"

enum { PATIENCE_MS = 60000 };

#define CLUSTER "c1"

/* A call and what came of it. */
struct attempt {
    struct docker_call call;
    struct fault fault; /* FAULT_NONE: success */
    char data[3][4096]; /* of each stream */
    size_t data_len[3];
    char hints[512]; /* "action name;" */
    int64_t progress_done;
    int64_t progress_total;
    char text[256];                /* of the last progress */
    struct docker_container *list; /* a copy; owned */
    struct docker_image *images;   /* a copy; owned */
    int done_count;
    bool cancel_in_stream;
    bool started; /* call_start() has returned */
};

static struct loop *loop;
static struct http *http;
static struct docker *docker;
static const struct docker_port *port;
static struct fake_http *fake;

static inline void
case_open(void)
{
    loop = loop_new();
    http = http_new(loop);
    docker = docker_new(http, loop);
    port = docker_port(docker);
}

static inline int
case_host(const char *engine)
{
    struct host_endpoint endpoint = { .engine = mem_strdup(engine), .plain = true };
    struct fault fault = { 0 };
    int ret = port->host_set(port->self, 1, &endpoint, CLUSTER, &fault);

    mem_free(endpoint.engine);
    if (ret < 0)
        print_error("%s\n", fault.text);
    return ret;
}

/* An engine that answers by @rules, on a unix socket. */
static inline void
case_serve(const struct fake_http_rule *rules)
{
    static char path[64]; /* the server borrows it */
    char engine[80];

    (void)snprintf(path, sizeof(path), "/tmp/berth-docker-%d.sock", (int)getpid());
    (void)snprintf(engine, sizeof(engine), "unix://%s", path);
    fake = fake_http_new(&(struct fake_http_config){ .unix_path = path, .rules = rules });
    assert_int_equal(case_host(engine), 0);
}

static inline int
case_setup(void **state)
{
    (void)state;
    case_open();
    return 0;
}

static inline int
case_teardown(void **state)
{
    (void)state;
    docker_free(docker);
    http_free(http);
    loop_free(loop);
    fake_http_free(fake);
    fake = NULL;
    return 0;
}

static inline void
case_on_done(struct docker_call *call, const struct fault *fault)
{
    struct attempt *trial = CONTAINER_OF(call, struct attempt, call);

    assert_true(trial->started);
    trial->done_count++;
    trial->fault = fault ? *fault : (struct fault){ 0 };
    if (!fault && call->verb == DOCKER_LIST)
        trial->list = mem_dup(call->out.list.at, call->out.list.count * sizeof(*trial->list));
    if (!fault && call->verb == DOCKER_IMAGE_LIST) {
        trial->images =
            mem_dup(call->out.images.at, call->out.images.count * sizeof(*trial->images));
    }
}

static inline void
case_on_data(struct docker_call *call, int stream, const char *data, size_t len)
{
    struct attempt *trial = CONTAINER_OF(call, struct attempt, call);
    size_t room;

    assert_in_range(stream, 0, 2);
    room = sizeof(trial->data[0]) - 1 - trial->data_len[stream];
    memcpy(trial->data[stream] + trial->data_len[stream], data, len < room ? len : room);
    trial->data_len[stream] += len < room ? len : room;
    if (trial->cancel_in_stream)
        port->call_cancel(port->self, call);
}

static inline void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the signature is the port's. */
case_on_progress(struct docker_call *call, int64_t done, int64_t total, const char *text)
{
    struct attempt *trial = CONTAINER_OF(call, struct attempt, call);

    trial->progress_done = done;
    trial->progress_total = total;
    (void)snprintf(trial->text, sizeof(trial->text), "%s", text);
}

static inline void
case_on_hint(struct docker_call *call, const char *action, const struct docker_container *container)
{
    struct attempt *trial = CONTAINER_OF(call, struct attempt, call);
    size_t len = strlen(trial->hints);

    (void)snprintf(trial->hints + len, sizeof(trial->hints) - len, "%s %s;", action,
                   container->name);
}

static inline void
trial_init(struct attempt *trial, enum docker_verb verb, const char *name)
{
    *trial = (struct attempt){ 0 };
    trial->call = (struct docker_call){
        .verb = verb,
        .host_id = 1,
        .name = name,
        .on_data = case_on_data,
        .on_progress = case_on_progress,
        .on_hint = case_on_hint,
        .done = case_on_done,
    };
}

static inline void
trial_start(struct attempt *trial)
{
    port->call_start(port->self, &trial->call);
    trial->started = true;
}

static inline bool
trial_is_over(void *cookie)
{
    return ((const struct attempt *)cookie)->done_count > 0;
}

static inline void
trial_wait(struct attempt *trial)
{
    assert_true(loop_run_until(loop, trial_is_over, trial, PATIENCE_MS));
    assert_int_equal(trial->done_count, 1);
}

static inline void
trial_fini(struct attempt *trial)
{
    mem_free(trial->list);
    mem_free(trial->images);
}

/* Runs it and demands this end. */
static inline void
trial_expect(struct attempt *trial, enum fault_kind kind, const char *text)
{
    trial_start(trial);
    trial_wait(trial);
    if (trial->fault.kind != kind || (text && !strstr(trial->fault.text, text))) {
        fail_msg("%s ended with %s (%s), not with %s (%s)", docker_verb_name(trial->call.verb),
                 fault_rule(trial->fault.kind)->code, trial->fault.text, fault_rule(kind)->code,
                 text ? text : "");
    }
}

/* A verb that takes nothing but a name. */
static inline void
case_expect(enum docker_verb verb, const char *name, enum fault_kind kind, const char *text)
{
    struct attempt trial;

    trial_init(&trial, verb, name);
    trial_expect(&trial, kind, text);
    trial_fini(&trial);
}
