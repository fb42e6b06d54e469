#pragma once

/*
 * A canary: a container of our own that shows whether a suspended host works.
 *
 *   what kind of machine -> create (load its image first) -> start -> ended with 0 -> removed
 *
 * Each step has a deadline.  Its label keeps it apart from instances; what a crash leaves of it, the
 * next comparison removes.
 */

#include "lane.h"

struct canary;

/** canary_new() - the @number-th on the host of @lane, which is open; trust_canary_ended() follows,
 * never from inside, and the canary is gone. */
struct canary *canary_new(struct lane *lane, uint32_t number);
/** canary_cancel() - it ends soon: at once when the daemon stops or reloads, else once its container is
 * removed. */
void canary_cancel(struct canary *canary);
/** canary_free() - no call may be under way; NULL is fine. */
void canary_free(struct canary *canary);
/** canary_is() - @container is that of @canary, which may be NULL. */
bool canary_is(const struct canary *canary, const struct docker_container *container);
