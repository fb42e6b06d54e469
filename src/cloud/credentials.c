/* The chain: whose keys are used, how long, and who waits for them. */

#include "berth/cloud/credentials.h"

#include <assert.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/loop/loop.h"

#include "cloud_ca.h"
#include "credentials_fetch.h"
#include "credentials_plan.h"

enum {
    CREDENTIALS_LEAST_MS = 60000,  /* keys that end sooner sign nothing */
    CREDENTIALS_RENEW_MS = 300000, /* before their end others are fetched */
    CREDENTIALS_AGAIN_MS = 30000,  /* after a renewal that failed */
};

struct credentials {
    struct http *http;
    const struct clock_port *clock;
    struct credentials_keys *given; /* of the environment; NULL: none */
    bool half;                      /* the environment has a key id, and no key */
    char *identity_file;
    char *role_arn;
    char *role_session;
    char *sts_url; /* NULL: AWS' own */
    char *region;
    bool sts_legacy;
    char *ca;
    char *profile; /* NULL: the default */
    char *files[2];
    char *container_url;
    struct secret *container_token;
    char *metadata_url;

    struct credentials_keys *keys; /* a reference; NULL: none */
    struct list waiting;
    struct clock_timer look;
    struct credentials_plan plan;
    struct credentials_sts sts;
    struct credentials_fetch fetch;
    size_t assumed; /* of the plan's roles */
    bool looking;   /* look will fire, or fetch is under way */
    bool fetching;  /* fetch is under way */
    bool freed;
    int64_t not_before_mono_ms; /* of the next renewal */
};

/* In order of time. */
static void credentials_look(struct credentials *credentials);
static void credentials_on_look(struct clock_timer *timer);
static void credentials_next(struct credentials *credentials, struct credentials_keys *keys);
static void credentials_on_fetched(struct credentials_fetch *fetch, struct credentials_keys *keys,
                                   const struct fault *fault);
static void credentials_found(struct credentials *credentials, struct credentials_keys *keys,
                              const struct fault *fault);

struct credentials_keys *
credentials_keys_ref(struct credentials_keys *keys)
{
    keys->refs++;
    return keys;
}

void
credentials_keys_unref(struct credentials_keys *keys)
{
    if (!keys || --keys->refs > 0)
        return;
    mem_free(keys->id);
    secret_free(keys->key);
    secret_free(keys->token);
    mem_free(keys);
}

struct credentials *
credentials_new(struct http *http, struct loop *loop, const struct credentials_config *config)
{
    struct credentials *credentials = mem_new0(sizeof(*credentials));

    credentials->http = http;
    credentials->clock = loop_clock(loop);
    credentials->look.fire = credentials_on_look;
    list_init(&credentials->waiting);
    if (config->key_id && config->key) {
        credentials->given = mem_new0(sizeof(*credentials->given));
        *credentials->given = (struct credentials_keys){
            .id = mem_strdup(config->key_id),
            .key = config->key,
            .token = config->token,
            .refs = 1,
        };
    } else {
        credentials->half = config->key_id;
        secret_free(config->key);
        secret_free(config->token);
    }
    credentials->identity_file = mem_strdup(config->identity_file);
    credentials->role_arn = mem_strdup(config->role_arn);
    credentials->role_session = mem_strdup(config->role_session);
    credentials->sts_url = mem_strdup(config->sts_url);
    credentials->region = mem_strdup(config->region);
    credentials->sts_legacy = config->sts_legacy;
    credentials->ca = mem_strdup(config->ca ? config->ca : CLOUD_SYSTEM_CA);
    credentials->profile = mem_strdup(config->profile);
    for (size_t i = 0; i < ARRAY_LEN(credentials->files); i++)
        credentials->files[i] = mem_strdup(config->files[i]);
    credentials->container_url = mem_strdup(config->container_url);
    credentials->container_token = config->container_token;
    credentials->metadata_url = mem_strdup(config->metadata_url);
    return credentials;
}

static void
credentials_destroy(struct credentials *credentials)
{
    credentials_keys_unref(credentials->given);
    credentials_keys_unref(credentials->keys);
    mem_free(credentials->identity_file);
    mem_free(credentials->role_arn);
    mem_free(credentials->role_session);
    mem_free(credentials->sts_url);
    mem_free(credentials->region);
    mem_free(credentials->sts.url);
    credentials_plan_fini(&credentials->plan);
    mem_free(credentials->ca);
    mem_free(credentials->profile);
    for (size_t i = 0; i < ARRAY_LEN(credentials->files); i++)
        mem_free(credentials->files[i]);
    mem_free(credentials->container_url);
    secret_free(credentials->container_token);
    mem_free(credentials->metadata_url);
    mem_free(credentials);
}

void
credentials_free(struct credentials *credentials)
{
    if (!credentials)
        return;
    assert(credentials->waiting.count == 0);
    credentials->clock->timer_clear(credentials->clock->self, &credentials->look);
    if (credentials->fetching) {
        credentials->freed = true;
        credentials_fetch_cancel(&credentials->fetch);
    } else {
        credentials_destroy(credentials);
    }
}

static int64_t
credentials_left_ms(const struct credentials *credentials)
{
    const struct clock_port *clock = credentials->clock;

    if (!credentials->keys)
        return 0;
    if (credentials->keys->ends_at_ms == 0)
        return INT64_MAX;
    return credentials->keys->ends_at_ms - clock->now_ms(clock->self);
}

struct credentials_keys *
credentials_now(struct credentials *credentials)
{
    const struct clock_port *clock = credentials->clock;
    int64_t left_ms = credentials_left_ms(credentials);

    if (left_ms < CREDENTIALS_LEAST_MS)
        return NULL;
    if (left_ms < CREDENTIALS_RENEW_MS &&
        clock->mono_ms(clock->self) >= credentials->not_before_mono_ms)
        credentials_look(credentials);
    return credentials->keys;
}

void
credentials_wait(struct credentials *credentials, struct credentials_wait *wait)
{
    list_push(&credentials->waiting, &wait->node);
    credentials_look(credentials);
}

void
credentials_leave(struct credentials *credentials, struct credentials_wait *wait)
{
    list_remove(&credentials->waiting, &wait->node);
}

void
credentials_refused(struct credentials *credentials, const struct credentials_keys *keys)
{
    if (credentials->keys == keys) /* else others are there already */
        credentials_keys_unref(STEAL(credentials->keys));
}

static void
credentials_look(struct credentials *credentials)
{
    const struct clock_port *clock = credentials->clock;

    if (credentials->looking)
        return;
    credentials->looking = true;
    clock->timer_set(clock->self, &credentials->look, clock->mono_ms(clock->self));
}

/* --- The way to keys ------------------------------------------------------------------------------ */

/* If it is needed. */
static int
credentials_find_sts(struct credentials *credentials, struct fault *fault)
{
    const struct credentials_plan *plan = &credentials->plan;

    mem_free(STEAL(credentials->sts.url));
    if (plan->role_count == 0 && plan->base != CREDENTIALS_IDENTITY)
        return 0;
    if (credentials_sts_find(credentials->sts_url, credentials->sts_legacy,
                             credentials->region ? credentials->region : plan->region,
                             &credentials->sts))
        return 0;
    return fault_set(fault, FAULT_CLOUD_DENIED, "credentials",
                     "AWS_ENDPOINT_URL_STS or AWS_ENDPOINT_URL must be https:// or http://, a "
                     "name and perhaps a port");
}

static void
credentials_fetch(struct credentials *credentials, struct credentials_fetch fetch)
{
    fetch.http = credentials->http;
    fetch.clock = credentials->clock;
    fetch.ca = credentials->ca;
    fetch.done = credentials_on_fetched;
    credentials->fetch = fetch;
    credentials->fetching = true;
    credentials_fetch_start(&credentials->fetch);
}

static void
credentials_none(struct credentials *credentials)
{
    const char *profile = credentials->profile ? credentials->profile : "default";
    const char *files[2] = { credentials->files[0], credentials->files[1] };
    struct fault fault;

    (void)fault_set(&fault, FAULT_CLOUD_DENIED, "credentials",
                    "no AWS credentials: AWS_ACCESS_KEY_ID is not set, the profile \"%s\" has none "
                    "in %s or %s, no container's endpoint, no role of a machine",
                    profile, files[0] ? files[0] : "~/.aws/credentials",
                    files[1] ? files[1] : "~/.aws/config");
    credentials_found(credentials, NULL, &fault);
}

/* The first keys. */
static void
credentials_begin(struct credentials *credentials)
{
    struct credentials_plan *plan = &credentials->plan;

    switch (plan->base) {
    case CREDENTIALS_ENVIRONMENT:
        credentials_next(credentials, credentials_keys_ref(credentials->given));
        break;
    case CREDENTIALS_KEYS:
        credentials_next(credentials, STEAL(plan->keys));
        break;
    case CREDENTIALS_IDENTITY:
        credentials_fetch(credentials, (struct credentials_fetch){ .sts = &credentials->sts,
                                                                   .role = &plan->identity_role,
                                                                   .identity = plan->identity });
        break;
    case CREDENTIALS_CONTAINER:
        credentials_fetch(credentials, (struct credentials_fetch){
                                           .container_url = credentials->container_url,
                                           .container_token = credentials->container_token,
                                       });
        break;
    case CREDENTIALS_METADATA:
        credentials_fetch(credentials,
                          (struct credentials_fetch){ .metadata_url = credentials->metadata_url });
        break;
    case CREDENTIALS_NOWHERE:
        credentials_none(credentials);
        break;
    }
}

static void
credentials_on_look(struct clock_timer *timer)
{
    struct credentials *credentials = CONTAINER_OF(timer, struct credentials, look);
    const struct credentials_places places = {
        .given = credentials->given,
        .identity_file = credentials->identity_file,
        .role_arn = credentials->role_arn,
        .role_session = credentials->role_session,
        .profile = credentials->profile,
        .files = { credentials->files[0], credentials->files[1] },
        .container_url = credentials->container_url,
        .metadata_url = credentials->metadata_url,
    };
    struct fault fault;

    credentials_plan_fini(&credentials->plan);
    credentials->assumed = 0;
    if (credentials->half) {
        (void)fault_set(&fault, FAULT_CLOUD_DENIED, "credentials",
                        "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        credentials_found(credentials, NULL, &fault);
    } else if (credentials_plan_make(&places, &credentials->plan, &fault) < 0 ||
               credentials_find_sts(credentials, &fault) < 0) {
        credentials_found(credentials, NULL, &fault);
    } else {
        credentials_begin(credentials);
    }
}

/* @keys (taken) are what was looked for, or may assume the next role. */
static void
credentials_next(struct credentials *credentials, struct credentials_keys *keys)
{
    struct credentials_plan *plan = &credentials->plan;

    if (plan->role_count == credentials->assumed) {
        credentials_found(credentials, keys, NULL);
        return;
    }
    credentials->assumed++;
    credentials_fetch(credentials,
                      (struct credentials_fetch){
                          .sts = &credentials->sts,
                          .role = &plan->roles[plan->role_count - credentials->assumed],
                          .signer = keys,
                      });
}

static const char *
credentials_source(const struct credentials *credentials)
{
    if (credentials->fetch.sts)
        return "security token service for ";
    return credentials->container_url ? "container's endpoint" : "machine's metadata service";
}

static void
credentials_on_fetched(struct credentials_fetch *fetch, struct credentials_keys *keys,
                       const struct fault *fault)
{
    struct credentials *credentials = CONTAINER_OF(fetch, struct credentials, fetch);
    struct fault named;

    credentials->fetching = false;
    if (credentials->freed) {
        credentials_keys_unref(keys);
        credentials_destroy(credentials);
    } else if (fault) {
        (void)fault_set(&named, FAULT_CLOUD_DENIED, "credentials",
                        "no AWS credentials from the %s%s: %s", credentials_source(credentials),
                        fetch->sts ? fetch->role->arn : "", fault->text);
        credentials_found(credentials, NULL, &named);
    } else {
        credentials_next(credentials, keys);
    }
}

/* Keys that still hold are better than none. */
static void
credentials_found(struct credentials *credentials, struct credentials_keys *keys,
                  const struct fault *fault)
{
    const struct clock_port *clock = credentials->clock;

    credentials->looking = false;
    credentials->not_before_mono_ms = clock->mono_ms(clock->self) + CREDENTIALS_AGAIN_MS;
    if (keys) {
        credentials_keys_unref(credentials->keys);
        credentials->keys = keys;
    }
    if (!fault && credentials_left_ms(credentials) < CREDENTIALS_LEAST_MS) {
        static const struct fault ended = {
            .kind = FAULT_CLOUD_DENIED,
            .where = "credentials",
            .text = "the AWS credentials that were found have ended",
        };

        fault = &ended;
    } else if (fault && credentials->keys) {
        log_warn("ec2", "the credentials could not be renewed: %s", fault->text);
        if (credentials_left_ms(credentials) >= CREDENTIALS_LEAST_MS)
            fault = NULL;
    }
    for (size_t count = credentials->waiting.count; count > 0; count--) {
        struct list_node *node = list_pop(&credentials->waiting);

        if (!node)
            break; /* they left while the others were told */
        CONTAINER_OF(node, struct credentials_wait, node)
            ->done(CONTAINER_OF(node, struct credentials_wait, node), fault);
    }
}
