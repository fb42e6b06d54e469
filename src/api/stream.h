#pragma once

/*
 * An answer without a known end: what its owner writes is kept until the client
 * takes it, up to a bound that the owner watches.
 */

#include "request.h"

enum {
    STREAM_HIGH = 256 * 1024, /* the owner pauses its source beyond this */
    STREAM_LOW = 64 * 1024,   /* and goes on below this */
    STREAM_LIMIT = 8 << 20,   /* whatever cannot be paused ends the stream here */
};

/* Embed it. */
struct stream {
    struct list_node node; /* in server->streams until `gone` */
    struct api_server *server;
    struct request *request; /* NULL: the client is gone, or has all */
    struct buf pending;
    size_t sent;  /* of pending */
    bool waiting; /* the connection is suspended until there is something */
    bool ended;   /* nothing more will be written */
    bool broken;  /* what was sent is not all: the connection is cut instead of ended */
    void (*drained)(struct stream *stream); /* the client has taken nearly all; may be NULL */
    /* The last call, once: nobody listens any more; the owner may free it when its source ended. */
    void (*gone)(struct stream *stream);
};

/** stream_open() - make @stream, zeroed but for its callbacks, the answer to @request with @type
 * (static). Return: 0, or -1 when there are too many (the request is refused). */
int stream_open(struct stream *stream, struct request *request, const char *type);

void stream_write(struct stream *stream, const void *data, size_t len);
/** stream_end() - no more will come; @broken: it should have. Harmless the second time. */
void stream_end(struct stream *stream, bool broken);
/** stream_pending() - bytes that the client has not taken. */
size_t stream_pending(const struct stream *stream);
/** stream_wake() - something was appended to stream->pending. */
void stream_wake(struct stream *stream);
