#pragma once

/* The body of POST /containers/create. Pure. */

#include "berth/base/buf.h"
#include "berth/port/docker.h"

/** docker_spec_encode() - append @spec as JSON. */
void docker_spec_encode(const struct docker_spec *spec, struct buf *body);
