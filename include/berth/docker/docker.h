#pragma once

/*
 * The docker_port over real engines: Docker Engine API 1.41 to 1.52, by unix
 * socket or TCP with mutual TLS.
 */

#include "berth/loop/http.h"
#include "berth/loop/loop.h"
#include "berth/port/docker.h"

struct docker;

/** docker_new() - no hosts yet; both are borrowed. */
struct docker *docker_new(struct http *http, struct loop *loop) MUST_USE;
/** docker_free() - all calls must have ended; hosts may be left. NULL is fine. */
void docker_free(struct docker *docker);
MEM_DEFINE_FREEP(struct docker, docker_free);

/** docker_port() - borrowed. */
const struct docker_port *docker_port(struct docker *docker);
