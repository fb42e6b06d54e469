#include "credentials_plan.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "credentials_ini.h"

enum { PLAN_FILE_MAX = 256 * 1024, PLAN_DURATION_LEAST_S = 900, PLAN_DURATION_MOST_S = 43200 };

static const char credentials_plan_where[] = "credentials.profile";

/* The two files: credentials, where a section has the profile's name, and config, where it is called
 * "profile NAME" unless it is the default. */
struct credentials_shared {
    struct secret *texts[2]; /* NULL: no such file, or nothing that can be read */
    const char *const *paths;
};

/* A profile: its section in each of them. */
struct credentials_profile {
    const struct credentials_shared *shared;
    const char *name;
    char *long_name; /* owned */
};

/* --- Files ---------------------------------------------------------------------------------------- */

/* Return: how many bytes of the file at @path are in @ret_data; 0 when it cannot be read. */
static size_t
credentials_plan_read(const char *path, char *ret_data, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got;

    if (fd < 0)
        return 0;
    while (len < size && (got = read(fd, ret_data + len, size - len)) > 0)
        len += (size_t)got;
    (void)close(fd);
    return len;
}

/* Without a line end; owned; NULL: nothing that can be read. */
static struct secret *
credentials_plan_text(const char *path)
{
    char *text = mem_new0(PLAN_FILE_MAX);
    size_t len = credentials_plan_read(path, text, PLAN_FILE_MAX);
    struct secret *secret = NULL;

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len > 0 && len < PLAN_FILE_MAX && !memchr(text, '\0', len))
        secret = secret_new(text, len);
    secret_wipe(text, PLAN_FILE_MAX);
    mem_free(text);
    return secret;
}

static struct credentials_profile
credentials_profile_of(const struct credentials_shared *shared, const char *name)
{
    bool is_default = strcmp(name, "default") == 0;

    return (struct credentials_profile){
        .shared = shared,
        .name = name,
        .long_name = mem_printf("%s%s", is_default ? "" : "profile ", name),
    };
}

static void
credentials_profile_fini(struct credentials_profile *profile)
{
    mem_free(profile->long_name);
}

static struct credentials_ini
credentials_profile_ini(const struct credentials_profile *profile, size_t file)
{
    const struct secret *text = profile->shared->texts[file];

    return (struct credentials_ini){
        .text = text ? secret_bytes(text) : "",
        .len = text ? secret_len(text) : 0,
        .section = file == 0 ? profile->name : profile->long_name,
    };
}

static bool
credentials_profile_is_there(const struct credentials_profile *profile)
{
    struct credentials_ini first = credentials_profile_ini(profile, 0);
    struct credentials_ini second = credentials_profile_ini(profile, 1);

    return credentials_ini_has(&first) || credentials_ini_has(&second);
}

/* What the profile says; the credentials file counts more. Owned; NULL: nothing. */
static char *
credentials_profile_get(const struct credentials_profile *profile, const char *name)
{
    char *text = NULL;

    for (size_t i = 0; i < 2 && !text; i++) {
        struct credentials_ini ini = credentials_profile_ini(profile, i);
        CLEANUP(secret_freep) struct secret *value = credentials_ini_get(&ini, name);

        if (value)
            text = mem_strdup(secret_bytes(value));
    }
    return text;
}

static bool
credentials_profile_has(const struct credentials_profile *profile, const char *name)
{
    CLEANUP(mem_freep) char *value = credentials_profile_get(profile, name);

    return value != NULL;
}

static bool
credentials_profile_has_keys(const struct credentials_profile *profile)
{
    return credentials_profile_has(profile, "aws_access_key_id") ||
           credentials_profile_has(profile, "aws_secret_access_key");
}

static bool
credentials_profile_has_role(const struct credentials_profile *profile)
{
    return credentials_profile_has(profile, "role_arn") &&
           !credentials_profile_has(profile, "web_identity_token_file");
}

/* --- What a profile stands for, roles apart --------------------------------------------------------- */

/* Keys of one of the two files. Return: 0, also without any. */
static int
credentials_plan_keys(const struct credentials_profile *profile, size_t file,
                      struct credentials_plan *plan, struct fault *fault)
{
    struct credentials_ini ini = credentials_profile_ini(profile, file);
    CLEANUP(secret_freep) struct secret *id = credentials_ini_get(&ini, "aws_access_key_id");
    CLEANUP(secret_freep) struct secret *key = credentials_ini_get(&ini, "aws_secret_access_key");
    struct credentials_keys *keys;

    if (!id && !key)
        return 0;
    if (!id || !key) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where, "[%s] of %s lacks %s",
                         ini.section, profile->shared->paths[file],
                         id ? "aws_secret_access_key" : "aws_access_key_id");
    }
    keys = mem_new0(sizeof(*keys));
    keys->refs = 1;
    keys->id = mem_strdup(secret_bytes(id));
    keys->key = STEAL(key);
    keys->token = credentials_ini_get(&ini, "aws_session_token");
    plan->keys = keys;
    plan->base = CREDENTIALS_KEYS;
    return 0;
}

/* What a daemon cannot follow, and what it can. */
struct credentials_refusal {
    const char *name;
    const char *instead;
};

static const struct credentials_refusal credentials_plan_sso[] = {
    { "sso_account_id", "nobody is there to sign in; give it a role_arn, or a user's keys" },
    { "sso_role_name", "nobody is there to sign in; give it a role_arn, or a user's keys" },
};
static const struct credentials_refusal credentials_plan_process = {
    "credential_process", "no program is run; serve the keys at AWS_CONTAINER_CREDENTIALS_FULL_URI"
};
static const struct credentials_refusal credentials_plan_mfa = {
    "mfa_serial", "nobody is there to type a code; let the role trust keys without it"
};

/* Return: 0, or -1 when the profile has it. */
static int
credentials_plan_refuse(const struct credentials_profile *profile,
                        const struct credentials_refusal *refusal, struct fault *fault)
{
    if (!credentials_profile_has(profile, refusal->name))
        return 0;
    return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                     "the profile \"%s\" has %s: %s", profile->name, refusal->name,
                     refusal->instead);
}

/* What has no value in @places is looked up in the profile.  The identity is read anew each time:
 * whoever gave it replaces it. */
static int
credentials_plan_identity(const struct credentials_places *places,
                          const struct credentials_profile *profile, struct credentials_plan *plan,
                          struct fault *fault)
{
    CLEANUP(mem_freep)
    char *file = places->identity_file
                     ? mem_strdup(places->identity_file)
                     : credentials_profile_get(profile, "web_identity_token_file");
    struct credentials_role *role = &plan->identity_role;

    if (!file)
        return 0;
    role->arn = places->role_arn ? mem_strdup(places->role_arn)
                                 : credentials_profile_get(profile, "role_arn");
    role->session = places->role_session ? mem_strdup(places->role_session)
                                         : credentials_profile_get(profile, "role_session_name");
    plan->identity = credentials_plan_text(file);
    if (plan->identity && role->arn) {
        plan->base = CREDENTIALS_IDENTITY;
        return 0;
    }
    return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                     "a web identity is to be used, but %s%s",
                     plan->identity ? "no role is named: set AWS_ROLE_ARN"
                                    : "nothing can be read at AWS_WEB_IDENTITY_TOKEN_FILE, ",
                     plan->identity ? "" : file);
}

/* A role that is assumed for a web identity, or keys. Return: 0, also with nothing. */
static int
credentials_plan_profile(const struct credentials_places *places,
                         const struct credentials_profile *profile, struct credentials_plan *plan,
                         struct fault *fault)
{
    if (credentials_plan_identity(places, profile, plan, fault) < 0)
        return -1;
    if (plan->base != CREDENTIALS_NOWHERE)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(credentials_plan_sso); i++) {
        if (credentials_plan_refuse(profile, &credentials_plan_sso[i], fault) < 0)
            return -1;
    }
    if (credentials_plan_keys(profile, 0, plan, fault) < 0)
        return -1;
    if (plan->base != CREDENTIALS_NOWHERE)
        return 0;
    if (credentials_plan_refuse(profile, &credentials_plan_process, fault) < 0)
        return -1;
    return credentials_plan_keys(profile, 1, plan, fault);
}

/* --- Roles ---------------------------------------------------------------------------------------- */

static void
credentials_role_fini(struct credentials_role *role)
{
    mem_free(role->arn);
    mem_free(role->session);
    mem_free(role->external_id);
    mem_free(role->duration_s);
}

static int
credentials_plan_role(const struct credentials_profile *profile, struct credentials_plan *plan,
                      struct fault *fault)
{
    struct credentials_role *role;
    char *end = NULL;
    long duration_s;

    if (plan->role_count == CREDENTIALS_ROLES_MAX) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "the profile \"%s\" is reached over more than %d roles: use fewer",
                         profile->name, CREDENTIALS_ROLES_MAX);
    }
    if (credentials_plan_refuse(profile, &credentials_plan_mfa, fault) < 0)
        return -1;
    role = &plan->roles[plan->role_count++];
    role->arn = credentials_profile_get(profile, "role_arn");
    role->session = credentials_profile_get(profile, "role_session_name");
    role->external_id = credentials_profile_get(profile, "external_id");
    role->duration_s = credentials_profile_get(profile, "duration_seconds");
    if (!role->duration_s)
        return 0;
    duration_s = strtol(role->duration_s, &end, 10);
    if (*end || duration_s < PLAN_DURATION_LEAST_S || duration_s > PLAN_DURATION_MOST_S) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "duration_seconds of the profile \"%s\" must be %d to %d", profile->name,
                         PLAN_DURATION_LEAST_S, PLAN_DURATION_MOST_S);
    }
    return 0;
}

/* credential_source: a name that the SDKs share. */
static int
credentials_plan_source(const struct credentials_places *places,
                        const struct credentials_profile *profile, const char *source,
                        struct credentials_plan *plan, struct fault *fault)
{
    const struct {
        const char *name;
        enum credentials_base base;
        bool there;
        const char *lacking;
    } sources[] = {
        { "Environment", CREDENTIALS_ENVIRONMENT, places->given,
          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set" },
        { "EcsContainer", CREDENTIALS_CONTAINER, places->container_url,
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set" },
        { "Ec2InstanceMetadata", CREDENTIALS_METADATA, places->metadata_url,
          "AWS_EC2_METADATA_DISABLED is set" },
    };
    const char *why = "that is none of Environment, Ec2InstanceMetadata, EcsContainer";

    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        if (strcmp(source, sources[i].name) != 0)
            continue;
        if (sources[i].there) {
            plan->base = sources[i].base;
            return 0;
        }
        why = sources[i].lacking;
    }
    return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                     "the profile \"%s\" has credential_source %s, but %s", profile->name, source,
                     why);
}

/* From one profile to the next, until there are keys. */
struct credentials_chain {
    const struct credentials_places *places;
    const struct credentials_shared *shared;
    char *names[CREDENTIALS_ROLES_MAX + 1]; /* of the profiles, owned */
    size_t count;
    struct credentials_plan *plan;
};

enum { CREDENTIALS_CHAIN_MORE = 1 };

/* Whether the profile @source may be asked by the last one of the chain. Return: 0, or -1. */
static int
credentials_chain_check(const struct credentials_chain *chain,
                        const struct credentials_profile *source, struct fault *fault)
{
    const char *last = chain->names[chain->count - 1];

    if (!credentials_profile_is_there(source)) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "the source_profile \"%s\" of the profile \"%s\" is in neither file",
                         source->name, last);
    }
    for (size_t i = 0; i < chain->count; i++) {
        if (strcmp(chain->names[i], source->name) != 0)
            continue;
        /* A profile may name itself: then its own keys ask for its role. */
        if (strcmp(source->name, last) == 0 && credentials_profile_has_keys(source))
            continue;
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "the source_profile \"%s\" of the profile \"%s\" leads in a circle",
                         source->name, last);
    }
    return 0;
}

/* On to the profile that is the source of the last one. */
static int
credentials_chain_follow(struct credentials_chain *chain, char *name, struct fault *fault)
{
    static const struct credentials_places nothing_else;
    CLEANUP(credentials_profile_fini)
    struct credentials_profile source = credentials_profile_of(chain->shared, name);

    if (credentials_chain_check(chain, &source, fault) < 0)
        return -1;
    if (credentials_profile_has_role(&source) && !credentials_profile_has_keys(&source)) {
        chain->names[chain->count++] = mem_strdup(name);
        return CREDENTIALS_CHAIN_MORE;
    }
    if (credentials_plan_profile(&nothing_else, &source, chain->plan, fault) < 0)
        return -1;
    if (chain->plan->base == CREDENTIALS_NOWHERE) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "the source_profile \"%s\" of the profile \"%s\" has no keys", name,
                         chain->names[chain->count - 1]);
    }
    return 0;
}

/* The role of the last profile of the chain, and who asks for it.
 * Return: 0, CREDENTIALS_CHAIN_MORE, or -1. */
static int
credentials_chain_step(struct credentials_chain *chain, struct fault *fault)
{
    CLEANUP(credentials_profile_fini)
    struct credentials_profile profile =
        credentials_profile_of(chain->shared, chain->names[chain->count - 1]);
    CLEANUP(mem_freep) char *name = credentials_profile_get(&profile, "source_profile");
    CLEANUP(mem_freep) char *from = credentials_profile_get(&profile, "credential_source");

    if (credentials_plan_role(&profile, chain->plan, fault) < 0)
        return -1;
    if (!name == !from) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "the profile \"%s\" has role_arn with %s source_profile %s "
                         "credential_source: give it one of them",
                         profile.name, name ? "both" : "neither", name ? "and" : "nor");
    }
    if (from)
        return credentials_plan_source(chain->places, &profile, from, chain->plan, fault);
    return credentials_chain_follow(chain, name, fault);
}

static int
credentials_plan_chain(const struct credentials_places *places,
                       const struct credentials_profile *profile, struct credentials_plan *plan,
                       struct fault *fault)
{
    struct credentials_chain chain = { .places = places, .shared = profile->shared, .plan = plan };
    int ret;

    chain.names[chain.count++] = mem_strdup(profile->name);
    do {
        ret = credentials_chain_step(&chain, fault);
    } while (ret == CREDENTIALS_CHAIN_MORE);
    for (size_t i = 0; i < chain.count; i++)
        mem_free(chain.names[i]);
    return ret;
}

/* --- The order ------------------------------------------------------------------------------------ */

static int
credentials_plan_order(const struct credentials_places *places,
                       const struct credentials_profile *profile, struct credentials_plan *plan,
                       struct fault *fault)
{
    plan->region = credentials_profile_get(profile, "region");
    if (places->given) {
        plan->base = CREDENTIALS_ENVIRONMENT;
        return 0;
    }
    if (places->profile && !credentials_profile_is_there(profile)) {
        return fault_set(fault, FAULT_CLOUD_DENIED, credentials_plan_where,
                         "AWS_PROFILE is \"%s\", which is neither in %s nor in %s", profile->name,
                         places->files[0] ? places->files[0] : "~/.aws/credentials",
                         places->files[1] ? places->files[1] : "~/.aws/config");
    }
    if (credentials_profile_has_role(profile))
        return credentials_plan_chain(places, profile, plan, fault);
    if (credentials_plan_profile(places, profile, plan, fault) < 0)
        return -1;
    if (plan->base == CREDENTIALS_NOWHERE && places->container_url) {
        plan->base = CREDENTIALS_CONTAINER;
    } else if (plan->base == CREDENTIALS_NOWHERE && places->metadata_url) {
        plan->base = CREDENTIALS_METADATA;
    }
    return 0;
}

int
credentials_plan_make(const struct credentials_places *places, struct credentials_plan *ret_plan,
                      struct fault *fault)
{
    struct credentials_shared shared = { .paths = places->files };
    const char *name = places->profile ? places->profile : "default";
    CLEANUP(credentials_profile_fini)
    struct credentials_profile profile = credentials_profile_of(&shared, name);
    struct credentials_plan plan = { 0 };
    int ret;

    for (size_t i = 0; i < 2; i++)
        shared.texts[i] = places->files[i] ? credentials_plan_text(places->files[i]) : NULL;
    ret = credentials_plan_order(places, &profile, &plan, fault);
    secret_free(shared.texts[0]);
    secret_free(shared.texts[1]);
    if (ret < 0) {
        credentials_plan_fini(&plan);
    } else {
        *ret_plan = plan;
    }
    return ret;
}

void
credentials_plan_fini(struct credentials_plan *plan)
{
    credentials_keys_unref(plan->keys);
    secret_free(plan->identity);
    credentials_role_fini(&plan->identity_role);
    for (size_t i = 0; i < plan->role_count; i++)
        credentials_role_fini(&plan->roles[i]);
    mem_free(plan->region);
    *plan = (struct credentials_plan){ 0 };
}
