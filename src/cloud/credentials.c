/* The chain: whose keys are used, how long, and who waits for them. */

#include "berth/cloud/credentials.h"

#include <assert.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/loop/loop.h"

#include "cloud_ca.h"
#include "credentials_fetch.h"
#include "credentials_file.h"

enum {
    CREDENTIALS_LEAST_MS = 60000,  /* keys that end sooner sign nothing */
    CREDENTIALS_RENEW_MS = 300000, /* before their end others are fetched */
    CREDENTIALS_AGAIN_MS = 30000,  /* after a renewal that failed */
};

struct credentials {
    struct http *http;
    const struct clock_port *clock;
    struct credentials_keys *given; /* of the environment; NULL: none */
    char *identity_file;
    char *role_arn;
    char *role_session;
    char *sts_url;
    char *ca;
    char *profile;
    char *files[2];
    char *container_url;
    struct secret *container_token;
    char *metadata_url;

    struct credentials_keys *keys; /* a reference; NULL: none */
    struct list waiting;
    struct clock_timer look;
    struct credentials_fetch fetch;
    bool looking;  /* look will fire, or fetch is under way */
    bool fetching; /* fetch is under way */
    bool freed;
    int64_t not_before_mono_ms; /* of the next renewal */
};

/* In order of time. */
static void credentials_look(struct credentials *credentials);
static void credentials_on_look(struct clock_timer *timer);
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
        secret_free(config->key);
        secret_free(config->token);
    }
    credentials->identity_file = mem_strdup(config->identity_file);
    credentials->role_arn = mem_strdup(config->role_arn);
    credentials->role_session = mem_strdup(config->role_session ? config->role_session : "berth");
    credentials->sts_url = mem_strdup(config->sts_url);
    credentials->ca = mem_strdup(config->ca ? config->ca : CLOUD_SYSTEM_CA);
    credentials->profile = mem_strdup(config->profile ? config->profile : "default");
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

static void
credentials_none(struct credentials *credentials)
{
    struct fault fault;

    (void)fault_set(&fault, FAULT_CLOUD_DENIED, "credentials",
                    "no AWS credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor "
                    "the profile \"%s\" in the shared files, nor a role of this machine",
                    credentials->profile);
    credentials_found(credentials, NULL, &fault);
}

/* From another service; @identity is taken, NULL: not by web identity. */
static void
credentials_fetch(struct credentials *credentials, struct secret *identity)
{
    credentials->fetch = (struct credentials_fetch){
        .http = credentials->http,
        .ca = credentials->ca,
        .sts_url = identity ? credentials->sts_url : NULL,
        .role_arn = credentials->role_arn,
        .role_session = credentials->role_session,
        .identity = identity,
        .container_url = credentials->container_url,
        .container_token = credentials->container_token,
        .metadata_url = credentials->metadata_url,
        .done = credentials_on_fetched,
    };
    credentials->fetching = true;
    credentials_fetch_start(&credentials->fetch);
}

static void
credentials_by_identity(struct credentials *credentials)
{
    struct secret *identity = credentials_file_text(credentials->identity_file);
    struct fault fault;

    if (identity && credentials->role_arn && credentials->sts_url) {
        credentials_fetch(credentials, identity);
        return;
    }
    (void)fault_set(&fault, FAULT_CLOUD_DENIED, "credentials",
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set, but %s",
                    !identity                ? "nothing can be read there"
                    : !credentials->role_arn ? "AWS_ROLE_ARN is not"
                                             : "AWS_REGION is not");
    secret_free(identity);
    credentials_found(credentials, NULL, &fault);
}

/* The first source that is there. */
static void
credentials_on_look(struct clock_timer *timer)
{
    struct credentials *credentials = CONTAINER_OF(timer, struct credentials, look);
    const char *const files[2] = { credentials->files[0], credentials->files[1] };
    struct credentials_keys *keys = NULL;
    struct fault fault;
    int ret;

    if (credentials->given) {
        credentials_found(credentials, credentials_keys_ref(credentials->given), NULL);
        return;
    }
    if (credentials->identity_file) {
        credentials_by_identity(credentials);
        return;
    }
    ret = credentials_file_load(files, credentials->profile, &keys, &fault);
    if (ret != CREDENTIALS_NOT_THERE) {
        credentials_found(credentials, keys, ret < 0 ? &fault : NULL);
    } else if (credentials->container_url || credentials->metadata_url) {
        credentials_fetch(credentials, NULL);
    } else {
        credentials_none(credentials);
    }
}

static const char *
credentials_source(const struct credentials *credentials)
{
    if (credentials->fetch.sts_url)
        return "security token service";
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
        return;
    }
    if (fault) {
        (void)fault_set(&named, FAULT_CLOUD_DENIED, "credentials",
                        "no AWS credentials from the %s: %s", credentials_source(credentials),
                        fault->text);
        fault = &named;
    }
    credentials_found(credentials, keys, fault);
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
