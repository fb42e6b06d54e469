#pragma once

/*
 * What the files of this layer share: the server, its listeners, its
 * connections.
 *
 *   api_server ── listener (one microhttpd daemon each) ── connection ── request
 *
 * A request lives from its first line until microhttpd has sent the answer.  It
 * may be suspended in between, to wait for the disk or for a host's engine.
 */

#include <microhttpd.h>

#include "berth/api/server.h"
#include "berth/base/list.h"
#include "berth/engine/engine.h"
#include "berth/loop/loop.h"

#include "listing_cache.h"
#include "measure.h"

enum {
    API_HEAD_MAX = 16384,    /* bytes of a request's line and headers, about */
    API_URI_MAX = 4096,      /* bytes of a request's target */
    API_KEY_MAX = 128,       /* characters of an Idempotency-Key */
    API_REQUEST_ID_MAX = 64, /* characters of an X-Request-Id */
    API_AUTH_MAX = 256,      /* characters of an Authorization header */
    API_TICK_MS = 500,       /* connections are looked at this often */
    API_STOP_MS = 5000,
    API_STOP_TICK_MS = 20,
    API_LISTENERS_MAX = 8,
    API_CONNECTIONS_SPARE = 256, /* to accept one before another was cut for it */
};

struct request;

enum connection_phase {
    CONNECTION_HEAD, /* no request yet, or a part of its head */
    CONNECTION_BODY, /* the body of a JSON request is coming */
    CONNECTION_BUSY, /* ours to answer, or an archive is coming */
};

/* One socket. */
struct connection {
    struct list_node node; /* in listener->connections: longest in its phase first */
    struct listener *listener;
    struct MHD_Connection *mhd;
    int fd;
    enum connection_phase phase;
    int64_t since_mono_ms;
    struct request *request; /* NULL: none */
    char *auth;              /* owned, wiped: the last Authorization header; NULL: none */
    uint8_t auth_digest[TEXT_SHA256_SIZE];
};

/* One address. */
struct listener {
    struct api_server *server;
    struct MHD_Daemon *daemon;
    struct loop_fd fd;        /* the daemon's epoll descriptor */
    struct clock_timer timer; /* when the daemon wants to run without being woken */
    struct list connections;
    size_t cut;                /* of connections: shut down, and soon closed */
    char *address;             /* owned, as it was given */
    char *unix_path;           /* owned; NULL: TCP */
    int64_t denied_milli;      /* failed authentications that may still happen, in thousandths */
    int64_t denied_at_mono_ms; /* of denied_milli */
};

struct api_server {
    struct loop *loop;
    struct engine *engine;
    const struct clock_port *clock;
    struct api_limits limits;
    char *version;  /* owned */
    char *temp_dir; /* owned */
    int64_t (*loop_lag_us)(void *cookie);
    void *cookie;

    struct listener listeners[API_LISTENERS_MAX];
    size_t listener_count;

    struct list spare;       /* struct request, to be used again */
    struct list suspended;   /* struct request */
    struct list streams;     /* struct stream */
    struct list events;      /* struct event_stream */
    struct list host_logs;   /* struct host_log_stream */
    struct list log_waiters; /* struct log_reader: no container yet */
    struct list builders;    /* struct listing */
    struct clock_timer builder_timer;
    struct clock_timer tick;
    uint64_t request_count;
    char request_prefix[10]; /* of the ids we make: 8 hex digits and a dash */
    uint64_t backup_count;
    size_t listing_bytes; /* of lists that are being made or sent */
    struct listing_cache listing_cache;
    bool allow_remote;

    struct measure measure;
    bool stopping;
    int64_t stop_at_mono_ms;
    void (*stopped)(void *cookie);
    void *stopped_cookie;
};

static inline const struct model *
api_model(const struct api_server *server)
{
    return engine_model(server->engine);
}

static inline int64_t
api_mono_ms(const struct api_server *server)
{
    return server->clock->mono_ms(server->clock->self);
}

/** api_server_tick_ask() - somebody is connected: connections are looked at every API_TICK_MS. */
void api_server_tick_ask(struct api_server *server);
