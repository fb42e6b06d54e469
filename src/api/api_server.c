#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/api/server.h"

#include "connection.h"
#include "event_stream.h"
#include "handlers.h"
#include "host_log.h"
#include "listener.h"
#include "listing.h"
#include "request.h"
#include "stream.h"

static void api_server_on_tick(struct clock_timer *timer);
static void api_server_stop_tick(struct api_server *server);

static const struct api_limits api_server_defaults = {
    .connections = 2000,
    .body_bytes = 1 << 20,
    .image_mib = 16384,
    .head_ms = 10000,
    .body_ms = 30000,
    .idle_s = 60,
    .streams = 256,
    .denied_burst = 200,
    .denied_per_s = 20,
    .heartbeat_ms = 15000,
};

static void
api_server_limits(struct api_server *server, const struct api_limits *limits)
{
    const uint32_t *given = (const uint32_t *)(const void *)limits;
    const uint32_t *fallback = (const uint32_t *)(const void *)&api_server_defaults;
    uint32_t *to = (uint32_t *)(void *)&server->limits;

    _Static_assert(sizeof(struct api_limits) % sizeof(uint32_t) == 0, "nothing but numbers");
    for (size_t i = 0; i < sizeof(*limits) / sizeof(uint32_t); i++)
        to[i] = given[i] ? given[i] : fallback[i];
}

struct api_server *
api_server_new(struct loop *loop, struct engine *engine, const struct api_options *options)
{
    struct api_server *server = mem_new0(sizeof(*server));
    const struct random_port *random = loop_random(loop);

    assert(options->listen_count <= API_LISTENERS_MAX);
    server->loop = loop;
    server->engine = engine;
    server->clock = loop_clock(loop);
    server->version = mem_strdup(options->version);
    server->temp_dir = mem_strdup(options->temp_dir);
    server->loop_lag_us = options->loop_lag_us;
    server->cookie = options->cookie;
    server->allow_remote = options->allow_remote;
    api_server_limits(server, &options->limits);
    list_init(&server->spare);
    list_init(&server->suspended);
    list_init(&server->streams);
    list_init(&server->events);
    list_init(&server->host_logs);
    list_init(&server->log_waiters);
    list_init(&server->builders);
    server->builder_timer.fire = listing_on_timer;
    server->tick.fire = api_server_on_tick;
    (void)snprintf(server->request_prefix, sizeof(server->request_prefix), "%08x-",
                   (unsigned)random_u32(random));
    for (size_t i = 0; i < options->listen_count; i++)
        server->listeners[i].address = mem_strdup(options->listen[i]);
    server->listener_count = options->listen_count;
    routes_prepare();
    if (server->temp_dir)
        handler_backups_clean(server->temp_dir);
    return server;
}

int
api_server_start(struct api_server *server, struct fault *fault)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (listener_open(server, &server->listeners[i], server->allow_remote, fault) == 0)
            continue;
        while (i-- > 0) {
            listener_quiesce(&server->listeners[i]);
            listener_close(&server->listeners[i]);
        }
        return -1;
    }
    return 0;
}

void
api_server_tick_ask(struct api_server *server)
{
    int64_t at_mono_ms = api_mono_ms(server) + API_TICK_MS;

    if (server->tick.at_mono_ms == 0)
        server->clock->timer_set(server->clock->self, &server->tick, at_mono_ms);
}

/* Requests that wait and streams that are silent do not see that their client has left. */
static void
api_server_look_for_gone(struct api_server *server, bool all)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&server->suspended); node; node = next) {
        struct request *request = CONTAINER_OF(node, struct request, node);

        next = list_next(&server->suspended, node);
        if (request->gone && (all || connection_is_gone(request->connection)))
            request->gone(request);
    }
    for (struct list_node *node = list_first(&server->streams); node; node = next) {
        struct stream *stream = CONTAINER_OF(node, struct stream, node);

        next = list_next(&server->streams, node);
        if (stream->request && (all || connection_is_gone(stream->request->connection)))
            stream_end(stream, true);
    }
}

/* Nobody is connected and nothing is kept: there is nothing to look at. */
static bool
api_server_is_idle(const struct api_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].connections.count > 0)
            return false;
    }
    return !server->listing_cache.key;
}

static void
api_server_on_tick(struct clock_timer *timer)
{
    struct api_server *server = CONTAINER_OF(timer, struct api_server, tick);

    if (server->stopping) {
        api_server_stop_tick(server);
        return;
    }
    for (size_t i = 0; i < server->listener_count; i++)
        connection_sweep(&server->listeners[i]);
    api_server_look_for_gone(server, false);
    event_stream_tick(server);
    host_log_stream_tick(server);
    handler_logs_notify(server);
    listing_cache_expire(&server->listing_cache, api_mono_ms(server));
    if (!api_server_is_idle(server))
        api_server_tick_ask(server);
}

void
api_server_stop_start(struct api_server *server, void (*done)(void *cookie), void *cookie)
{
    struct list_node *next;

    assert(!server->stopping);
    server->stopping = true;
    server->stopped = done;
    server->stopped_cookie = cookie;
    server->stop_at_mono_ms = api_mono_ms(server) + API_STOP_MS;
    for (size_t i = 0; i < server->listener_count; i++)
        listener_quiesce(&server->listeners[i]);
    for (struct list_node *node = list_first(&server->streams); node; node = next) {
        next = list_next(&server->streams, node);
        stream_end(CONTAINER_OF(node, struct stream, node), false);
    }
    server->clock->timer_set(server->clock->self, &server->tick, api_mono_ms(server));
}

static void
api_server_stop_tick(struct api_server *server)
{
    bool late = api_mono_ms(server) >= server->stop_at_mono_ms;
    size_t open = server->suspended.count + server->streams.count;

    if (late)
        api_server_look_for_gone(server, true);
    for (size_t i = 0; i < server->listener_count; i++) {
        connection_cut_all(&server->listeners[i], late);
        open += server->listeners[i].connections.count;
    }
    if (open > 0) {
        server->clock->timer_set(server->clock->self, &server->tick,
                                 api_mono_ms(server) + API_STOP_TICK_MS);
        return;
    }
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(&server->listeners[i]);
    server->stopped(server->stopped_cookie);
}

void
api_server_free(struct api_server *server)
{
    if (!server)
        return;
    server->clock->timer_clear(server->clock->self, &server->tick);
    server->clock->timer_clear(server->clock->self, &server->builder_timer);
    for (size_t i = 0; i < server->listener_count; i++)
        listener_close(&server->listeners[i]);
    listing_cache_drop(&server->listing_cache);
    request_spare_free(server);
    mem_free(server->version);
    mem_free(server->temp_dir);
    mem_free(server);
}

void
api_server_notify(void *cookie)
{
    event_stream_notify(cookie);
    handler_logs_notify(cookie);
    host_log_stream_notify(cookie);
}

void
api_server_notify_steps(void *cookie)
{
    host_log_stream_notify(cookie);
}
