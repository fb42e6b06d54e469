#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "request.h"

enum { REPLY_BODY_SIZE = 960 }; /* most fit, and the allocator has it at hand */

void
reply_init(struct reply *reply)
{
    buf_fini(&reply->body);
    *reply = (struct reply){ .status = 0 };
}

void
reply_fini(struct reply *reply)
{
    if (reply->response)
        MHD_destroy_response(reply->response);
    reply_init(reply);
}

void
reply_json(struct request *request, int status, struct json_out *ret_out)
{
    request->reply.status = status;
    request->reply.type = NULL;
    buf_clear(&request->reply.body);
    (void)buf_reserve(&request->reply.body, REPLY_BODY_SIZE);
    json_out_init(ret_out, &request->reply.body);
}

void
reply_empty(struct request *request, int status)
{
    buf_fini(&request->reply.body);
    request->reply.status = status;
}

bool
reply_etag(struct request *request, int64_t rev)
{
    const char *has = request->headers.if_none_match;

    (void)snprintf(request->reply.etag, REPLY_ETAG_SIZE, "\"%lld\"", (long long)rev);
    if (!has || request->route->method != ROUTE_GET || !reply_etag_matches(has, rev))
        return false;
    reply_empty(request, MHD_HTTP_NOT_MODIFIED);
    return true;
}

bool
reply_etag_matches(const char *list, int64_t rev)
{
    char etag[REPLY_ETAG_SIZE];
    size_t len = (size_t)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)rev);

    while (*list) {
        size_t item = strcspn(list, ",");
        size_t end = item;

        while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        if ((end == 1 && list[0] == '*') || (end == len && memcmp(list, etag, len) == 0))
            return true;
        list += item;
        list += strspn(list, ", \t");
    }
    return false;
}

void
reply_location(struct request *request, const char *collection, const char *id)
{
    (void)snprintf(request->reply.location, REPLY_LOCATION_SIZE, "%s/%s", collection, id);
}

static void
reply_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value[0])
        (void)MHD_add_response_header(response, name, value);
}

static void
reply_allow(struct MHD_Response *response, unsigned allow)
{
    char text[64] = "OPTIONS";
    struct buf list = {
        .data = text, .len = strlen(text), .cap = sizeof(text), .limit = sizeof(text) - 1
    };

    for (int method = 0; method < ROUTE_METHOD_COUNT; method++) {
        if (!(allow & (1U << method)))
            continue;
        buf_append_string(&list, ", ");
        buf_append_string(&list, routes_method_name((enum route_method)method));
        if (method == ROUTE_GET)
            buf_append_string(&list, ", HEAD");
    }
    reply_header(response, MHD_HTTP_HEADER_ALLOW, text);
}

/* Headers that few answers have. */
static void
reply_rare_headers(struct MHD_Response *response, const struct reply *reply)
{
    char number[16];

    reply_header(response, MHD_HTTP_HEADER_ETAG, reply->etag);
    reply_header(response, MHD_HTTP_HEADER_LOCATION, reply->location);
    if (reply->retry_after_s > 0) {
        (void)snprintf(number, sizeof(number), "%d", reply->retry_after_s);
        reply_header(response, MHD_HTTP_HEADER_RETRY_AFTER, number);
    }
    if (reply->allow)
        reply_allow(response, reply->allow);
    if (reply->challenge)
        reply_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"berth\"");
    if (reply->replayed)
        reply_header(response, "Idempotent-Replayed", "true");
    if (reply->close)
        reply_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static struct MHD_Response *
reply_response(struct reply *reply)
{
    size_t len = reply->body.len;

    if (reply->response)
        return STEAL(reply->response);
    if (len == 0)
        return MHD_create_response_from_buffer(0, (char[]){ "" }, MHD_RESPMEM_MUST_COPY);
    return MHD_create_response_from_buffer(len, buf_take(&reply->body), MHD_RESPMEM_MUST_FREE);
}

int
reply_queue(struct request *request)
{
    struct reply *reply = &request->reply;
    bool has_body = reply->response || reply->body.len > 0;
    struct MHD_Response *response = reply_response(reply);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (has_body) {
        reply_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                     reply->type ? reply->type : "application/json");
    }
    reply_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    reply_header(response, "X-Content-Type-Options", "nosniff");
    reply_header(response, "X-Request-Id", request->id);
    reply_rare_headers(response, reply);
    result = MHD_queue_response(request->mhd, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    measure_add(&request->server->measure, routes_index(request->route),
                measure_now_us() - request->began_us, reply->status);
    return result;
}
