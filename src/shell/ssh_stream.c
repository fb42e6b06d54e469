#include "ssh_stream.h"

#include <assert.h>
#include <string.h>

enum { STREAM_MARK_LEN = SSH_TOKEN_SIZE /* 0x1e and 32 digits */, STREAM_CODE_MAX = 255 };

#define STREAM_SIGN '\036'

void
ssh_stream_init(struct ssh_stream *stream, const char token[SSH_TOKEN_SIZE],
                void (*emit)(struct ssh_stream *stream, const char *data, size_t len))
{
    *stream = (struct ssh_stream){ .emit = emit };
    stream->mark[0] = STREAM_SIGN;
    memcpy(stream->mark + 1, token, SSH_TOKEN_SIZE);
}

static void
ssh_stream_pass(struct ssh_stream *stream, const char *data, size_t len)
{
    size_t room = SSH_NOISE_MAX - stream->noise_len;

    if (len == 0 || !data || stream->phase == SSH_STREAM_ENDED)
        return;
    if (stream->phase == SSH_STREAM_INSIDE) {
        stream->emit(stream, data, len);
        return;
    }
    if (len > room)
        len = room;
    memcpy(stream->noise + stream->noise_len, data, len);
    stream->noise_len += len;
}

/* Behind the token: "+\n" begins, " CODE\n" ends. Return: whether what is held may still become a mark. */
static bool
ssh_stream_may_be_mark(const struct ssh_stream *stream)
{
    const char *tail = stream->held + STREAM_MARK_LEN;
    size_t len = stream->held_len - STREAM_MARK_LEN;
    size_t digits = len > 0 ? strspn(tail + 1, "0123456789") : 0;

    if (len == 0)
        return true;
    if (stream->phase == SSH_STREAM_BEFORE)
        return tail[0] == '+' && (len == 1 || tail[1] == '\n');
    if (tail[0] != ' ' || digits > 3)
        return false;
    return len == 1 + digits || (digits > 0 && tail[1 + digits] == '\n');
}

static void
ssh_stream_take_mark(struct ssh_stream *stream)
{
    const char *digit = stream->held + STREAM_MARK_LEN + 1;

    stream->held_len = 0;
    if (stream->phase == SSH_STREAM_BEFORE) {
        stream->phase = SSH_STREAM_INSIDE;
        return;
    }
    stream->phase = SSH_STREAM_ENDED;
    for (stream->code = 0; *digit != '\n'; digit++)
        stream->code = stream->code * 10 + (*digit - '0');
    if (stream->code > STREAM_CODE_MAX)
        stream->code = STREAM_CODE_MAX;
}

/* Only its first byte can begin a mark, so what proves to be none is output up to the newest byte. */
static void
ssh_stream_hold(struct ssh_stream *stream, char c)
{
    bool matches = stream->held_len < STREAM_MARK_LEN ? c == stream->mark[stream->held_len] : true;

    assert(stream->held_len < SSH_MARK_MAX - 1);
    if (matches) {
        stream->held[stream->held_len++] = c;
        stream->held[stream->held_len] = '\0';
        matches = stream->held_len <= STREAM_MARK_LEN || ssh_stream_may_be_mark(stream);
        if (matches && c == '\n')
            ssh_stream_take_mark(stream);
        if (matches)
            return;
        stream->held_len--;
    }
    ssh_stream_pass(stream, stream->held, stream->held_len);
    stream->held_len = 0;
    if (c == STREAM_SIGN) {
        stream->held[stream->held_len++] = c;
    } else {
        ssh_stream_pass(stream, &c, 1);
    }
}

void
ssh_stream_feed(struct ssh_stream *stream, const char *data, size_t len)
{
    while (len > 0 && stream->phase != SSH_STREAM_ENDED) {
        const char *sign = stream->held_len > 0 ? data : memchr(data, STREAM_SIGN, len);
        size_t plain = sign ? (size_t)(sign - data) : len;

        ssh_stream_pass(stream, data, plain);
        data += plain;
        len -= plain;
        if (len > 0) {
            ssh_stream_hold(stream, *data++);
            len--;
        }
    }
}
