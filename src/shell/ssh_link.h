#pragma once

/*
 * A connection to an SSH server, from the socket to the accepted user: one try.  All of libssh2 but its
 * channels (ssh_exec.c).  Steps go as far as they can without waiting; the descriptor says when to go on.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libssh2.h>

#include "berth/loop/loop.h"

#include "ssh.h"
#include "ssh_memory.h"
#include "ssh_offer.h"

enum ssh_link_phase {
    SSH_LINK_CONNECT,
    SSH_LINK_HANDSHAKE, /* ends with a host key that is one of the accepted */
    SSH_LINK_LOGIN,
    SSH_LINK_UP,
};

/* Of steps, here and in ssh_exec.h: wait until the descriptor is ready, then make the same step again. */
enum { SSH_STEP_AGAIN = 1 };

struct ssh_link {
    struct loop *loop;
    const struct ssh_peer *peer;
    char name[96]; /* "admin@10.0.0.1:22", for people */
    enum ssh_link_phase phase;
    int socket; /* -1: none */
    LIBSSH2_SESSION *session;
    struct loop_fd fd;
    bool watching;
    bool half_sent;   /* a packet is: libssh2 wants the very same call until it is through */
    bool closed;      /* libssh2 gets no more from the socket */
    bool hopeless;    /* another try would fail in the same way */
    bool flooded;     /* far more came before the login than belongs there */
    size_t heard;     /* bytes, before the login */
    size_t turn_left; /* bytes that libssh2 may still have in this turn, once it is up */
    struct ssh_memory memory;
    int64_t heard_mono_ms; /* when something last came from the server */
    size_t accepted;
    void *signer;                   /* the key, as libssh2 hands it through */
    uint8_t opening[SSH_OFFER_MAX]; /* the server's first bytes */
    size_t opening_len;
};

/** ssh_link_init() - nothing happens yet.  @peer: borrowed until ssh_link_fini().
 * @ready: called when the descriptor is */
void ssh_link_init(struct ssh_link *link, struct loop *loop, const struct ssh_peer *peer,
                   void (*ready)(struct loop_fd *fd, bool readable, bool writable));
/** ssh_link_open() - begin another try: close what was, connect. */
int ssh_link_open(struct ssh_link *link, struct fault *fault);
/** ssh_link_step() - towards SSH_LINK_UP.
 * Return: 0: in another phase now, or up; SSH_STEP_AGAIN; -1: this try has failed. */
int ssh_link_step(struct ssh_link *link, struct fault *fault);
/** ssh_link_turn() - the next step may read again: libssh2 goes on for as long as there is something. */
void ssh_link_turn(struct ssh_link *link);
/** ssh_link_watch() - for what the last step that had to wait needs; not at all when @wanted is false. */
void ssh_link_watch(struct ssh_link *link, bool wanted);
/** ssh_link_alive() - ask the server for an answer, if nothing is on its way to it already. */
void ssh_link_alive(struct ssh_link *link);
/** ssh_link_error() - what libssh2 says of its last call, for people; borrowed from libssh2. */
const char *ssh_link_error(const struct ssh_link *link);
/** ssh_link_close() - say goodbye if that needs no waiting, close all.  Channels are freed with it. */
void ssh_link_close(struct ssh_link *link);
