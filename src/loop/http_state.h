#pragma once

/*
 * What the files http*.c share.
 *
 *   http.c           operations: start, cancel, pause, done; one pass per turn
 *   http_exchange.c  one exchange: phases, deadlines, how it ends
 *   http_request.c   what goes out: options, headers, body, may it be sent twice
 *   http_answer.c    what comes in: head and body
 *   http_fault.c     libcurl's codes as faults
 *   http_shard.c     a multi handle and its descriptors
 *   http_proxy.c     whether an exchange goes by a proxy
 *
 * libcurl forbids most calls from inside its callbacks, so those only note what
 * happened; http_pass(), at the end of the turn, acts on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "berth/base/list.h"
#include "berth/base/secret.h"
#include "berth/loop/http.h"

enum {
    HTTP_SHARDS = 128,
    HTTP_SHARD_PEERS = 100, /* one multi handle's cost grows with its connections */
    HTTP_SHARD_KEPT = 512,  /* idle connections of one shard */
    HTTP_POOL_MAX = 64,     /* unused exchanges, with their easy handles */
    HTTP_HEAD_MAX = 256 * 1024,
    HTTP_INLINE_MAX = 48 * 1024, /* a body up to this size leaves together with the head */
};

struct http_shard {
    struct http *http;
    CURLM *multi;             /* owned */
    struct clock_timer timer; /* libcurl's own */
    struct list_node node;    /* in http->touched: it may have messages, or a timer that is due */
};

/* A connection's descriptor, whose number is the index. */
struct http_socket {
    struct http_shard *shard; /* NULL: not ours */
    int64_t key;              /* the peer's */
    bool watched;
    bool idle; /* kept for the next exchange */
};

struct http {
    struct secret *proxies[2]; /* owned; for https and for http; NULL: none */
    char *no_proxy;            /* owned; NULL: there is no proxy */
    struct loop *loop;
    const struct clock_port *clock;
    struct http_shard *shards[HTTP_SHARDS]; /* owned; NULL until used */
    struct http_socket *sockets;            /* [socket_cap], owned */
    size_t socket_cap;
    int epoll;
    struct loop_fd epoll_fd;

    /* Every exchange in use is in one of these. */
    struct list starting;
    struct list running;
    struct list resuming; /* running, and to be resumed */
    struct list ended;    /* done has not been called */

    struct list pool;    /* unused exchanges */
    struct list touched; /* shards */
    struct clock_timer pass;
};

enum http_phase {
    HTTP_CONNECTING, /* TLS included */
    HTTP_SENDING,    /* a body that is read piece by piece */
    HTTP_WAITING,    /* for the head of the answer */
    HTTP_RECEIVING,
};

/* Our part of an operation. */
struct http_exchange {
    struct list_node node; /* in *list */
    struct list *list;
    struct http *http;
    struct http_shard *shard; /* NULL: not in its multi handle */
    struct http_op *op;
    CURL *easy;                 /* owned */
    struct curl_slist *headers; /* owned */
    struct buf answer;          /* owned */

    enum http_phase phase;
    bool connected;    /* to the peer itself, by a proxy or not: the request went out next */
    bool ended;        /* its fate is known: nothing of it is told but done */
    bool paused;       /* by the caller */
    bool held;         /* and by libcurl, at the piece that came next */
    int64_t body_from; /* offset in body_fd */
    size_t body_sent;
    size_t head_len;
    long tunnel_size; /* bytes that were written to the proxy before */

    struct clock_timer deadline;
    int64_t began_mono_ms;
    int64_t moved_mono_ms; /* the phase began, or a piece came or went */
    uint64_t began_ns;
    struct fault fault;
    char error[CURL_ERROR_SIZE];
};
