#pragma once

/*
 * Keys for AWS, found as its SDKs find them: given (the environment), a role of the profile, a web
 * identity, the keys of the profile, the container's endpoint, the machine's metadata service (version 2
 * only).  The first source that is there is used (docs/IAM.md says what counts in a profile).  Keys that
 * end are replaced before they do.  No key is ever logged.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/list.h"
#include "berth/base/secret.h"
#include "berth/loop/http.h"

/* Where to look.  NULL: not there.  Strings are copied. */
struct credentials_config {
    const char *key_id;        /* AWS_ACCESS_KEY_ID; without the next it is an error */
    struct secret *key;        /* AWS_SECRET_ACCESS_KEY; taken */
    struct secret *token;      /* AWS_SESSION_TOKEN; taken */
    const char *identity_file; /* AWS_WEB_IDENTITY_TOKEN_FILE: read anew each time */
    const char *role_arn;      /* AWS_ROLE_ARN: for whom the identity stands in */
    const char *role_session;  /* AWS_ROLE_SESSION_NAME; NULL: "berth" */
    const char *sts_url;       /* AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL; NULL: AWS' own */
    const char *region;        /* AWS_REGION, AWS_DEFAULT_REGION; NULL: the profile's, or none */
    bool sts_legacy;           /* AWS_STS_REGIONAL_ENDPOINTS=legacy */
    const char *ca;            /* AWS_CA_BUNDLE: PEM file; NULL: the system's certificates */
    const char *profile;       /* AWS_DEFAULT_PROFILE, AWS_PROFILE; NULL: "default" */
    const char *files[2];      /* AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE: paths */
    const char *container_url; /* AWS_CONTAINER_CREDENTIALS_FULL_URI, or made of ..._RELATIVE_URI */
    struct secret *container_token; /* AWS_CONTAINER_AUTHORIZATION_TOKEN; taken */
    const char *metadata_url;       /* AWS_EC2_METADATA_SERVICE_ENDPOINT; NULL: do not ask it */
};

/* One set of keys.  Shared: whoever sends something with them holds a reference. */
struct credentials_keys {
    char *id;             /* owned */
    struct secret *key;   /* owned */
    struct secret *token; /* owned; NULL: none */
    int64_t ends_at_ms;   /* 0: never */
    uint32_t refs;
};

struct credentials_keys *credentials_keys_ref(struct credentials_keys *keys);
/** credentials_keys_unref() - NULL is fine; the last one wipes them. */
void credentials_keys_unref(struct credentials_keys *keys);

struct credentials;

/** credentials_new() - asks nobody yet. */
struct credentials *credentials_new(struct http *http, struct loop *loop,
                                    const struct credentials_config *config);
/** credentials_from_env() - credentials_new() with what the environment says, by the names in struct
 * credentials_config; files and the metadata service where the SDKs look for them.
 * @get: getenv(), or what stands for it; called now only, and its texts are copied */
struct credentials *credentials_from_env(struct http *http, struct loop *loop,
                                         const char *(*get)(const char *name));
/** credentials_free() - nobody may wait any more; what it asks for itself is given up, so the loop has
 * to turn once more before http_free(). */
void credentials_free(struct credentials *credentials);

/** credentials_now() - the keys to sign with, borrowed; NULL: none are known that last for a minute,
 * wait for them. */
struct credentials_keys *credentials_now(struct credentials *credentials);

/* Who waits for keys.  Embed it. */
struct credentials_wait {
    /* From the loop, never from inside _wait(), within 30 s; last touch.  Without a fault
     * credentials_now() has keys.  FAULT_CLOUD_DENIED: there are none, and where it was looked. */
    void (*done)(struct credentials_wait *wait, const struct fault *fault);
    struct list_node node;
};

void credentials_wait(struct credentials *credentials, struct credentials_wait *wait);
/** credentials_leave() - do not wait any more: done does not come. */
void credentials_leave(struct credentials *credentials, struct credentials_wait *wait);
/** credentials_refused() - the provider says that @keys have ended: others are looked for. */
void credentials_refused(struct credentials *credentials, const struct credentials_keys *keys);
