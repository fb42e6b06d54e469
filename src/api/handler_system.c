#include "berth/wire/row.h"

#include "handlers.h"
#include "request.h"

void
handler_system_version(struct request *request)
{
    struct engine *engine = request->server->engine;
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_string(&out, "version", request->server->version);
    json_out_kv_string(&out, "cluster", engine_config(engine)->cluster);
    json_out_kv_string(&out, "cluster_id", engine_cluster_id(engine));
    json_out_kv_string(&out, "api", "v1");
    json_out_object_end(&out);
}

void
handler_system_doctor(struct request *request)
{
    struct buf checks = { 0 };
    struct json_out inner;
    struct json_out out;
    size_t failed;

    json_out_init(&inner, &checks);
    failed = engine_doctor(request->server->engine, &inner);
    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_bool(&out, "ok", failed == 0);
    json_out_kv_uint(&out, "failed", failed);
    json_out_key(&out, "checks");
    json_out_raw(&out, buf_text(&checks), checks.len);
    json_out_object_end(&out);
    buf_fini(&checks);
}

static void
handler_system_health(struct request *request, int status, const char *word, const char *reason)
{
    struct json_out out;

    reply_json(request, status, &out);
    json_out_object(&out);
    json_out_kv_string(&out, "status", word);
    json_out_kv_string(&out, "reason", reason);
    json_out_object_end(&out);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        request->reply.retry_after_s = 1;
}

static const char *const handler_system_words[] = {
    [ENGINE_SERVING] = "ok",
    [ENGINE_FULL] = "full",
    [ENGINE_BROKEN] = "broken",
    [ENGINE_STOPPING] = "stopping",
};

void
handler_system_healthz(struct request *request)
{
    struct fault why = { .kind = FAULT_NONE };
    enum engine_health health = engine_health(request->server->engine, &why);

    handler_system_health(request, MHD_HTTP_OK, handler_system_words[health],
                          health == ENGINE_SERVING ? NULL : why.text);
}

void
handler_system_readyz(struct request *request)
{
    struct engine *engine = request->server->engine;
    struct fault why = { .kind = FAULT_NONE };
    enum engine_health health = engine_health(engine, &why);

    if (health != ENGINE_SERVING) {
        handler_system_health(request, MHD_HTTP_SERVICE_UNAVAILABLE, handler_system_words[health],
                              why.text);
    } else if (!engine_ready(engine)) {
        handler_system_health(request, MHD_HTTP_SERVICE_UNAVAILABLE, "starting",
                              "hosts are still being compared with what is known of them");
    } else {
        handler_system_health(request, MHD_HTTP_OK, "ok", NULL);
    }
}
