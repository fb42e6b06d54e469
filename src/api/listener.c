#include "listener.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/log.h"

#include "connection.h"
#include "request.h"
#include "socket.h"

static void listener_on_ready(struct loop_fd *fd, bool readable, bool writable);
static void listener_on_timer(struct clock_timer *timer);

static void PRINTF_LIKE(2, 0) listener_on_log(void *cookie, const char *format, va_list args)
{
    char text[FAULT_TEXT_SIZE];

    (void)cookie;
    text_line_vprintf(text, sizeof(text), format, args);
    log_debug("api", "%s", text);
}

/* Escapes are ours to decode, one path segment at a time: %2F and %00 must not pass for less. */
static size_t
listener_on_unescape(void *cookie, struct MHD_Connection *mhd, char *text)
{
    (void)cookie;
    (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *
listener_daemon(struct listener *listener, int fd)
{
    const struct api_limits *limits = &listener->server->limits;

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        request_on_access, listener, MHD_OPTION_EXTERNAL_LOGGER, listener_on_log, listener,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_CONNECTION, connection_on_change, listener,
        MHD_OPTION_NOTIFY_COMPLETED, request_on_completed, listener, MHD_OPTION_URI_LOG_CALLBACK,
        request_on_target, listener, MHD_OPTION_UNESCAPE_CALLBACK, listener_on_unescape, listener,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_HEAD_MAX, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)limits->connections + API_CONNECTIONS_SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)limits->idle_s, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

int
listener_open(struct api_server *server, struct listener *listener, bool allow_remote,
              struct fault *fault)
{
    const char *address = listener->address;
    const char *path = strncmp(address, "unix:", 5) == 0 ? address + 5 : NULL;
    const char *place = strncmp(address, "http://", 7) == 0 ? address + 7 : NULL;
    const union MHD_DaemonInfo *info;
    int fd;

    if (!path && !place) {
        return fault_set(fault, FAULT_INVALID, "api.listen",
                         "%s is neither unix:PATH nor http://ADDRESS:PORT", address);
    }
    fd = path ? socket_listen_unix(path, fault) : socket_listen_tcp(place, allow_remote, fault);
    if (fd < 0)
        return -1;
    listener->server = server;
    list_init(&listener->connections);
    listener->daemon = listener_daemon(listener, fd);
    if (!listener->daemon) {
        (void)close(fd);
        return fault_set(fault, FAULT_BUG, "api.listen", "cannot serve at %s", address);
    }
    listener->unix_path = mem_strdup(path);
    info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    assert(info);
    listener->fd.ready = listener_on_ready;
    listener->timer.fire = listener_on_timer;
    loop_fd_start(server->loop, &listener->fd, info->epoll_fd, true, false);
    return 0;
}

/* The daemon says when it must run again although nothing wakes it. */
static void
listener_run(struct listener *listener)
{
    const struct clock_port *clock = listener->server->clock;
    MHD_UNSIGNED_LONG_LONG left_ms;

    (void)MHD_run(listener->daemon);
    if (MHD_get_timeout(listener->daemon, &left_ms) == MHD_YES) {
        clock->timer_set(clock->self, &listener->timer,
                         api_mono_ms(listener->server) + (int64_t)left_ms);
    } else {
        clock->timer_clear(clock->self, &listener->timer);
    }
}

static void
listener_on_ready(struct loop_fd *fd, bool readable, bool writable)
{
    (void)readable;
    (void)writable;
    listener_run(CONTAINER_OF(fd, struct listener, fd));
}

static void
listener_on_timer(struct clock_timer *timer)
{
    listener_run(CONTAINER_OF(timer, struct listener, timer));
}

void
listener_poke(struct listener *listener)
{
    const struct clock_port *clock = listener->server->clock;

    clock->timer_set(clock->self, &listener->timer, api_mono_ms(listener->server));
}

void
listener_quiesce(struct listener *listener)
{
    MHD_socket fd = MHD_quiesce_daemon(listener->daemon);

    if (fd != MHD_INVALID_SOCKET)
        (void)close(fd);
    if (listener->unix_path)
        (void)unlink(listener->unix_path);
}

void
listener_close(struct listener *listener)
{
    const struct clock_port *clock;

    mem_free(STEAL(listener->address));
    if (!listener->daemon)
        return;
    clock = listener->server->clock;
    clock->timer_clear(clock->self, &listener->timer);
    loop_fd_stop(listener->server->loop, &listener->fd);
    MHD_stop_daemon(STEAL(listener->daemon));
    assert(listener->connections.count == 0);
    mem_free(STEAL(listener->unix_path));
}
