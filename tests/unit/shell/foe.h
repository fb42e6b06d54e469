#pragma once

/*
 * A hostile machine for one test: it speaks SSH well enough to be let in, and then, or before, does what
 * no server does.  A process of its own, so that whoever waits for it inside of a call hangs for real;
 * it ends by itself after FOE_SENT_MAX bytes or FOE_LIFE_S.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "berth/shell/key.h"

enum {
    FOE_SENT_MAX = 128 << 20, /* bytes; where it has sent so many, nobody had enough of it */
    FOE_LIFE_S = 40,
    FOE_PAYLOAD_MAX = 32768, /* bytes */
    FOE_TOKEN_LEN = 32,
};

struct foe_line; /* the foe's side of a connection */

struct foe {
    /* In. */
    const struct key *host_key;
    void (*play)(struct foe_line *line); /* in the foe's process; it hangs up when this returns */
    /* Out. */
    uint16_t port;
    int listener;
    pid_t pid;
    size_t *sent; /* bytes so far, of all connections; shared with the foe */
};

void foe_start(struct foe *foe);
void foe_stop(struct foe *foe);

/* What a play is made of. False: the other side has hung up, or FOE_SENT_MAX is reached. */

/** foe_say() - bytes as they are. */
bool foe_say(struct foe_line *line, const void *data, size_t len);
/** foe_send() - a packet; encrypted once there are keys. */
bool foe_send(struct foe_line *line, const void *payload, size_t len);
/** foe_greet() - banner and lists of algorithms. */
bool foe_greet(struct foe_line *line);
/** foe_shake() - after foe_greet(): the key exchange. */
bool foe_shake(struct foe_line *line);
/** foe_let_in() - after foe_shake(): whoever it is; a channel is open and a command runs then.
 * @ret_token: of the command */
bool foe_let_in(struct foe_line *line, char ret_token[FOE_TOKEN_LEN + 1]);
/** foe_write() - to the channel, as standard output. */
bool foe_write(struct foe_line *line, const void *data, size_t len);
