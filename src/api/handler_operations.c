#include <string.h>

#include "berth/base/id.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "find.h"
#include "handlers.h"
#include "listing.h"

static bool
handler_operations_wanted(const struct listing *listing, const void *row)
{
    const struct operation *operation = row;

    return (listing->filter.state == -1 || listing->filter.state == operation->state) &&
           scope_sees(&listing->scope,
                      &(struct scope_row){ .pool = operation->pool, .owner = operation->owner });
}

static void
handler_operations_row(struct listing *listing, const void *row)
{
    wire_row_operation(&listing->out, row);
}

void
handler_operations_list(struct request *request)
{
    static const struct listing_kind kind = {
        .letter = 'o',
        .map = offsetof(struct model, operations),
        .wanted = handler_operations_wanted,
        .render = handler_operations_row,
    };
    struct listing_filter filter = { .state = request->query.number[QUERY_OPERATION_STATE] };

    listing_start(request, &kind, &filter, QUERY_LIMIT);
}

void
handler_operations_get(struct request *request)
{
    const struct operation *operation = find_operation(request);
    struct json_out out;

    if (!operation)
        return;
    reply_json(request, MHD_HTTP_OK, &out);
    wire_row_operation(&out, operation);
}

void
handler_operations_accepted(struct request *request, const struct operation *operation)
{
    char id[ID_TEXT_SIZE];
    struct json_out out;

    reply_location(request, "/v1/operations", id_encode(ID_OPERATION, operation->id, id));
    reply_json(request, MHD_HTTP_ACCEPTED, &out);
    wire_row_operation(&out, operation);
    request_commit(request);
}

void
handler_operations_cancel(struct request *request)
{
    struct operation *operation = find_operation(request);
    struct fault fault;

    if (!operation)
        return;
    if (engine_operation_cancel(request->server->engine, operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}

void
handler_operations_housekeep(struct request *request)
{
    struct operation *operation;
    struct fault fault;

    if (engine_housekeep(request->server->engine, auth_name(request), &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}
