#pragma once

/*
 * Where keys come from, decided from what the environment and the shared files of the AWS SDKs say, in
 * botocore's order:
 *
 *   keys of the environment
 *   the profile's role_arn, with its source_profile or credential_source
 *   a web identity, of the environment or of the profile
 *   the profile's keys: of the credentials file, else of the configuration file
 *   the container's endpoint, the machine's metadata service
 *
 * Nobody is asked here.  What a profile says that Berth cannot follow (sso_..., credential_process,
 * mfa_serial) is refused where it would count, with the way out.
 */

#include "berth/cloud/credentials.h"

enum { CREDENTIALS_ROLES_MAX = 4 };

enum credentials_base {
    CREDENTIALS_NOWHERE,
    CREDENTIALS_ENVIRONMENT,
    CREDENTIALS_KEYS,     /* of a profile */
    CREDENTIALS_IDENTITY, /* the security token service, for a web identity */
    CREDENTIALS_CONTAINER,
    CREDENTIALS_METADATA,
};

/* A role that the security token service is asked for.  All owned; NULL: not said. */
struct credentials_role {
    char *arn;
    char *session;
    char *external_id;
    char *duration_s; /* a number that was checked */
};

/* What is known.  Borrowed; NULL: not there. */
struct credentials_places {
    bool given;                /* the environment has keys */
    const char *identity_file; /* of the environment, as the next two */
    const char *role_arn;
    const char *role_session;
    const char *profile; /* its name; NULL: "default", which may be missing */
    const char *files[2];
    const char *container_url;
    const char *metadata_url;
};

/* All owned; credentials_plan_fini(). */
struct credentials_plan {
    enum credentials_base base;
    struct credentials_keys *keys; /* CREDENTIALS_KEYS */
    struct secret *identity;       /* CREDENTIALS_IDENTITY, as the next */
    struct credentials_role identity_role;
    /* Assumed one after the other, the last first, each with the keys of the one before. */
    struct credentials_role roles[CREDENTIALS_ROLES_MAX];
    size_t role_count;
    char *region; /* of the profile */
};

/** credentials_plan_make() - read the files and decide.
 * Return: 0, or -1 with FAULT_CLOUD_DENIED: what is said there is of no use, and why. */
int credentials_plan_make(const struct credentials_places *places,
                          struct credentials_plan *ret_plan, struct fault *fault);
/** credentials_plan_fini() - a zeroed one is fine, and what is left. */
void credentials_plan_fini(struct credentials_plan *plan);
