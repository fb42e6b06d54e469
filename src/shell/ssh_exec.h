#pragma once

/*
 * One script on a connection that is up: a channel, what goes in, what comes out, and how it ended.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ssh_link.h"
#include "ssh_stream.h"

enum ssh_exec_phase {
    SSH_EXEC_OPEN,
    SSH_EXEC_START,
    SSH_EXEC_TALK,  /* input goes, output comes */
    SSH_EXEC_CLOSE, /* the outcome is certain; the channel is not gone yet */
    SSH_EXEC_OVER,
};

enum ssh_exec_turn { SSH_EXEC_WRITE, SSH_EXEC_OUT, SSH_EXEC_ERR, SSH_EXEC_TURNS };

struct ssh_exec {
    struct ssh_link *link;
    struct remote_command *command; /* NULL: none runs */
    enum ssh_exec_phase phase;
    LIBSSH2_CHANNEL *channel; /* it dies with the link's session at the latest */
    char line[4096];          /* the command line */
    size_t line_len;
    struct buf head;              /* what goes before the input */
    size_t sent;                  /* bytes of head and input */
    enum ssh_exec_turn turn;      /* whose is next; a call that is half sent keeps it */
    struct ssh_stream streams[2]; /* stdout, stderr */
    struct buf kept[2];
    bool truncated;
    bool failed;   /* with this fault; otherwise it ended with streams[0].code */
    bool given_up; /* by us: output is dropped */
    struct fault fault;
};

/** ssh_exec_start() - @command on @link; nothing is sent yet.
 * @user: to become; NULL: nobody else */
void ssh_exec_start(struct ssh_exec *exec, struct ssh_link *link, struct remote_command *command,
                    const char *user);
/** ssh_exec_refuse() - @command is not run; the outcome is this fault. */
void ssh_exec_refuse(struct ssh_exec *exec, struct ssh_link *link, struct remote_command *command,
                     enum fault_kind kind, const char *why);
/** ssh_exec_step() - go on.
 * @ret_more: there may be more to do at once, after others had their turn
 * Return: 0: it is over, and the link may have the next; SSH_STEP_AGAIN; -1: the link is of no use any
 * more, and if the outcome was not certain it is FAULT_UNREACHABLE or FAULT_LOST now. */
int ssh_exec_step(struct ssh_exec *exec, bool *ret_more);
/** ssh_exec_give_up() - the outcome is this fault, if it was not certain yet.
 * Return: false: its channel cannot be closed apart from the link. */
bool ssh_exec_give_up(struct ssh_exec *exec, enum fault_kind kind, const char *why);
/** ssh_exec_end() - tell the command's owner; @exec is free again before that. */
void ssh_exec_end(struct ssh_exec *exec);
