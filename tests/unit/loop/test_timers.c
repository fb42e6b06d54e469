/*
 * The heap of timers: they fire by time, then by order of setting; a hundred
 * thousand keep that order through sets, changes and clears; what is set while
 * timers fire waits, so that no timer can starve the loop.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"

#include "../../../src/loop/timers.h"

enum { MANY = 100000 };

struct probe {
    struct clock_timer timer;
    int64_t at_mono_ms; /* 0: must not fire */
    uint64_t set_as;
    int fired;
};

static struct timers timers;
static int64_t last_at_mono_ms;
static uint64_t last_set_as;
static size_t fired_count;

static void
on_probe(struct clock_timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

    assert_int_equal(timer->at_mono_ms, 0);
    assert_true(probe->at_mono_ms > last_at_mono_ms ||
                (probe->at_mono_ms == last_at_mono_ms && probe->set_as > last_set_as));
    last_at_mono_ms = probe->at_mono_ms;
    last_set_as = probe->set_as;
    probe->fired++;
    fired_count++;
}

static void
set(struct probe *probe, int64_t at_mono_ms)
{
    static uint64_t set_count;

    probe->timer.fire = on_probe;
    probe->at_mono_ms = at_mono_ms;
    probe->set_as = ++set_count;
    timers_set(&timers, &probe->timer, at_mono_ms, 0);
}

/* A generator of our own, so that a failure repeats. */
static uint32_t
next_random(void)
{
    static uint32_t state = 12345;

    state = state * 1664525U + 1013904223U;
    return state >> 8;
}

/* All set, some set again, some cleared.  Return: how many are to fire. */
static size_t
set_many(struct probe probes[MANY])
{
    size_t expected = 0;

    for (size_t i = 0; i < MANY; i++)
        set(&probes[i], 1 + next_random() % 5000);
    for (size_t i = 0; i < MANY; i += 3)
        set(&probes[i], 1 + next_random() % 5000);
    for (size_t i = 0; i < MANY; i += 7) {
        timers_clear(&timers, &probes[i].timer);
        probes[i].at_mono_ms = 0;
    }
    for (size_t i = 0; i < MANY; i++)
        expected += probes[i].at_mono_ms != 0;
    return expected;
}

static void
a_hundred_thousand_fire_in_order(void **state)
{
    struct probe *probes = mem_new0(sizeof(*probes) * MANY);
    size_t expected = set_many(probes);

    (void)state;
    last_at_mono_ms = 0;
    for (int64_t now = 0; now <= 5000; now += 500) {
        timers_fire(&timers, now);
        assert_true(timers_next_mono_ms(&timers) > now);
        assert_true(last_at_mono_ms <= now);
    }
    assert_int_equal(fired_count, expected);
    assert_int_equal(timers.count, 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(probes[i].fired, probes[i].at_mono_ms != 0);
    mem_free(probes);
    timers_fini(&timers);
}

static struct probe again;
static struct probe victim;
static struct probe other;
static char trail[16];
static size_t trail_len;

static void
on_again(struct clock_timer *timer)
{
    trail[trail_len++] = 'a';
    timers_set(&timers, timer, 1, 100); /* long past */
}

static void
on_other(struct clock_timer *timer)
{
    (void)timer;
    trail[trail_len++] = 'o';
    timers_clear(&timers, &victim.timer);
    timers_clear(&timers, &victim.timer); /* idle: allowed */
}

static void
on_victim(struct clock_timer *timer)
{
    (void)timer;
    trail[trail_len++] = 'v';
}

static void
firing_timers_may_set_and_clear(void **state)
{
    (void)state;
    again.timer.fire = on_again;
    other.timer.fire = on_other;
    victim.timer.fire = on_victim;
    timers_set(&timers, &again.timer, 10, 0);
    timers_set(&timers, &other.timer, 20, 0);
    timers_set(&timers, &victim.timer, 30, 0);

    timers_fire(&timers, 100);
    assert_string_equal(trail, "ao");
    timers_set(&timers, &victim.timer, 50, 100);
    timers_fire(&timers, 100); /* the eager one must not keep the other back */
    assert_string_equal(trail, "aoav");

    timers_clear(&timers, &again.timer);
    assert_int_equal(timers_next_mono_ms(&timers), INT64_MAX);
    timers_fini(&timers);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_fire_in_order),
        cmocka_unit_test(firing_timers_may_set_and_clear),
    };

    return cmocka_run_group_tests_name("loop.timers", tests, NULL, NULL);
}
