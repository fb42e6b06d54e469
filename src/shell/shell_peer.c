#include "shell_peer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_PORT = 22 };

bool
shell_peer_is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* @len characters of @text into @ret of @size bytes. */
static bool
shell_peer_take(const char *text, size_t len, char *ret, size_t size)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(ret, text, len);
    ret[len] = '\0';
    return true;
}

static bool
shell_peer_port(const char *text, uint16_t *ret_port)
{
    char *end;
    long port = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port < 1 || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool
shell_peer_place(const char *text, struct shell_peer *peer)
{
    const char *colon = strchr(text, ':');
    const char *end = text + strlen(text);

    if (*text == '[') {
        end = strchr(++text, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && strchr(colon + 1, ':')) {
        colon = NULL; /* IPv6 without a port */
    } else if (colon) {
        end = colon;
    }
    peer->port = PEER_PORT;
    return shell_peer_take(text, (size_t)(end - text), peer->address, sizeof(peer->address)) &&
           shell_peer_is_address(peer->address) &&
           (!colon || shell_peer_port(colon + 1, &peer->port));
}

int
shell_peer_parse(const struct machine *machine, struct shell_peer *ret_peer, struct fault *fault)
{
    const char *at = strchr(machine->ssh, '@');
    struct shell_peer peer = { 0 };

    if (!at ||
        !shell_peer_take(machine->ssh, (size_t)(at - machine->ssh), peer.user, sizeof(peer.user)) ||
        !ssh_is_user(peer.user) || !shell_peer_place(at + 1, &peer)) {
        return fault_set(fault, FAULT_INVALID, "shell",
                         "%s is not user@address or user@address:port, the address in digits",
                         machine->ssh);
    }
    if (!machine->host_key) {
        return fault_set(fault, FAULT_INVALID, "shell",
                         "the machine's SSH host key is not known: no machine is trusted on first "
                         "use");
    }
    if (key_public_parse(machine->host_key, &peer.host_key, fault) < 0)
        return -1;
    *ret_peer = peer;
    return 0;
}
