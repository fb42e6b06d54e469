#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_BACKLOG = 4096, SOCKET_MODE = 0660 };

static int
socket_fail(int fd, const char *where, struct fault *fault)
{
    enum fault_kind kind = errno == EADDRINUSE ? FAULT_CONFLICT : FAULT_INVALID;
    char why[64];

    (void)fault_set(fault, kind, "api.listen", "cannot listen at %s: %s", where,
                    strerror_r(errno, why, sizeof(why)));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* A socket file may be left over from a daemon that was killed. */
static bool
socket_is_stale(const struct sockaddr_un *address)
{
    struct stat info;
    int fd;
    bool refused;

    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
              errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

int
socket_listen_unix(const char *path, struct fault *fault)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path))
        return fault_set(fault, FAULT_INVALID, "api.listen", "the path %s is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (socket_is_stale(&address))
        (void)unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Nobody gets in between bind() and chmod(): it does not listen yet. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, SOCKET_MODE) != 0 || listen(fd, SOCKET_BACKLOG) != 0)
        return socket_fail(fd, path, fault);
    return fd;
}

struct socket_place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t len;
    bool loopback;
};

static bool
socket_parse(const char *place, struct socket_place *ret_place)
{
    const char *colon = strrchr(place, ':');
    struct socket_place found = { .len = 0 };
    char host[64];
    char *end;
    unsigned long port;
    size_t len = colon ? (size_t)(colon - place) : 0;

    if (len == 0 || len >= sizeof(host) || !colon[1])
        return false;
    port = strtoul(colon + 1, &end, 10);
    if (*end || port > UINT16_MAX || colon[1] == '-')
        return false;
    memcpy(host, place, len);
    host[len] = '\0';
    if (strcmp(host, "localhost") == 0)
        (void)snprintf(host, sizeof(host), "127.0.0.1");
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        found.at.v6.sin6_family = AF_INET6;
        found.at.v6.sin6_port = htons((uint16_t)port);
        found.len = sizeof(found.at.v6);
        if (inet_pton(AF_INET6, host + 1, &found.at.v6.sin6_addr) != 1)
            return false;
        found.loopback = IN6_IS_ADDR_LOOPBACK(&found.at.v6.sin6_addr);
    } else {
        found.at.v4.sin_family = AF_INET;
        found.at.v4.sin_port = htons((uint16_t)port);
        found.len = sizeof(found.at.v4);
        if (inet_pton(AF_INET, host, &found.at.v4.sin_addr) != 1)
            return false;
        found.loopback = ntohl(found.at.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    *ret_place = found;
    return true;
}

int
socket_listen_tcp(const char *place, bool remote, struct fault *fault)
{
    struct socket_place at;
    int fd;

    if (!socket_parse(place, &at))
        return fault_set(fault, FAULT_INVALID, "api.listen", "%s is not ADDRESS:PORT", place);
    if (!at.loopback && !remote) {
        return fault_set(fault, FAULT_INVALID, "api.listen",
                         "%s is not a loopback address: put a proxy with TLS in front, or set "
                         "allow_remote if there is one",
                         place);
    }
    fd = socket(at.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) != 0 ||
        bind(fd, &at.at.any, at.len) != 0 || listen(fd, SOCKET_BACKLOG) != 0)
        return socket_fail(fd, place, fault);
    return fd;
}
