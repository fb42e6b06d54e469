#pragma once

/*
 * What the tests of http share: a loop, an http, a fake server, and operations
 * that remember how they ended.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/loop/http.h"

#include "support/fake_http.h"

enum { PATIENCE_MS = 20000 };

#define REPLY_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct probe {
    struct http_op op;
    char url[128];
    int done_count;
    enum fault_kind kind; /* FAULT_NONE: success */
    char text[FAULT_TEXT_SIZE];
    char *body; /* owned */
};

static struct loop *loop;
static struct http *http;
static struct fake_http *fake;

static inline int
probe_setup(void **state)
{
    (void)state;
    loop = loop_new();
    http = http_new(loop);
    return 0;
}

static inline int
probe_teardown(void **state)
{
    (void)state;
    http_free(http);
    loop_free(loop);
    fake_http_free(fake);
    fake = NULL;
    return 0;
}

static inline void
probe_serve(const struct fake_http_rule *rules)
{
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
}

static inline void
probe_on_done(struct http_op *op, const struct fault *fault)
{
    struct probe *probe = CONTAINER_OF(op, struct probe, op);

    probe->done_count++;
    probe->kind = fault ? fault->kind : FAULT_NONE;
    (void)snprintf(probe->text, sizeof(probe->text), "%s", fault ? fault->text : "");
    probe->body = buf_take(op->answer);
}

static inline void
probe_init(const char *method, struct probe *probe, const char *scheme, const char *path)
{
    *probe = (struct probe){ 0 };
    (void)snprintf(probe->url, sizeof(probe->url), "%s://127.0.0.1:%d%s", scheme,
                   fake ? fake_http_port(fake) : 1, path);
    probe->op.method = method;
    probe->op.url = probe->url;
    probe->op.answer_limit = 1000;
    probe->op.done = probe_on_done;
}

static inline bool
probe_is_over(void *cookie)
{
    return ((const struct probe *)cookie)->done_count > 0;
}

static inline void
probe_wait(struct probe *probe)
{
    assert_true(loop_run_until(loop, probe_is_over, probe, PATIENCE_MS));
    assert_int_equal(probe->done_count, 1);
}

static inline void
probe_run(struct probe *probe)
{
    http_start(http, &probe->op);
    assert_int_equal(probe->done_count, 0);
    probe_wait(probe);
}

static inline void
probe_fini(struct probe *probe)
{
    mem_free(probe->body);
    probe->body = NULL;
}

/* Runs it and demands this end. */
static inline void
probe_expect(struct probe *probe, enum fault_kind kind, const char *text)
{
    probe_run(probe);
    if (probe->kind != kind || (text && !strstr(probe->text, text))) {
        fail_msg("%s %s: ended with %s (%s), not with %s (%s)", probe->op.method, probe->url,
                 fault_rule(probe->kind)->code, probe->text, fault_rule(kind)->code,
                 text ? text : "");
    }
    probe_fini(probe);
}

static inline void
probe_get(const char *path, int status, const char *body)
{
    struct probe probe;

    probe_init("GET", &probe, "http", path);
    probe_run(&probe);
    assert_string_equal(probe.text, "");
    assert_int_equal(probe.kind, FAULT_NONE);
    assert_int_equal(probe.op.status, status);
    assert_string_equal(probe.body, body);
    probe_fini(&probe);
}

struct stream {
    struct probe probe;
    size_t received;
    int64_t sent;
    int pieces;
    bool pause_first;
};

static inline int
stream_on_piece(struct http_op *op, const char *data, size_t len)
{
    struct stream *stream = CONTAINER_OF(op, struct stream, probe.op);

    (void)data;
    assert_int_equal(op->status, 200);
    stream->received += len;
    stream->pieces++;
    if (stream->pause_first && stream->pieces == 1)
        http_pause(http, op, true);
    return 0;
}

static inline void
stream_init(struct stream *stream, const char *method, const char *path)
{
    *stream = (struct stream){ 0 };
    probe_init(method, &stream->probe, "http", path);
    stream->probe.op.answer_limit = 0;
    stream->probe.op.on_body = stream_on_piece;
}

static inline int
probe_file(size_t size)
{
    char path[] = "/tmp/berth-test-http-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static inline bool
probe_none_open(void *cookie)
{
    (void)cookie;
    return fake_http_open(fake) == 0;
}

/* The server's threads do not wake our loop. */
static inline void
probe_on_tick(struct clock_timer *timer)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + 2);
}

static inline void
probe_wait_none_open(void)
{
    struct clock_timer tick = { .fire = probe_on_tick };

    probe_on_tick(&tick);
    assert_true(loop_run_until(loop, probe_none_open, NULL, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
}

static inline bool
probe_is_asked(void *cookie)
{
    return fake_http_requests(fake, cookie) > 0;
}

static inline void
probe_wait_request(char *path)
{
    struct clock_timer tick = { .fire = probe_on_tick };

    probe_on_tick(&tick);
    assert_true(loop_run_until(loop, probe_is_asked, path, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
}

static inline bool
stream_has_piece(void *cookie)
{
    return ((const struct stream *)cookie)->pieces > 0;
}
