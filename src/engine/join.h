#pragma once

/*
 * Joining and watching a host: is it there, what can it hold, what runs on it.
 * The same look is taken at the start, after it was unreachable, regularly, and
 * whenever one of its calls failed.
 */

#include "lane.h"

/** join_schedule() - look at the host in @in_ms, or earlier if that was planned. */
void join_schedule(struct lane *lane, int64_t in_ms);
