#pragma once

/*
 * The provider `ec2`: machines of Amazon EC2, or of a service that speaks its query API, behind
 * cloud_port.  A pool's machines carry the tags berth:cluster, berth:pool and berth:host from their
 * launch on; what does not carry the first two is neither listed nor named.
 *
 * A launch asks for IMDSv2 only with a hop limit of 1, an encrypted root volume that goes with the
 * machine, and termination at shutdown.  Which subnet, and spot or on demand, follows from the attempt:
 * attempts go through the pool's machine types first, then through its subnets, then (with spot) to
 * machines on demand.
 */

#include <stdbool.h>

#include "berth/base/schema.h"
#include "berth/cloud/credentials.h"
#include "berth/port/cloud.h"

/* Either an id, or the newest with this owner and name; or none, with a launch template that has one. */
struct ec2_image {
    char *id;
    char *owner; /* an account, "self", "amazon", "aws-marketplace" */
    char *name;  /* may have the wildcards '*' and '?' */
};

struct ec2_volume {
    int64_t size_bytes; /* 0: that of the image */
    char *type;         /* "gp3", ...; NULL: the provider's default */
};

/* A security group that Berth makes and keeps as it says here: SSH, the engine's API and published ports
 * are open to @from, everything is open outwards. */
struct ec2_managed {
    bool create;
    struct schema_strings from; /* networks: the daemon's, the route's, operators' */
    int64_t first_port;         /* of published ports */
    int64_t last_port;
    char *vpc; /* NULL: the account's default */
};

/* A key pair that Berth makes of its own public key. */
struct ec2_key_pair {
    bool create;
};

/* A launch template, by id or by name; what the pool says counts more. */
struct ec2_template {
    char *id;
    char *name;
    char *version; /* a number, "$Latest", "$Default"; NULL: the last */
};

/* Which of a machine's addresses berthd reaches it by. */
enum ec2_address { EC2_ADDRESS_PRIVATE, EC2_ADDRESS_PUBLIC };

/* A pool's own part of the configuration. */
struct ec2_config {
    char *endpoint; /* NULL: the default's, else AWS' own of the region */
    char *region;   /* NULL: the default's */
    struct schema_strings subnets;
    struct schema_strings security_groups;
    struct ec2_managed security_group; /* beside them */
    struct ec2_template launch_template;
    struct ec2_image image;
    struct ec2_volume root_volume;
    char *key_name;               /* of a key pair, for people; NULL: none */
    struct ec2_key_pair key_pair; /* instead of key_name */
    char *instance_profile;       /* name or ARN; NULL: none */
    bool spot;
    int32_t address;        /* enum ec2_address */
    struct schema_map tags; /* that each machine gets, too */
};

extern const struct schema ec2_config_schema;

/** ec2_config_check() - what the table of fields cannot say.
 * @pointer: JSON pointer of @config in its document
 * Return: 0, or -1 with an entry in @problems for each. */
int ec2_config_check(const struct ec2_config *config, const char *pointer,
                     struct problems *problems);

/* What holds where a pool says nothing; of the environment, mostly.  Borrowed for each call. */
struct ec2_defaults {
    const char *endpoint;  /* AWS_ENDPOINT_URL_EC2, else AWS_ENDPOINT_URL; NULL: none */
    const char *region;    /* AWS_REGION, else AWS_DEFAULT_REGION; NULL: none */
    const char *ca;        /* AWS_CA_BUNDLE; NULL: the system's certificates */
    const char *login_key; /* berthd's public key, for managed key pairs; NULL: none */
};

/** ec2_place() - where machines of a pool with @config would be.
 * @ret_place: without an account; pool_place_clear()
 * Return: 0, or -1 as ec2_pool_set(). */
int ec2_place(const struct ec2_config *config, const struct ec2_defaults *defaults,
              struct pool_place *ret_place, struct fault *fault);

struct ec2;

/** ec2_new() - @credentials are borrowed. */
struct ec2 *ec2_new(struct http *http, struct loop *loop, struct credentials *credentials);
/** ec2_free() - all calls must have ended. */
void ec2_free(struct ec2 *ec2);
/** ec2_port() - borrowed. */
const struct cloud_port *ec2_port(struct ec2 *ec2);

/** ec2_pool_set() - the pool with this id is there, as @config (copied) says; again: it is so from its
 * next call on.  A call for a pool that was never set is a bug.
 * Return: 0, or -1 with FAULT_INVALID: no region, or an endpoint that is no URL. */
int ec2_pool_set(struct ec2 *ec2, int64_t pool_id, const struct ec2_config *config,
                 const struct ec2_defaults *defaults, struct fault *fault);
