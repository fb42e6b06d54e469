#pragma once

/* The OpenAPI 3.1 document: generated from the table of routes and the tables of fields. */

#include "berth/base/json.h"

#include "request.h"

/** openapi_render() - the whole document. @version: of the program. */
void openapi_render(struct json_out *out, const char *version);

/** openapi_get() - GET /openapi.json. */
void openapi_get(struct request *request);
