#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un notify_address;
static socklen_t notify_address_len;
static int64_t notify_every_ms;

void
notify_init(void)
{
    const char *path = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe): before threads */
    const char *usec = getenv("WATCHDOG_USEC"); /* NOLINT(concurrency-mt-unsafe): before threads */
    size_t len = path ? strlen(path) : 0;

    if (len > 0 && len < sizeof(notify_address.sun_path)) {
        notify_address.sun_family = AF_UNIX;
        memcpy(notify_address.sun_path, path, len);
        if (path[0] == '@')
            notify_address.sun_path[0] = '\0';
        notify_address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    }
    if (usec)
        notify_every_ms = strtoll(usec, NULL, 10) / 2000;
    (void)unsetenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe): before threads */
    (void)unsetenv("WATCHDOG_USEC"); /* NOLINT(concurrency-mt-unsafe): before threads */
}

void
notify_send(const char *state)
{
    int fd;

    if (notify_address_len == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&notify_address,
                 notify_address_len);
    (void)close(fd);
}

int64_t
notify_watchdog_ms(void)
{
    return notify_every_ms;
}
