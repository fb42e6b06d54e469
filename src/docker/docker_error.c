/* Rules are tried from the top; the first that fits decides, then the status alone does. */

#include "docker_error.h"

#include <string.h>

enum { ANY = -1 };

struct docker_error_rule {
    int verb;         /* enum docker_verb, or ANY */
    const char *text; /* part of the message */
    const char *also; /* another part of it; NULL: no need */
    enum fault_kind kind;
};

/* clang-format off */
static const struct docker_error_rule rules[] = {
    /* The engine's own disk. */
    { ANY,          "no space left on device",      NULL,                        FAULT_ENGINE },

    /* Fixed ports: the engine's own table, or bind(2) of docker-proxy. */
    { DOCKER_START, "port is already allocated",    NULL,                        FAULT_PORT_TAKEN },
    { DOCKER_START, "address already in use",       NULL,                        FAULT_PORT_TAKEN },

    /* runc could not execute the command: as a shell's 127 and 126. */
    { DOCKER_START, "executable file not found",    NULL,                        FAULT_COMMAND },
    { DOCKER_START, "exec format error",            NULL,                        FAULT_IMAGE },
    { DOCKER_START, "exec:",                        "no such file or directory", FAULT_COMMAND },
    { DOCKER_START, "exec:",                        "permission denied",         FAULT_COMMAND },
    { DOCKER_START, "exec:",                        "is a directory",            FAULT_COMMAND },
    { DOCKER_START, "exec:",                        "not a directory",           FAULT_COMMAND },
    { DOCKER_START, "chdir to cwd",                 NULL,                        FAULT_COMMAND },
    { DOCKER_START, "unable to find user",          NULL,                        FAULT_IMAGE },
    { DOCKER_EXEC,  "executable file not found",    NULL,                        FAULT_COMMAND },
    { DOCKER_EXEC,  "exec failed",                  NULL,                        FAULT_COMMAND },
    { DOCKER_CREATE, "o command specified",         NULL,                        FAULT_COMMAND },

    /* On the way to the registry, or at its door. */
    { DOCKER_PULL,  "dial tcp",                     NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "no such host",                 NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "unauthorized",                 NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "authentication required",      NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "no basic auth credentials",    NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "toomanyrequests",              NULL,                        FAULT_REGISTRY },
    { DOCKER_PULL,  "unexpected HTTP status",       NULL,                        FAULT_REGISTRY },
    /* The image itself. */
    { DOCKER_PULL,  "manifest unknown",             NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "no matching manifest",         NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "denied",                       NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "not found",                    NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "does not exist",               NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "invalid reference format",     NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "unsupported",                  NULL,                        FAULT_IMAGE },
    { DOCKER_PULL,  "failed to register layer",     NULL,                        FAULT_ENGINE },
    { DOCKER_PULL,  "",                             NULL,                        FAULT_REGISTRY },
    { DOCKER_LOAD,  "",                             NULL,                        FAULT_IMAGE },
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

int
docker_error_set(const struct docker_error *error, const char *where, struct fault *fault)
{
    const char *lead = error->verb == DOCKER_PULL ? "the image cannot be pulled: " : "";

    (void)fault_set(fault, docker_error_kind(error), where, "%s%s", lead,
                    error->message[0] ? docker_error_gist(error->message)
                                      : "the engine gave no reason");
    if (fault)
        fault->remote_code = error->status >= 400 ? error->status : 0;
    return -1;
}
