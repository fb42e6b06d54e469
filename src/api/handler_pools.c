#include <string.h>

#include "berth/wire/request.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "find.h"
#include "handlers.h"
#include "listing.h"

static bool
handler_pools_wanted(const struct listing *listing, const void *row)
{
    const struct pool *pool = row;

    return scope_sees_pool(&listing->scope, pool->name);
}

static void
handler_pools_row(struct listing *listing, const void *row)
{
    wire_row_pool(&listing->out, row);
}

void
handler_pools_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 'p',
        .map = offsetof(struct model, pools),
        .wanted = handler_pools_wanted,
        .render = handler_pools_row,
    };

    listing_start(request, &kind, &(struct listing_filter){ 0 }, QUERY_LIMIT);
}

void
handler_pools_get(struct request *request)
{
    const struct pool *pool = find_pool(request);
    struct json_out out;

    if (!pool || reply_etag(request, pool->rev))
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    wire_row_pool(&out, pool);
}

/* The revision that the headers ask for; false when the request was refused. */
static bool
handler_pools_expect(struct request *request, const struct pool *old, int64_t *ret_expect)
{
    const char *none = request->headers.if_none_match;

    *ret_expect = none && strcmp(none, "*") == 0 ? 0 : -1;
    if (!request->headers.if_match)
        return true;
    if (!old) {
        request_refuse(request, FAULT_PRECONDITION, "there is no such pool");
        return false;
    }
    *ret_expect = old->rev;
    return find_is_current(request, old->rev);
}

void
handler_pools_put(struct request *request)
{
    const char *name = request_param(request);
    struct pool *pool = model_pool_find(api_model(request->server), name);
    bool created = !pool;
    struct pool_request put = {
        .name = name,
        .provider = pool ? pool->provider : PROVIDER_STATIC,
        .policy = request->input,
    };
    struct problems problems = { 0 };
    struct json_out out;
    struct fault fault;

    if (!text_is_name(name)) {
        request_refuse(request, FAULT_INVALID, "%.80s is not a name", name);
        return;
    }
    if (!auth_sees_pool(request, name)) {
        request_refuse(request, FAULT_FORBIDDEN, "this token does not reach the pool %s", name);
        return;
    }
    if (engine_pool_check(request->server->engine, put.policy, &problems) < 0) {
        request_refuse_problems(request, &problems);
        return;
    }
    if (!handler_pools_expect(request, pool, &put.expect))
        return;
    if (engine_pool_put(request->server->engine, &put, &pool, &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    memset(request->input, 0, sizeof(struct pool_policy)); /* its contents were taken */
    (void)reply_etag(request, pool->rev);
    reply_location(request, "/v1/pools", pool->name);
    reply_json(request, created ? MHD_HTTP_CREATED : MHD_HTTP_OK, &out);
    wire_row_pool(&out, pool);
    request_commit(request);
}

void
handler_pools_plan(struct request *request)
{
    struct pool *pool = find_pool(request);
    struct json_out out;

    if (!pool)
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    engine_pool_plan(request->server->engine, pool, (uint32_t)request->query.number[QUERY_ROUNDS],
                     &out);
}

void
handler_pools_apply(struct request *request)
{
    const struct wire_request_apply *input = request->input;
    const struct pool *pool = find_pool(request);
    struct operation *operation;
    struct pool_apply apply;
    struct fault fault;

    if (!pool)
        return;
    apply = (struct pool_apply){
        .pool = pool->name,
        .revision = input->revision,
        .owner = auth_name(request),
    };
    if (engine_pool_apply(request->server->engine, &apply, &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}

void
handler_pools_shutdown(struct request *request)
{
    const struct wire_request_drain *input = request->input;
    const struct pool *pool = find_pool(request);
    struct operation *operation;
    struct pool_shutdown wanted;
    struct fault fault;

    if (!pool)
        return;
    wanted = (struct pool_shutdown){
        .pool = pool->name,
        .deadline_ms = input->deadline_ms,
        .owner = auth_name(request),
    };
    if (engine_pool_shutdown(request->server->engine, &wanted, &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}

void
handler_pools_drift(struct request *request)
{
    const struct pool *pool = find_pool(request);
    struct json_out out;

    if (!pool)
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    engine_pool_drift(request->server->engine, pool, &out);
}
