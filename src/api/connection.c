#include "connection.h"

#include <assert.h>
#include <sys/socket.h>

#include "auth.h"
#include "request.h"
#include "stream.h"

struct connection *
connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    assert(info && info->socket_context);
    return info->socket_context;
}

static bool
connection_is_full(const struct listener *listener)
{
    return listener->connections.count - listener->cut > listener->server->limits.connections;
}

/* What one turn copies into a socket, and so how long a long answer holds up the others; the kernel
 * takes twice as much.  Half of this is too little for a segment of the loopback interface, and what
 * is less than a segment waits. */
enum { CONNECTION_SEND_BYTES = 64 << 10 };

static void
connection_open(struct listener *listener, struct MHD_Connection *mhd, void **slot)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = mem_new0(sizeof(*connection));
    const int send_bytes = CONNECTION_SEND_BYTES;

    connection->listener = listener;
    connection->mhd = mhd;
    connection->fd = info ? info->connect_fd : -1;
    (void)setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
    connection->since_mono_ms = api_mono_ms(listener->server);
    list_push(&listener->connections, &connection->node);
    listener->server->measure.connections++;
    api_server_tick_ask(listener->server);
    *slot = connection;
}

static void
connection_close(struct connection *connection)
{
    if (connection->request)
        request_drop(connection->request);
    auth_forget(connection);
    if (connection->fd < 0)
        connection->listener->cut--;
    list_remove(&connection->listener->connections, &connection->node);
    mem_free(connection);
}

void
connection_on_change(void *cookie, struct MHD_Connection *mhd, void **slot,
                     enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = cookie;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_open(listener, mhd, slot);
        if (connection_is_full(listener))
            connection_sweep(listener);
    } else if (*slot) {
        connection_close(*slot);
        *slot = NULL;
    }
}

void
connection_phase_set(struct connection *connection, enum connection_phase phase)
{
    struct listener *listener = connection->listener;

    connection->phase = phase;
    connection->since_mono_ms = api_mono_ms(listener->server);
    list_remove(&listener->connections, &connection->node);
    list_push(&listener->connections, &connection->node);
}

void
connection_cut(struct connection *connection)
{
    if (connection->fd < 0)
        return;
    (void)shutdown(connection->fd, SHUT_RDWR);
    connection->fd = -1;
    connection->listener->cut++;
}

static bool
connection_is_late(const struct connection *connection, int64_t now_mono_ms)
{
    const struct api_limits *limits = &connection->listener->server->limits;
    int64_t age_ms = now_mono_ms - connection->since_mono_ms;

    switch (connection->phase) {
    case CONNECTION_HEAD:
        return age_ms > limits->head_ms;
    case CONNECTION_BODY:
        return age_ms > limits->body_ms;
    case CONNECTION_BUSY:
        return false;
    }
    return false;
}

void
connection_sweep(struct listener *listener)
{
    struct api_server *server = listener->server;
    int64_t now_mono_ms = api_mono_ms(server);
    struct list_node *next;

    for (struct list_node *node = list_first(&listener->connections); node; node = next) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);

        next = list_next(&listener->connections, node);
        if (connection->fd < 0 || connection->phase == CONNECTION_BUSY)
            continue;
        if (connection_is_late(connection, now_mono_ms)) {
            server->measure.timed_out++;
            connection_cut(connection);
        } else if (connection_is_full(listener)) {
            server->measure.evicted++;
            connection_cut(connection);
        }
    }
}

bool
connection_is_gone(const struct connection *connection)
{
    char byte;

    return connection->fd < 0 || recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void
connection_cut_all(struct listener *listener, bool hard)
{
    struct list_node *node = list_first(&listener->connections);

    for (; node; node = list_next(&listener->connections, node)) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);

        if (hard || connection->phase == CONNECTION_HEAD)
            connection_cut(connection);
    }
}
