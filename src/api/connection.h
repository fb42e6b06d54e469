#pragma once

/*
 * Sockets: how long each may take, and who has to go when there are too many.
 * microhttpd closes what is idle; a client that sends a byte now and then is
 * ours to cut.
 */

#include "api.h"

/* microhttpd's callback, when a socket was accepted and when it was closed. */
void connection_on_change(void *cookie, struct MHD_Connection *mhd, void **slot,
                          enum MHD_ConnectionNotificationCode code);

/** connection_of() - the connection behind microhttpd's. */
struct connection *connection_of(struct MHD_Connection *mhd);

/** connection_phase_set() - begins now. */
void connection_phase_set(struct connection *connection, enum connection_phase phase);

/** connection_sweep() - cut what is too slow; at the limit, also whoever is idle longest. */
void connection_sweep(struct listener *listener);

/** connection_cut() - shut the socket down; microhttpd sees the end and closes it. */
void connection_cut(struct connection *connection);

/** connection_is_gone() - the client has closed its side. */
bool connection_is_gone(const struct connection *connection);

/** connection_cut_all() - for the end: those that wait for a request; @hard: all. */
void connection_cut_all(struct listener *listener, bool hard);
