#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/domain/machine.h"
#include "berth/shell/key.h"

#include "ssh.h"

enum { SHELL_ADDRESS_SIZE = 64 };

/* Where a machine is, and as whom it is entered. */
struct shell_peer {
    char user[SSH_USER_MAX + 1];
    char address[SHELL_ADDRESS_SIZE];
    uint16_t port;
    struct key_public host_key; /* of a given machine */
};

/** shell_peer_is_address() - IPv4 or IPv6 in digits. */
bool shell_peer_is_address(const char *text);

/** shell_peer_parse() - of a given machine: "user@address", "user@address:port", "user@[address]:port".
 * Return: 0, or -1 with FAULT_INVALID. */
int shell_peer_parse(const struct machine *machine, struct shell_peer *ret_peer,
                     struct fault *fault);
