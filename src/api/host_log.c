#include "host_log.h"

#include "berth/base/id.h"

#include "listing.h"

enum { HOST_LOG_CURSOR = 's' };

struct host_log_page {
    struct store_history history;
    struct engine_wait wait;
    struct host_log_filter filter;
    struct request *request;
};

static void host_log_page_on_durable(struct engine_wait *wait, const struct fault *fault);
static void host_log_page_on_history(struct store_history *history, const struct fault *fault);

void
host_log_step(struct json_out *out, const struct store_step *step, bool running)
{
    char id[ID_TEXT_SIZE];

    json_out_object(out);
    json_out_kv_string(out, "host", id_encode(ID_HOST, step->host_id, id));
    json_out_kv_int(out, "run", step->run);
    json_out_kv_int(out, "step", step->step);
    json_out_kv_int(out, "steps", step->steps);
    json_out_kv_string(out, "name", step->name);
    json_out_kv_string(out, "state", running ? "running" : shell_end_name(step->ended));
    json_out_kv_time(out, "started_at", step->started_at_ms);
    json_out_key(out, "took_s");
    json_out_milli(out, step->took_ms);
    json_out_kv_string(out, "reason", step->reason);
    json_out_kv_int(out, "cut_bytes", step->cut_bytes);
    json_out_key(out, "output");
    json_out_string_n(out, step->len > 0 ? step->output : "", step->len);
    json_out_object_end(out);
}

bool
host_log_live(const struct engine *engine, const struct host_log_filter *filter,
              struct store_step *ret_step)
{
    const struct host *host = idmap_find(&engine_model(engine)->hosts, filter->host_id);

    return host && !filter->failed && engine_host_step(engine, host, ret_step) &&
           (filter->run == 0 || filter->run == ret_step->run) &&
           store_step_place(ret_step->run, ret_step->step) > filter->after;
}

void
host_log_page_start(struct request *request, const struct host_log_filter *filter, int64_t limit)
{
    struct host_log_page *page = mem_new0(sizeof(*page));
    struct engine *engine = request->server->engine;

    page->filter = *filter;
    if (query_has(&request->query, QUERY_CURSOR) &&
        !listing_cursor_decode(HOST_LOG_CURSOR, request->query.text[QUERY_CURSOR],
                               &page->filter.after)) {
        mem_free(page);
        request_refuse_field(request, "?cursor", "format", "is not a cursor of this list");
        return;
    }
    page->request = request;
    page->history = (struct store_history){
        .kind = HISTORY_STEPS,
        .host_id = filter->host_id,
        .after = page->filter.after,
        .run = filter->run,
        .failed = filter->failed,
        .limit = limit,
        .done = host_log_page_on_history,
    };
    page->wait.done = host_log_page_on_durable;
    request_suspend(request);
    /* A step that has just ended is in neither place before it is durable. */
    if (engine_health(engine, NULL) == ENGINE_SERVING) {
        engine_wait_durable(engine, &page->wait);
    } else {
        engine_history_start(engine, &page->history);
    }
}

static void
host_log_page_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct host_log_page *page = CONTAINER_OF(wait, struct host_log_page, wait);

    (void)fault; /* what is there can be read all the same */
    engine_history_start(page->request->server->engine, &page->history);
}

static void
host_log_page_answer(const struct host_log_page *page, bool preparing)
{
    const struct store_history *history = &page->history;
    struct request *request = page->request;
    struct host_log_filter rest = page->filter;
    struct store_step live;
    char cursor[CURSOR_SIZE];
    struct json_out out;
    bool more;
    bool is_live;

    if (history->count > 0) {
        const struct store_step *last = &history->steps[history->count - 1];

        rest.after = store_step_place(last->run, last->step);
    }
    is_live = host_log_live(request->server->engine, &rest, &live);
    more = history->more || (is_live && (int64_t)history->count == history->limit);
    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_key(&out, "items");
    json_out_array(&out);
    for (size_t i = 0; i < history->count; i++)
        host_log_step(&out, &history->steps[i], false);
    if (is_live && !more)
        host_log_step(&out, &live, true);
    json_out_array_end(&out);
    listing_cursor_encode(HOST_LOG_CURSOR, rest.after, cursor);
    json_out_kv_string(&out, "next", more ? cursor : NULL);
    json_out_kv_bool(&out, "preparing", preparing);
    json_out_object_end(&out);
}

static void
host_log_page_on_history(struct store_history *history, const struct fault *fault)
{
    struct host_log_page *page = CONTAINER_OF(history, struct host_log_page, history);
    struct request *request = page->request;
    const struct engine *engine = request->server->engine;
    const struct host *host = idmap_find(&engine_model(engine)->hosts, page->filter.host_id);

    if (fault) {
        request_fail(request, fault);
    } else {
        host_log_page_answer(page, host && engine_host_is_preparing(engine, host));
    }
    mem_free(page);
    request_finish(request);
}
