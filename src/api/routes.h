#pragma once

/*
 * The one table of routes.  Matching, 405 and Allow, OPTIONS, authorization,
 * decoding of bodies and queries, and /openapi.json all come from it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/schema.h"

struct request;

enum { ROUTE_SEGMENTS_MAX = 5, ROUTE_PUBLIC = -1 };

enum route_method {
    ROUTE_GET,
    ROUTE_POST,
    ROUTE_PUT,
    ROUTE_DELETE,
    ROUTE_METHOD_COUNT,
    ROUTE_OPTIONS = ROUTE_METHOD_COUNT,
    ROUTE_HEAD,
    ROUTE_OTHER,
};

enum route_flags {
    ROUTE_BODY_OPTIONAL = 1 << 0, /* an empty body stands for {} */
    ROUTE_UPLOAD = 1 << 1,        /* the body is an archive that goes to the spool */
    ROUTE_SECRET = 1 << 2,        /* the answer is not kept for Idempotency-Key as it is */
    ROUTE_STREAMS = 1 << 3,       /* may answer with a stream: see `stream_type` */
    ROUTE_IF_MATCH = 1 << 4,
    ROUTE_ETAG = 1 << 5,
    ROUTE_ACTS = 1 << 6,     /* a POST that changes nothing in the model (exec) */
    ROUTE_REVISION = 1 << 7, /* the body names what it rests on: 412 when that has moved */
};

struct route {
    enum route_method method;
    int role;         /* least enum token_role; ROUTE_PUBLIC: no token */
    const char *path; /* "/v1/instances/{id}/logs" */
    void (*handler)(struct request *request);
    unsigned flags;
    uint32_t query;            /* QUERY_BIT()s */
    const struct schema *body; /* NULL: none */
    int status;                /* of success */
    const char *answer;        /* name of its shape; NULL: no body */
    const char *stream_type;   /* media type of a stream or other content; NULL: none */
    const char *name;          /* operationId; also in metrics */
    const char *summary;
};

extern const struct route routes[];
extern const size_t routes_count;

/** routes_index() - index of @route in the table. */
int routes_index(const struct route *route);

/** routes_prepare() - once, before the first lookup. */
void routes_prepare(void);

/**
 * routes_find() - the route for @method and the decoded @segments [@count]
 * @ret_allow: bits of the methods that this path has; 0: no such path
 *
 * Return: the route, or NULL.
 */
const struct route *routes_find(enum route_method method, const char *const *segments, size_t count,
                                unsigned *ret_allow);

enum route_method routes_method(const char *name);
const char *routes_method_name(enum route_method method);
