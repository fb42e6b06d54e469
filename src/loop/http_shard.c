#include "http_shard.h"

#include <assert.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/mem.h"

#include "http_exchange.h"

enum { HTTP_EVENTS = 64 };

static int http_shard_on_timeout(CURLM *multi, long timeout_ms, void *cookie);
static void http_shard_on_timer(struct clock_timer *timer);
static int http_shard_on_interest(CURL *easy, curl_socket_t socket, int what, void *cookie,
                                  void *socket_cookie);

struct http_shard *
http_shard_find(struct http *http, int64_t key)
{
    /* Keys are given in sequence: neighbours share a shard, and it is full before the next. */
    size_t at = (size_t)((uint64_t)key / HTTP_SHARD_PEERS % HTTP_SHARDS);
    struct http_shard *shard = http->shards[at];

    if (shard)
        return shard;
    shard = mem_new0(sizeof(*shard));
    shard->http = http;
    shard->timer.fire = http_shard_on_timer;
    shard->multi = curl_multi_init();
    assert(shard->multi);
    (void)curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, http_shard_on_interest);
    (void)curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
    (void)curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, http_shard_on_timeout);
    (void)curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
    (void)curl_multi_setopt(shard->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    /* The default, four times the running exchanges, would close most of the idle ones. */
    (void)curl_multi_setopt(shard->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_SHARD_KEPT);
    http->shards[at] = shard;
    return shard;
}

void
http_shard_free(struct http_shard *shard)
{
    if (!shard)
        return;
    (void)curl_multi_cleanup(shard->multi);
    shard->http->clock->timer_clear(shard->http->clock->self, &shard->timer);
    if (list_is_in(&shard->node))
        list_remove(&shard->http->touched, &shard->node);
    mem_free(shard);
}

void
http_shard_touch(struct http_shard *shard)
{
    if (!list_is_in(&shard->node))
        list_push(&shard->http->touched, &shard->node);
    http_exchange_wake(shard->http);
}

void
http_shard_poll(struct http *http)
{
    struct epoll_event events[HTTP_EVENTS];
    int count = epoll_wait(http->epoll, events, HTTP_EVENTS, 0);
    int running;

    for (int i = 0; i < count; i++) {
        struct http_shard *shard = http->sockets[events[i].data.fd].shard;
        int what = (events[i].events & ~(uint32_t)EPOLLOUT ? CURL_CSELECT_IN : 0) |
                   (events[i].events & ~(uint32_t)EPOLLIN ? CURL_CSELECT_OUT : 0);

        /* An error is told as "ready": reading finds the cause, CURL_CSELECT_ERR would hide it. */
        if (!shard)
            continue; /* closed by an event before this one */
        (void)curl_multi_socket_action(shard->multi, events[i].data.fd, what, &running);
        http_shard_touch(shard);
    }
}

void
http_shard_hurry(struct http_shard *shard)
{
    const struct clock_port *clock = shard->http->clock;
    int64_t at_mono_ms = shard->timer.at_mono_ms;
    int running;

    if (at_mono_ms == 0 || at_mono_ms > clock->mono_ms(clock->self))
        return;
    clock->timer_clear(clock->self, &shard->timer);
    (void)curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

/* The table has a place for each descriptor number that was ever seen. */
static struct http_socket *
http_shard_socket(struct http *http, int descriptor)
{
    size_t need = (size_t)descriptor + 1;

    assert(descriptor >= 0);
    if (need > http->socket_cap) {
        size_t cap = need < 2 * http->socket_cap ? 2 * http->socket_cap : need + 64;

        http->sockets = mem_resize(http->sockets, cap, sizeof(*http->sockets));
        for (size_t i = http->socket_cap; i < cap; i++)
            http->sockets[i] = (struct http_socket){ 0 };
        http->socket_cap = cap;
    }
    return &http->sockets[descriptor];
}

curl_socket_t
http_shard_socket_open(void *cookie, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_exchange *exchange = cookie;
    int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                            address->protocol);

    (void)purpose;
    if (descriptor < 0)
        return CURL_SOCKET_BAD;
    *http_shard_socket(exchange->http, descriptor) =
        (struct http_socket){ .shard = exchange->shard, .key = exchange->op->peer.key };
    return descriptor;
}

int
http_shard_socket_close(void *cookie, curl_socket_t socket)
{
    struct http *http = cookie;

    *http_shard_socket(http, socket) = (struct http_socket){ 0 };
    return close(socket); /* epoll forgets it, too */
}

void
http_shard_peer_close(struct http *http, int64_t key)
{
    for (size_t i = 0; i < http->socket_cap; i++) {
        if (http->sockets[i].shard && http->sockets[i].idle && http->sockets[i].key == key)
            (void)shutdown((int)i, SHUT_RDWR);
    }
}

static int
http_shard_on_timeout(CURLM *multi, long timeout_ms, void *cookie)
{
    struct http_shard *shard = cookie;
    const struct clock_port *clock = shard->http->clock;

    (void)multi;
    if (timeout_ms < 0) {
        clock->timer_clear(clock->self, &shard->timer);
    } else {
        clock->timer_set(clock->self, &shard->timer, clock->mono_ms(clock->self) + timeout_ms);
    }
    return 0;
}

static void
http_shard_on_timer(struct clock_timer *timer)
{
    struct http_shard *shard = CONTAINER_OF(timer, struct http_shard, timer);
    int running;

    (void)curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_shard_touch(shard);
}

static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the signature is libcurl's. */
http_shard_on_interest(CURL *easy, curl_socket_t socket, int what, void *cookie,
                       void *socket_cookie)
{
    struct http_shard *shard = cookie;
    struct http_socket *entry = http_shard_socket(shard->http, socket);
    struct epoll_event event = { .data.fd = socket };
    struct http_exchange *exchange = NULL;

    (void)socket_cookie;
    if (what == CURL_POLL_REMOVE) {
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
        /* What its exchange holds back is not watched either, but in use. */
        entry->idle = !exchange || !exchange->held;
        if (entry->watched)
            (void)epoll_ctl(shard->http->epoll, EPOLL_CTL_DEL, socket, NULL);
        entry->watched = false;
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    if (epoll_ctl(shard->http->epoll, entry->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket,
                  &event) < 0)
        return -1;
    entry->watched = true;
    entry->idle = false;
    return 0;
}
