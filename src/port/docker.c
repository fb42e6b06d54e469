/* Names of the verbs: for logs, metrics and the engine's per-step latencies. */

#include "berth/port/docker.h"

#include <assert.h>

static const char *const docker_verb_names[DOCKER_VERB_COUNT] = {
    [DOCKER_INFO] = "info",
    [DOCKER_PING] = "ping",
    [DOCKER_LIST] = "list",
    [DOCKER_CREATE] = "create",
    [DOCKER_START] = "start",
    [DOCKER_STOP] = "stop",
    [DOCKER_REMOVE] = "remove",
    [DOCKER_INSPECT] = "inspect",
    [DOCKER_IMAGE_INSPECT] = "image_inspect",
    [DOCKER_IMAGE_LIST] = "image_list",
    [DOCKER_PULL] = "pull",
    [DOCKER_LOAD] = "load",
    [DOCKER_LOGS] = "logs",
    [DOCKER_STATS] = "stats",
    [DOCKER_EXEC] = "exec",
    [DOCKER_EVENTS] = "events",
    [DOCKER_READY] = "ready",
};

const char *
docker_verb_name(enum docker_verb verb)
{
    assert((int)verb >= 0 && verb < DOCKER_VERB_COUNT);
    return docker_verb_names[verb];
}
