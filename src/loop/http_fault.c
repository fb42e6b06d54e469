#include "http_fault.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "berth/base/mem.h"

#include "http_exchange.h"
#include "http_request.h"

/* What is certain whatever the phase. */
static const struct http_fault_rule {
    CURLcode code;
    enum fault_kind kind;
    const char *text;
} http_fault_rules[] = {
    { CURLE_URL_MALFORMAT, FAULT_UNREACHABLE, "the address is not valid" },
    { CURLE_LOGIN_DENIED, FAULT_UNREACHABLE, "the address must not carry a user" },
    { CURLE_COULDNT_RESOLVE_HOST, FAULT_UNREACHABLE, "the name cannot be resolved" },
    { CURLE_COULDNT_RESOLVE_PROXY, FAULT_UNREACHABLE, "the name of the proxy cannot be resolved" },
    { CURLE_PROXY, FAULT_UNREACHABLE, "the proxy refuses" },
    { CURLE_PEER_FAILED_VERIFICATION, FAULT_TLS, "its certificate was refused" },
    { CURLE_SSL_CERTPROBLEM, FAULT_TLS, "our certificate or its key cannot be used" },
    { CURLE_SSL_CACERT_BADFILE, FAULT_TLS, "the file of trusted certificates cannot be used" },
    { CURLE_SSL_CIPHER, FAULT_TLS, "no cipher in common" },
    { CURLE_SSL_CLIENTCERT, FAULT_TLS, "it asks for a certificate of ours" },
    { CURLE_WEIRD_SERVER_REPLY, FAULT_GARBLED, "the answer is not HTTP" },
    { CURLE_BAD_CONTENT_ENCODING, FAULT_GARBLED, "the answer's encoding is not known" },
    { CURLE_OUT_OF_MEMORY, FAULT_GARBLED, "a line of the answer's head is too long" },
};

static const struct {
    int error;
    const char *text;
} http_fault_errors[] = {
    { ECONNREFUSED, "connection refused" },     { EHOSTUNREACH, "no route to host" },
    { ENETUNREACH, "no route to its network" }, { ETIMEDOUT, "no answer" },
    { ECONNRESET, "connection reset" },         { ENOENT, "there is no such socket" },
    { EACCES, "permission to connect denied" }, { EPERM, "permission to connect denied" },
    { EMFILE, "too many open descriptors" },    { ENFILE, "too many open descriptors" },
};

static const char *
http_fault_connect_text(CURL *easy)
{
    long error = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
    for (size_t i = 0; i < ARRAY_LEN(http_fault_errors); i++) {
        if (http_fault_errors[i].error == error)
            return http_fault_errors[i].text;
    }
    return "cannot connect";
}

static const struct http_fault_rule *
http_fault_rule_find(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(http_fault_rules); i++) {
        if (http_fault_rules[i].code == code)
            return &http_fault_rules[i];
    }
    return NULL;
}

/* OpenSSL's words, the end of "error:0A00045C:SSL routines::tlsv13 alert certificate required, errno
 * 0", say more than libcurl's code. */
static void
http_fault_end_tls(struct http_exchange *exchange, const char *text)
{
    const char *detail = exchange->error;
    const char *next;

    while ((next = strstr(detail, "::")))
        detail = next + 2;
    http_exchange_fail(exchange, FAULT_TLS, "%s: %.*s", text, (int)strcspn(detail, ","), detail);
}

/* An alert is how the peer refuses our certificate; under TLS 1.3 that comes after the request. */
static bool
http_fault_is_alert(const struct http_exchange *exchange)
{
    return exchange->phase != HTTP_RECEIVING && strstr(exchange->error, "SSL") &&
           strstr(exchange->error, " alert ");
}

/* Under TLS 1.3 our handshake ends before the peer has seen our certificate.  When it closes at once,
 * not even the first byte of the request gets out, and the alert stays unread. */
static bool
http_fault_is_dropped(const struct http_exchange *exchange, CURLcode code)
{
    long connected = 0;

    (void)curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connected);
    return code == CURLE_SEND_ERROR && connected == 1 && exchange->phase != HTTP_CONNECTING &&
           strncasecmp(exchange->op->url, "https:", strlen("https:")) == 0 &&
           !http_request_is_sent(exchange);
}

/* A handshake that ended without a word from OpenSSL, or in the middle. */
static bool
http_fault_is_handshake_broken(const struct http_exchange *exchange)
{
    return strstr(exchange->error, "SSL_connect:") || strstr(exchange->error, "unexpected eof");
}

static void
http_fault_end_broken(struct http_exchange *exchange)
{
    if (!http_request_is_sent(exchange)) {
        http_exchange_fail(exchange, FAULT_UNREACHABLE,
                           "the connection broke before the request was sent");
    } else {
        http_exchange_fail(exchange, FAULT_LOST, "the connection broke %s the answer",
                           exchange->phase == HTTP_RECEIVING ? "in the middle of" : "before");
    }
}

/* Codes whose meaning depends on what came before. */
static void
http_fault_end_by_phase(struct http_exchange *exchange, CURLcode code)
{
    enum fault_kind unsent =
        http_request_is_sent(exchange) ? FAULT_LOST : FAULT_UNREACHABLE; /* by an earlier try */

    if (code == CURLE_COULDNT_CONNECT) {
        http_exchange_fail(exchange, unsent, "%s", http_fault_connect_text(exchange->easy));
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        http_exchange_fail(exchange, unsent == FAULT_LOST ? FAULT_TIMEOUT : unsent, "no answer");
    } else if (code == CURLE_UNSUPPORTED_PROTOCOL && exchange->phase == HTTP_CONNECTING) {
        http_exchange_fail(exchange, FAULT_UNREACHABLE, "the address is neither http nor https");
    } else if (code == CURLE_UNSUPPORTED_PROTOCOL) { /* HTTP/0.9 */
        http_exchange_fail(exchange, FAULT_GARBLED, "the answer is not HTTP");
    } else if (code == CURLE_RECV_ERROR && strstr(exchange->error, "chunked-encoding")) {
        http_exchange_fail(exchange, FAULT_GARBLED, "the answer's chunks are malformed");
    } else {
        http_fault_end_broken(exchange);
    }
}

/* What a proxy answers that opens no way to the peer; 0: it did not. */
static long
http_fault_proxy_status(const struct http_exchange *exchange)
{
    long status = 0;

    if (exchange->connected)
        return 0;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    return status >= 300 ? status : 0;
}

void
http_fault_end(struct http_exchange *exchange, CURLcode code)
{
    const struct http_fault_rule *rule = http_fault_rule_find(code);

    if (http_fault_proxy_status(exchange) > 0) {
        http_exchange_fail(exchange, FAULT_UNREACHABLE, "the proxy answers with status %ld",
                           http_fault_proxy_status(exchange));
    } else if (rule && rule->kind == FAULT_TLS) {
        http_fault_end_tls(exchange, rule->text);
    } else if (rule) {
        http_exchange_fail(exchange, rule->kind, "%s", rule->text);
    } else if (http_fault_is_alert(exchange)) {
        http_fault_end_tls(exchange, "it refused our certificate");
    } else if (http_fault_is_dropped(exchange, code)) {
        http_exchange_fail(exchange, FAULT_TLS,
                           "it closed the connection after the handshake, as when it refuses a "
                           "certificate");
    } else if (code == CURLE_SSL_CONNECT_ERROR && !http_fault_is_handshake_broken(exchange)) {
        http_fault_end_tls(exchange, "no TLS with it");
    } else {
        http_fault_end_by_phase(exchange, code);
    }
}
