#include "explain.h"

#include <string.h>

#include "berth/base/id.h"
#include "berth/engine/status.h"

#include "auth.h"

/* One look into the history on behalf of a request, which is suspended meanwhile. */
struct explain {
    struct store_history history;
    struct request *request;
    bool whole; /* what holds back the pool's growth is told, too */
};

static void explain_on_history(struct store_history *history, const struct fault *fault);

void
explain_start(struct request *request, const struct instance *instance)
{
    struct explain *explain = mem_new0(sizeof(*explain));

    explain->request = request;
    explain->whole = auth_sees_all(request); /* its token may be gone when the answer comes */
    explain->history.kind = HISTORY_DECISION;
    explain->history.limit = 1;
    explain->history.instance_id = instance->id;
    explain->history.done = explain_on_history;
    request_suspend(request);
    engine_history_start(request->server->engine, &explain->history);
}

static void
explain_answer(const struct explain *explain)
{
    const struct store_history *history = &explain->history;
    struct request *request = explain->request;
    struct engine *engine = request->server->engine;
    const struct instance *instance =
        idmap_find(&engine_model(engine)->instances, history->instance_id);
    char id[ID_TEXT_SIZE];
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_string(&out, "instance", id_encode(ID_INSTANCE, history->instance_id, id));
    json_out_key(&out, "decision");
    if (history->count > 0) {
        json_out_raw(&out, history->decisions[0].json, strlen(history->decisions[0].json));
    } else {
        json_out_null(&out);
    }
    json_out_key(&out, "now");
    if (instance) {
        engine_explain(engine, instance, &out);
    } else {
        json_out_null(&out);
    }
    json_out_key(&out, "growth");
    if (instance && instance->state == INSTANCE_QUEUED && explain->whole) {
        engine_status_growth(engine, instance->pool, &out);
    } else {
        json_out_null(&out);
    }
    json_out_object_end(&out);
}

static void
explain_on_history(struct store_history *history, const struct fault *fault)
{
    struct explain *explain = CONTAINER_OF(history, struct explain, history);
    struct request *request = explain->request;

    if (fault) {
        request_fail(request, fault);
    } else {
        explain_answer(explain);
    }
    mem_free(explain);
    request_finish(request);
}
