#pragma once

/*
 * One machine, reached by SSH: libssh2 on the event loop, nothing in here waits.  It must show one of the
 * host keys that are given, ed25519, before we say who we are; what it then runs are scripts (remote.h).
 *
 *   ssh_new ▶ ssh_connect_start ... done ▶ ssh_remote: run ... done, run ... done ▶ ssh_free
 *
 * adr/0010 says why it is as it is.  A connection that broke stays broken: connect again with another
 * struct ssh.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/loop/loop.h"
#include "berth/shell/key.h"

#include "remote.h"

enum {
    SSH_ACCEPTED_MAX = 2,
    SSH_USER_MAX = 32,        /* characters */
    SSH_INPUT_MAX = 64 << 20, /* bytes of a command's input */
    SSH_SCRIPT_MAX = 1 << 20, /* bytes of a command's script */
};

struct ssh;

/* Whom to talk to. */
struct ssh_peer {
    const char *address;   /* IPv4 or IPv6, in digits: names are not looked up */
    uint16_t port;         /* 1 to 65535 */
    const char *user;      /* to log in as: ssh_is_user() */
    const struct key *key; /* of @user; borrowed until ssh_free() */
    struct key_public accepted[SSH_ACCEPTED_MAX]; /* the machine's host key must be one of them */
    size_t accepted_count;                        /* 1 to SSH_ACCEPTED_MAX */
};

/** ssh_is_user() - a name of a user that is safe in a command: a letter or "_", then letters, digits,
 * "_", "-", at most SSH_USER_MAX, lower case. */
bool ssh_is_user(const char *name);

/** ssh_new() - not connected yet.  @peer: copied, but its key. */
struct ssh *ssh_new(struct loop *loop, const struct ssh_peer *peer) MUST_USE;
/** ssh_free() - closes the connection.  No connect and no command may be under way; not from within
 * on_output, but done is fine. NULL is fine. */
void ssh_free(struct ssh *ssh);
MEM_DEFINE_FREEP(struct ssh, ssh_free);

/* Connecting, once for each struct ssh.  Embed it; it must outlive done. */
struct ssh_connect {
    /* In.  A machine that boots refuses connections, then breaks them, then does not know our key yet:
     * for so long it is tried again, with pauses that grow to some seconds.  0: one try.  A try that has
     * begun is finished. */
    int64_t retry_for_ms;
    /* In.  The longest that connecting, handshake and login may take, each; 0: 10, 20 and 20 s. */
    int64_t part_limit_ms;
    /* Out. */
    size_t accepted; /* on success: which of peer.accepted was shown */
    unsigned tries;
    /* Exactly once, from the loop, never from inside start(); last touch.  FAULT_UNREACHABLE: nobody
     * answers, or not SSH; FAULT_TIMEOUT: it fell silent; FAULT_TLS: another machine answers, with a
     * false host key, or our key is not accepted; FAULT_GARBLED: its server and we have no algorithm in
     * common; FAULT_INVALID: the address is none; FAULT_CANCELLED. */
    void (*done)(struct ssh_connect *connect, const struct fault *fault);
};

void ssh_connect_start(struct ssh *ssh, struct ssh_connect *connect);
/** ssh_connect_cancel() - done still comes, with FAULT_CANCELLED unless it had ended. */
void ssh_connect_cancel(struct ssh *ssh);

/** ssh_remote() - the machine, for the playbook's runner; borrowed from @ssh.  Once it is connected.
 *
 * A script runs below a shell that ends it, with all its processes that have not left its session, when
 * the connection or the command is given up: SIGTERM, and SIGKILL 5 s later. */
const struct remote *ssh_remote(struct ssh *ssh);
