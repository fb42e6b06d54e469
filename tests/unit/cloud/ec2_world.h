#pragma once

/*
 * What the tests of the provider share: a loop, a scripted server in EC2's place, a pool, calls that
 * remember how they ended, and a log in which no secret may stand.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/log.h"
#include "berth/base/text.h"
#include "berth/cloud/ec2.h"
#include "berth/loop/loop.h"

#include "support/fake_http.h"

enum { PATIENCE_MS = 20000, POOL_ID = 7 };

#define KEY_ID  "AKIDEXAMPLE"
#define KEY     "wJalrXUtnFEMI-SECRET"
#define SESSION "session-SECRET"
#define CLUSTER "00c0ffee00c0ffee"

/* An answer that ends with its connection. */
#define ANSWER(status, body) "HTTP/1.0 " status "\r\n\r\n" body
#define OK(body)             ANSWER("200 OK", body)
#define NO(status, code)                                                                           \
    ANSWER(status, "<Response><Errors><Error><Code>" code "</Code><Message>words</Message>"        \
                   "</Error></Errors><RequestID>r-9</RequestID></Response>")

/* Rules: the next request gets this answer; each one from now on does. */
#define ONCE(answer)                                                                               \
    {                                                                                              \
        "/", .reply = (answer), .only_first = 1, .then = FAKE_HTTP_CLOSE                           \
    }
#define EACH(answer)                                                                               \
    {                                                                                              \
        "/", .reply = (answer), .then = FAKE_HTTP_CLOSE                                            \
    }

#define IMAGES                                                                                     \
    OK("<DescribeImagesResponse><imagesSet>"                                                       \
       "<item><imageId>ami-old</imageId><rootDeviceName>/dev/sda1</rootDeviceName>"                \
       "<creationDate>2025-01-01T00:00:00.000Z</creationDate></item>"                              \
       "<item><imageId>ami-new</imageId><rootDeviceName>/dev/xvda</rootDeviceName>"                \
       "<creationDate>2026-01-01T00:00:00.000Z</creationDate></item>"                              \
       "</imagesSet></DescribeImagesResponse>")
#define OURS                                                                                       \
    "<tagSet><item><key>berth:cluster</key><value>" CLUSTER "</value></item>"                      \
    "<item><key>berth:pool</key><value>web</value></item>"                                         \
    "<item><key>berth:host</key><value>h-0000000000005</value></item></tagSet>"
#define MACHINE(id, state, tags)                                                                   \
    "<item><instanceId>" id "</instanceId><instanceState><name>" state                             \
    "</name></instanceState>" tags "</item>"
#define LAUNCHED                                                                                   \
    OK("<RunInstancesResponse><instancesSet>" MACHINE(                                             \
        "i-1", "pending", OURS) "</instancesSet></RunInstancesResponse>")
#define LISTED(machines, next)                                                                     \
    OK("<DescribeInstancesResponse><reservationSet><item><instancesSet>" machines                  \
       "</instancesSet></item></reservationSet><nextToken>" next                                   \
       "</nextToken></DescribeInstancesResponse>")

static struct loop *loop;
static struct http *http;
static struct fake_http *fake;
static struct credentials *credentials;
static struct ec2 *ec2;
static struct pool *pool;
static bool told_secret;
static char told[4096]; /* the last warning */

/* One call. */
struct asked {
    struct cloud_call call;
    struct cloud_machine machines[8];
    struct fault fault;
    size_t count; /* of the list */
    int done_count;
    bool complete;
};

static inline void
world_on_log(const struct log_line *line)
{
    told_secret = told_secret || strstr(line->text, "SECRET");
    if (line->level <= LOG_LEVEL_WARN)
        (void)snprintf(told, sizeof(told), "%s", line->text);
}

static inline struct secret *
world_secret(const char *text)
{
    char *copy = mem_strdup(text);
    struct secret *secret = secret_new(copy, strlen(text));

    mem_free(copy);
    return secret;
}

static inline void
world_config(struct ec2_config *config)
{
    schema_defaults(&ec2_config_schema, config);
    config->region = mem_strdup("eu-north-1");
    config->endpoint = mem_printf("http://127.0.0.1:%d/", fake_http_port(fake));
    config->image.owner = mem_strdup("136693071363");
    config->image.name = mem_strdup("debian-12-amd64-*");
}

static inline void
world_serve(const struct fake_http_rule *rules)
{
    static const struct ec2_defaults defaults;
    struct ec2_config config;
    struct fault fault = { 0 };

    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    world_config(&config);
    if (ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault) < 0)
        fail_msg("%s", fault.text);
    schema_free(&ec2_config_schema, &config);
}

static inline int
world_setup(void **state)
{
    (void)state;
    log_setup(LOG_LEVEL_DEBUG, world_on_log);
    told_secret = false;
    told[0] = '\0';
    loop = loop_new();
    http = http_new(loop);
    credentials = credentials_new(http, loop,
                                  &(struct credentials_config){ .key_id = KEY_ID,
                                                                .key = world_secret(KEY),
                                                                .token = world_secret(SESSION) });
    ec2 = ec2_new(http, loop, credentials);
    pool = pool_new("web", PROVIDER_EC2);
    pool->id = POOL_ID;
    return 0;
}

static inline int
world_teardown(void **state)
{
    (void)state;
    ec2_free(ec2);
    credentials_free(credentials);
    http_free(http);
    loop_free(loop);
    pool_free(pool);
    fake_http_free(fake);
    fake = NULL;
    assert_false(told_secret);
    return 0;
}

static inline void
asked_on_done(struct cloud_call *call, const struct fault *fault)
{
    struct asked *asked = CONTAINER_OF(call, struct asked, call);

    asked->done_count++;
    if (fault)
        asked->fault = *fault;
    if (call->verb == CLOUD_LIST && !fault) {
        asked->count = call->out.list.count;
        asked->complete = call->out.list.complete;
        assert_true(asked->count <= ARRAY_LEN(asked->machines));
        for (size_t i = 0; i < asked->count; i++)
            asked->machines[i] = call->out.list.at[i];
    }
}

static inline void
asked_start(struct asked *asked, enum cloud_verb verb)
{
    *asked = (struct asked){
        .call = { .verb = verb, .pool = pool, .cluster_id = CLUSTER, .done = asked_on_done }
    };
    if (verb == CLOUD_LAUNCH) {
        asked->call.in.launch = (struct cloud_launch){
            .token = "token-1", .type = "m5.large", .host_name = "web-1", .host_id = 5
        };
    } else if (verb == CLOUD_TERMINATE) {
        asked->call.in.id = "i-1";
    }
    ec2_port(ec2)->start(ec2_port(ec2)->self, &asked->call);
    assert_int_equal(asked->done_count, 0);
}

static inline bool
asked_is_done(void *cookie)
{
    return ((const struct asked *)cookie)->done_count > 0;
}

static inline void
asked_wait(struct asked *asked, enum fault_kind kind)
{
    assert_true(loop_run_until(loop, asked_is_done, asked, PATIENCE_MS));
    assert_int_equal(asked->done_count, 1);
    if (asked->fault.kind != kind) {
        fail_msg("ended with %s (%s), not with %s", fault_rule(asked->fault.kind)->code,
                 asked->fault.text, fault_rule(kind)->code);
    }
}

static inline void
asked_run(struct asked *asked, enum cloud_verb verb, enum fault_kind kind)
{
    asked_start(asked, verb);
    asked_wait(asked, kind);
}

/* The last request has, or has not, this piece. */
static inline void
world_sent(const char *piece, bool expected)
{
    CLEANUP(mem_freep) char *last = fake_http_last(fake);

    if (!strstr(last, piece) == expected)
        fail_msg("\"%s\" is %s in: %s", piece, expected ? "not" : "", last);
}
