/*
 * What berthd's work costs a program that does nothing else: libmicrohttpd on
 * an epoll loop of its own, buckets by free memory, the same rows to the same
 * tables, group commit on a writer thread, an answer of the same size.  No
 * parsing, no tokens, no model of anything.
 *
 *   POST   places: a row for each, committed before the answer; then the rows
 *          of the running instance, as if its engine had answered at once
 *   GET    answers with a constant body
 *
 * Ends when its standard input closes.
 */

#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <microhttpd.h>

#include "berth/base/mem.h"

#include "bench_rows.h"

enum { IN_FLIGHT_MAX = 2, BUCKETS = 256, HOST_UNITS = 64, CLIENTS_MAX = 1024 };

/* One POST. */
struct post {
    struct post *next;
    struct MHD_Connection *mhd;
    int64_t id;
    bool durable;
};

/* One transaction. */
struct batch {
    struct batch *next;
    struct post *placed;
    int64_t *running; /* [running_count]: ids */
    size_t running_count;
};

struct host {
    struct host *prev;
    struct host *next;
    int free_units;
};

struct peer {
    struct rows rows; /* the writer thread's once it runs */
    struct MHD_Daemon *mhd;
    struct MHD_Response *answer;
    struct MHD_Response *body;
    int64_t next_id;

    struct host *hosts;
    struct host *buckets[BUCKETS]; /* by free units */

    /* Of this turn: for the next batch. */
    struct post *placed;
    int64_t *running;
    size_t running_count;
    size_t running_cap;
    int in_flight;

    int wake; /* the loop, when a batch is durable */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t posted;
    struct batch *queue; /* at most IN_FLIGHT_MAX, in order */
    struct batch *done;
};

static void *writer_main(void *arg);

static void
bucket_put(struct peer *peer, struct host *host)
{
    struct host **bucket = &peer->buckets[host->free_units];

    host->prev = NULL;
    host->next = *bucket;
    if (*bucket)
        (*bucket)->prev = host;
    *bucket = host;
}

static void
bucket_take(struct peer *peer, struct host *host)
{
    if (host->prev) {
        host->prev->next = host->next;
    } else {
        peer->buckets[host->free_units] = host->next;
    }
    if (host->next)
        host->next->prev = host->prev;
}

/* Best fit: the fullest host with a unit free. */
static bool
peer_place(struct peer *peer)
{
    for (int units = 1; units < BUCKETS; units++) {
        struct host *host = peer->buckets[units];

        if (!host)
            continue;
        bucket_take(peer, host);
        host->free_units--;
        bucket_put(peer, host);
        return true;
    }
    return false;
}

static enum MHD_Result
peer_post(struct peer *peer, struct MHD_Connection *mhd, struct post *post)
{
    enum MHD_Result result;

    if (post->durable)
        return MHD_queue_response(mhd, MHD_HTTP_ACCEPTED, peer->answer);
    if (!peer_place(peer)) {
        result = MHD_queue_response(mhd, MHD_HTTP_SERVICE_UNAVAILABLE, peer->answer);
        return result;
    }
    post->id = peer->next_id++;
    post->mhd = mhd;
    post->next = peer->placed;
    peer->placed = post;
    MHD_suspend_connection(mhd);
    return MHD_YES;
}
/* microhttpd says which parameters it has. */
/* NOLINTBEGIN(readability-function-size,bugprone-easily-swappable-parameters) */

static enum MHD_Result
peer_on_access(void *cookie, struct MHD_Connection *mhd, const char *url, const char *method,
               const char *version, const char *data, size_t *data_len, void **slot)
{
    struct peer *peer = cookie;

    (void)url;
    (void)version;
    (void)data;
    if (!*slot) {
        *slot = mem_new0(sizeof(struct post));
        return MHD_YES;
    }
    if (*data_len > 0) {
        *data_len = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
        return peer_post(peer, mhd, *slot);
    return MHD_queue_response(mhd, MHD_HTTP_OK, peer->body);
}
/* NOLINTEND(readability-function-size,bugprone-easily-swappable-parameters) */

static void
peer_on_completed(void *cookie, struct MHD_Connection *mhd, void **slot,
                  enum MHD_RequestTerminationCode code)
{
    (void)cookie;
    (void)mhd;
    (void)code;
    mem_free(*slot);
    *slot = NULL;
}

/* The end of a turn: all that came in it goes into one transaction. */
static void
peer_commit(struct peer *peer)
{
    struct batch **last = &peer->queue;
    struct batch *batch;

    if (peer->in_flight == IN_FLIGHT_MAX || (!peer->placed && peer->running_count == 0))
        return;
    batch = mem_new0(sizeof(*batch));
    batch->placed = STEAL(peer->placed);
    batch->running = STEAL(peer->running);
    batch->running_count = peer->running_count;
    peer->running_count = peer->running_cap = 0;
    peer->in_flight++;
    (void)pthread_mutex_lock(&peer->mutex);
    while (*last)
        last = &(*last)->next;
    *last = batch;
    (void)pthread_cond_signal(&peer->posted);
    (void)pthread_mutex_unlock(&peer->mutex);
}

static void *
writer_main(void *arg)
{
    struct peer *peer = arg;

    (void)pthread_mutex_lock(&peer->mutex);
    for (;;) {
        struct batch *batch = peer->queue;
        uint64_t one = 1;

        if (!batch) {
            (void)pthread_cond_wait(&peer->posted, &peer->mutex);
            continue;
        }
        peer->queue = batch->next;
        (void)pthread_mutex_unlock(&peer->mutex);
        rows_begin(&peer->rows);
        for (struct post *post = batch->placed; post; post = post->next)
            (void)rows_place(&peer->rows, post->id);
        for (size_t i = 0; i < batch->running_count; i++)
            (void)rows_run(&peer->rows, batch->running[i]);
        rows_commit(&peer->rows);
        (void)pthread_mutex_lock(&peer->mutex);
        batch->next = peer->done;
        peer->done = batch;
        (void)!write(peer->wake, &one, sizeof(one));
    }
    return NULL;
}

static void
peer_runs(struct peer *peer, int64_t id)
{
    if (peer->running_count == peer->running_cap) {
        peer->running_cap = peer->running_cap ? 2 * peer->running_cap : 64;
        peer->running = mem_resize(peer->running, peer->running_cap, sizeof(*peer->running));
    }
    peer->running[peer->running_count++] = id;
}

/* Durable: let the answers out, and let the engines have started what was placed. */
static void
peer_durable(struct peer *peer)
{
    struct batch *batch;

    (void)pthread_mutex_lock(&peer->mutex);
    batch = STEAL(peer->done);
    (void)pthread_mutex_unlock(&peer->mutex);
    while (batch) {
        struct batch *next = batch->next;

        for (struct post *post = batch->placed; post; post = post->next) {
            post->durable = true;
            peer_runs(peer, post->id);
            MHD_resume_connection(post->mhd);
        }
        peer->in_flight--;
        mem_free(batch->running);
        mem_free(batch);
        batch = next;
    }
}

static void
peer_run(struct peer *peer)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(peer->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    int fds[] = { info->epoll_fd, peer->wake, STDIN_FILENO };
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool over = false;

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        struct epoll_event event = { .events = EPOLLIN, .data.fd = fds[i] };

        (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    while (!over) {
        struct epoll_event events[ARRAY_LEN(fds)];
        MHD_UNSIGNED_LONG_LONG wait_ms;
        bool waits = MHD_get_timeout(peer->mhd, &wait_ms) == MHD_YES;
        int count = epoll_wait(epoll, events, ARRAY_LEN(fds), waits ? (int)wait_ms : -1);
        uint64_t wakes;

        for (int i = 0; i < count; i++) {
            over |= events[i].data.fd == STDIN_FILENO;
            if (events[i].data.fd != peer->wake)
                continue;
            (void)!read(peer->wake, &wakes, sizeof(wakes));
            peer_durable(peer);
        }
        (void)MHD_run(peer->mhd);
        peer_commit(peer);
    }
}

static struct MHD_Response *
peer_response(size_t size)
{
    char *body = mem_resize(NULL, size + 1, 1);
    struct MHD_Response *response;

    memset(body, 'x', size);
    response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    return response;
}

static int
peer_serve(struct peer *peer, uint16_t port, size_t host_count)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer->hosts = mem_new0((host_count + 1) * sizeof(*peer->hosts));
    for (size_t i = 0; i < host_count; i++) {
        peer->hosts[i].free_units = HOST_UNITS;
        bucket_put(peer, &peer->hosts[i]);
    }
    peer->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    peer->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, peer_on_access,
        peer, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_NOTIFY_COMPLETED, peer_on_completed, peer,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MAX, MHD_OPTION_END);
    if (!peer->mhd) {
        (void)fputs("bench_peer: cannot listen\n", stderr);
        return 1;
    }
    if (peer->rows.db && pthread_create(&peer->thread, NULL, writer_main, peer) != 0)
        return 1;
    peer_run(peer);
    return 0;
}

int
main(int argc, char **argv)
{
    struct peer *peer = mem_new0(sizeof(*peer));
    const char *db = NULL;
    size_t answer = 600;
    size_t body = 600;
    size_t hosts = 0;
    uint16_t port = 0;
    int c;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((c = getopt(argc, argv, "p:d:h:a:b:")) != -1) {
        if (c == 'p') {
            port = (uint16_t)strtoul(optarg, NULL, 10);
        } else if (c == 'd') {
            db = optarg;
        } else if (c == 'h') {
            hosts = strtoul(optarg, NULL, 10);
        } else if (c == 'a') {
            answer = strtoul(optarg, NULL, 10);
        } else if (c == 'b') {
            body = strtoul(optarg, NULL, 10);
        } else {
            return 2;
        }
    }
    (void)pthread_mutex_init(&peer->mutex, NULL);
    (void)pthread_cond_init(&peer->posted, NULL);
    if (db)
        rows_open(&peer->rows, db);
    peer->next_id = peer->rows.next_id;
    peer->answer = peer_response(answer);
    peer->body = peer_response(body);
    return peer_serve(peer, port, hosts);
}
