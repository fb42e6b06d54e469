#include "body.h"

#include <string.h>

#include "head.h"
#include "idempotency.h"

enum { BODY_SWALLOW_MAX = 8 << 20 };

/* For what takes no body: {} at most. */
static const struct schema_field body_no_fields[] = { { .name = NULL } };
static const struct schema body_nothing = {
    .name = "Nothing",
    .size = 1,
    .fields = body_no_fields,
    .field_count = 0,
};

static const struct schema *
body_schema(const struct request *request)
{
    return request->route->body ? request->route->body : &body_nothing;
}

static uint64_t
body_most(const struct request *request)
{
    const struct api_limits *limits = &request->server->limits;

    return request->route->flags & ROUTE_UPLOAD ? (uint64_t)limits->image_mib << 20
                                                : limits->body_bytes;
}

static int
body_admit_upload(struct request *request)
{
    struct engine *engine = request->server->engine;
    const struct spool_port *spool = engine_spool(engine);
    const char *type = request->headers.content_type;
    struct fault fault;

    if (!head_is_media(type, "application/x-tar") &&
        !head_is_media(type, "application/octet-stream")) {
        request_refuse(request, FAULT_MEDIA_TYPE, "the body must be application/x-tar");
        return -1;
    }
    if (engine_admit(engine, false, &fault) < 0 ||
        spool->begin(spool->self, &request->upload, &fault) < 0) {
        request_fail(request, &fault);
        return -1;
    }
    return 0;
}

int
body_admit(struct request *request)
{
    bool takes = request->route->method == ROUTE_POST || request->route->method == ROUTE_PUT;
    uint64_t len = head_body_len(request);

    if (len > 0 && !takes) {
        request_refuse(request, FAULT_INVALID, "this takes no body");
        return -1;
    }
    if (len != UINT64_MAX && len > body_most(request)) {
        request_refuse(request, FAULT_TOO_LARGE, "the body may have at most %llu bytes",
                       (unsigned long long)body_most(request));
        return -1;
    }
    if (request->route->flags & ROUTE_UPLOAD)
        return body_admit_upload(request);
    if (len > 0 && !head_is_media(request->headers.content_type, "application/json")) {
        request_refuse(request, FAULT_MEDIA_TYPE, "the body must be application/json");
        return -1;
    }
    return 0;
}

bool
body_is_unwanted(const struct request *request)
{
    return head_has_body(request) &&
           (request->headers.expect || head_body_len(request) > BODY_SWALLOW_MAX);
}

bool
body_take(struct request *request, const char *data, size_t len)
{
    const struct spool_port *spool = engine_spool(request->server->engine);
    struct fault fault;

    request->body_len += len;
    if (request->refused)
        return request->body_len <= BODY_SWALLOW_MAX;
    if (request->body_len > body_most(request)) {
        request->refused = true;
        request->body_len = 0;
        body_abort(request);
        request_refuse(request, FAULT_TOO_LARGE, "the body may have at most %llu bytes",
                       (unsigned long long)body_most(request));
        return true;
    }
    if (!request->upload) {
        buf_append(&request->body, data, len);
        return true;
    }
    if (spool->append(request->upload, data, len, &fault) < 0) {
        request->refused = true;
        request->body_len = 0;
        body_abort(request);
        request_fail(request, &fault);
    }
    return true;
}

void
body_abort(struct request *request)
{
    if (request->upload)
        engine_spool(request->server->engine)->abort(STEAL(request->upload));
}

static int
body_parse(struct request *request)
{
    const struct schema *schema = body_schema(request);
    bool optional = !request->route->body || request->route->flags & ROUTE_BODY_OPTIONAL;
    struct problems problems = { 0 };
    struct fault fault;

    if (request->body.len == 0 && !optional) {
        request_refuse(request, FAULT_INVALID, "the body is missing");
        return -1;
    }
    if (request->body.len > 0 &&
        json_in_parse(request->body.data, request->body.len, &request->json, &fault) < 0) {
        request_fail(request, &fault);
        return -1;
    }
    if (!request->json)
        request->json = json_object();
    /* The name of what is put stands in the path; it need not be said again. */
    if (request->route->method == ROUTE_PUT && json_is_object(request->json) &&
        schema == &blueprint_schema && !json_object_get(request->json, "name"))
        (void)json_object_set_new(request->json, "name", json_string(request_param(request)));
    request->input_schema = schema;
    request->input = mem_new0(schema->size);
    schema_defaults(schema, request->input);
    if (schema_decode(schema, request->json, request->input, "", &problems) < 0) {
        request_refuse_problems(request, &problems);
        return -1;
    }
    return 0;
}

int
body_decode(struct request *request)
{
    if (request->route->method != ROUTE_POST && request->route->method != ROUTE_PUT)
        return 0;
    if (request->route->flags & ROUTE_UPLOAD)
        return 0; /* its handler knows the digest of what came */
    if (body_parse(request) < 0)
        return -1;
    return idempotency_begin(request, request->body.data, request->body.len);
}
