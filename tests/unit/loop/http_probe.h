#pragma once

/*
 * What the tests of http share: a loop, an http, a fake server, and operations
 * that remember how they ended.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
probe_init(struct probe *probe, const char *method, const char *scheme, const char *path)
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
    if (probe->kind != kind || (text && !strstr(probe->text, text)))
        fail_msg("%s %s: ended with %s (%s), not with %s (%s)", probe->op.method, probe->url,
                 fault_rule(probe->kind)->code, probe->text, fault_rule(kind)->code,
                 text ? text : "");
    probe_fini(probe);
}

static inline void
probe_get(const char *path, int status, const char *body)
{
    struct probe probe;

    probe_init(&probe, "GET", "http", path);
    probe_run(&probe);
    assert_string_equal(probe.text, "");
    assert_int_equal(probe.kind, FAULT_NONE);
    assert_int_equal(probe.op.status, status);
    assert_string_equal(probe.body, body);
    probe_fini(&probe);
}
