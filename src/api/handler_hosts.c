#include <string.h>

#include "berth/base/id.h"
#include "berth/wire/request.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "event_stream.h"
#include "find.h"
#include "handlers.h"
#include "host_log.h"
#include "listing.h"

enum { STATE_LIVE = HOST_STATE_COUNT };

static bool
handler_hosts_wanted(const struct listing *listing, const void *row)
{
    const struct host *host = row;
    const struct listing_filter *filter = &listing->filter;
    bool in_state = filter->state == -1 || filter->state == host->state ||
                    (filter->state == STATE_LIVE && host->state != HOST_REMOVED);

    return in_state && (!filter->pool || strcmp(filter->pool, host->pool->name) == 0) &&
           (!filter->name || strcmp(filter->name, host->name) == 0) &&
           scope_sees_pool(&listing->scope, host->pool->name);
}

static void
handler_hosts_row(struct listing *listing, const void *row)
{
    wire_row_host(&listing->out, row, listing->now_ms);
}

static uint64_t
handler_hosts_stamp(const struct listing *listing, const void *row)
{
    return wire_row_host_stamp(row, listing->now_ms);
}

void
handler_hosts_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 'h',
        .map = offsetof(struct model, hosts),
        .wanted = handler_hosts_wanted,
        .render = handler_hosts_row,
        .stamp = handler_hosts_stamp,
    };
    const struct query *query = &request->query;
    struct listing_filter filter = {
        .state = query->number[QUERY_HOST_STATE],
        .pool = query->text[QUERY_POOL],
        .name = query->text[QUERY_NAME],
    };

    listing_start(request, &kind, &filter, QUERY_LIMIT_HOSTS);
}

void
handler_hosts_get(struct request *request)
{
    const struct host *host = find_host(request);
    struct json_out out;

    if (!host || reply_etag(request, host->rev))
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    wire_row_host(&out, host, engine_now_ms(request->server->engine));
}

static void
handler_hosts_answer(struct request *request, const struct host *host, int status)
{
    struct json_out out;

    (void)reply_etag(request, host->rev);
    reply_json(request, status, &out);
    wire_row_host(&out, host, engine_now_ms(request->server->engine));
    request_commit(request);
}

/* The host, and what goes on with it. */
static void
handler_hosts_answer_change(struct request *request, const struct host *host,
                            const struct operation *operation)
{
    char id[ID_TEXT_SIZE];
    struct json_out out;

    reply_location(request, "/v1/operations", id_encode(ID_OPERATION, operation->id, id));
    reply_json(request, MHD_HTTP_ACCEPTED, &out);
    json_out_object(&out);
    json_out_key(&out, "host");
    wire_row_host(&out, host, engine_now_ms(request->server->engine));
    json_out_key(&out, "operation");
    wire_row_operation(&out, operation);
    json_out_object_end(&out);
    request_commit(request);
}

/* Nobody gets an engine without TLS by forgetting a field. */
static bool
handler_hosts_is_good(struct request *request, const struct wire_request_host *asked)
{
    bool is_tcp = asked->engine && strncmp(asked->engine, "tcp://", 6) == 0;
    bool any = asked->ca || asked->cert || asked->key;
    bool all = asked->ca && asked->cert && asked->key;

    if (!asked->engine == !asked->ssh) {
        request_refuse_field(request, "/engine", "required",
                             "either engine (a machine that runs one) or ssh (a bare machine)");
        return false;
    }
    if (!asked->ssh != !asked->host_key) {
        request_refuse_field(request, "/host_key", "required",
                             "ssh and host_key belong together: a machine is never trusted on "
                             "first use; ssh-keyscan -t ed25519 ADDRESS shows its key");
        return false;
    }
    if (asked->ssh && (any || asked->plain)) {
        request_refuse_field(request, "/ssh", "format",
                             "ca, cert, key and plain are of an engine that is there already");
        return false;
    }

    if (any && (!all || !is_tcp || asked->plain)) {
        request_refuse_field(request, "/ca", "required",
                             "ca, cert and key belong together, and to tcp without plain");
        return false;
    }
    if (is_tcp && !any && !asked->plain) {
        request_refuse_field(request, "/ca", "required",
                             "an engine at tcp:// needs ca, cert and key (or plain: true)");
        return false;
    }
    return true;
}

void
handler_hosts_create(struct request *request)
{
    const struct wire_request_host *asked = request->input;
    struct host_request wanted = {
        .pool = asked->pool,
        .name = asked->name,
        .endpoint = { asked->engine, asked->ca, asked->cert, asked->key, asked->plain },
        .ssh = asked->ssh,
        .host_key = asked->host_key,
        .labels = asked->labels,
    };
    struct host *host;
    struct fault fault;
    char id[ID_TEXT_SIZE];

    if (!handler_hosts_is_good(request, asked) || !auth_pool(request, asked->pool))
        return;
    if (engine_host_add(request->server->engine, &wanted, &host, &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    reply_location(request, "/v1/hosts", id_encode(ID_HOST, host->id, id));
    handler_hosts_answer(request, host, MHD_HTTP_CREATED);
}

void
handler_hosts_drain(struct request *request)
{
    const struct wire_request_drain *asked = request->input;
    struct host *host = find_host(request);
    struct operation *operation;
    struct fault fault;

    if (!host || !find_is_current(request, host->rev))
        return;
    if (engine_host_drain(request->server->engine, host, asked->deadline_ms, auth_name(request),
                          &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_hosts_answer_change(request, host, operation);
    }
}

void
handler_hosts_activate(struct request *request)
{
    struct host *host = find_host(request);
    struct fault fault;

    if (!host || !find_is_current(request, host->rev))
        return;
    if (engine_host_activate(request->server->engine, host, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_hosts_answer(request, host, MHD_HTTP_OK);
    }
}

void
handler_hosts_remove(struct request *request)
{
    const struct wire_request_remove *asked = request->input;
    struct host *host = find_host(request);
    struct operation *operation;
    struct fault fault;

    if (!host || !find_is_current(request, host->rev))
        return;
    if (engine_host_remove(request->server->engine, host, asked->force, auth_name(request),
                           &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_hosts_answer_change(request, host, operation);
    }
}

void
handler_hosts_log(struct request *request)
{
    const struct query *query = &request->query;
    const char *last_id = request->headers.last_event_id;
    const struct host *host = find_host(request);
    struct host_log_filter filter = {
        .run = (uint32_t)query->number[QUERY_RUN],
        .failed = query->number[QUERY_FAILED] != 0,
    };

    if (!host)
        return;
    filter.host_id = host->id;
    if (!query->number[QUERY_FOLLOW_HOST]) {
        host_log_page_start(request, &filter, query->number[QUERY_LIMIT]);
    } else if (query_has(query, QUERY_CURSOR) || query_has(query, QUERY_LIMIT)) {
        request_refuse_field(request, "?follow", "conflict",
                             "goes with neither limit nor cursor; Last-Event-ID resumes");
    } else if (last_id && !event_stream_number(last_id, &filter.after)) {
        request_refuse(request, FAULT_INVALID, "Last-Event-ID must be the id of a step");
    } else {
        host_log_stream_start(request, &filter);
    }
}

void
handler_hosts_ssh_key(struct request *request)
{
    struct json_out out;

    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_kv_string(&out, "public_key", engine_ssh_key(request->server->engine));
    json_out_object_end(&out);
}
