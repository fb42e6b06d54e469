#include "http_answer.h"

#include <stdio.h>
#include <strings.h>

#include "http_exchange.h"

/* What a callback returns to make libcurl give up: never the length it was given. */
static const size_t http_answer_stop = CURL_WRITEFUNC_ERROR;

static bool
http_answer_is_final(long status)
{
    return status >= 200 || status == 101; /* after 101 the connection is the body */
}

static void
http_answer_field(struct http_op *op, const char *line, size_t len)
{
    static const char name[] = "Date:";
    char value[64];
    time_t date;

    if (len < sizeof(name) || strncasecmp(line, name, sizeof(name) - 1) != 0)
        return;
    (void)snprintf(value, sizeof(value), "%.*s", (int)(len - (sizeof(name) - 1)),
                   line + sizeof(name) - 1);
    date = curl_getdate(value, NULL);
    op->date_ms = date > 0 ? (int64_t)date * 1000 : 0;
}

size_t
/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is libcurl's. */
http_answer_head(char *line, size_t size, size_t count, void *cookie)
{
    struct http_exchange *exchange = cookie;
    size_t len = size * count;
    bool is_blank = len <= 2 && (line[0] == '\r' || line[0] == '\n');
    long status = 0;

    if (exchange->ended)
        return http_answer_stop;
    exchange->head_len += len;
    if (exchange->head_len > HTTP_HEAD_MAX) {
        http_exchange_fail(exchange, FAULT_GARBLED, "the head of the answer is larger than %d KiB",
                           HTTP_HEAD_MAX / 1024);
        return http_answer_stop;
    }
    if (exchange->phase == HTTP_RECEIVING)
        return len; /* a trailer */
    if (!is_blank) {
        http_answer_field(exchange->op, line, len);
        return len;
    }
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (http_answer_is_final(status)) {
        exchange->op->status = (int)status;
        http_exchange_enter(exchange, HTTP_RECEIVING);
    }
    return len;
}

static void
http_answer_keep(struct http_exchange *exchange, const char *data, size_t len)
{
    size_t limit = exchange->op->answer_limit;

    if (len > limit - exchange->answer.len) {
        http_exchange_fail(exchange, FAULT_GARBLED, "the answer is larger than %zu bytes", limit);
    } else {
        buf_append(&exchange->answer, data, len);
    }
}

size_t
http_answer_body(char *data, size_t size, size_t count, void *cookie)
{
    struct http_exchange *exchange = cookie;
    struct http_op *op = exchange->op;
    size_t len = size * count;

    if (exchange->ended)
        return http_answer_stop;
    if (exchange->paused) {
        exchange->held = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    http_exchange_moved(exchange);
    if (!op->on_body) {
        http_answer_keep(exchange, data, len);
    } else if (op->on_body(op, data, len) != 0) {
        http_exchange_fail(exchange, FAULT_CANCELLED, "stopped by its reader");
    }
    return exchange->ended ? http_answer_stop : len;
}
