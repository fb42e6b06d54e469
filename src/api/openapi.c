#include "openapi.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/domain/blueprint.h"
#include "berth/domain/pool.h"
#include "berth/domain/token.h"
#include "berth/wire/shape.h"

#include "handlers.h"
#include "query.h"
#include "request.h"
#include "routes.h"

enum { OPENAPI_NAME_SIZE = 64 };

struct openapi_tag {
    const char *name;
    const char *doc;
};

static const struct openapi_tag openapi_tags[] = {
    { "instances", "Running copies of blueprints." },
    { "blueprints", "What to run." },
    { "hosts", "Machines with a Docker engine." },
    { "pools", "Hosts of one kind and the rules for them." },
    { "housekeeping", "Rounds of looking after everything." },
    { "tokens", "Who may do what." },
    { "events", "What happened." },
    { "operations", "What takes time." },
    { "images", "Images on hosts." },
    { "backups", "Copies of the database." },
    { "ssh-key", "How machines are logged in to." },
    { "version", "The program." },
    { "status", "How things stand." },
    { "doctor", "Checks of the live state." },
    { "system", "For machines that watch this one." },
};

/* A header that a request may have. */
struct openapi_header {
    const char *name;
    const char *doc;
};

static const struct openapi_header openapi_if_match = {
    "If-Match", "Only if the ETag is one of these; else 412."
};
static const struct openapi_header openapi_if_none_match = {
    "If-None-Match",
    "GET: only if the ETag is none of these (else 304). PUT: * means only if there is none."
};
static const struct openapi_header openapi_key = {
    "Idempotency-Key",
    "1 to 128 visible ASCII characters. The same key and body give the same answer again."
};
static const struct openapi_header openapi_last_event = { "Last-Event-ID",
                                                          "Streams go on behind this event." };

static void
openapi_reference(struct json_out *out, const char *kind, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "#/components/%s/%s", kind, name);
    json_out_object(out);
    json_out_kv_string(out, "$ref", path);
    json_out_object_end(out);
}

/* The name of a request's schema, told apart from the answer's. */
static const char *
openapi_body_name(const struct schema *schema, char ret_name[OPENAPI_NAME_SIZE])
{
    size_t len = strlen(schema->name);
    bool told = len > 7 && strcmp(schema->name + len - 7, "Request") == 0;

    (void)snprintf(ret_name, OPENAPI_NAME_SIZE, "%s%s", schema->name, told ? "" : "Request");
    return ret_name;
}

/* --- Parameters ---------------------------------------------------------------------------------- */

static void
openapi_header(struct json_out *out, const struct openapi_header *header)
{
    json_out_object(out);
    json_out_kv_string(out, "name", header->name);
    json_out_kv_string(out, "in", "header");
    json_out_kv_string(out, "description", header->doc);
    json_out_key(out, "schema");
    json_out_object(out);
    json_out_kv_string(out, "type", "string");
    json_out_object_end(out);
    json_out_object_end(out);
}

static void
openapi_path_parameter(struct json_out *out, const char *path)
{
    const char *open = strchr(path, '{');

    if (!open)
        return;
    json_out_object(out);
    json_out_key(out, "name");
    json_out_string_n(out, open + 1, strcspn(open + 1, "}"));
    json_out_kv_string(out, "in", "path");
    json_out_kv_bool(out, "required", true);
    json_out_kv_string(out, "description", open[1] == 'i' ? "Its id." : "Its name.");
    json_out_key(out, "schema");
    json_out_object(out);
    json_out_kv_string(out, "type", "string");
    json_out_object_end(out);
    json_out_object_end(out);
}

static void
openapi_parameters(struct json_out *out, const struct route *route)
{
    bool reads = route->method == ROUTE_GET;

    json_out_key(out, "parameters");
    json_out_array(out);
    openapi_path_parameter(out, route->path);
    query_describe(route->query, out);
    if (route->flags & ROUTE_IF_MATCH)
        openapi_header(out, &openapi_if_match);
    if (route->flags & ROUTE_ETAG && (reads || route->method == ROUTE_PUT))
        openapi_header(out, &openapi_if_none_match);
    if (route->method == ROUTE_POST)
        openapi_header(out, &openapi_key);
    if (reads && route->stream_type && strcmp(route->stream_type, "text/event-stream") == 0)
        openapi_header(out, &openapi_last_event);
    json_out_array_end(out);
}

/* --- Bodies and answers --------------------------------------------------------------------------- */

static void
openapi_body(struct json_out *out, const struct route *route)
{
    char name[OPENAPI_NAME_SIZE];

    if (!route->body && !(route->flags & ROUTE_UPLOAD))
        return;
    json_out_key(out, "requestBody");
    json_out_object(out);
    json_out_kv_bool(out, "required", !(route->flags & ROUTE_BODY_OPTIONAL));
    json_out_key(out, "content");
    json_out_object(out);
    json_out_key(out, route->body ? "application/json" : "application/x-tar");
    json_out_object(out);
    json_out_key(out, "schema");
    if (route->body) {
        openapi_reference(out, "schemas", openapi_body_name(route->body, name));
    } else {
        json_out_object(out);
        json_out_kv_string(out, "type", "string");
        json_out_kv_string(out, "format", "binary");
        json_out_object_end(out);
    }
    json_out_object_end(out);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void
openapi_content(struct json_out *out, const struct route *route)
{
    json_out_key(out, "content");
    json_out_object(out);
    if (route->answer) {
        json_out_key(out, "application/json");
        json_out_object(out);
        json_out_key(out, "schema");
        openapi_reference(out, "schemas", route->answer);
        json_out_object_end(out);
    }
    if (route->stream_type) {
        json_out_key(out, route->stream_type);
        json_out_object(out);
        json_out_key(out, "schema");
        json_out_object(out);
        if (strcmp(route->stream_type, "application/json") != 0) {
            json_out_kv_string(out, "type", "string");
        } else {
            json_out_kv_string(out, "type", "object");
        }
        json_out_object_end(out);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

static void
openapi_answer(struct json_out *out, const struct route *route, int status)
{
    char code[8];

    (void)snprintf(code, sizeof(code), "%d", status);
    json_out_key(out, code);
    json_out_object(out);
    json_out_kv_string(out, "description", MHD_get_reason_phrase_for((unsigned)status));
    if (route->answer || route->stream_type)
        openapi_content(out, route);
    json_out_object_end(out);
}

static void
openapi_problem(struct json_out *out, const char *code)
{
    json_out_key(out, code);
    openapi_reference(out, "responses", "Problem");
}

static void
openapi_answers(struct json_out *out, const struct route *route)
{
    bool writes = route->method != ROUTE_GET;

    json_out_key(out, "responses");
    json_out_object(out);
    openapi_answer(out, route, route->status);
    if (route->method == ROUTE_PUT)
        openapi_answer(out, route, MHD_HTTP_CREATED);
    if (route->handler == handler_system_readyz)
        openapi_answer(out, route, MHD_HTTP_SERVICE_UNAVAILABLE);
    if (route->flags & ROUTE_ETAG && !writes) {
        json_out_key(out, "304");
        json_out_object(out);
        json_out_kv_string(out, "description", "The client has it already.");
        json_out_object_end(out);
    }
    openapi_problem(out, "400");
    if (route->role != ROUTE_PUBLIC) {
        openapi_problem(out, "401");
        openapi_problem(out, "403");
        openapi_problem(out, "429");
    }
    if (strchr(route->path, '{') || route->query & QUERY_BIT(QUERY_POOL))
        openapi_problem(out, "404");
    if (writes)
        openapi_problem(out, "409");
    if (route->flags & (ROUTE_IF_MATCH | ROUTE_REVISION))
        openapi_problem(out, "412");
    if (route->method == ROUTE_POST)
        openapi_problem(out, "422");
    openapi_problem(out, "default");
    json_out_object_end(out);
}

/* --- Operations ----------------------------------------------------------------------------------- */

static void
openapi_tag(struct json_out *out, const struct route *route)
{
    const char *path = strncmp(route->path, "/v1/", 4) == 0 ? route->path + 4 : "system";

    json_out_key(out, "tags");
    json_out_array(out);
    json_out_string_n(out, path, strcspn(path, "/"));
    json_out_array_end(out);
}

static void
openapi_operation(struct json_out *out, const struct route *route)
{
    static const char *const keys[] = {
        [ROUTE_GET] = "get",
        [ROUTE_POST] = "post",
        [ROUTE_PUT] = "put",
        [ROUTE_DELETE] = "delete",
    };
    char text[160];
    const char *role = route->role == ROUTE_PUBLIC ? NULL : token_role_name(route->role);

    (void)snprintf(text, sizeof(text), "%s. %s%s.", route->summary,
                   role ? "Needs a token of role " : "Needs no token", role ? role : "");
    json_out_key(out, keys[route->method]);
    json_out_object(out);
    json_out_kv_string(out, "operationId", route->name);
    openapi_tag(out, route);
    json_out_kv_string(out, "summary", route->summary);
    json_out_kv_string(out, "description", text);
    json_out_kv_string(out, "x-role", role ? role : "none");
    if (!role) {
        json_out_key(out, "security");
        json_out_array(out);
        json_out_array_end(out);
    }
    openapi_parameters(out, route);
    openapi_body(out, route);
    openapi_answers(out, route);
    json_out_object_end(out);
}

static bool
openapi_is_first(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(routes[i].path, routes[at].path) == 0)
            return false;
    }
    return true;
}

static void
openapi_paths(struct json_out *out)
{
    json_out_key(out, "paths");
    json_out_object(out);
    for (size_t i = 0; i < routes_count; i++) {
        if (!openapi_is_first(i))
            continue;
        json_out_key(out, routes[i].path);
        json_out_object(out);
        for (size_t j = i; j < routes_count; j++) {
            if (strcmp(routes[i].path, routes[j].path) == 0)
                openapi_operation(out, &routes[j]);
        }
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

/* --- Components ----------------------------------------------------------------------------------- */

/* A blueprint as it is shown: what was written, and what was added. */
static void
openapi_blueprint(struct json_out *out)
{
    json_out_key(out, "Blueprint");
    json_out_object(out);
    json_out_key(out, "allOf");
    json_out_array(out);
    schema_describe(&blueprint_schema, false, out);
    wire_shape_describe(out, "{version:i,created_at:t,instances:i}", NULL);
    json_out_array_end(out);
    json_out_object_end(out);
}

static void
openapi_schemas(struct json_out *out)
{
    char name[OPENAPI_NAME_SIZE];

    json_out_key(out, "schemas");
    json_out_object(out);
    for (size_t i = 0; i < wire_shape_count; i++) {
        json_out_key(out, wire_shapes[i].name);
        wire_shape_describe(out, wire_shapes[i].text, wire_shapes[i].doc);
    }
    openapi_blueprint(out);
    json_out_key(out, "PoolPolicy");
    schema_describe(&pool_policy_schema, false, out);
    json_out_key(out, "PoolMachine");
    schema_describe(&pool_machine_schema, false, out);
    for (size_t i = 0; i < routes_count; i++) {
        bool again = false;

        for (size_t j = 0; j < i; j++)
            again |= routes[j].body == routes[i].body;
        if (!routes[i].body || again)
            continue;
        json_out_key(out, openapi_body_name(routes[i].body, name));
        schema_describe(routes[i].body, true, out);
    }
    json_out_object_end(out);
}

static void
openapi_components(struct json_out *out)
{
    static const char rest[] =
        "{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"description\":\"A token of "
        "Berth's.\"}}";
    static const char problem[] =
        "{\"Problem\":{\"description\":\"It did not happen.\",\"content\":{"
        "\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}";

    json_out_key(out, "components");
    json_out_object(out);
    openapi_schemas(out);
    json_out_key(out, "responses");
    json_out_raw(out, problem, sizeof(problem) - 1);
    json_out_key(out, "securitySchemes");
    json_out_raw(out, rest, sizeof(rest) - 1);
    json_out_object_end(out);
}

static void
openapi_info(struct json_out *out, const char *version)
{
    static const char licence[] = "{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}";
    static const char contact[] = "{\"name\":\"Berth\",\"url\":\"https://example.org/berth\"}";

    json_out_key(out, "info");
    json_out_object(out);
    json_out_kv_string(out, "title", "Berth");
    json_out_kv_string(out, "version", version);
    json_out_kv_string(out, "description",
                       "A small elastic container cloud. Sizes are in bytes, durations in seconds, "
                       "times RFC 3339 in UTC. Errors are problems as in RFC 9457, with a stable "
                       "code. Lists go on with the cursor in `next`.");
    json_out_key(out, "license");
    json_out_raw(out, licence, sizeof(licence) - 1);
    json_out_key(out, "contact");
    json_out_raw(out, contact, sizeof(contact) - 1);
    json_out_object_end(out);
}

void
openapi_render(struct json_out *out, const char *version)
{
    static const char servers[] = "[{\"url\":\"/\",\"description\":\"The daemon that answered.\"}]";
    static const char security[] = "[{\"bearer\":[]}]";

    json_out_object(out);
    json_out_kv_string(out, "openapi", "3.1.0");
    openapi_info(out, version);
    json_out_key(out, "servers");
    json_out_raw(out, servers, sizeof(servers) - 1);
    json_out_key(out, "security");
    json_out_raw(out, security, sizeof(security) - 1);
    json_out_key(out, "tags");
    json_out_array(out);
    for (size_t i = 0; i < ARRAY_LEN(openapi_tags); i++) {
        json_out_object(out);
        json_out_kv_string(out, "name", openapi_tags[i].name);
        json_out_kv_string(out, "description", openapi_tags[i].doc);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    openapi_paths(out);
    openapi_components(out);
    json_out_object_end(out);
}

void
openapi_get(struct request *request)
{
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    openapi_render(&out, request->server->version);
}
