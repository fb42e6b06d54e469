/* Versions are "1.N"; N is all that differs. Source: Engine API, "Versioned API and SDK". */

#include "docker_version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/json.h"

#include "docker_json.h"

/* 1.41 is engine 20.10, the oldest with what we need (one-shot stats); 1.52 is the newest known. */
#define LOWEST  41
#define HIGHEST 52

/* N of "1.N", or -1. */
static int
docker_version_minor(const char *text)
{
    char *end;
    long minor;

    if (!text || strncmp(text, "1.", 2) != 0 || text[2] < '0' || text[2] > '9')
        return -1;
    minor = strtol(text + 2, &end, 10);
    return *end == '\0' && minor <= 9999 ? (int)minor : -1;
}

int
docker_version_agree(const char *data, size_t len, struct docker_version *ret_version,
                     struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    const char *engine;
    int newest;
    int oldest;

    if (docker_json_parse(data, len, &json, fault) < 0)
        return -1;
    newest = docker_version_minor(json_in_string(json, "ApiVersion", NULL));
    oldest = docker_version_minor(json_in_string(json, "MinAPIVersion", "1.1"));
    engine = json_in_string(json, "Version", "?");
    if (newest < 0 || oldest < 0) {
        return fault_set(fault, FAULT_GARBLED, "docker.version",
                         "the engine does not tell which API version it speaks");
    }
    if (newest < LOWEST) {
        return fault_set(fault, FAULT_ENGINE_REFUSED, "docker.version",
                         "engine %s is too old: it speaks API 1.%d, 1.%d (Docker 20.10) is needed",
                         engine, newest, LOWEST);
    }
    if (oldest > HIGHEST) {
        return fault_set(fault, FAULT_ENGINE_REFUSED, "docker.version",
                         "engine %s is too new: it speaks API 1.%d and above, we speak up to 1.%d",
                         engine, oldest, HIGHEST);
    }
    *ret_version = (struct docker_version){ 0 };
    (void)snprintf(ret_version->api, sizeof(ret_version->api), "1.%d",
                   newest < HIGHEST ? newest : HIGHEST);
    (void)snprintf(ret_version->engine, sizeof(ret_version->engine), "%s", engine);
    (void)snprintf(ret_version->engine_api, sizeof(ret_version->engine_api), "1.%d", newest);
    return 0;
}

bool
docker_version_is_refused(int status, const char *message)
{
    return status == 400 && strstr(message, "client version") != NULL;
}
