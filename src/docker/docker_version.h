#pragma once

/*
 * Which version of the API to speak with an engine.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"

enum { DOCKER_VERSION_SIZE = 16 };

/* What an engine is and which version was agreed upon. */
struct docker_version {
    char api[DOCKER_VERSION_SIZE];        /* ours with it: "1.41"; "": not agreed yet */
    char engine[32];                      /* "20.10.24" */
    char engine_api[DOCKER_VERSION_SIZE]; /* the highest it speaks */
};

/**
 * docker_version_agree() - the highest version both speak, out of the answer to GET /version
 * @data: [len], the body
 *
 * Return: 0, or -1 with FAULT_GARBLED, or FAULT_ENGINE_REFUSED when there is no such version.
 */
int docker_version_agree(const char *data, size_t len, struct docker_version *ret_version,
                         struct fault *fault);

/** docker_version_is_refused() - the engine's answer (status, message) says that it does not speak our
 * version any more: it was upgraded, or went back to an older one. */
bool docker_version_is_refused(int status, const char *message);
