/*
 * The life of a pool before an EC2: hosts are launched as the engine does it, listed until all run, given
 * back until none is left, whatever the weather.  Set BERTH_TEST_CLOUD to the API's URL and the AWS_...
 * variables of the SDKs; BERTH_TEST_SPOT to launch spot machines; BERTH_TEST_POOL to the pool's section as
 * JSON.  BERTH_TEST_FORGET: in the end the pool is forgotten.  BERTH_TEST_EACH: each verb of the port is used; BERTH_TEST_NOTICE: the machines live until one of
 * them is about to be taken back.  Without a cloud there is nothing to try and the program says so.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"
#include "berth/base/text.h"
#include "berth/cloud/ec2.h"

enum { HOSTS = 6, AGAIN_MS = 100, PATIENCE_MS = 90000, POOL_ID = 1 };

#define CLUSTER "00c0ffee00c0ffee"
#define PUBLIC                                                                                     \
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f berthd"

/* One host. */
struct life {
    int64_t host_id;
    int64_t attempt;
    struct clock_timer timer;
    struct cloud_machine seen; /* by the last listing */
    struct fault fault;        /* of the last call of an own */
    struct cloud_call call;
    bool running; /* as the last listing said, as the next */
    bool ended;
    bool shown; /* its console has something */
    bool done;
    char name[32];
    char id[CLOUD_ID_SIZE]; /* "": not launched yet */
    char token[CLOUD_TOKEN_SIZE];
};

static struct loop *loop;
static struct http *http;
static struct credentials *credentials;
static struct ec2 *ec2;
static const struct cloud_port *port;
static struct pool *pool;
static char micro[] = "t3.micro";
static char small[] = "t3.small";
static struct pool_machine types[] = { { .type = micro }, { .type = small } };
static struct life lives[HOSTS];
static struct cloud_call listing;
static struct clock_timer listing_timer;
static bool finishing; /* the hosts are given back */
static size_t strangers;

static void life_on_launched(struct cloud_call *call, const struct fault *fault);
static void life_on_terminated(struct cloud_call *call, const struct fault *fault);
static void on_listed(struct cloud_call *call, const struct fault *fault);

static const char *
environment_get(const char *name)
{
    return secure_getenv(name);
}

static void
call_init(struct cloud_call *call, enum cloud_verb verb)
{
    *call = (struct cloud_call){ .verb = verb, .pool = pool, .cluster_id = CLUSTER };
}

static void
timer_set(struct clock_timer *timer)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + AGAIN_MS);
}

static void
life_launch(struct life *life)
{
    size_t type = (size_t)life->attempt % ARRAY_LEN(types);

    (void)snprintf(life->token, sizeof(life->token), "live-%lld-%lld", (long long)life->host_id,
                   (long long)life->attempt);
    call_init(&life->call, CLOUD_LAUNCH);
    life->call.in.launch = (struct cloud_launch){ .token = life->token,
                                                  .type = types[type].type,
                                                  .host_name = life->name,
                                                  .host_id = life->host_id,
                                                  .attempt = life->attempt,
                                                  .user_data = "#cloud-config\n" };
    life->call.done = life_on_launched;
    port->start(port->self, &life->call);
}

static void
life_on_launched(struct cloud_call *call, const struct fault *fault)
{
    struct life *life = CONTAINER_OF(call, struct life, call);

    if (!fault) {
        assert_int_equal(call->out.machine.host_id, life->host_id);
        memcpy(life->id, call->out.machine.id, sizeof(life->id));
        return;
    }
    if (fault->kind == FAULT_CLOUD_DENIED || fault->kind == FAULT_CLOUD_REFUSED ||
        fault->kind == FAULT_CLOUD_LIMIT || fault->kind == FAULT_BUG)
        fail_msg("%s: %s", life->name, fault->text);
    if (fault->kind == FAULT_CLOUD_CAPACITY || fault->kind == FAULT_MACHINE_GONE)
        life->attempt++;
    timer_set(&life->timer);
}

static void
life_terminate(struct life *life)
{
    call_init(&life->call, CLOUD_TERMINATE);
    life->call.in.id = life->id;
    life->call.done = life_on_terminated;
    port->start(port->self, &life->call);
}

static void
life_on_terminated(struct cloud_call *call, const struct fault *fault)
{
    struct life *life = CONTAINER_OF(call, struct life, call);

    (void)fault;
    if (!life->ended)
        timer_set(&life->timer);
}

static void
life_on_timer(struct clock_timer *timer)
{
    struct life *life = CONTAINER_OF(timer, struct life, timer);

    if (!finishing) {
        life_launch(life);
    } else if (!life->ended) {
        life_terminate(life);
    }
}

static void
on_listing_timer(struct clock_timer *timer)
{
    (void)timer;
    call_init(&listing, CLOUD_LIST);
    listing.done = on_listed;
    port->start(port->self, &listing);
}

static struct life *
life_find(const struct cloud_machine *machine)
{
    for (size_t i = 0; i < HOSTS; i++) {
        if (strcmp(lives[i].id, machine->id) == 0 && lives[i].host_id == machine->host_id)
            return &lives[i];
    }
    return NULL;
}

static void
on_listed(struct cloud_call *call, const struct fault *fault)
{
    const struct cloud_list *list = &call->out.list;
    bool complete = !fault && list->complete;

    strangers = 0;
    for (size_t i = 0; complete && i < HOSTS; i++)
        lives[i].ended = finishing && lives[i].running; /* unless it is listed */
    for (size_t i = 0; !fault && i < list->count; i++) {
        struct life *life = life_find(&list->at[i]);

        if (!life) {
            strangers++;
            continue;
        }
        life->seen = list->at[i];
        life->ended = list->at[i].state == CLOUD_TERMINATED;
        life->running =
            life->running || (list->at[i].state == CLOUD_RUNNING && list->at[i].address[0]);
    }
    timer_set(&listing_timer);
}

static bool
all_launched(void *cookie)
{
    bool all = true;

    (void)cookie;
    for (size_t i = 0; i < HOSTS; i++)
        all = all && lives[i].id[0];
    return all;
}

static bool
all_running(void *cookie)
{
    bool all = true;

    (void)cookie;
    for (size_t i = 0; i < HOSTS; i++)
        all = all && lives[i].running;
    return all && strangers == 0;
}

static bool
all_ended(void *cookie)
{
    bool all = true;

    (void)cookie;
    for (size_t i = 0; i < HOSTS; i++)
        all = all && lives[i].ended && !lives[i].call.adapter;
    return all;
}

static bool
listing_is_over(void *cookie)
{
    (void)cookie;
    return !listing.adapter;
}

/* --- Each verb ---------------------------------------------------------------------------------------- */

static void
life_on_done(struct cloud_call *call, const struct fault *fault)
{
    struct life *life = CONTAINER_OF(call, struct life, call);

    life->done = true;
    life->fault = fault ? *fault : (struct fault){ 0 };
    life->shown = !fault && call->verb == CLOUD_CONSOLE && call->out.console.len > 0;
}

static bool
life_is_done(void *cookie)
{
    return ((struct life *)cookie)->done;
}

static enum fault_kind
life_do(struct life *life, enum cloud_verb verb)
{
    call_init(&life->call, verb);
    life->call.in.id = life->id;
    life->call.done = life_on_done;
    life->done = false;
    port->start(port->self, &life->call);
    assert_true(loop_run_until(loop, life_is_done, life, PATIENCE_MS));
    return life->fault.kind;
}

/* On demand it stops, and starts again with another address; a spot machine does not. */
static void
life_rest(struct life *life)
{
    enum fault_kind kind = FAULT_CLOUD_FAILED;

    if (life->seen.spot) {
        assert_int_equal(life_do(life, CLOUD_STOP), FAULT_CLOUD_REFUSED);
        assert_true(life->seen.price_micro > 0);
        return;
    }
    assert_int_equal(life_do(life, CLOUD_STOP), FAULT_NONE);
    assert_int_equal(life_do(life, CLOUD_STOP), FAULT_NONE);
    while (kind == FAULT_CLOUD_FAILED) /* until it has stopped */
        kind = life_do(life, CLOUD_START);
    assert_int_equal(kind, FAULT_NONE);
    assert_int_equal(life_do(life, CLOUD_START), FAULT_NONE);
}

static void
each_verb(void)
{
    for (size_t i = 0; i < HOSTS; i++) {
        assert_int_equal(life_do(&lives[i], CLOUD_CONSOLE), FAULT_NONE);
        assert_true(lives[i].shown);
        life_rest(&lives[i]);
    }
}

static bool
one_is_noticed(void *cookie)
{
    bool any = false;

    (void)cookie;
    for (size_t i = 0; i < HOSTS; i++)
        any = any || lives[i].seen.notice;
    return any;
}

/* Something may hold on to it for a while. */
static void
forget(void)
{
    enum fault_kind kind = FAULT_CLOUD_FAILED;

    while (kind == FAULT_CLOUD_FAILED || kind == FAULT_CLOUD_UNSURE)
        kind = life_do(&lives[0], CLOUD_FORGET);
    assert_int_equal(kind, FAULT_NONE);
}

static void
pool_lives_and_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTS; i++) {
        lives[i].host_id = (int64_t)i + 1;
        lives[i].timer.fire = life_on_timer;
        (void)snprintf(lives[i].name, sizeof(lives[i].name), "web-%zu", i + 1);
        life_launch(&lives[i]);
    }
    assert_true(loop_run_until(loop, all_launched, NULL, PATIENCE_MS));
    listing_timer.fire = on_listing_timer;
    timer_set(&listing_timer);
    assert_true(loop_run_until(loop, all_running, NULL, PATIENCE_MS));
    if (secure_getenv("BERTH_TEST_NOTICE"))
        assert_true(loop_run_until(loop, one_is_noticed, NULL, PATIENCE_MS));
    if (secure_getenv("BERTH_TEST_EACH"))
        each_verb();
    finishing = true;
    for (size_t i = 0; i < HOSTS; i++)
        life_terminate(&lives[i]);
    assert_true(loop_run_until(loop, all_ended, NULL, PATIENCE_MS));
    if (listing.adapter)
        port->cancel(port->self, &listing);
    assert_true(loop_run_until(loop, listing_is_over, NULL, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &listing_timer);
    if (secure_getenv("BERTH_TEST_FORGET"))
        forget();
}

/* What BERTH_TEST_POOL says, else an image. */
static void
config_read(struct ec2_config *config)
{
    const char *text = secure_getenv("BERTH_TEST_POOL");
    CLEANUP(json_freep) json_t *json = NULL;
    struct problems problems = { 0 };

    schema_defaults(&ec2_config_schema, config);
    config->spot = secure_getenv("BERTH_TEST_SPOT") != NULL;
    if (!text) {
        config->image.owner = mem_strdup("136693071363");
        config->image.name = mem_strdup("debian-12-amd64-*");
        config->root_volume.size_bytes = INT64_C(20) << 30;
        config->root_volume.type = mem_strdup("gp3");
        return;
    }
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    if (schema_decode(&ec2_config_schema, json, config, "", &problems) < 0)
        fail_msg("%s: %s", problems.at[0].pointer, problems.at[0].detail);
}

static int
setup(void **state)
{
    const struct ec2_defaults defaults = { .endpoint = secure_getenv("BERTH_TEST_CLOUD"),
                                           .region = secure_getenv("AWS_REGION"),
                                           .ca = secure_getenv("AWS_CA_BUNDLE"),
                                           .login_key = PUBLIC };
    struct ec2_config config;
    struct fault fault;

    (void)state;
    loop = loop_new();
    http = http_new(loop);
    http_proxy_from_env(http, environment_get);
    credentials = credentials_from_env(http, loop, environment_get);
    ec2 = ec2_new(http, loop, credentials);
    port = ec2_port(ec2);
    pool = pool_new("web", PROVIDER_EC2);
    pool->id = POOL_ID;
    pool->machines = (struct schema_array){ .at = types, .count = ARRAY_LEN(types) };
    config_read(&config);
    if (ec2_pool_set(ec2, POOL_ID, &config, &defaults, &fault) < 0)
        fail_msg("%s", fault.text);
    schema_free(&ec2_config_schema, &config);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTS; i++)
        loop_clock(loop)->timer_clear(loop_clock(loop)->self, &lives[i].timer);
    pool->machines = (struct schema_array){ 0 };
    pool_free(pool);
    ec2_free(ec2);
    credentials_free(credentials);
    http_free(http);
    loop_free(loop);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pool_lives_and_ends, setup, teardown),
    };

    if (!secure_getenv("BERTH_TEST_CLOUD")) {
        (void)puts("nothing to try: BERTH_TEST_CLOUD is not set");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
