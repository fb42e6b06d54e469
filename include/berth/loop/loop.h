#pragma once

/*
 * The event loop: one thread, libuv.  A turn is one pass of libuv's loop; the
 * turn hook runs at its end, before the loop sleeps, and is where the engine
 * decides and commits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/list.h"
#include "berth/port/clock.h"
#include "berth/port/random.h"

struct loop;
struct uv_loop_s;

/** loop_new() - a loop with no work. */
struct loop *loop_new(void);
/** loop_free() - all that was started on it must have ended. */
void loop_free(struct loop *loop);

/** loop_run() - until loop_stop(). */
void loop_run(struct loop *loop);
/** loop_stop() - loop_run() returns after this turn. */
void loop_stop(struct loop *loop);
/** loop_run_until() - for tests: turns until @is_done(@cookie) or @deadline_ms have passed.
 * Return: whether it is done. */
bool loop_run_until(struct loop *loop, bool (*is_done)(void *cookie), void *cookie,
                    int64_t deadline_ms);

/** loop_turn_hook() - @hook(@cookie) runs at the end of each turn. One hook. */
void loop_turn_hook(struct loop *loop, void (*hook)(void *cookie), void *cookie);
/** loop_turn_ask() - do not sleep before the next turn. */
void loop_turn_ask(struct loop *loop);

/** loop_clock() / loop_random() - the ports; borrowed from the loop. Timers are kept in one heap,
 * so that a hundred thousand are cheap. Time is read once a turn. */
const struct clock_port *loop_clock(struct loop *loop);
const struct random_port *loop_random(struct loop *loop);

/** loop_uv() - for adapters that bring their own descriptors (api/server, loop/http). */
struct uv_loop_s *loop_uv(struct loop *loop);

/** loop_lag_us() - longest time one turn kept the others waiting, since the last call. */
int64_t loop_lag_us(struct loop *loop);

/* A descriptor to watch.  Embed it. */
struct loop_fd {
    void (*ready)(struct loop_fd *fd, bool readable, bool writable);
    void *adapter;
};
/** loop_fd_start() - watch @descriptor; call again to change what for. */
void loop_fd_start(struct loop *loop, struct loop_fd *fd, int descriptor, bool read, bool write);
/** loop_fd_stop() - ready does not come any more; the descriptor is the caller's to close. */
void loop_fd_stop(struct loop *loop, struct loop_fd *fd);

/** loop_signal() - call @handler(@cookie, signum) from the loop on @signum; NULL stops it. */
int loop_signal(struct loop *loop, int signum, void (*handler)(void *cookie, int signum),
                void *cookie);
