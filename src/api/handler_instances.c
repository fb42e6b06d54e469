#include <string.h>

#include "berth/base/id.h"
#include "berth/wire/request.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "explain.h"
#include "find.h"
#include "handlers.h"
#include "listing.h"

/* What `state` may say beside the states. */
enum { STATE_LIVE = INSTANCE_STATE_COUNT, STATE_ENDED };

static void
handler_instances_render(const struct request *request, const struct instance *instance,
                         struct json_out *out)
{
    struct engine *engine = request->server->engine;

    wire_row_instance(out, instance, engine_model(engine)->queue, engine_now_ms(engine));
}

/* The answer to a change of @instance, when it is durable. */
static void
handler_instances_answer(struct request *request, const struct instance *instance, int status)
{
    struct json_out out;

    if (request->route->flags & ROUTE_ETAG)
        (void)reply_etag(request, instance->rev);
    reply_json(request, status, &out);
    handler_instances_render(request, instance, &out);
    request_commit(request);
}

/* Whose they will be; NULL when the request was refused. */
static const char *
handler_instances_owner(struct request *request, const struct wire_request_instance *asked)
{
    const char *own = auth_name(request);

    if (!asked->owner || strcmp(asked->owner, own) == 0)
        return own;
    if (auth_sees_all(request))
        return asked->owner;
    request_refuse(request, FAULT_FORBIDDEN, "this token makes instances for %s only", own);
    return NULL;
}

/* The blueprint and the pool must be in the token's scope. */
static bool
handler_instances_in_scope(struct request *request, const struct wire_request_instance *asked)
{
    const struct model *model = api_model(request->server);
    const struct blueprint *blueprint =
        asked->version > 0 ? model_blueprint_version_find(model, asked->blueprint, asked->version)
                           : model_blueprint_find(model, asked->blueprint);
    const char *pool;

    if (!blueprint) {
        request_refuse(request, FAULT_NOT_FOUND, "there is no such blueprint: %s",
                       asked->blueprint);
        return false;
    }
    pool = asked->pool ? asked->pool : find_blueprint_pool(blueprint);
    if (auth_sees_pool(request, pool))
        return true;
    request_refuse(request, FAULT_FORBIDDEN, "this token does not reach the pool %s", pool);
    return false;
}

static void
handler_instances_answer_all(struct request *request, struct instance *const *instances,
                             size_t count, bool as_list)
{
    char id[ID_TEXT_SIZE];
    struct json_out out;

    reply_json(request, MHD_HTTP_ACCEPTED, &out);
    if (as_list) {
        json_out_object(&out);
        json_out_key(&out, "items");
        json_out_array(&out);
    } else {
        reply_location(request, "/v1/instances", id_encode(ID_INSTANCE, instances[0]->id, id));
    }
    for (size_t i = 0; i < count; i++)
        handler_instances_render(request, instances[i], &out);
    if (as_list) {
        json_out_array_end(&out);
        json_out_kv_string(&out, "next", NULL);
        json_out_object_end(&out);
    }
    request_commit(request);
}

void
handler_instances_create(struct request *request)
{
    const struct wire_request_instance *asked = request->input;
    struct instance_request wanted = {
        .blueprint = asked->blueprint,
        .version = asked->version,
        .pool = asked->pool,
        .owner = handler_instances_owner(request, asked),
        .name = asked->name,
        .count = asked->count > 0 ? asked->count : 1,
        .lifetime_ms = asked->lifetime_ms,
    };
    const json_t *count = json_object_get(request->json, "count");
    struct instance *one;
    struct instance **instances = &one;
    struct fault fault;

    if (count && !json_is_null(count) && json_integer_value(count) < 1) {
        request_refuse_field(request, "/count", "range", "must be 1 to 1000");
        return;
    }
    if (!wanted.owner || !handler_instances_in_scope(request, asked))
        return;
    if (wanted.count > 1)
        instances = mem_new0((size_t)wanted.count * sizeof(struct instance *));
    if (engine_instances_create(request->server->engine, &wanted, instances, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_instances_answer_all(request, instances, (size_t)wanted.count, asked->count > 0);
    }
    if (instances != &one)
        mem_free(instances);
}

void
handler_instances_get(struct request *request)
{
    const struct instance *instance = find_instance(request);
    struct json_out out;

    if (!instance || reply_etag(request, instance->rev))
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    handler_instances_render(request, instance, &out);
}

static bool
handler_instances_state_is(const struct instance *instance, int64_t state)
{
    bool ended = instance_state_is_final((enum instance_state)instance->state);

    if (state == STATE_LIVE)
        return !ended;
    return state == STATE_ENDED ? ended : state == -1 || state == instance->state;
}

static bool
handler_instances_wanted(const struct listing *listing, const void *row)
{
    const struct instance *instance = row;
    const struct listing_filter *filter = &listing->filter;
    int64_t host_id = instance->host ? instance->host->id : instance->last_host_id;

    return handler_instances_state_is(instance, filter->state) &&
           (!filter->host_id || filter->host_id == host_id) &&
           (!filter->owner || strcmp(filter->owner, instance->owner) == 0) &&
           (!filter->blueprint || strcmp(filter->blueprint, instance->blueprint->spec.name) == 0) &&
           (!filter->pool || strcmp(filter->pool, instance->pool->name) == 0) &&
           (!filter->name || (instance->name && strcmp(filter->name, instance->name) == 0)) &&
           scope_sees(&listing->scope, &(struct scope_row){ .pool = instance->pool->name,
                                                            .owner = instance->owner });
}

static void
handler_instances_row(struct listing *listing, const void *row)
{
    wire_row_instance(&listing->out, row, listing->model->queue, listing->now_ms);
}

void
handler_instances_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 'i',
        .map = offsetof(struct model, instances),
        .wanted = handler_instances_wanted,
        .render = handler_instances_row,
    };
    const struct query *query = &request->query;
    struct listing_filter filter = {
        .state = query->number[QUERY_STATE],
        .owner = query->text[QUERY_OWNER],
        .blueprint = query->text[QUERY_BLUEPRINT],
        .pool = query->text[QUERY_POOL],
        .name = query->text[QUERY_NAME],
    };

    if (query_has(query, QUERY_HOST)) {
        filter.host_id = find_host_id(request, query->text[QUERY_HOST]);
        if (filter.host_id == 0)
            filter.host_id = -1; /* none is there */
    }
    listing_start(request, &kind, &filter, QUERY_LIMIT);
}

void
handler_instances_delete(struct request *request)
{
    struct instance *instance = find_instance(request);
    struct fault fault;

    if (!instance || !find_is_current(request, instance->rev))
        return;
    if (engine_instance_stop(request->server->engine, instance, "stopped on request", &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_instances_answer(request, instance, MHD_HTTP_ACCEPTED);
    }
}

/* When it is to end: Return: 0, or -1 when the request was refused. */
static int
handler_instances_end(struct request *request, int64_t *ret_ends_at_ms)
{
    const struct wire_request_extend *asked = request->input;
    int64_t now_ms = engine_now_ms(request->server->engine);

    if ((asked->lifetime_ms < 0) == !asked->ends_at) {
        request_refuse_field(request, "", "required", "exactly one of lifetime_s and ends_at");
        return -1;
    }
    if (!asked->ends_at) {
        *ret_ends_at_ms = asked->lifetime_ms > 0 ? now_ms + asked->lifetime_ms : 0;
        return 0;
    }
    if (text_time_parse(asked->ends_at, ret_ends_at_ms) && *ret_ends_at_ms >= now_ms)
        return 0;
    request_refuse_field(request, "/ends_at", "range", "must not be in the past");
    return -1;
}

void
handler_instances_extend(struct request *request)
{
    struct instance *instance = find_instance(request);
    int64_t ends_at_ms;
    struct fault fault;

    if (!instance || !find_is_current(request, instance->rev) ||
        handler_instances_end(request, &ends_at_ms) < 0)
        return;
    if (engine_instance_extend(request->server->engine, instance, ends_at_ms, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_instances_answer(request, instance, MHD_HTTP_OK);
    }
}

void
handler_instances_explain(struct request *request)
{
    const struct instance *instance = find_instance(request);

    if (instance)
        explain_start(request, instance);
}
