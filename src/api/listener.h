#pragma once

/*
 * One address: a socket, the microhttpd daemon on it, and its place on our
 * loop.
 */

#include "api.h"

/** listener_open() - bind and listen at listener->address ("unix:PATH", "http://HOST:PORT").
 * Return: 0, or -1. */
int listener_open(struct api_server *server, struct listener *listener, bool allow_remote,
                  struct fault *fault);
/** listener_poke() - let the daemon run at the end of this turn, or of the next. */
void listener_poke(struct listener *listener);
/** listener_quiesce() - accept nothing new. */
void listener_quiesce(struct listener *listener);
/** listener_close() - all connections must be closed or not suspended. */
void listener_close(struct listener *listener);
