#pragma once

/*
 * Time, as a port: the engine asks for it and for timers here and nowhere else.
 */

#include <stdint.h>

/* One timer.  Embed it. */
struct clock_timer {
    /* Called from the loop, not before @at_mono_ms; the timer is idle again then. */
    void (*fire)(struct clock_timer *timer);
    int64_t at_mono_ms; /* 0: idle */
    void *adapter;      /* the implementation's own */
};

struct clock_port {
    void *self;
    int64_t (*now_ms)(void *self);  /* wall clock, Unix epoch; the same all through a turn */
    int64_t (*mono_ms)(void *self); /* monotonic; the same all through a turn */
    /* (Re)arms. */
    void (*timer_set)(void *self, struct clock_timer *timer, int64_t at_mono_ms);
    /* Makes it idle; fire does not come any more. Must be called before its memory goes. */
    void (*timer_clear)(void *self, struct clock_timer *timer);
    /* Asks for one more turn soon (e.g. work was left over for fairness). */
    void (*turn_ask)(void *self);
};
