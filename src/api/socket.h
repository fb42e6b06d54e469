#pragma once

/* Sockets to listen on. */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"

/** socket_listen_unix() - at @path, mode 0660; a socket that nobody listens on any more is replaced.
 * Return: the descriptor, or -1 with FAULT_CONFLICT (somebody listens) or FAULT_INVALID. */
int socket_listen_unix(const char *path, struct fault *fault);

/** socket_listen_tcp() - @place "127.0.0.1:7070" or "[::1]:7070". @remote: not only loopback
 * Return: the descriptor, or -1 with FAULT_CONFLICT or FAULT_INVALID. */
int socket_listen_tcp(const char *place, bool remote, struct fault *fault);
