#pragma once

/* The text format of Prometheus, version 0.0.4. */

#include "berth/base/buf.h"
#include "berth/engine/meter.h"

#include "api.h"
#include "request.h"

/** metrics_get() - GET /metrics. */
void metrics_get(struct request *request);
