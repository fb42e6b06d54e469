#pragma once

/* One sample of GET /containers/{id}/stats. Pure. */

#include "berth/base/json.h"
#include "berth/port/docker.h"

void docker_stats_parse(const json_t *json, struct docker_stats *ret_stats);
