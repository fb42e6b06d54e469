#pragma once

/*
 * What clients send: one struct for each request body, with the table of fields
 * that decodes it, describes it (OpenAPI) and frees it.  Durations are JSON
 * numbers in seconds and milliseconds here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"

/* POST /v1/instances */
struct wire_request_instance {
    char *blueprint;
    int64_t version;     /* 0: the latest */
    char *pool;          /* NULL: the blueprint's */
    char *owner;         /* NULL: the token's */
    char *name;          /* NULL: none */
    int64_t count;       /* 0: one, answered as an object; 1..1000: answered as a list */
    int64_t lifetime_ms; /* 0: the blueprint's */
};
extern const struct schema wire_request_instance_schema;

/* POST /v1/instances/{id}/extend: exactly one of the two. */
struct wire_request_extend {
    int64_t lifetime_ms; /* from now; -1: not given */
    char *ends_at;       /* RFC 3339; NULL: not given */
};
extern const struct schema wire_request_extend_schema;

/* POST /v1/instances/{id}/exec */
struct wire_request_exec {
    struct schema_strings command; /* at least one word */
    char *user;                    /* NULL: the image's */
    char *workdir;                 /* NULL: the image's */
};
extern const struct schema wire_request_exec_schema;

/* POST /v1/hosts */
struct wire_request_host {
    char *pool;
    char *name;
    char *engine; /* "tcp://10.0.0.5:2376", "unix:///run/docker.sock"; NULL: given by ssh */
    char *ssh;    /* "user@address:port" of a machine to be prepared */
    char *host_key;
    char *ca; /* paths of PEM files on the daemon's machine */
    char *cert;
    char *key;
    bool plain; /* tcp without TLS, asked for by name */
    struct schema_map labels;
};
extern const struct schema wire_request_host_schema;

/* POST /v1/hosts/{id}/drain */
struct wire_request_drain {
    int64_t deadline_ms; /* -1: the pool's */
};
extern const struct schema wire_request_drain_schema;

/* POST /v1/hosts/{id}/remove */
struct wire_request_remove {
    bool force;
};
extern const struct schema wire_request_remove_schema;

/* POST /v1/tokens */
struct wire_request_token {
    char *name;
    int32_t role; /* enum token_role */
    char *owner;  /* NULL: the name */
    struct schema_strings pools;
    int64_t expires_in_ms; /* 0: never */
};
extern const struct schema wire_request_token_schema;

/* POST /v1/images/pull */
struct wire_request_pull {
    char *pool; /* NULL: default */
    char *reference;
};
extern const struct schema wire_request_pull_schema;

/* POST /v1/pools/{name}/plan/apply */
struct wire_request_apply {
    char *revision; /* of the plan that was looked at */
};
extern const struct schema wire_request_apply_schema;

/* POST /v1/pools/{name}/orphans/terminate */
struct wire_request_machines {
    struct schema_strings machines; /* at least one id */
};
extern const struct schema wire_request_machines_schema;

/** wire_request_check_owner() - NULL when @text may be an owner: 1 to 128 visible ASCII characters,
 * else what is wrong. For tables. */
const char *wire_request_check_owner(const char *text);
