#include "http_exchange.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include <uv.h>

#include "berth/base/mem.h"
#include "berth/base/text.h"

enum { HTTP_CONNECT_MS = 5000, HTTP_HEAD_MS = 30000, HTTP_PROGRESS_MS = 30000 };

static const char *const http_exchange_where = "http";

static void http_exchange_on_deadline(struct clock_timer *timer);
static void http_exchange_discard(struct http_exchange *exchange);

struct http_exchange *
http_exchange_new(struct http *http, struct http_op *op)
{
    struct list_node *node = list_pop(&http->pool);
    struct http_exchange *exchange =
        node ? CONTAINER_OF(node, struct http_exchange, node) : mem_new0(sizeof(*exchange));
    CURL *easy = exchange->easy ? exchange->easy : curl_easy_init();
    int64_t now_mono_ms = http->clock->mono_ms(http->clock->self);

    assert(easy);
    *exchange = (struct http_exchange){
        .http = http,
        .op = op,
        .easy = easy,
        .deadline.fire = http_exchange_on_deadline,
        .began_mono_ms = now_mono_ms,
        .moved_mono_ms = now_mono_ms,
        .began_ns = uv_hrtime(),
    };
    buf_init(&exchange->answer, op->answer_limit);
    exchange->answer.wipes = op->secret;
    return exchange;
}

void
http_exchange_free(struct http_exchange *exchange)
{
    struct http *http = exchange->http;

    assert(!exchange->shard);
    http_exchange_move(exchange, &http->pool);
    curl_easy_reset(exchange->easy);
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    if (http->pool.count > HTTP_POOL_MAX) {
        list_remove(&http->pool, &exchange->node);
        http_exchange_discard(exchange);
    }
}

void
http_exchange_drain(struct http *http)
{
    struct list_node *node;

    while ((node = list_pop(&http->pool)))
        http_exchange_discard(CONTAINER_OF(node, struct http_exchange, node));
}

static void
http_exchange_discard(struct http_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    mem_free(exchange);
}

void
http_exchange_move(struct http_exchange *exchange, struct list *list)
{
    if (exchange->list)
        list_remove(exchange->list, &exchange->node);
    exchange->list = list;
    list_push(list, &exchange->node);
}

void
http_exchange_wake(struct http *http)
{
    if (http->pass.at_mono_ms == 0) {
        http->clock->timer_set(http->clock->self, &http->pass,
                               http->clock->mono_ms(http->clock->self));
    }
}

void
http_exchange_enter(struct http_exchange *exchange, enum http_phase phase)
{
    exchange->phase = phase;
    http_exchange_moved(exchange);
    http_exchange_watch(exchange);
}

void
http_exchange_moved(struct http_exchange *exchange)
{
    const struct clock_port *clock = exchange->http->clock;

    exchange->moved_mono_ms = clock->mono_ms(clock->self);
}

static int64_t
http_exchange_or(int64_t asked_ms, int64_t default_ms)
{
    return asked_ms != 0 ? asked_ms : default_ms;
}

/* How long the phase may last without a move; negative: for ever. */
static int64_t
http_exchange_patience_ms(const struct http_exchange *exchange)
{
    switch (exchange->phase) {
    case HTTP_CONNECTING:
        return http_exchange_or(exchange->op->connect_ms, HTTP_CONNECT_MS);
    case HTTP_WAITING:
        return http_exchange_or(exchange->op->head_ms, HTTP_HEAD_MS);
    case HTTP_RECEIVING:
        if (exchange->paused)
            return -1;
        break;
    case HTTP_SENDING:
        break;
    }
    return http_exchange_or(exchange->op->progress_ms, HTTP_PROGRESS_MS);
}

static int64_t
http_exchange_due_mono_ms(const struct http_exchange *exchange)
{
    int64_t patience_ms = http_exchange_patience_ms(exchange);
    int64_t due_mono_ms = patience_ms < 0 ? INT64_MAX : exchange->moved_mono_ms + patience_ms;
    int64_t total_ms = exchange->op->total_ms;

    if (total_ms > 0 && exchange->began_mono_ms + total_ms < due_mono_ms)
        due_mono_ms = exchange->began_mono_ms + total_ms;
    return due_mono_ms;
}

void
http_exchange_watch(struct http_exchange *exchange)
{
    const struct clock_port *clock = exchange->http->clock;
    int64_t due_mono_ms = http_exchange_due_mono_ms(exchange);

    if (exchange->ended || due_mono_ms == INT64_MAX) {
        clock->timer_clear(clock->self, &exchange->deadline);
    } else {
        clock->timer_set(clock->self, &exchange->deadline, due_mono_ms);
    }
}

void
http_exchange_end(struct http_exchange *exchange, const struct fault *fault)
{
    struct http *http = exchange->http;

    if (exchange->ended)
        return;
    exchange->ended = true;
    if (fault)
        exchange->fault = *fault;
    http->clock->timer_clear(http->clock->self, &exchange->deadline);
    http_exchange_move(exchange, &http->ended);
    http_exchange_wake(http);
}

void
http_exchange_fail(struct http_exchange *exchange, enum fault_kind kind, const char *format, ...)
{
    char text[FAULT_TEXT_SIZE];
    struct fault fault;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fault_set(&fault, kind, http_exchange_where, "%s", text);
    fault.remote_code = exchange->op->status;
    http_exchange_end(exchange, &fault);
}

void
http_exchange_cancel(struct http_exchange *exchange)
{
    http_exchange_fail(exchange, FAULT_CANCELLED, "cancelled");
    (void)fault_set(&exchange->fault, FAULT_CANCELLED, http_exchange_where, "cancelled");
}

static void
http_exchange_on_deadline(struct clock_timer *timer)
{
    static const char *const texts[] = {
        [HTTP_CONNECTING] = "no answer within",
        [HTTP_SENDING] = "the request could not be sent on for",
        [HTTP_WAITING] = "no answer within",
        [HTTP_RECEIVING] = "the answer did not go on for",
    };
    struct http_exchange *exchange = CONTAINER_OF(timer, struct http_exchange, deadline);
    const struct clock_port *clock = exchange->http->clock;
    int64_t now_mono_ms = clock->mono_ms(clock->self);
    enum fault_kind kind = exchange->phase == HTTP_CONNECTING ? FAULT_UNREACHABLE : FAULT_TIMEOUT;
    int64_t patience_ms = http_exchange_patience_ms(exchange);
    char duration[32];

    if (now_mono_ms < http_exchange_due_mono_ms(exchange)) {
        http_exchange_watch(exchange); /* it moved in the meantime */
    } else if (patience_ms >= 0 && now_mono_ms >= exchange->moved_mono_ms + patience_ms) {
        http_exchange_fail(exchange, kind, "%s %s", texts[exchange->phase],
                           text_duration(patience_ms, duration));
    } else {
        http_exchange_fail(exchange, kind, "not finished within %s",
                           text_duration(exchange->op->total_ms, duration));
    }
}
