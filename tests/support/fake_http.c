#include "support/fake_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "berth/base/list.h"
#include "berth/base/mem.h"

enum { FAKE_HTTP_HEAD_MAX = 65536, FAKE_HTTP_LAST_MAX = 4096, FAKE_HTTP_PATHS = 64 };

struct fake_http {
    struct fake_http_config config;
    SSL_CTX *tls;
    int listener;
    int port;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    struct list links;
    bool stopping;
    int connections;
    int open;
    size_t body_bytes;
    int used[FAKE_HTTP_PATHS]; /* by rule */
    int unknown;               /* requests that no rule fits */
    char last[FAKE_HTTP_LAST_MAX + 1];
};

/* One connection. */
struct fake_http_link {
    struct list_node node;
    struct fake_http *fake;
    pthread_t thread;
    int descriptor;
    SSL *tls;
    char head[FAKE_HTTP_HEAD_MAX + 1]; /* a request's head and what came with it */
    size_t len;
};

static void *fake_http_accept(void *arg);
static void *fake_http_serve(void *arg);
static bool fake_http_read_head(struct fake_http_link *link, size_t *ret_head_len);
static const struct fake_http_rule *fake_http_note(struct fake_http_link *link, const char *path);
static bool fake_http_read_body(struct fake_http_link *link, size_t head_len, size_t body_len);
static bool fake_http_answer(struct fake_http_link *link, const struct fake_http_rule *rule);
static void fake_http_end(struct fake_http_link *link, enum fake_http_then then);

static int
fake_http_listen(const char *unix_path, int *ret_port)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(address);
    int listener = socket(unix_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad;

    assert(listener >= 0);
    if (unix_path) {
        (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", unix_path);
        bad = bind(listener, (const struct sockaddr *)&local, sizeof(local));
    } else {
        bad = bind(listener, (const struct sockaddr *)&address, sizeof(address)) ||
              getsockname(listener, (struct sockaddr *)&address, &len);
        *ret_port = ntohs(address.sin_port);
    }
    bad = bad || listen(listener, SOMAXCONN);
    assert(!bad);
    return listener;
}

static SSL_CTX *
fake_http_tls(const struct fake_http_config *config)
{
    SSL_CTX *tls;
    int good;

    if (!config->certificate)
        return NULL;
    tls = SSL_CTX_new(TLS_server_method());
    assert(tls);
    good = SSL_CTX_use_certificate_chain_file(tls, config->certificate) == 1 &&
           SSL_CTX_use_PrivateKey_file(tls, config->key, SSL_FILETYPE_PEM) == 1;
    if (config->client_ca) {
        good = good && SSL_CTX_load_verify_locations(tls, config->client_ca, NULL) == 1;
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (config->tls12)
        good = good && SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION) == 1;
    assert(good);
    return tls;
}

struct fake_http *
fake_http_new(const struct fake_http_config *config)
{
    struct fake_http *fake = mem_new0(sizeof(*fake));
    int bad;

    fake->config = *config;
    fake->tls = fake_http_tls(config);
    fake->listener = fake_http_listen(config->unix_path, &fake->port);
    list_init(&fake->links);
    bad = pthread_mutex_init(&fake->mutex, NULL) ||
          pthread_create(&fake->thread, NULL, fake_http_accept, fake);
    assert(!bad);
    return fake;
}

void
fake_http_free(struct fake_http *fake)
{
    struct list_node *node;

    if (!fake)
        return;
    (void)pthread_mutex_lock(&fake->mutex);
    fake->stopping = true;
    for (node = list_first(&fake->links); node; node = list_next(&fake->links, node))
        (void)shutdown(CONTAINER_OF(node, struct fake_http_link, node)->descriptor, SHUT_RDWR);
    (void)pthread_mutex_unlock(&fake->mutex);
    (void)shutdown(fake->listener, SHUT_RDWR); /* wakes accept() */
    (void)pthread_join(fake->thread, NULL);
    while ((node = list_pop(&fake->links))) {
        struct fake_http_link *link = CONTAINER_OF(node, struct fake_http_link, node);

        (void)pthread_join(link->thread, NULL);
        (void)close(link->descriptor);
        mem_free(link);
    }
    (void)close(fake->listener);
    if (fake->config.unix_path)
        (void)unlink(fake->config.unix_path);
    SSL_CTX_free(fake->tls);
    (void)pthread_mutex_destroy(&fake->mutex);
    mem_free(fake);
}

int
fake_http_port(const struct fake_http *fake)
{
    return fake->port;
}

static int
fake_http_get(struct fake_http *fake, const int *field)
{
    int value;

    (void)pthread_mutex_lock(&fake->mutex);
    value = *field;
    (void)pthread_mutex_unlock(&fake->mutex);
    return value;
}

int
fake_http_connections(struct fake_http *fake)
{
    return fake_http_get(fake, &fake->connections);
}

int
fake_http_open(struct fake_http *fake)
{
    return fake_http_get(fake, &fake->open);
}

int
fake_http_requests(struct fake_http *fake, const char *path)
{
    const struct fake_http_rule *rules = fake->config.rules;
    int count = path ? 0 : fake_http_get(fake, &fake->unknown);

    for (size_t i = 0; rules && rules[i].path; i++) {
        if (!path || strcmp(path, rules[i].path) == 0)
            count += fake_http_get(fake, &fake->used[i]);
    }
    return count;
}

char *
fake_http_last(struct fake_http *fake)
{
    char *last;

    (void)pthread_mutex_lock(&fake->mutex);
    last = mem_strdup(fake->last);
    (void)pthread_mutex_unlock(&fake->mutex);
    return last;
}

size_t
fake_http_body_bytes(struct fake_http *fake)
{
    size_t bytes;

    (void)pthread_mutex_lock(&fake->mutex);
    bytes = fake->body_bytes;
    (void)pthread_mutex_unlock(&fake->mutex);
    return bytes;
}

static void *
fake_http_accept(void *arg)
{
    struct fake_http *fake = arg;
    int descriptor;

    while ((descriptor = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct fake_http_link *link = mem_new0(sizeof(*link));

        link->fake = fake;
        link->descriptor = descriptor;
        (void)pthread_mutex_lock(&fake->mutex);
        if (fake->stopping)
            (void)shutdown(descriptor, SHUT_RDWR);
        fake->connections++;
        fake->open++;
        list_push(&fake->links, &link->node);
        if (pthread_create(&link->thread, NULL, fake_http_serve, link))
            abort();
        (void)pthread_mutex_unlock(&fake->mutex);
    }
    return NULL;
}

static ssize_t
fake_http_read(struct fake_http_link *link, char *ret_data, size_t len)
{
    if (link->tls)
        return SSL_read(link->tls, ret_data, (int)len);
    return recv(link->descriptor, ret_data, len, 0);
}

static bool
fake_http_write(struct fake_http_link *link, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = link->tls ? SSL_write(link->tls, data, (int)len)
                                 : send(link->descriptor, data, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void
fake_http_block_sigpipe(void)
{
    sigset_t mask;

    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &mask, NULL);
}

/* The body's length; the head is followed by a NUL. */
static size_t
fake_http_length(const char *head)
{
    const char *at = strcasestr(head, "\r\nContent-Length:");

    return at ? (size_t)strtoull(at + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* Requests until one whose rule ends the connection. Return: how it is to end. */
static enum fake_http_then
fake_http_talk(struct fake_http_link *link)
{
    enum fake_http_then then = FAKE_HTTP_KEEP;
    size_t head_len;

    while (then == FAKE_HTTP_KEEP && fake_http_read_head(link, &head_len)) {
        const struct fake_http_rule *rule;
        char path[256] = "";
        char after_head = link->head[head_len];
        size_t body_len;

        (void)sscanf(link->head, "%*s %255s", path);
        link->head[head_len] = '\0';
        body_len = fake_http_length(link->head);
        link->head[head_len] = after_head;
        rule = fake_http_note(link, path);
        if (!(rule && rule->skip_body) && !fake_http_read_body(link, head_len, body_len))
            return FAKE_HTTP_CLOSE;
        if (!fake_http_answer(link, rule))
            return FAKE_HTTP_CLOSE;
        then = rule ? rule->then : FAKE_HTTP_KEEP;
    }
    return then == FAKE_HTTP_KEEP ? FAKE_HTTP_CLOSE : then;
}

/* The alert is on its way: closed only when the other side has, since a reset could overtake it. */
static enum fake_http_then
fake_http_refuse(struct fake_http_link *link)
{
    char unread[256];

    (void)shutdown(link->descriptor, SHUT_WR);
    while (recv(link->descriptor, unread, sizeof(unread), 0) > 0)
        ;
    return FAKE_HTTP_RESET;
}

static void *
fake_http_serve(void *arg)
{
    struct fake_http_link *link = arg;
    struct fake_http *fake = link->fake;
    enum fake_http_then then = fake->config.silent ? FAKE_HTTP_STALL : FAKE_HTTP_KEEP;

    if (fake->config.hang_up)
        then = FAKE_HTTP_CLOSE;
    fake_http_block_sigpipe();
    if (fake->tls && then == FAKE_HTTP_KEEP) {
        link->tls = SSL_new(fake->tls);
        (void)SSL_set_fd(link->tls, link->descriptor);
        if (SSL_accept(link->tls) <= 0)
            then = fake_http_refuse(link);
    }
    if (then == FAKE_HTTP_KEEP)
        then = fake_http_talk(link);
    fake_http_end(link, then);
    return NULL;
}

static bool
fake_http_read_head(struct fake_http_link *link, size_t *ret_head_len)
{
    for (;;) {
        char *end = memmem(link->head, link->len, "\r\n\r\n", 4);
        ssize_t got;

        if (end) {
            *ret_head_len = (size_t)(end - link->head) + 4;
            return true;
        }
        assert(link->len < FAKE_HTTP_HEAD_MAX);
        got = fake_http_read(link, link->head + link->len, FAKE_HTTP_HEAD_MAX - link->len);
        if (got <= 0)
            return false;
        link->len += (size_t)got;
    }
}

static const struct fake_http_rule *
fake_http_note(struct fake_http_link *link, const char *path)
{
    struct fake_http *fake = link->fake;
    const struct fake_http_rule *rules = fake->config.rules;
    const struct fake_http_rule *found = NULL;

    (void)pthread_mutex_lock(&fake->mutex);
    for (size_t i = 0; !found && rules && rules[i].path; i++) {
        assert(i < FAKE_HTTP_PATHS);
        if (strcmp(rules[i].path, path) == 0 &&
            (rules[i].only_first == 0 || fake->used[i] < rules[i].only_first)) {
            found = &rules[i];
            fake->used[i]++;
        }
    }
    if (!found)
        fake->unknown++;
    (void)pthread_mutex_unlock(&fake->mutex);
    return found;
}

/* Takes the whole request out of link->head. */
static bool
fake_http_read_body(struct fake_http_link *link, size_t head_len, size_t body_len)
{
    struct fake_http *fake = link->fake;
    size_t had = link->len - head_len < body_len ? link->len - head_len : body_len;
    size_t last = head_len + had < FAKE_HTTP_LAST_MAX ? head_len + had : FAKE_HTTP_LAST_MAX;
    char piece[65536];

    (void)pthread_mutex_lock(&fake->mutex);
    memcpy(fake->last, link->head, last);
    fake->last[last] = '\0';
    fake->body_bytes += had;
    (void)pthread_mutex_unlock(&fake->mutex);
    link->len -= head_len + had;
    memmove(link->head, link->head + head_len + had, link->len);
    for (size_t left = body_len - had; left > 0;) {
        ssize_t got = fake_http_read(link, piece, left < sizeof(piece) ? left : sizeof(piece));

        if (got <= 0)
            return false;
        left -= (size_t)got;
        (void)pthread_mutex_lock(&fake->mutex);
        fake->body_bytes += (size_t)got;
        (void)pthread_mutex_unlock(&fake->mutex);
    }
    return true;
}

static bool
fake_http_answer(struct fake_http_link *link, const struct fake_http_rule *rule)
{
    static const char unknown[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    const char *reply = rule ? rule->reply : unknown;
    struct pollfd gone = { .fd = link->descriptor, .events = POLLRDHUP };
    size_t reply_len = rule && rule->reply_len ? rule->reply_len : reply ? strlen(reply) : 0;
    char padding[4096];

    if (!fake_http_write(link, reply, reply_len))
        return false;
    memset(padding, 'x', sizeof(padding));
    for (size_t left = rule ? rule->padding : 0; left > 0;) {
        size_t len = left < sizeof(padding) ? left : sizeof(padding);

        if (rule->pace_ms > 0) {
            (void)poll(&gone, 1, rule->pace_ms);
            len = 1;
        }
        if (!fake_http_write(link, padding, len))
            return false;
        left -= len;
    }
    return true;
}

/* The descriptor is closed for good by fake_http_free(), so that its number is not used again while
 * that still looks at it. */
static void
fake_http_end(struct fake_http_link *link, enum fake_http_then then)
{
    struct linger at_once = { .l_onoff = 1 };
    struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
    struct pollfd gone = { .fd = link->descriptor, .events = POLLRDHUP };

    if (then == FAKE_HTTP_STALL)
        (void)poll(&gone, 1, -1);
    if (then == FAKE_HTTP_RESET) {
        /* Disconnecting a TCP socket sends RST. */
        (void)setsockopt(link->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        (void)connect(link->descriptor, &nowhere, sizeof(nowhere));
    }
    if (link->tls && then == FAKE_HTTP_CLOSE)
        (void)SSL_shutdown(link->tls);
    SSL_free(link->tls);
    (void)shutdown(link->descriptor, SHUT_RDWR);
    (void)pthread_mutex_lock(&link->fake->mutex);
    link->fake->open--;
    (void)pthread_mutex_unlock(&link->fake->mutex);
}
