#include "stream.h"

#include <assert.h>
#include <string.h>

#include "connection.h"
#include "listener.h"

static ssize_t stream_on_read(void *cookie, uint64_t at, char *data, size_t most);
static void stream_on_free(void *cookie);

int
stream_open(struct stream *stream, struct request *request, const char *type)
{
    struct api_server *server = request->server;
    struct MHD_Response *response;

    assert(stream->gone && !stream->request);
    if (server->streams.count >= server->limits.streams) {
        request_refuse(request, FAULT_RATE_LIMITED, "there are %zu streams open already",
                       server->streams.count);
        return -1;
    }
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_LOW, stream_on_read,
                                                 stream, stream_on_free);
    if (!response) {
        request_refuse(request, FAULT_BUG, "cannot make a stream");
        return -1;
    }
    stream->server = server;
    stream->request = request;
    buf_init(&stream->pending, STREAM_LIMIT);
    list_push(&server->streams, &stream->node);
    request->stream = stream;
    request->reply.status = MHD_HTTP_OK;
    request->reply.type = type;
    request->reply.response = response;
    return 0;
}

size_t
stream_pending(const struct stream *stream)
{
    return stream->pending.len - stream->sent;
}

void
stream_wake(struct stream *stream)
{
    if (stream->pending.overflow && !stream->ended)
        stream->ended = stream->broken = true;
    if (!stream->waiting || !stream->request)
        return;
    stream->waiting = false;
    MHD_resume_connection(stream->request->mhd);
    listener_poke(stream->request->connection->listener);
}

void
stream_write(struct stream *stream, const void *data, size_t len)
{
    if (!stream->request || stream->ended)
        return;
    buf_append(&stream->pending, data, len);
    stream_wake(stream);
}

void
stream_end(struct stream *stream, bool broken)
{
    if (stream->ended)
        return;
    stream->ended = true;
    stream->broken = broken;
    stream_wake(stream);
}

static ssize_t
stream_on_read(void *cookie, uint64_t at, char *data, size_t most)
{
    struct stream *stream = cookie;
    size_t left = stream_pending(stream);

    (void)at;
    if (left == 0 && stream->broken) {
        /* microhttpd would notice only at the socket's next sign of life. */
        connection_cut(stream->request->connection);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (left == 0 && stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        assert(stream->request);
        stream->waiting = true;
        MHD_suspend_connection(stream->request->mhd);
        return 0;
    }
    if (left > most)
        left = most;
    memcpy(data, stream->pending.data + stream->sent, left);
    stream->sent += left;
    if (stream->sent > stream->pending.len / 2) { /* each byte is moved once on the average */
        buf_consume(&stream->pending, stream->sent);
        stream->sent = 0;
    }
    if (stream->drained && !stream->ended && stream_pending(stream) < STREAM_LOW)
        stream->drained(stream);
    return (ssize_t)left;
}

static void
stream_on_free(void *cookie)
{
    struct stream *stream = cookie;

    if (stream->request)
        stream->request->stream = NULL;
    stream->request = NULL;
    stream->ended = true;
    list_remove(&stream->server->streams, &stream->node);
    buf_fini(&stream->pending);
    stream->sent = 0;
    stream->gone(stream);
}
