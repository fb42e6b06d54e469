#pragma once

/*
 * Ctrl-C while something is waited for: the wait ends, what was asked for goes
 * on in the daemon, and we say so.
 */

#include <stdbool.h>
#include <stdint.h>

enum { CLI_SIGNAL_EXIT = 130 }; /* what shells expect of a program that Ctrl-C ended */

/** cli_signal_watch() - from now on SIGINT and SIGTERM are only noted. */
void cli_signal_watch(void);
/** cli_signal_caught() - one of them came. */
bool cli_signal_caught(void);
/** cli_signal_pause() - at most @ms, less when a signal comes. Return: false when one has come. */
bool cli_signal_pause(int64_t ms);
