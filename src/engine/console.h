#pragma once

/*
 * What the console of a machine showed that never became a host: often it says why.  A hint, fetched
 * while the machine is given back; nothing waits for it.
 */

#include "state.h"

enum { CONSOLE_TAIL_SIZE = 320, CONSOLE_LINES_MAX = 3, CONSOLE_LOOKS_MAX = 8 };

/** console_look() - an event of @host tells the last lines of its machine's console, if there are any and
 * they can be had. */
void console_look(struct engine *engine, const struct host *host);
/** console_cancel_all() - none is told any more; they end like any call to the provider. */
void console_cancel_all(struct engine *engine);

/** console_tail() - the last lines of @len bytes that are not blank, as one line; "": there are none.
 * Return: @ret. */
const char *console_tail(const char *text, size_t len, char ret[CONSOLE_TAIL_SIZE]);
