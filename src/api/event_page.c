#include "event_page.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "find.h"
#include "listing.h"

struct event_page {
    struct store_history history;
    struct request *request;
};

/* Cursors of the two orders are not the same. */
enum { EVENT_OLDEST = 'e', EVENT_NEWEST = 'E' };

static void event_page_on_history(struct store_history *history, const struct fault *fault);

int
event_page_filter(struct request *request, struct event_filter *ret_filter)
{
    const struct query *query = &request->query;
    const struct pool *pool;

    memset(ret_filter, 0, sizeof(*ret_filter));
    scope_of(request, &ret_filter->scope);
    if (query_has(query, QUERY_KIND))
        (void)snprintf(ret_filter->kind, sizeof(ret_filter->kind), "%s", query->text[QUERY_KIND]);
    if (query_has(query, QUERY_HOST)) {
        ret_filter->host_id = find_host_id(request, query->text[QUERY_HOST]);
        if (ret_filter->host_id == 0)
            ret_filter->host_id = -1;
    }
    if (query_has(query, QUERY_INSTANCE))
        (void)id_decode(ID_INSTANCE, query->text[QUERY_INSTANCE], &ret_filter->instance_id);
    if (query_has(query, QUERY_POOL)) {
        pool = auth_pool(request, query->text[QUERY_POOL]);
        if (!pool)
            return -1;
        ret_filter->pool_id = pool->id;
    }
    return 0;
}

void
event_page_store_filter(const struct event_filter *filter, const struct model *model,
                        struct store_filter *ret_filter)
{
    *ret_filter = (struct store_filter){
        .kind = filter->kind[0] ? filter->kind : NULL,
        .host_id = filter->host_id,
        .instance_id = filter->instance_id,
        .pool_id = filter->pool_id,
    };
    scope_filter(&filter->scope, model, ret_filter);
}

void
event_page_event(const struct model *model, const struct event *event, struct json_out *out)
{
    const struct pool *pool = event->pool_id ? idmap_find(&model->pools, event->pool_id) : NULL;

    wire_row_event(out, event, pool ? pool->name : NULL);
}

void
event_page_start(struct request *request, const struct event_filter *filter)
{
    const struct query *query = &request->query;
    struct event_page *page = mem_new0(sizeof(*page));
    struct store_history *history = &page->history;

    history->newest_first = query->number[QUERY_ORDER] == 1 && query_has(query, QUERY_ORDER);
    if (query_has(query, QUERY_AFTER) && !history->newest_first)
        history->after = query->number[QUERY_AFTER];
    if (query_has(query, QUERY_CURSOR) &&
        !listing_cursor_decode(history->newest_first ? EVENT_NEWEST : EVENT_OLDEST,
                               query->text[QUERY_CURSOR], &history->after)) {
        mem_free(page);
        request_refuse_field(request, "?cursor", "format", "is not a cursor of this list");
        return;
    }
    page->request = request;
    history->kind = HISTORY_EVENTS;
    history->limit = query->number[QUERY_LIMIT];
    history->done = event_page_on_history;
    event_page_store_filter(filter, api_model(request->server), &history->filter);
    request_suspend(request);
    engine_history_start(request->server->engine, history);
}

static void
event_page_answer(struct request *request, const struct store_history *history)
{
    const struct model *model = api_model(request->server);
    char cursor[CURSOR_SIZE];
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_key(&out, "items");
    json_out_array(&out);
    for (size_t i = 0; i < history->count; i++)
        event_page_event(model, &history->events[i], &out);
    json_out_array_end(&out);
    json_out_key(&out, "next");
    if (history->count > 0 && (int64_t)history->count == history->limit) {
        listing_cursor_encode(history->newest_first ? EVENT_NEWEST : EVENT_OLDEST,
                              history->events[history->count - 1].seq, cursor);
        json_out_string(&out, cursor);
    } else {
        json_out_null(&out);
    }
    json_out_key(&out, "oldest_seq");
    if (history->oldest_seq > 0) {
        json_out_int(&out, history->oldest_seq);
    } else {
        json_out_null(&out);
    }
    json_out_object_end(&out);
}

static void
event_page_on_history(struct store_history *history, const struct fault *fault)
{
    struct event_page *page = CONTAINER_OF(history, struct event_page, history);
    struct request *request = page->request;

    if (fault) {
        request_fail(request, fault);
    } else {
        event_page_answer(request, history);
    }
    mem_free(page);
    request_finish(request);
}
