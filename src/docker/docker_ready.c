/* One non-blocking connection, or one GET. */

#include "docker_ready.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "docker_lookup.h"

#define WHERE "docker.ready"

/* Settling time: so many times the slowest hang-up of late, within bounds.  Measured with docker-proxy
 * 20.10 on two cores: median 0.08 ms, 99 % below 0.8 ms; with eight busy processes beside it 10 ms. */
#define SETTLE_FACTOR 8
#define SETTLE_MIN_MS 5
#define SETTLE_MAX_MS 1000

static void docker_ready_open(struct docker_job *job);
static void docker_ready_on_socket(struct loop_fd *fd, bool readable, bool writable);
static void docker_ready_connected(struct docker_job *job);
static void docker_ready_on_settled(struct clock_timer *timer);

static int64_t
docker_ready_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int
docker_ready_request(struct docker_job *job, struct fault *fault)
{
    const char *path = job->call->in.ready.path;
    bool v6 = strchr(job->endpoint->address, ':') != NULL;

    if (path[0] != '/' || strpbrk(path, " \r\n\t")) {
        return fault_set(fault, FAULT_INVALID, WHERE,
                         "the path must begin with / and have no blanks");
    }
    buf_clear(&job->url);
    buf_printf(&job->url, v6 ? "http://[%s]:%u%s" : "http://%s:%u%s", job->endpoint->address,
               job->call->in.ready.host_port, path);
    /* The container's connection is of no use later. */
    job->headers[job->header_count++] = (struct http_header){ "Connection", "close" };
    job->streaming = true;
    return 0;
}

int
docker_ready_judge(int status, struct fault *fault)
{
    if (status >= 200 && status < 400)
        return 0;
    if (status == 0)
        return fault_set(fault, FAULT_NOT_READY, WHERE, "there is no HTTP answer yet");
    (void)fault_set(fault, FAULT_NOT_READY, WHERE, "the answer is HTTP %d", status);
    if (fault)
        fault->remote_code = status;
    return -1;
}

static void
docker_ready_fail(struct docker_job *job, enum fault_kind kind, const char *text, int error)
{
    struct fault fault;

    (void)fault_set(&fault, kind, WHERE, "port %u: %s%s%s", job->call->in.ready.host_port, text,
                    error ? ": " : "", error ? strerrordesc_np(error) : "");
    docker_ready_close(job);
    docker_job_fail(job, &fault);
}

void
docker_ready_connect(struct docker_job *job)
{
    job->state = DOCKER_JOB_READY;
    if (job->endpoint->number) {
        docker_ready_open(job);
    } else {
        job->lookup = docker_lookup_start(job);
    }
}

void
docker_ready_resolved(struct docker_job *job)
{
    job->lookup = NULL;
    if (job->endpoint->number) {
        docker_ready_open(job);
    } else {
        docker_ready_fail(job, FAULT_NOT_READY, "the host's name has no address", 0);
    }
}

static void
docker_ready_open(struct docker_job *job)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char port[8];
    int error = EINVAL;

    (void)snprintf(port, sizeof(port), "%u", job->call->in.ready.host_port);
    if (getaddrinfo(job->endpoint->number, port, &hints, &found) == 0) {
        job->ready_socket = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (job->ready_socket >= 0 &&
            connect(job->ready_socket, found->ai_addr, found->ai_addrlen) == 0) {
            error = 0;
        } else {
            error = errno;
        }
        freeaddrinfo(found);
    }
    if (error && error != EINPROGRESS) {
        docker_ready_fail(job, FAULT_NOT_READY, "no connection", error);
        return;
    }
    job->ready_at_us = 0;
    job->ready_fd.ready = docker_ready_on_socket;
    loop_fd_start(job->common->loop, &job->ready_fd, job->ready_socket, false, true);
}

static void
docker_ready_on_socket(struct loop_fd *fd, bool readable, bool writable)
{
    struct docker_job *job = CONTAINER_OF(fd, struct docker_job, ready_fd);
    char byte;
    ssize_t got;

    (void)readable;
    if (job->ready_at_us == 0) {
        if (writable)
            docker_ready_connected(job);
        return;
    }
    got = recv(job->ready_socket, &byte, 1, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got > 0) {
        docker_ready_close(job);
        docker_job_end(job, NULL);
        return;
    }
    job->ready_at_us = docker_ready_now_us() - job->ready_at_us;
    if (job->ready_at_us > job->host->close_us)
        job->host->close_us = job->ready_at_us;
    docker_ready_fail(job, FAULT_NOT_READY, "the connection is closed at once", 0);
}

/* A name may stand for another machine by now: look again. */
static void
docker_ready_forget(struct docker_endpoint *endpoint)
{
    if (endpoint->number && strcmp(endpoint->number, endpoint->address) != 0) {
        mem_free(endpoint->number);
        endpoint->number = NULL;
    }
}

static void
docker_ready_connected(struct docker_job *job)
{
    int64_t settle_ms = SETTLE_FACTOR * job->host->close_us / 1000;
    int error = 0;
    socklen_t len = sizeof(error);

    (void)getsockopt(job->ready_socket, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        docker_ready_forget(job->endpoint);
        docker_ready_fail(job, FAULT_NOT_READY, "no connection", error);
        return;
    }
    if (settle_ms < SETTLE_MIN_MS)
        settle_ms = SETTLE_MIN_MS;
    if (settle_ms > SETTLE_MAX_MS)
        settle_ms = SETTLE_MAX_MS;
    job->ready_at_us = docker_ready_now_us();
    loop_fd_start(job->common->loop, &job->ready_fd, job->ready_socket, true, false);
    job->rest.fire = docker_ready_on_settled;
    job->common->clock->timer_set(job->common->clock->self, &job->rest,
                                  job->common->clock->mono_ms(job->common->clock->self) +
                                      settle_ms);
}

static void
docker_ready_on_settled(struct clock_timer *timer)
{
    struct docker_job *job = CONTAINER_OF(timer, struct docker_job, rest);
    char byte;
    ssize_t got = recv(job->ready_socket, &byte, 1, MSG_PEEK);

    /* The hang-up may have come in this very turn. */
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        docker_ready_on_socket(&job->ready_fd, true, false);
        return;
    }
    /* One slow hang-up must not slow down all readiness for ever. */
    job->host->close_us -= job->host->close_us / 8;
    docker_ready_close(job);
    docker_job_end(job, NULL);
}

void
docker_ready_close(struct docker_job *job)
{
    docker_lookup_drop(STEAL(job->lookup));
    if (job->ready_socket < 0)
        return;
    if (job->ready_fd.ready)
        loop_fd_stop(job->common->loop, &job->ready_fd);
    job->ready_fd.ready = NULL;
    (void)close(job->ready_socket);
    job->ready_socket = -1;
}
