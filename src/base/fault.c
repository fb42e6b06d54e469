#include "berth/base/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "berth/base/text.h"

#define NOBODY    BLAME_NOBODY, 0
#define HOST      BLAME_HOST, 1000
#define BLUEPRINT BLAME_BLUEPRINT, 1000

/* clang-format off */
static const struct fault_rule fault_rules[FAULT_KIND_COUNT] = {
    /*                          code                      title                                          http exit              retry  blames     unsure */
    [FAULT_NONE]            = { "none",                   "No fault",                                    200, EXIT_OK,          false, NOBODY,    false },
    [FAULT_INVALID]         = { "invalid_request",        "The request is not valid",                    400, EXIT_USAGE,       false, NOBODY,    false },
    [FAULT_UNAUTHORIZED]    = { "unauthorized",           "A valid token is needed",                     401, EXIT_NOT_ALLOWED, false, NOBODY,    false },
    [FAULT_FORBIDDEN]       = { "forbidden",              "The token does not allow this",               403, EXIT_NOT_ALLOWED, false, NOBODY,    false },
    [FAULT_NOT_FOUND]       = { "not_found",              "There is no such thing",                      404, EXIT_NOT_FOUND,   false, NOBODY,    false },
    [FAULT_METHOD]          = { "method_not_allowed",     "The resource does not have this method",      405, EXIT_USAGE,       false, NOBODY,    false },
    [FAULT_CONFLICT]        = { "conflict",               "It is not in a state that allows this",       409, EXIT_CONFLICT,    false, NOBODY,    false },
    [FAULT_PRECONDITION]    = { "precondition_failed",    "It was changed in the meantime",              412, EXIT_CONFLICT,    false, NOBODY,    false },
    [FAULT_TOO_LARGE]       = { "payload_too_large",      "The request is too large",                    413, EXIT_USAGE,       false, NOBODY,    false },
    [FAULT_MEDIA_TYPE]      = { "unsupported_media_type", "The body's media type is not supported",      415, EXIT_USAGE,       false, NOBODY,    false },
    [FAULT_KEY_REUSED]      = { "idempotency_key_reused", "The Idempotency-Key was used otherwise",      422, EXIT_CONFLICT,    false, NOBODY,    false },
    [FAULT_QUOTA]           = { "quota_exceeded",         "A quota would be exceeded",                   403, EXIT_NOT_ALLOWED, false, NOBODY,    false },
    [FAULT_NO_CAPACITY]     = { "no_capacity",            "No host has room for this",                   503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_RATE_LIMITED]    = { "rate_limited",           "Too many requests",                           429, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_STORAGE_FULL]    = { "storage_full",           "The daemon's disk is full",                   503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_STORAGE]         = { "storage_failed",         "The daemon's database cannot be used",        503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_SHUTTING_DOWN]   = { "shutting_down",          "The daemon is shutting down",                 503, EXIT_UNREACHABLE, true,  NOBODY,    false },
    [FAULT_CANCELLED]       = { "cancelled",              "The operation was cancelled",                 409, EXIT_FAILED,      false, NOBODY,    true  },
    [FAULT_UNREACHABLE]     = { "engine_unreachable",     "The host's engine cannot be reached",         502, EXIT_UNREACHABLE, true,  HOST,      false },
    [FAULT_TLS]             = { "engine_tls",             "A certificate was refused",                   502, EXIT_UNREACHABLE, false, HOST,      false },
    [FAULT_TIMEOUT]         = { "timeout",                "There was no answer in time",                 504, EXIT_UNREACHABLE, true,  HOST,      true  },
    [FAULT_LOST]            = { "engine_lost",            "The connection broke before the answer",      502, EXIT_UNREACHABLE, true,  HOST,      true  },
    [FAULT_GARBLED]         = { "engine_garbled",         "The host's engine gave a garbled answer",     502, EXIT_FAILED,      false, HOST,      true  },
    [FAULT_ENGINE]          = { "engine_failed",          "The host's engine failed",                    502, EXIT_FAILED,      true,  HOST,      true  },
    [FAULT_INCONSISTENT]    = { "engine_inconsistent",    "The host's engine contradicts itself",        502, EXIT_FAILED,      true,  HOST,      true  },
    [FAULT_ENGINE_MISSING]  = { "engine_not_found",       "The host's engine does not have it",          502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_ENGINE_CONFLICT] = { "engine_conflict",        "The host's engine has a conflict",            502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_ENGINE_REFUSED]  = { "engine_refused",         "The host's engine refused the request",       502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_PORT_TAKEN]      = { "port_taken",             "A fixed host port is in use",                 409, EXIT_CONFLICT,    false, NOBODY,    false },
    [FAULT_IMAGE]           = { "image_failed",           "The image cannot be had or is broken",        422, EXIT_FAILED,      false, BLUEPRINT, false },
    [FAULT_COMMAND]         = { "command_failed",         "The container's command cannot be started",   422, EXIT_FAILED,      false, BLUEPRINT, false },
    [FAULT_EXITED]          = { "container_exited",       "The container ended before it was ready",     422, EXIT_FAILED,      false, BLUEPRINT, false },
    [FAULT_NOT_READY]       = { "container_not_ready",    "The container did not get ready in time",     422, EXIT_FAILED,      false, BLUEPRINT, false },
    [FAULT_REGISTRY]        = { "registry_failed",        "The registry did not answer or refused",      502, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_CLOUD_CAPACITY]  = { "cloud_no_capacity",      "The provider has no such machine now",        503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_CLOUD_LIMIT]     = { "cloud_limit",            "The account's limit is reached",              503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_CLOUD_THROTTLED] = { "cloud_throttled",        "The provider asks for fewer calls",           503, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_CLOUD_DENIED]    = { "cloud_denied",           "The provider does not allow this",            502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_CLOUD_REFUSED]   = { "cloud_refused",          "The provider refused the request",            502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_CLOUD_FAILED]    = { "cloud_failed",           "The provider failed",                         502, EXIT_FAILED,      true,  NOBODY,    false },
    [FAULT_CLOUD_UNSURE]    = { "cloud_unsure",           "The provider did not answer in time",         504, EXIT_UNREACHABLE, true,  NOBODY,    true  },
    [FAULT_MACHINE_GONE]    = { "machine_gone",           "The machine has disappeared",                 502, EXIT_FAILED,      false, NOBODY,    false },
    [FAULT_PREPARE]         = { "preparation_failed",     "A step of the preparation failed",            502, EXIT_FAILED,      true,  HOST,      false },
    [FAULT_BUG]             = { "internal",               "Something unexpected happened in the daemon", 500, EXIT_FAILED,      false, NOBODY,    true  },
};
/* clang-format on */

const struct fault_rule *
fault_rule(enum fault_kind kind)
{
    assert((int)kind >= FAULT_NONE && kind < FAULT_KIND_COUNT);
    return &fault_rules[kind];
}

enum fault_kind
fault_kind_from_code(const char *code)
{
    for (int kind = FAULT_NONE; code && kind < FAULT_KIND_COUNT; kind++) {
        if (strcmp(fault_rules[kind].code, code) == 0)
            return (enum fault_kind)kind;
    }
    return FAULT_BUG;
}

int
fault_set(struct fault *fault, enum fault_kind kind, const char *where, const char *format, ...)
{
    char text[FAULT_TEXT_SIZE]; /* apart, because the old text may be among the arguments */
    va_list args;

    assert(where && kind > FAULT_NONE && kind < FAULT_KIND_COUNT);
    if (!fault)
        return -1;
    va_start(args, format);
    text_line_vprintf(text, sizeof(text), format, args);
    va_end(args);
    *fault = (struct fault){ .kind = kind, .where = where };
    memcpy(fault->text, text, sizeof(text));
    return -1;
}
