#pragma once

/*
 * One of the two streams of a script: what lies between the mark that says that it begins and the one
 * that says with which code it ended.  A mark is the byte 0x1e, the token, and "+\n" or " CODE\n".
 */

#include <stdbool.h>
#include <stddef.h>

#include "ssh_wrap.h"

enum {
    SSH_MARK_MAX = SSH_TOKEN_SIZE + 6, /* bytes */
    SSH_NOISE_MAX = 160,               /* bytes of what came before the first mark that are kept */
};

enum ssh_stream_phase {
    SSH_STREAM_BEFORE, /* login scripts, or the reason why it never begins */
    SSH_STREAM_INSIDE,
    SSH_STREAM_ENDED, /* what comes now is of nobody */
};

struct ssh_stream {
    enum ssh_stream_phase phase;
    char mark[SSH_TOKEN_SIZE + 1]; /* what each mark begins with; no NUL */
    char held[SSH_MARK_MAX];       /* bytes that may turn out to be a mark */
    size_t held_len;
    char noise[SSH_NOISE_MAX + 1];
    size_t noise_len;
    int code; /* once it ended */
    /* Output, in pieces. */
    void (*emit)(struct ssh_stream *stream, const char *data, size_t len);
};

/** ssh_stream_init() - nothing came yet. */
void ssh_stream_init(struct ssh_stream *stream, const char token[SSH_TOKEN_SIZE],
                     void (*emit)(struct ssh_stream *stream, const char *data, size_t len));
/** ssh_stream_feed() - @len bytes came. */
void ssh_stream_feed(struct ssh_stream *stream, const char *data, size_t len);
