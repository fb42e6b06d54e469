#include <string.h>

#include "berth/wire/row.h"

#include "auth.h"
#include "find.h"
#include "handlers.h"
#include "listing.h"

static bool
handler_blueprints_wanted(const struct listing *listing, const void *row)
{
    const struct blueprint *blueprint = row;
    const char *pool = find_blueprint_pool(blueprint);

    return blueprint->latest && !blueprint->deleted && scope_sees_pool(&listing->scope, pool) &&
           (!listing->filter.pool || strcmp(listing->filter.pool, pool) == 0);
}

static void
handler_blueprints_row(struct listing *listing, const void *row)
{
    wire_row_blueprint(&listing->out, row);
}

void
handler_blueprints_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 'b',
        .map = offsetof(struct model, blueprints),
        .wanted = handler_blueprints_wanted,
        .render = handler_blueprints_row,
    };
    struct listing_filter filter = { .pool = request->query.text[QUERY_POOL] };

    listing_start(request, &kind, &filter, QUERY_LIMIT);
}

void
handler_blueprints_get(struct request *request)
{
    const struct blueprint *blueprint = find_blueprint(request);
    struct json_out out;

    if (!blueprint || reply_etag(request, blueprint->version))
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    wire_row_blueprint(&out, blueprint);
}

/* What only a look at all fields together tells, and the token's scope. */
static bool
handler_blueprints_is_good(struct request *request, const struct blueprint_spec *spec)
{
    const char *pool = spec->pool ? spec->pool : "default";
    const struct blueprint *old = model_blueprint_find(api_model(request->server), spec->name);
    struct problems problems = { 0 };

    if (blueprint_check(spec, &problems) < 0) {
        request_refuse_problems(request, &problems);
        return false;
    }
    if (!auth_sees_pool(request, pool) ||
        (old && !auth_sees_pool(request, find_blueprint_pool(old)))) {
        request_refuse(request, FAULT_FORBIDDEN, "this token does not reach the pool %s", pool);
        return false;
    }
    return true;
}

static void
handler_blueprints_store(struct request *request, int64_t expect)
{
    struct blueprint_spec *spec = request->input;
    struct blueprint *blueprint;
    struct json_out out;
    struct fault fault;
    bool created;

    if (!handler_blueprints_is_good(request, spec))
        return;
    if (engine_blueprint_put(request->server->engine, spec, expect, &blueprint, &created, &fault) <
        0) {
        if (request->route->method == ROUTE_POST && fault.kind == FAULT_PRECONDITION) {
            request_refuse(request, FAULT_CONFLICT, "there is a blueprint %s already", spec->name);
        } else {
            request_fail(request, &fault);
        }
        return;
    }
    memset(spec, 0, sizeof(*spec)); /* its contents were taken */
    (void)reply_etag(request, blueprint->version);
    reply_location(request, "/v1/blueprints", blueprint->spec.name);
    reply_json(request, created ? MHD_HTTP_CREATED : MHD_HTTP_OK, &out);
    wire_row_blueprint(&out, blueprint);
    request_commit(request);
}

void
handler_blueprints_create(struct request *request)
{
    handler_blueprints_store(request, 0);
}

/* The version that If-Match and If-None-Match ask for; false when the request was refused. */
static bool
handler_blueprints_expect(struct request *request, int64_t *ret_expect)
{
    const struct blueprint *old =
        model_blueprint_find(api_model(request->server), request_param(request));
    const char *none = request->headers.if_none_match;

    *ret_expect = -1;
    if (none && strcmp(none, "*") == 0)
        *ret_expect = 0;
    if (request->headers.if_match) {
        if (!find_is_current(request, old ? old->version : 0))
            return false;
        *ret_expect = old ? old->version : -1;
        if (!old) {
            request_refuse(request, FAULT_PRECONDITION, "there is no such blueprint");
            return false;
        }
    }
    return true;
}

void
handler_blueprints_put(struct request *request)
{
    const struct blueprint_spec *spec = request->input;
    int64_t expect;

    if (strcmp(spec->name, request_param(request)) != 0) {
        request_refuse_field(request, "/name", "format", "must be the name in the path");
    } else if (handler_blueprints_expect(request, &expect)) {
        handler_blueprints_store(request, expect);
    }
}

void
handler_blueprints_delete(struct request *request)
{
    const struct blueprint *blueprint = find_blueprint(request);
    struct fault fault;

    if (!blueprint || !find_is_current(request, blueprint->version))
        return;
    if (engine_blueprint_delete(request->server->engine, request_param(request), -1, &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    reply_empty(request, MHD_HTTP_NO_CONTENT);
    request_commit(request);
}
