/* How things stand with the pools that the token sees. */

#include <string.h>

#include "berth/engine/status.h"

#include "auth.h"
#include "find.h"
#include "handlers.h"

static bool
handler_status_wanted(const struct request *request, const char *pool)
{
    const char *only = request->query.text[QUERY_POOL];

    return auth_sees_pool(request, pool) && (!only || strcmp(only, pool) == 0);
}

static bool
handler_status_blueprint(const void *cookie, const struct blueprint *blueprint)
{
    return handler_status_wanted(cookie, find_blueprint_pool(blueprint));
}

static void
handler_status_pools(const struct request *request, struct json_out *out)
{
    struct engine *engine = request->server->engine;

    json_out_key(out, "pools");
    json_out_array(out);
    IDMAP_EACH(&engine_model(engine)->pools, struct pool, pool)
    {
        if (handler_status_wanted(request, pool->name))
            engine_status_tell(engine, pool, out);
    }
    json_out_array_end(out);
}

static void
handler_status_wrongs(const struct request *request, struct json_out *out)
{
    struct engine *engine = request->server->engine;

    json_out_key(out, "wrong");
    json_out_array(out);
    IDMAP_EACH(&engine_model(engine)->pools, struct pool, pool)
    {
        if (handler_status_wanted(request, pool->name))
            engine_status_wrongs(engine, pool, out);
    }
    engine_status_blueprints(engine, handler_status_blueprint, request, out);
    json_out_array_end(out);
}

void
handler_status_get(struct request *request)
{
    struct engine *engine = request->server->engine;
    const char *only = request->query.text[QUERY_POOL];
    struct json_out out;

    if (only && !auth_pool(request, only))
        return;
    engine_status_count(engine);
    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_time(&out, "at", engine_now_ms(engine));
    handler_status_pools(request, &out);
    handler_status_wrongs(request, &out);
    json_out_object_end(&out);
}
