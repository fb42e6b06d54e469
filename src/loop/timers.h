#pragma once

/*
 * The loop's timers: one binary heap, so that setting and clearing one among a
 * hundred thousand costs a few comparisons and no system call.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/port/clock.h"

struct timers_slot;

struct timers {
    struct timers_slot *slots; /* owned; [cap], the first [count] in use */
    size_t count;
    size_t cap;
    uint64_t last_order;
};

/** timers_fini() - free the heap; no timer may be set. */
void timers_fini(struct timers *timers);

/** timers_set() - (re)arm @timer for @at_mono_ms.  What lies in the past of @now_mono_ms fires next,
 * but after those that are due already. */
void timers_set(struct timers *timers, struct clock_timer *timer, int64_t at_mono_ms,
                int64_t now_mono_ms);

/** timers_clear() - @timer is idle afterwards. */
void timers_clear(struct timers *timers, struct clock_timer *timer);

/** timers_fire() - fire what is due at @now_mono_ms, by time, then in the order of setting.  Timers
 * set meanwhile wait for the next call, however early. */
void timers_fire(struct timers *timers, int64_t now_mono_ms);

/** timers_next_mono_ms() - when the next one is due; INT64_MAX when none is set. */
int64_t timers_next_mono_ms(const struct timers *timers);
