#include "berth/wire/request.h"

#include "auth.h"
#include "find.h"
#include "handlers.h"

/* Somebody waits for a listing. */
struct orphans_ask {
    struct engine_listing listing;
    struct request *request;
    int64_t pool_id;
};

static void
handler_orphans_answer(struct request *request, struct pool *pool, int status)
{
    struct json_out out;

    reply_json(request, status, &out);
    engine_pool_orphans(request->server->engine, pool, &out);
}

static void
handler_orphans_on_listed(struct engine_listing *listing, const struct fault *fault)
{
    struct orphans_ask *ask = CONTAINER_OF(listing, struct orphans_ask, listing);
    struct request *request = ask->request;
    struct pool *pool = idmap_find(&api_model(request->server)->pools, ask->pool_id);

    mem_free(ask);
    if (fault) {
        request_fail(request, fault);
    } else if (pool) {
        handler_orphans_answer(request, pool, MHD_HTTP_OK);
    } else {
        request_refuse(request, FAULT_NOT_FOUND, "there is no such pool any more");
    }
    request_finish(request);
}

void
handler_orphans_list(struct request *request)
{
    struct pool *pool = find_pool(request);
    struct orphans_ask *ask;
    struct fault fault;

    if (!pool)
        return;
    ask = mem_new0(sizeof(*ask));
    ask->listing.done = handler_orphans_on_listed;
    ask->request = request;
    ask->pool_id = pool->id;
    if (engine_pool_list_start(request->server->engine, pool, &ask->listing, &fault) == 0) {
        request_suspend(request);
        return;
    }
    mem_free(ask);
    request_fail(request, &fault);
}

void
handler_orphans_end(struct request *request)
{
    const struct wire_request_machines *asked = request->input;
    struct pool *pool = find_pool(request);
    struct fault fault;

    if (!pool)
        return;
    if (asked->machines.count == 0) {
        request_refuse_field(request, "/machines", "range", "must name at least one machine");
        return;
    }
    if (engine_pool_orphans_end(request->server->engine, pool, &asked->machines, auth_name(request),
                                &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    handler_orphans_answer(request, pool, MHD_HTTP_ACCEPTED);
    request_commit(request);
}
