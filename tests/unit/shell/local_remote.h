#pragma once

/*
 * A remote that is this machine: each script is a process of /bin/sh here, under the loop; with
 * BERTH_PLAY_SHELL in the environment, of that program ("PROGRAM -c SCRIPT"), which may be elsewhere.
 */

#include "berth/loop/loop.h"

#include "remote.h"

struct local_remote;

/** local_remote_new() - @loop is borrowed. */
struct local_remote *local_remote_new(struct loop *loop);
/** local_remote_free() - nothing may be under way. */
void local_remote_free(struct local_remote *local);

/** local_remote_get() - the seam; borrowed. */
const struct remote *local_remote_get(struct local_remote *local);

/** local_remote_log() - the scripts that ran, as "USER|SCRIPT" each with a line "--" behind it; USER is
 * empty without one. */
const char *local_remote_log(const struct local_remote *local);
/** local_remote_lose() - the next command's end is lost: FAULT_LOST. */
void local_remote_lose(struct local_remote *local);
