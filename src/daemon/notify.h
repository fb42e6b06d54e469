#pragma once

/*
 * systemd's notification protocol (sd_notify(3)): a datagram to the socket named
 * by NOTIFY_SOCKET.
 */

#include <stdint.h>

/** notify_init() - read and forget the environment's NOTIFY_SOCKET and WATCHDOG_USEC. Before threads. */
void notify_init(void);
/** notify_send() - "READY=1", "STOPPING=1", "WATCHDOG=1", ...; does nothing without a socket. */
void notify_send(const char *state);
/** notify_watchdog_ms() - half of what systemd allows between two signs of life; 0: not asked for. */
int64_t notify_watchdog_ms(void);
