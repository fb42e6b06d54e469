#include "http_request.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/mem.h"

#include "http_answer.h"
#include "http_exchange.h"
#include "http_proxy.h"
#include "http_shard.h"

/* The same for each exchange. */
static const struct {
    CURLoption option;
    long value;
} http_request_longs[] = {
    { CURLOPT_NOSIGNAL, 1 },
    { CURLOPT_QUICK_EXIT, 1 }, /* else a cancelled name look-up is waited for */
    { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
    { CURLOPT_HTTP09_ALLOWED, 0 },
    { CURLOPT_FOLLOWLOCATION, 0 },
    { CURLOPT_NETRC, CURL_NETRC_IGNORED },
    { CURLOPT_HEADEROPT, CURLHEADER_SEPARATE }, /* a proxy sees none of ours */
    { CURLOPT_SUPPRESS_CONNECT_HEADERS, 1 },
    { CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
    { CURLOPT_PATH_AS_IS, 1 },
    { CURLOPT_TCP_KEEPALIVE, 1 }, /* a stream without deadlines must notice a dead machine */
    { CURLOPT_TCP_KEEPIDLE, 30 },
    { CURLOPT_TCP_KEEPINTVL, 10 },
    { CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
    { CURLOPT_SSL_VERIFYPEER, 1 },
    { CURLOPT_SSL_VERIFYHOST, 2 },
    { CURLOPT_SSL_SESSIONID_CACHE, 0 }, /* would be kept per easy handle, which are pooled */
    { CURLOPT_CA_CACHE_TIMEOUT, 0 },    /* a replaced CA file counts at once */
};

static int http_request_set_peer(struct http_exchange *exchange);
static int http_request_set_headers(struct http_exchange *exchange);
static void http_request_set_body(struct http_exchange *exchange);
static int http_request_on_connected(void *cookie, char *peer, char *local, int peer_port,
                                     int local_port);
static size_t http_request_on_read(char *ret_data, size_t size, size_t count, void *cookie);
static int http_request_on_seek(void *cookie, curl_off_t offset, int origin);

int
http_request_setup(struct http_exchange *exchange)
{
    CURL *easy = exchange->easy;

    for (size_t i = 0; i < ARRAY_LEN(http_request_longs); i++) {
        if (curl_easy_setopt(easy, http_request_longs[i].option, http_request_longs[i].value))
            assert(!"an option that this libcurl does not know");
    }
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_shard_socket_open);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_shard_socket_close);
    (void)curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange->http);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, http_request_on_connected);
    (void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_answer_head);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_answer_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, exchange->op->fresh ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, exchange->op->fresh ? 1L : 0L);
    if (http_request_set_peer(exchange) < 0 || http_request_set_headers(exchange) < 0)
        return -1;
    http_request_set_body(exchange);
    return 0;
}

bool
http_request_is_sent(const struct http_exchange *exchange)
{
    long sent = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &sent);
    return exchange->connected && sent > exchange->tunnel_size;
}

static int
http_request_set_peer(struct http_exchange *exchange)
{
    const struct http_peer *peer = &exchange->op->peer;
    const struct {
        CURLoption option;
        const char *value;
    } strings[] = {
        { CURLOPT_PROTOCOLS_STR, "http,https" },
        { CURLOPT_PROXY, http_proxy_find(exchange->http, exchange->op) },
        { CURLOPT_NOPROXY, http_proxy_except(exchange->http, exchange->op) },
        { CURLOPT_PROXY_CAINFO, peer->ca },
        { CURLOPT_USERAGENT, "berth/" BERTH_VERSION },
        { CURLOPT_URL, exchange->op->url },
        { CURLOPT_UNIX_SOCKET_PATH, peer->unix_path },
        { CURLOPT_CAINFO, peer->ca }, /* these two only: without them nobody is trusted */
        { CURLOPT_CAPATH, NULL },
        { CURLOPT_SSLCERT, peer->cert },
        { CURLOPT_SSLKEY, peer->tls_key },
    };

    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        if (curl_easy_setopt(exchange->easy, strings[i].option, strings[i].value)) {
            http_exchange_fail(exchange, FAULT_UNREACHABLE, "the address cannot be used");
            return -1;
        }
    }
    return 0;
}

static void
http_request_add_header(struct http_exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);

    assert(longer);
    exchange->headers = longer;
}

/* A line break in a value would begin another header. */
static bool
http_request_is_line(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' && *text != '\t')
            return false;
    }
    return true;
}

static int
http_request_set_headers(struct http_exchange *exchange)
{
    const struct http_op *op = exchange->op;
    bool has_type = false;

    for (size_t i = 0; i < op->header_count; i++) {
        const struct http_header *header = &op->headers[i];
        CLEANUP(mem_freep) char *line = NULL;

        if (!http_request_is_line(header->name) || !http_request_is_line(header->value)) {
            http_exchange_fail(exchange, FAULT_BUG, "a header has a control character");
            return -1;
        }
        has_type = has_type || strcasecmp(header->name, "Content-Type") == 0;
        /* "Name;" is how libcurl is told to send an empty one. */
        line = mem_printf(header->value[0] ? "%s: %s" : "%s;", header->name, header->value);
        http_request_add_header(exchange, line);
    }
    http_request_add_header(exchange, "Expect:"); /* not sent */
    if (!has_type)
        http_request_add_header(exchange, "Content-Type:"); /* libcurl's guess is a form */
    (void)curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers);
    return 0;
}

static bool
http_request_is_one_of(const struct http_op *op, const char *const *methods)
{
    while (*methods && strcmp(op->method, *methods) != 0)
        methods++;
    return *methods != NULL;
}

/* Without a body these have no Content-Length either; the others say that it is 0. */
static bool
http_request_is_bare(const struct http_op *op)
{
    static const char *const methods[] = { "GET", "DELETE", "OPTIONS", NULL };

    return http_request_is_one_of(op, methods);
}

static bool
http_request_is_streamed(const struct http_op *op)
{
    return op->body_len > (op->body ? (size_t)HTTP_INLINE_MAX : 0);
}

static void
http_request_set_body(struct http_exchange *exchange)
{
    const struct http_op *op = exchange->op;
    CURL *easy = exchange->easy;

    if (strcmp(op->method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, op->method);
    if (op->body_len == 0 && http_request_is_bare(op))
        return;
    (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)op->body_len);
    if (!http_request_is_streamed(op)) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, op->body_len > 0 ? op->body : "");
        return;
    }
    exchange->body_from = op->body ? 0 : lseek(op->body_fd, 0, SEEK_CUR);
    (void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_request_on_read);
    (void)curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, http_request_on_seek);
    (void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
}

static bool
http_request_is_idempotent(const struct http_op *op)
{
    static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE", NULL };

    return http_request_is_one_of(op, methods);
}

/* Connected, TLS included; the request goes out next.  A second time means that a kept connection
 * was dead. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is libcurl's. */
http_request_on_connected(void *cookie, char *peer, char *local, int peer_port, int local_port)
{
    struct http_exchange *exchange = cookie;

    (void)peer, (void)local, (void)peer_port, (void)local_port;
    if (exchange->ended)
        return CURL_PREREQFUNC_ABORT;
    if (http_request_is_sent(exchange) && !http_request_is_idempotent(exchange->op)) {
        http_exchange_fail(exchange, FAULT_LOST, "the connection broke before the answer");
        return CURL_PREREQFUNC_ABORT;
    }
    if (!exchange->connected) /* what was asked of a proxy counts as sent, too */
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &exchange->tunnel_size);
    exchange->connected = true;
    http_exchange_enter(exchange,
                        http_request_is_streamed(exchange->op) ? HTTP_SENDING : HTTP_WAITING);
    return CURL_PREREQFUNC_OK;
}

static size_t
http_request_read_file(struct http_exchange *exchange, char *ret_data, size_t len)
{
    off_t at = (off_t)(exchange->body_from + (int64_t)exchange->body_sent);
    ssize_t got;

    do {
        got = pread(exchange->op->body_fd, ret_data, len, at);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static size_t
http_request_on_read(char *ret_data, size_t size, size_t count, void *cookie)
{
    struct http_exchange *exchange = cookie;
    struct http_op *op = exchange->op;
    size_t left = op->body_len - exchange->body_sent;
    size_t len = size * count < left ? size * count : left;

    if (exchange->ended)
        return CURL_READFUNC_ABORT;
    if (len == 0)
        return 0;
    if (op->body) {
        memcpy(ret_data, op->body + exchange->body_sent, len);
    } else {
        len = http_request_read_file(exchange, ret_data, len);
    }
    if (len == 0) {
        http_exchange_fail(exchange, FAULT_BUG, "the file to send cannot be read to its end");
        return CURL_READFUNC_ABORT;
    }
    exchange->body_sent += len;
    if (exchange->body_sent == op->body_len) {
        http_exchange_enter(exchange, HTTP_WAITING);
    } else {
        http_exchange_moved(exchange);
    }
    if (op->on_sent)
        op->on_sent(op, (int64_t)exchange->body_sent);
    return len;
}

static int
http_request_on_seek(void *cookie, curl_off_t offset, int origin)
{
    struct http_exchange *exchange = cookie;

    if (origin != SEEK_SET || offset < 0 || (size_t)offset > exchange->op->body_len)
        return CURL_SEEKFUNC_CANTSEEK;
    exchange->body_sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}
