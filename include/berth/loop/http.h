#pragma once

/*
 * HTTP exchanges as operations, through libcurl's multi interface.  One multi
 * handle's cost grows with its connections, so hosts are spread over shards;
 * easy handles are pooled.
 *
 * Each exchange has four deadlines: to connect (TLS included), to the head of
 * the answer, between two pieces of the body, and in all.
 *
 * A kept connection may turn out to be dead when it is used again.  Then the
 * request goes out once more on a new one, but only if it changes nothing the
 * second time (GET, HEAD, OPTIONS, PUT, DELETE: RFC 9110 9.2.2) or not a byte of
 * it had been written; otherwise it ends with FAULT_LOST and the caller decides.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/buf.h"
#include "berth/base/fault.h"
#include "berth/loop/loop.h"

struct http;

/* Where to: one peer, whose connections are kept and reused. Borrowed strings. */
struct http_peer {
    int64_t key;           /* picks the shard; e.g. a host's id */
    const char *unix_path; /* NULL: by the URL's address */
    const char *ca;        /* PEM files; NULL: none */
    const char *cert;
    const char *tls_key;
    bool proxied; /* by http_proxy_from_env()'s, if there is one for the URL */
};

struct http_header {
    const char *name;
    const char *value;
};

/* One exchange.  Embed it; borrowed fields live until done. */
struct http_op {
    /* In. */
    struct http_peer peer;
    const char *method;                /* "GET", ... */
    const char *url;                   /* absolute; "http://localhost/..." with unix_path */
    const struct http_header *headers; /* [header_count]; values may be secret: never logged */
    size_t header_count;
    const char *body; /* NULL: none */
    size_t body_len;
    bool fresh;          /* on a connection of its own, whatever is kept */
    int body_fd;         /* if body is NULL and body_len > 0: a regular file, whose body_len bytes
                               from its offset are sent; the offset does not move */
    size_t answer_limit; /* most bytes kept in @answer; beyond: FAULT_GARBLED */
    bool secret;         /* the answer may be: no copy of it is left in freed memory */
    int64_t connect_ms;  /* deadlines; 0: the default (5 s) */
    int64_t head_ms;     /* from the request's last byte to the answer's head; 0: 30 s */
    int64_t progress_ms; /* between two pieces of the body, also of the request's; 0: 30 s,
                               -1: none */
    int64_t total_ms;    /* 0: none */
    /* NULL: the body is kept in @answer.  Else it is called with each piece and nothing is kept.
     * Return: 0 to go on; -1 ends the exchange with FAULT_CANCELLED. */
    int (*on_body)(struct http_op *op, const char *data, size_t len);
    void (*on_sent)(struct http_op *op, int64_t sent); /* progress of body_fd; may be NULL */

    /* Out. */
    int status;         /* 0: no answer; known before the first on_body */
    struct buf *answer; /* the body; borrowed, valid inside done only: buf_take() keeps its bytes */
    int64_t took_us;
    int64_t date_ms; /* the answer's Date, the peer's clock: Unix epoch, whole seconds; 0: none */

    /* Exactly once, from the loop, never from inside http_start(); last touch.  A fault means that
     * there is no whole answer: FAULT_UNREACHABLE (nothing was sent), FAULT_TLS, FAULT_TIMEOUT,
     * FAULT_LOST, FAULT_GARBLED, FAULT_CANCELLED, FAULT_BUG (a header with a control character, a
     * body_fd that ends early).  Statuses of 400 and more are no fault here. */
    void (*done)(struct http_op *op, const struct fault *fault);
    void *adapter;
};

/** http_new() - the process ignores SIGPIPE from now on. */
struct http *http_new(struct loop *loop);
/** http_free() - all operations must have ended. */
void http_free(struct http *http);
/** http_proxy_from_env() - exchanges with peers that are @proxied go by the proxy that the environment names, as
 * the SDKs know it: https_proxy or HTTPS_PROXY, http_proxy or HTTP_PROXY, but for what no_proxy or NO_PROXY
 * lists.  Never to this machine itself, nor to a link-local address.  A proxy's password is told nobody else.
 * @get: getenv(), or what stands for it; called now only, and its texts are copied */
void http_proxy_from_env(struct http *http, const char *(*get)(const char *name));

void http_start(struct http *http, struct http_op *op);
/** http_cancel() - done still comes, with FAULT_CANCELLED, in this turn or the next. */
void http_cancel(struct http *http, struct http_op *op);
/** http_pause() - stop reading the body until resumed; progress_ms does not run meanwhile. */
void http_pause(struct http *http, struct http_op *op, bool paused);
/** http_peer_close() - close idle connections to the peer with this key. */
void http_peer_close(struct http *http, int64_t key);
