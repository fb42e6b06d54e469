#pragma once

/*
 * Keys from a service beside us: the container's endpoint, or the metadata service of the machine that
 * we run on.  The latter is asked with a session token only (version 2): a process that can be made to
 * fetch any URL cannot do that.  Or from the security token service, for a web identity, or for a role that
 * other keys may assume.
 */

#include "berth/cloud/credentials.h"

#include "credentials_plan.h"
#include "credentials_sts.h"
#include "ec2_query.h"
#include "ec2_sign.h"

enum { CREDENTIALS_FETCH_HEADERS_MAX = 4, CREDENTIALS_HOST_SIZE = 256 };

/* Embed it. */
struct credentials_fetch {
    /* In; borrowed until done. */
    struct http *http;
    const char *ca; /* PEM file, for https */
    const struct clock_port *clock;
    const struct credentials_sts *sts;    /* NULL: one of the last two */
    const struct credentials_role *role;  /* with sts, as the next two */
    const struct secret *identity;        /* NULL: not by web identity */
    struct credentials_keys *signer;      /* a reference, taken; NULL: with an identity */
    const char *container_url;            /* NULL: the metadata service */
    const struct secret *container_token; /* NULL: none */
    const char *metadata_url;
    /* Exactly once, from the loop, never from inside _start(); last touch. @keys: owned by the callee;
     * NULL with a fault. */
    void (*done)(struct credentials_fetch *fetch, struct credentials_keys *keys,
                 const struct fault *fault);

    /* Its own. */
    struct http_op op;
    struct ec2_query query; /* for the security token service */
    uint32_t step;
    char *url;
    struct secret *session; /* of the metadata service */
    char *role_name;        /* as the metadata service calls it */
    struct http_header headers[CREDENTIALS_FETCH_HEADERS_MAX];
    size_t header_count;
    struct ec2_signature signature;
    char host[CREDENTIALS_HOST_SIZE]; /* of the security token service */
    int64_t ahead_ms;                 /* the service's clock before ours */
    bool learnt;                      /* asked again with the service's time */
};

void credentials_fetch_start(struct credentials_fetch *fetch);
void credentials_fetch_cancel(struct credentials_fetch *fetch);

/** credentials_fetch_read_sts() - keys from what the security token service answers. */
int credentials_fetch_read_sts(const char *body, size_t len, struct credentials_keys **ret_keys,
                               struct fault *fault);
/** credentials_fetch_read() - keys from what the other two answer: AccessKeyId, SecretAccessKey,
 * Token, Expiration.
 * Return: 0 and owned keys, or -1 with FAULT_CLOUD_DENIED. */
int credentials_fetch_read(const char *body, size_t len, struct credentials_keys **ret_keys,
                           struct fault *fault);
