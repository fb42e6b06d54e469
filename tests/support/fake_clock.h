#pragma once

/*
 * Virtual time: it stands still until the test moves it.  Timers fire in the
 * order of their times, never from inside timer_set().
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/port/clock.h"

struct fake_clock;

/** fake_clock_new() - wall clock at @now_ms, monotonic clock at 1,000. */
struct fake_clock *fake_clock_new(int64_t now_ms);
void fake_clock_free(struct fake_clock *fake);
/** fake_clock_port() - for the outside world, whose timers survive a crash. */
const struct clock_port *fake_clock_port(struct fake_clock *fake);
/** fake_clock_mortal() - the same time, for the process under test. */
const struct clock_port *fake_clock_mortal(struct fake_clock *fake);

/** fake_clock_next() - time jumps to the next timer, which fires, if that is not after
 * @until_mono_ms. Return: false when there is none (time stays). */
bool fake_clock_next(struct fake_clock *fake, int64_t until_mono_ms);
/** fake_clock_advance() - both clocks move; timers do not fire. */
void fake_clock_advance(struct fake_clock *fake, int64_t ms);
/** fake_clock_jump() - the wall clock alone. */
void fake_clock_jump(struct fake_clock *fake, int64_t ms);
/** fake_clock_asked() - whether a turn was asked for since the last call. */
bool fake_clock_asked(struct fake_clock *fake);
/** fake_clock_crash() - the process died: the timers of fake_clock_mortal() are forgotten. */
void fake_clock_crash(struct fake_clock *fake);
