#pragma once

/*
 * The REST API: HTTP on unix sockets and loopback, on the daemon's loop.  Every
 * request gets exactly one answer, and no answer to a command leaves before
 * what it rests on is durable.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/engine/engine.h"
#include "berth/loop/loop.h"

struct api_server;

/* What one client, or all together, may cost. 0: the default in brackets. */
struct api_limits {
    uint32_t connections;  /* at once on each address [2000] */
    uint32_t body_bytes;   /* of a JSON request [1 MiB] */
    uint32_t image_mib;    /* of an image archive [16384] */
    uint32_t head_ms;      /* for a request's line and headers, also between two [10000] */
    uint32_t body_ms;      /* for the body of a JSON request [30000] */
    uint32_t idle_s;       /* without a byte in or out while a body moves [60] */
    uint32_t streams;      /* event, log and stats streams at once [256] */
    uint32_t denied_burst; /* failed authentications at once [200] */
    uint32_t denied_per_s; /* and in the long run, on each address [20] */
    uint32_t heartbeat_ms; /* of event streams [15000] */
};

struct api_options {
    const char *const *listen; /* [listen_count] "unix:PATH" (made with mode 0660) or
                                  "http://127.0.0.1:7070"; port 0 takes a free one */
    size_t listen_count;
    bool allow_remote;    /* other addresses than loopback: somebody else sees to TLS */
    const char *version;  /* of the program */
    const char *temp_dir; /* for files that are made to be sent; on the data's disk */
    struct api_limits limits;
    /* Longest time one turn of the loop took since the last call, in µs; NULL: not told. */
    int64_t (*loop_lag_us)(void *cookie);
    void *cookie;
};

/**
 * api_server_new() - nothing listens yet
 * @loop, @engine: borrowed, outlive the server
 * @options:       strings are copied; the cookie is borrowed
 */
struct api_server *api_server_new(struct loop *loop, struct engine *engine,
                                  const struct api_options *options);

/** api_server_start() - listen.  A unix socket nobody listens on is replaced.
 * Return: 0, or -1 with FAULT_INVALID (address) or FAULT_CONFLICT (in use); nothing listens then. */
int api_server_start(struct api_server *server, struct fault *fault);

/**
 * api_server_stop_start() - accept nothing new, end streams, answer what is under way
 * @done: once, from the loop, when every connection is closed; they are cut after five seconds.
 *        Then api_server_free().
 *
 * The engine must go on committing until then.
 */
void api_server_stop_start(struct api_server *server, void (*done)(void *cookie), void *cookie);
void api_server_free(struct api_server *server);

/** api_server_notify() - for engine_listen(): events were committed. @cookie: the server. */
void api_server_notify(void *cookie);
/** api_server_notify_steps() - for engine_steps_listen(). @cookie: the server. */
void api_server_notify_steps(void *cookie);
