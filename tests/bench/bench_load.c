/*
 * A load generator: keep-alive connections on one epoll loop, each with one
 * request at a time.  Prints one JSON object: rate, latencies, sizes.  It
 * parses answers no further than it must, so that its share of the processors
 * stays small; what it takes, it takes from the program under test and from
 * that one's peer alike.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "berth/base/mem.h"

#include "bench.h"

enum {
    HEAD_MAX = 8192,
    PIECE = 1 << 18,
    CLIENTS_MAX = 1024,
    SAMPLES_MAX = 8 << 20,
    FIRST_MAX = 2000,
    PATHS_MAX = 4,
};

enum phase { HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER };

struct client {
    int fd;
    enum phase phase;
    char head[HEAD_MAX]; /* or the line of a chunk's size */
    size_t head_len;
    int64_t left; /* bytes of the body, or of the chunk */
    int64_t began_ns;
    int status;
    bool waiting; /* for an answer */
};

struct load {
    uint16_t port;
    const char *method;
    const char *paths[PATHS_MAX]; /* [path_count], by turns */
    size_t path_count;
    const char *body;
    const char *token;
    int64_t requests; /* to be made, warm-up included */
    int64_t warmup;
    double seconds; /* 0: until all requests are answered */
    uint32_t client_count;

    struct client *clients;
    char *requests_text[PATHS_MAX];
    size_t requests_len[PATHS_MAX];
    int epoll;
    char piece[PIECE];
    int64_t begun;
    int64_t answered;
    int64_t errors;
    int64_t body_bytes;
    char first[FIRST_MAX]; /* what the first answer that is no success says, or the first of all */
    bool first_is_error;
    int64_t began_ns; /* of what is measured */
    int64_t ended_ns;
    uint32_t *samples_us;
    size_t sample_count;
};

static void client_send(struct load *load, struct client *client);
static void client_read(struct load *load, struct client *client);
static void client_parse(struct load *load, struct client *client, const char *data, size_t len);

static void
load_die(const char *what)
{
    (void)fprintf(stderr, "bench_load: %s: %s\n", what, strerrordesc_np(errno));
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void
load_request_make(struct load *load, size_t at)
{
    const char *body = load->body ? load->body : "";

    CLEANUP(mem_freep)
    char *token =
        load->token ? mem_printf("Authorization: Bearer %s\r\n", load->token) : mem_strdup("");
    CLEANUP(mem_freep)
    char *type =
        load->body
            ? mem_printf("Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body))
            : mem_strdup("");

    load->requests_text[at] = mem_printf("%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n%s",
                                         load->method, load->paths[at], token, type, body);
    load->requests_len[at] = strlen(load->requests_text[at]);
}

static void
client_open(struct load *load, struct client *client)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(load->port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        load_die("connect");
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
        load_die("epoll");
}

static bool
load_is_over(const struct load *load)
{
    if (load->seconds > 0)
        return bench_clock_ns() - load->began_ns >= (int64_t)(load->seconds * 1e9);
    return load->begun == load->requests;
}

static void
client_send(struct load *load, struct client *client)
{
    size_t at = (size_t)load->begun % load->path_count;

    if (load_is_over(load))
        return;
    load->begun++;
    client->phase = HEAD;
    client->head_len = 0;
    client->waiting = true;
    client->began_ns = bench_clock_ns();
    /* Requests are small and the socket is empty: it takes them whole. */
    if (send(client->fd, load->requests_text[at], load->requests_len[at], MSG_NOSIGNAL) !=
        (ssize_t)load->requests_len[at])
        load_die("send");
}

static void
client_read(struct load *load, struct client *client)
{
    ssize_t got = recv(client->fd, load->piece, PIECE, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        load_die("the connection was closed");
    client_parse(load, client, load->piece, (size_t)got);
}

static void
client_answered(struct load *load, struct client *client)
{
    int64_t now_ns = bench_clock_ns();

    client->waiting = false;
    load->answered++;
    load->ended_ns = now_ns;
    if (client->status < 200 || client->status > 299)
        load->errors++;
    if (load->answered == load->warmup) {
        load->began_ns = now_ns;
    } else if (load->answered > load->warmup && load->sample_count < SAMPLES_MAX) {
        load->samples_us[load->sample_count++] = (uint32_t)((now_ns - client->began_ns) / 1000);
    }
    client_send(load, client);
}

static const char *
head_find(const char *head, const char *name)
{
    const char *at = strcasestr(head, name);

    return at ? at + strlen(name) + strspn(at + strlen(name), " ") : NULL;
}

/* The line and the headers are there. */
static void
client_head(struct load *load, struct client *client)
{
    const char *length = head_find(client->head, "\r\nContent-Length:");

    client->status = (int)strtol(client->head + strcspn(client->head, " "), NULL, 10);
    if (load->answered == 0 || (!load->first_is_error && client->status > 299)) {
        load->first_is_error = client->status > 299;
        load->first[0] = '\0';
    }
    client->head_len = 0;
    if (head_find(client->head, "\r\nTransfer-Encoding: chunked")) {
        client->phase = CHUNK_SIZE;
        return;
    }
    client->left = length ? strtoll(length, NULL, 10) : 0;
    client->phase = BODY;
    if (client->left == 0)
        client_answered(load, client);
}

/* Collects up to @end. Return: how much of @data was taken; *ret_whole: @end was reached. */
static size_t
client_collect(struct client *client, const char *data, size_t len, const char *end,
               bool *ret_whole)
{
    size_t end_len = strlen(end);
    size_t before = client->head_len;
    char *found;

    if (before + len >= HEAD_MAX)
        len = HEAD_MAX - 1 - before;
    if (len == 0)
        load_die("an answer's head is too long");
    memcpy(client->head + before, data, len);
    client->head[before + len] = '\0';
    found = strstr(client->head + (before > end_len ? before - end_len : 0), end);
    *ret_whole = found != NULL;
    client->head_len = found ? (size_t)(found - client->head) + end_len : before + len;
    client->head[client->head_len] = '\0';
    return client->head_len - before;
}

static size_t
client_skip(struct load *load, struct client *client, const char *data, size_t len)
{
    size_t take = (int64_t)len < client->left ? len : (size_t)client->left;
    size_t have = strlen(load->first);

    if (have + 1 < FIRST_MAX && (load->answered == 0 || client->status > 299))
        (void)snprintf(load->first + have, FIRST_MAX - have, "%.*s", (int)take, data);
    client->left -= (int64_t)take;
    load->body_bytes += (int64_t)take;
    return take;
}

/* The line that says how long a chunk is, the end of one, or a line after the last. */
static void
client_line(struct load *load, struct client *client)
{
    enum phase was = client->phase;

    client->head_len = 0;
    if (was == CHUNK_END) {
        client->phase = CHUNK_SIZE;
    } else if (was == CHUNK_SIZE) {
        client->left = strtoll(client->head, NULL, 16);
        client->phase = client->left > 0 ? CHUNK_DATA : TRAILER;
    } else if (client->head[0] == '\r') {
        client_answered(load, client);
    }
}

/* What an answer carries.  Return: how much of @data that was. */
static size_t
client_parse_data(struct load *load, struct client *client, const char *data, size_t len)
{
    size_t took = client_skip(load, client, data, len);

    if (client->left > 0)
        return took;
    if (client->phase == BODY) {
        client_answered(load, client);
    } else {
        client->phase = CHUNK_END;
    }
    return took;
}

/* What stands around it.  Return: how much of @data that was. */
static size_t
client_parse_frame(struct load *load, struct client *client, const char *data, size_t len)
{
    const char *end = client->phase == HEAD ? "\r\n\r\n" : "\r\n";
    bool whole = false;
    size_t took = client_collect(client, data, len, end, &whole);

    if (whole && client->phase == HEAD) {
        client_head(load, client);
    } else if (whole) {
        client_line(load, client);
    }
    return took;
}

static void
client_parse(struct load *load, struct client *client, const char *data, size_t len)
{
    while (len > 0) {
        bool in_data = client->phase == BODY || client->phase == CHUNK_DATA;
        size_t took = in_data ? client_parse_data(load, client, data, len)
                              : client_parse_frame(load, client, data, len);

        data += took;
        len -= took;
    }
}

static void
load_run(struct load *load)
{
    struct epoll_event events[CLIENTS_MAX];

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (uint32_t i = 0; i < load->client_count; i++)
        client_open(load, &load->clients[i]);
    load->began_ns = bench_clock_ns();
    for (uint32_t i = 0; i < load->client_count; i++)
        client_send(load, &load->clients[i]);
    while (load->answered < load->begun) {
        int count = epoll_wait(load->epoll, events, CLIENTS_MAX, -1);

        for (int i = 0; i < count; i++)
            client_read(load, events[i].data.ptr);
    }
}

static int
by_size(const void *lhs, const void *rhs)
{
    uint32_t left = *(const uint32_t *)lhs;
    uint32_t right = *(const uint32_t *)rhs;

    return (left > right) - (left < right);
}

static uint32_t
load_percentile(const struct load *load, double share)
{
    return load->sample_count ? load->samples_us[(size_t)((double)(load->sample_count - 1) * share)]
                              : 0;
}

static void
load_print(struct load *load)
{
    double took_s = (double)(load->ended_ns - load->began_ns) / 1e9;
    int64_t measured = load->answered - load->warmup;

    qsort(load->samples_us, load->sample_count, sizeof(*load->samples_us), by_size);
    (void)printf("{\"requests\": %lld, \"errors\": %lld, \"seconds\": %.4f, \"rate\": %.1f, "
                 "\"p50_us\": %u, \"p95_us\": %u, \"p99_us\": %u, \"max_us\": %u, "
                 "\"body_bytes\": %lld}\n",
                 (long long)measured, (long long)load->errors, took_s,
                 took_s > 0 ? (double)measured / took_s : 0, load_percentile(load, 0.5),
                 load_percentile(load, 0.95), load_percentile(load, 0.99),
                 load_percentile(load, 1.0),
                 (long long)(load->answered ? load->body_bytes / load->answered : 0));
    if (load->errors > 0) {
        (void)fprintf(stderr, "bench_load: %lld errors, such as: %s\n", (long long)load->errors,
                      load->first);
    }
}

static void
load_options(struct load *load, int argc, char **argv)
{
    int c;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    while ((c = getopt(argc, argv, "p:c:n:w:s:m:u:b:t:")) != -1) {
        if (c == 'p') {
            load->port = (uint16_t)strtoul(optarg, NULL, 10);
        } else if (c == 'c') {
            load->client_count = (uint32_t)strtoul(optarg, NULL, 10);
        } else if (c == 'n') {
            load->requests = strtoll(optarg, NULL, 10);
        } else if (c == 'w') {
            load->warmup = strtoll(optarg, NULL, 10);
        } else if (c == 's') {
            load->seconds = strtod(optarg, NULL);
        } else if (c == 'm') {
            load->method = optarg;
        } else if (c == 'u') {
            load->paths[load->path_count % PATHS_MAX] = optarg;
            load->path_count++;
        } else if (c == 'b') {
            load->body = optarg;
        } else if (c == 't') {
            load->token = optarg;
        } else {
            exit(2); /* NOLINT(concurrency-mt-unsafe): one thread */
        }
    }
}

int
main(int argc, char **argv)
{
    struct load *load = mem_new0(sizeof(*load));

    load->method = "GET";
    load->client_count = 64;
    load->requests = 10000;
    load_options(load, argc, argv);
    if (load->path_count == 0)
        load->paths[load->path_count++] = "/";
    if (load->client_count == 0 || load->client_count > CLIENTS_MAX || load->port == 0 ||
        load->path_count > PATHS_MAX) {
        (void)fputs(
            "usage: bench_load -p PORT [-c CLIENTS] [-n REQUESTS | -s SECONDS] [-w WARM-UP]\n"
            "                  [-m METHOD] [-u PATH]... [-b BODY] [-t TOKEN]\n",
            stderr);
        return 2;
    }
    load->requests += load->warmup;
    load->clients = mem_new0(load->client_count * sizeof(*load->clients));
    load->samples_us = mem_resize(NULL, SAMPLES_MAX, sizeof(*load->samples_us));
    for (size_t i = 0; i < load->path_count; i++)
        load_request_make(load, i);
    load_run(load);
    load_print(load);
    return load->errors > 0;
}
