#pragma once

/*
 * What a script runs below on the machine: a shell that takes script and input from its standard input,
 * so that neither is ever in an argument, a file or the environment; that marks where the output
 * begins and ends; and that ends the script when nobody listens any more.
 */

#include <stdint.h>

#include "berth/base/buf.h"

#include "remote.h"

enum { SSH_TOKEN_SIZE = 33 /* 32 hex digits and NUL */ };

/** ssh_wrap_command() - append the command line that is executed; always the same for the same @user.
 * @user: to become by sudo, ssh_is_user(); NULL: nobody else */
void ssh_wrap_command(struct buf *buf, const char *user);

/** ssh_wrap_head() - append what is sent before the input.
 * @token: random, never used before
 * @limit_s: after so long the script is ended by its own machine */
void ssh_wrap_head(struct buf *buf, const char token[SSH_TOKEN_SIZE],
                   const struct remote_command *command, int64_t limit_s);
