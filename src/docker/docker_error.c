/* Rules are tried from the top; the first that fits decides, then the status alone does. */

#include "docker_error.h"

#include <string.h>

enum { ANY = -1 };

struct docker_error_rule {
    int verb; /* enum docker_verb, or ANY */
    enum fault_kind kind;
    const char *text; /* part of the message */
    const char *also; /* another part of it; NULL: no need */
};

/* clang-format off */
static const struct docker_error_rule rules[] = {
    /* The engine's own disk. */
    { ANY,          FAULT_ENGINE,     "no space left on device",      NULL },

    /* Fixed ports: the engine's own table, or bind(2) of docker-proxy. */
    { DOCKER_START, FAULT_PORT_TAKEN, "port is already allocated",    NULL },
    { DOCKER_START, FAULT_PORT_TAKEN, "address already in use",       NULL },

    /* The host's runtime itself fails, which engines tell as if it were the command (400). */
    { DOCKER_START, FAULT_ENGINE,     "unable to retrieve OCI runtime error", NULL },
    { DOCKER_START, FAULT_ENGINE,     "containerd-shim",              NULL },
    { DOCKER_START, FAULT_ENGINE,     "fork/exec",                    NULL },

    /* runc could not execute the command: as a shell's 127 and 126. */
    { DOCKER_START, FAULT_COMMAND,    "executable file not found",    NULL },
    { DOCKER_START, FAULT_IMAGE,      "exec format error",            NULL },
    { DOCKER_START, FAULT_COMMAND,    "exec:",                        "no such file or directory" },
    { DOCKER_START, FAULT_COMMAND,    "exec:",                        "permission denied" },
    { DOCKER_START, FAULT_COMMAND,    "exec:",                        "is a directory" },
    { DOCKER_START, FAULT_COMMAND,    "exec:",                        "not a directory" },
    { DOCKER_START, FAULT_COMMAND,    "chdir to cwd",                 NULL },
    { DOCKER_START, FAULT_IMAGE,      "unable to find user",          NULL },
    { DOCKER_EXEC,  FAULT_COMMAND,    "executable file not found",    NULL },
    { DOCKER_EXEC,  FAULT_COMMAND,    "exec failed",                  NULL },
    { DOCKER_CREATE, FAULT_COMMAND,   "o command specified",          NULL },

    /* On the way to the registry, or at its door. */
    { DOCKER_PULL,  FAULT_REGISTRY,   "dial tcp",                     NULL },
    { DOCKER_PULL,  FAULT_REGISTRY,   "no such host",                 NULL },
    { DOCKER_PULL,  FAULT_REGISTRY,   "toomanyrequests",              NULL },
    { DOCKER_PULL,  FAULT_REGISTRY,   "unexpected HTTP status",       NULL },
    /* The image itself, or what we may see of it: no other host, and no later time, gets more. */
    { DOCKER_PULL,  FAULT_IMAGE,      "unauthorized",                 NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "authentication required",      NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "no basic auth credentials",    NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "manifest unknown",             NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "no matching manifest",         NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "denied",                       NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "not found",                    NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "does not exist",               NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "invalid reference format",     NULL },
    { DOCKER_PULL,  FAULT_IMAGE,      "unsupported",                  NULL },
    { DOCKER_PULL,  FAULT_ENGINE,     "failed to register layer",     NULL },
    { DOCKER_PULL,  FAULT_REGISTRY,   "",                             NULL },
    { DOCKER_LOAD,  FAULT_IMAGE,      "",                             NULL },
};

static const struct docker_error_status {
    int from;
    enum fault_kind kind;
} statuses[] = {
    { 500, FAULT_ENGINE },
    { 410, FAULT_ENGINE_REFUSED },
    { 409, FAULT_ENGINE_CONFLICT },
    { 405, FAULT_ENGINE_REFUSED },
    { 404, FAULT_ENGINE_MISSING },
    { 400, FAULT_ENGINE_REFUSED },
    { 0,   FAULT_GARBLED }, /* 1xx to 3xx where none belongs */
};

/* How registries, and engines before they ask one, say that they want other credentials. */
static const char *const locked[] = {
    "unauthorized",
    "authentication required",
    "no basic auth credentials",
    "denied",
};

/* It is so already. */
static const struct docker_error already[] = {
    { DOCKER_START,  304, "" },
    { DOCKER_STOP,   304, "" },
    { DOCKER_REMOVE, 404, "" },
    { DOCKER_REMOVE, 409, "already in progress" },
};
/* clang-format on */

bool
docker_error_is_success(const struct docker_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(already); i++) {
        if (already[i].verb == error->verb && already[i].status == error->status &&
            strstr(error->message, already[i].message))
            return true;
    }
    return false;
}

static enum fault_kind
docker_error_kind(const struct docker_error *error)
{
    size_t s = 0;

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct docker_error_rule *rule = &rules[i];

        if ((rule->verb == ANY || rule->verb == (int)error->verb) &&
            strstr(error->message, rule->text) &&
            (!rule->also || strstr(error->message, rule->also)))
            return rule->kind;
    }
    while (error->status < statuses[s].from)
        s++;
    return statuses[s].kind;
}

/* What was wrong, without the endpoint's 64 digits that the engine puts before it. */
static const char *
docker_error_gist(const char *message)
{
    static const char lead[] = "driver failed programming external connectivity";
    const char *gist =
        strncmp(message, lead, sizeof(lead) - 1) == 0 ? strstr(message, "): ") : NULL;

    return gist ? gist + strlen("): ") : message;
}

/* What to do about it, where people can. */
static const char *
docker_error_remedy(const struct docker_error *error)
{
    for (size_t i = 0; i < ARRAY_LEN(locked) && error->verb == DOCKER_PULL; i++) {
        if (strstr(error->message, locked[i]))
            return "; do berthd's `registries` have the right username and password for it?";
    }
    return "";
}

int
docker_error_set(const struct docker_error *error, const char *where, struct fault *fault)
{
    const char *lead = error->verb == DOCKER_PULL ? "the image cannot be pulled: " : "";

    (void)fault_set(fault, docker_error_kind(error), where, "%s%s%s", lead,
                    error->message[0] ? docker_error_gist(error->message)
                                      : "the engine gave no reason",
                    docker_error_remedy(error));
    if (fault)
        fault->remote_code = error->status >= 400 ? error->status : 0;
    return -1;
}
