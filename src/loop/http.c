#include "berth/loop/http.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <uv.h>

#include "berth/base/mem.h"

#include "http_exchange.h"
#include "http_fault.h"
#include "http_proxy.h"
#include "http_request.h"
#include "http_shard.h"
#include "http_state.h"

static void http_on_ready(struct loop_fd *fd, bool readable, bool writable);
static void http_pass(struct clock_timer *timer);
static void http_begin(struct http_exchange *exchange);
static void http_resume(struct http_exchange *exchange);
static void http_read_messages(struct http_shard *shard);
static void http_finish(struct http_exchange *exchange);

struct http *
http_new(struct loop *loop)
{
    struct http *http = mem_new0(sizeof(*http));

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
        (http->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        (void)fputs("berth: libcurl or epoll cannot be used\n", stderr);
        abort();
    }
    /* libcurl sends with MSG_NOSIGNAL, but OpenSSL below it does not. */
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    http->loop = loop;
    http->clock = loop_clock(loop);
    http->pass.fire = http_pass;
    http->epoll_fd.ready = http_on_ready;
    list_init(&http->starting);
    list_init(&http->running);
    list_init(&http->resuming);
    list_init(&http->ended);
    list_init(&http->pool);
    list_init(&http->touched);
    loop_fd_start(loop, &http->epoll_fd, http->epoll, true, false);
    return http;
}

void
http_free(struct http *http)
{
    if (!http)
        return;
    assert(http->starting.count + http->running.count + http->resuming.count + http->ended.count ==
           0);
    for (size_t i = 0; i < HTTP_SHARDS; i++)
        http_shard_free(http->shards[i]);
    http_exchange_drain(http);
    http->clock->timer_clear(http->clock->self, &http->pass);
    loop_fd_stop(http->loop, &http->epoll_fd);
    (void)close(http->epoll);
    http_proxy_fini(http);
    mem_free(http->sockets);
    mem_free(http);
    curl_global_cleanup();
}

void
http_start(struct http *http, struct http_op *op)
{
    struct http_exchange *exchange = http_exchange_new(http, op);

    assert(op->done && op->method && op->url);
    op->adapter = exchange;
    op->status = 0;
    op->answer = NULL;
    op->took_us = 0;
    op->date_ms = 0;
    http_exchange_move(exchange, &http->starting);
    http_exchange_enter(exchange, HTTP_CONNECTING);
    http_exchange_wake(http);
}

void
http_cancel(struct http *http, struct http_op *op)
{
    struct http_exchange *exchange = op->adapter;

    (void)http;
    if (!exchange)
        return; /* done is being called */
    http_exchange_cancel(exchange);
}

void
http_pause(struct http *http, struct http_op *op, bool paused)
{
    struct http_exchange *exchange = op->adapter;

    if (!exchange || exchange->ended || exchange->paused == paused)
        return;
    exchange->paused = paused;
    http_exchange_moved(exchange);
    http_exchange_watch(exchange);
    if (!paused && exchange->held && exchange->list == &http->running) {
        /* Not here: libcurl would hand over what it holds at once, inside our caller. */
        http_exchange_move(exchange, &http->resuming);
        http_exchange_wake(http);
    }
}

void
http_peer_close(struct http *http, int64_t key)
{
    http_shard_peer_close(http, key);
}

static void
http_on_ready(struct loop_fd *fd, bool readable, bool writable)
{
    (void)readable, (void)writable;
    http_shard_poll(CONTAINER_OF(fd, struct http, epoll_fd));
}

/* At the end of a turn, outside of libcurl: what was asked for goes in, what is over comes out. */
static void
http_pass(struct clock_timer *timer)
{
    struct http *http = CONTAINER_OF(timer, struct http, pass);
    struct list_node *node;

    while ((node = list_first(&http->starting)))
        http_begin(CONTAINER_OF(node, struct http_exchange, node));
    while ((node = list_first(&http->resuming)))
        http_resume(CONTAINER_OF(node, struct http_exchange, node));
    for (size_t count = http->touched.count; count > 0; count--)
        http_read_messages(CONTAINER_OF(list_pop(&http->touched), struct http_shard, node));
    /* What a done() ends or starts waits for the next turn. */
    for (size_t count = http->ended.count; count > 0; count--)
        http_finish(CONTAINER_OF(list_first(&http->ended), struct http_exchange, node));
    if (http->starting.count + http->resuming.count + http->touched.count + http->ended.count == 0)
        http->clock->timer_clear(http->clock->self, &http->pass);
}

static void
http_begin(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    struct http_shard *shard = http_shard_find(http, exchange->op->peer.key);

    if (http_request_setup(exchange) < 0)
        return;
    http_exchange_move(exchange, &http->running);
    exchange->shard = shard;
    if (curl_multi_add_handle(shard->multi, exchange->easy) != CURLM_OK) {
        exchange->shard = NULL;
        http_exchange_fail(exchange, FAULT_BUG, "the exchange cannot be started");
        return;
    }
    http_shard_touch(shard);
}

static void
http_resume(struct http_exchange *exchange)
{
    http_exchange_move(exchange, &exchange->http->running);
    if (exchange->paused)
        return; /* again, in the meantime */
    exchange->held = false;
    (void)curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
    http_shard_touch(exchange->shard);
}

static void
http_read_messages(struct http_shard *shard)
{
    CURLMsg *message;
    int left;

    http_shard_hurry(shard);
    while ((message = curl_multi_info_read(shard->multi, &left))) {
        struct http_exchange *exchange = NULL;

        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
        if (message->data.result == CURLE_OK) {
            http_exchange_end(exchange, NULL);
        } else if (!exchange->ended) {
            http_fault_end(exchange, message->data.result);
        }
    }
}

static void
http_finish(struct http_exchange *exchange)
{
    struct http_op *op = exchange->op;
    struct fault fault = exchange->fault;
    struct buf answer = exchange->answer;

    if (exchange->shard)
        (void)curl_multi_remove_handle(exchange->shard->multi, exchange->easy);
    exchange->shard = NULL;
    op->adapter = NULL;
    op->answer = &answer;
    op->took_us = (int64_t)((uv_hrtime() - exchange->began_ns) / 1000);
    http_exchange_free(exchange);
    op->done(op, fault.kind == FAULT_NONE ? NULL : &fault);
    buf_fini(&answer);
}
