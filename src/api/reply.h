#pragma once

/*
 * An answer in the making.  Its body is rendered into a buffer that microhttpd
 * takes over, or it is a stream, a file or a list of blocks made elsewhere.
 */

#include "berth/base/buf.h"
#include "berth/base/json.h"

struct request;
struct MHD_Response;

enum { REPLY_LOCATION_SIZE = 96, REPLY_ETAG_SIZE = 24 };

struct reply {
    int status; /* 0: not answered yet */
    struct buf body;
    const char *type;                   /* static; NULL: application/json */
    char etag[REPLY_ETAG_SIZE];         /* quoted; "": none */
    char location[REPLY_LOCATION_SIZE]; /* "": none */
    int retry_after_s;                  /* 0: none */
    unsigned allow;                     /* methods for Allow, a bit each; 0: none */
    bool challenge;                     /* WWW-Authenticate */
    bool replayed;                      /* kept from an earlier request */
    bool close;                         /* the connection cannot be used any more */
    struct MHD_Response *response;      /* made elsewhere, owned; NULL: from body */
};

/** reply_init() / reply_fini() */
void reply_init(struct reply *reply);
void reply_fini(struct reply *reply);

/** reply_json() - begin a JSON body with @status; the writer appends to it. */
void reply_json(struct request *request, int status, struct json_out *ret_out);
/** reply_empty() - @status without a body. */
void reply_empty(struct request *request, int status);
/** reply_etag() - a row's revision. Return: whether the client has it already (304 is set then). */
bool reply_etag(struct request *request, int64_t rev);
/** reply_etag_matches() - whether the header value @list (If-Match) names revision @rev. */
bool reply_etag_matches(const char *list, int64_t rev);
/** reply_location() - @collection "/v1/instances", @id */
void reply_location(struct request *request, const char *collection, const char *id);

/** reply_queue() - hand the answer to microhttpd. Return: MHD_YES or MHD_NO. */
int reply_queue(struct request *request);
