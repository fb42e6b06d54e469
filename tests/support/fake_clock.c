#include "support/fake_clock.h"

#include <assert.h>
#include <stdlib.h>

#include "berth/base/mem.h"

struct fake_timer {
    struct clock_timer *timer;
    bool mortal;
};

struct fake_clock {
    struct clock_port port;
    struct clock_port mortal;
    struct fake_timer *timers; /* unsorted: tests have few */
    size_t count;
    size_t cap;
    int64_t now_ms;
    int64_t mono_ms;
    bool asked;
};

static int64_t
fake_clock_now(void *self)
{
    return ((struct fake_clock *)self)->now_ms;
}

static int64_t
fake_clock_mono(void *self)
{
    return ((struct fake_clock *)self)->mono_ms;
}

static void
fake_clock_clear(void *self, struct clock_timer *timer)
{
    struct fake_clock *fake = self;

    if (timer->at_mono_ms == 0)
        return;
    timer->at_mono_ms = 0;
    for (size_t i = 0; i < fake->count; i++) {
        if (fake->timers[i].timer != timer)
            continue;
        /* The order is kept: timers of one time fire in the order in which they were set. */
        for (size_t j = i + 1; j < fake->count; j++)
            fake->timers[j - 1] = fake->timers[j];
        fake->count--;
        return;
    }
    assert(!"an armed timer is unknown");
}

static void
fake_clock_arm(struct fake_clock *fake, struct clock_timer *timer, int64_t at_mono_ms, bool mortal)
{
    fake_clock_clear(fake, timer);
    if (fake->count == fake->cap) {
        fake->cap = fake->cap ? fake->cap * 2 : 64;
        fake->timers = mem_resize(fake->timers, fake->cap, sizeof(*fake->timers));
    }
    timer->at_mono_ms = at_mono_ms > 0 ? at_mono_ms : 1;
    fake->timers[fake->count++] = (struct fake_timer){ .timer = timer, .mortal = mortal };
}

static void
fake_clock_set(void *self, struct clock_timer *timer, int64_t at_mono_ms)
{
    fake_clock_arm(self, timer, at_mono_ms, false);
}

static void
fake_clock_set_mortal(void *self, struct clock_timer *timer, int64_t at_mono_ms)
{
    fake_clock_arm(self, timer, at_mono_ms, true);
}

static void
fake_clock_ask(void *self)
{
    ((struct fake_clock *)self)->asked = true;
}

struct fake_clock *
fake_clock_new(int64_t now_ms)
{
    struct fake_clock *fake = mem_new0(sizeof(*fake));

    fake->now_ms = now_ms;
    fake->mono_ms = 1000;
    fake->port = (struct clock_port){
        .self = fake,
        .now_ms = fake_clock_now,
        .mono_ms = fake_clock_mono,
        .timer_set = fake_clock_set,
        .timer_clear = fake_clock_clear,
        .turn_ask = fake_clock_ask,
    };
    fake->mortal = fake->port;
    fake->mortal.timer_set = fake_clock_set_mortal;
    return fake;
}

void
fake_clock_free(struct fake_clock *fake)
{
    if (!fake)
        return;
    free(fake->timers);
    free(fake);
}

const struct clock_port *
fake_clock_port(struct fake_clock *fake)
{
    return &fake->port;
}

const struct clock_port *
fake_clock_mortal(struct fake_clock *fake)
{
    return &fake->mortal;
}

bool
fake_clock_next(struct fake_clock *fake, int64_t until_mono_ms)
{
    struct clock_timer *next = NULL;

    for (size_t i = 0; i < fake->count; i++) {
        if (!next || fake->timers[i].timer->at_mono_ms < next->at_mono_ms)
            next = fake->timers[i].timer;
    }
    if (!next || next->at_mono_ms > until_mono_ms)
        return false;
    if (next->at_mono_ms > fake->mono_ms)
        fake_clock_advance(fake, next->at_mono_ms - fake->mono_ms);
    fake_clock_clear(fake, next);
    next->fire(next);
    return true;
}

void
fake_clock_advance(struct fake_clock *fake, int64_t ms)
{
    fake->now_ms += ms;
    fake->mono_ms += ms;
}

void
fake_clock_jump(struct fake_clock *fake, int64_t ms)
{
    fake->now_ms += ms;
}

bool
fake_clock_asked(struct fake_clock *fake)
{
    bool asked = fake->asked;

    fake->asked = false;
    return asked;
}

void
fake_clock_crash(struct fake_clock *fake)
{
    size_t kept = 0;

    for (size_t i = 0; i < fake->count; i++) {
        if (!fake->timers[i].mortal)
            fake->timers[kept++] = fake->timers[i];
    }
    fake->count = kept;
}
