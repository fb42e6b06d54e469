#pragma once

/* Events from the history: one page of them as JSON, and what both pages and streams share. */

#include "request.h"
#include "scope.h"

/* What a listing of events is narrowed to; owns its texts. */
struct event_filter {
    struct scope scope;
    char kind[64]; /* "": any */
    int64_t host_id;
    int64_t instance_id;
    int64_t pool_id;
};

/** event_page_filter() - from the query and the token of @request. Return: 0, or -1 (refused). */
int event_page_filter(struct request *request, struct event_filter *ret_filter);
/** event_page_store_filter() - the same for the store; borrows from @filter. */
void event_page_store_filter(const struct event_filter *filter, const struct model *model,
                             struct store_filter *ret_filter);
/** event_page_event() - one event as JSON. */
void event_page_event(const struct model *model, const struct event *event, struct json_out *out);
/** event_page_start() - answer @request with a page. */
void event_page_start(struct request *request, const struct event_filter *filter);
