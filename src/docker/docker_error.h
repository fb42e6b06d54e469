#pragma once

/*
 * What an engine's refusal means: by verb, status and text.  Engines tell most
 * causes only in prose, so the phrases they use stand in one table.
 */

#include <stdbool.h>

#include "berth/port/docker.h"

/* One refusal. */
struct docker_error {
    enum docker_verb verb;
    int status;          /* HTTP; 200 for an error inside a stream */
    const char *message; /* the engine's words */
};

/** docker_error_is_success() - the refusal says that it is so already: started, stopped, removed. */
bool docker_error_is_success(const struct docker_error *error);
/** docker_error_set() - fill @fault with kind, @where, status and the engine's words.
 * @where: static. Return: always -1. */
int docker_error_set(const struct docker_error *error, const char *where, struct fault *fault);
