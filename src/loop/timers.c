#include "timers.h"

#include <assert.h>
#include <stdbool.h>

#include "berth/base/mem.h"

struct timers_slot {
    int64_t due_mono_ms;
    uint64_t order; /* of setting: equal times fire in it */
    struct clock_timer *timer;
};

static void timers_place(struct timers *timers, size_t at, struct timers_slot slot);
static void timers_sift_up(struct timers *timers, size_t at, struct timers_slot slot);
static void timers_sift_down(struct timers *timers, size_t at, struct timers_slot slot);

static bool
timers_is_before(const struct timers_slot *a, const struct timers_slot *b)
{
    if (a->due_mono_ms != b->due_mono_ms)
        return a->due_mono_ms < b->due_mono_ms;
    return a->order < b->order;
}

/* A set timer knows its slot, so that it can be taken out without a search. */
static size_t
timers_index(const struct clock_timer *timer)
{
    return (size_t)(uintptr_t)timer->adapter;
}

void
timers_fini(struct timers *timers)
{
    assert(timers->count == 0);
    mem_free(timers->slots);
    *timers = (struct timers){ 0 };
}

void
timers_set(struct timers *timers, struct clock_timer *timer, int64_t at_mono_ms,
           int64_t now_mono_ms)
{
    struct timers_slot slot = { .timer = timer, .order = ++timers->last_order };

    assert(timer->fire);
    timers_clear(timers, timer);
    if (timers->count == timers->cap) {
        timers->cap = timers->cap ? timers->cap * 2 : 64;
        timers->slots = mem_resize(timers->slots, timers->cap, sizeof(*timers->slots));
    }
    timer->at_mono_ms = at_mono_ms > 0 ? at_mono_ms : 1;
    slot.due_mono_ms = at_mono_ms > now_mono_ms ? at_mono_ms : now_mono_ms;
    timers_sift_up(timers, timers->count++, slot);
}

void
timers_clear(struct timers *timers, struct clock_timer *timer)
{
    size_t at = timers_index(timer);
    struct timers_slot last;

    if (timer->at_mono_ms == 0)
        return;
    assert(at < timers->count && timers->slots[at].timer == timer);
    timer->at_mono_ms = 0;
    timer->adapter = NULL;
    last = timers->slots[--timers->count];
    if (last.timer == timer)
        return;
    if (at > 0 && timers_is_before(&last, &timers->slots[(at - 1) / 2])) {
        timers_sift_up(timers, at, last);
    } else {
        timers_sift_down(timers, at, last);
    }
}

void
timers_fire(struct timers *timers, int64_t now_mono_ms)
{
    uint64_t newest = timers->last_order;

    while (timers->count > 0 && timers->slots[0].due_mono_ms <= now_mono_ms &&
           timers->slots[0].order <= newest) {
        struct clock_timer *timer = timers->slots[0].timer;

        timers_clear(timers, timer);
        timer->fire(timer);
    }
}

int64_t
timers_next_mono_ms(const struct timers *timers)
{
    return timers->count > 0 ? timers->slots[0].due_mono_ms : INT64_MAX;
}

static void
timers_place(struct timers *timers, size_t at, struct timers_slot slot)
{
    timers->slots[at] = slot;
    slot.timer->adapter = (void *)(uintptr_t)at; /* NOLINT(performance-no-int-to-ptr): an index */
}

static void
timers_sift_up(struct timers *timers, size_t at, struct timers_slot slot)
{
    while (at > 0 && timers_is_before(&slot, &timers->slots[(at - 1) / 2])) {
        timers_place(timers, at, timers->slots[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    timers_place(timers, at, slot);
}

static void
timers_sift_down(struct timers *timers, size_t at, struct timers_slot slot)
{
    for (;;) {
        size_t child = at * 2 + 1;

        if (child + 1 < timers->count &&
            timers_is_before(&timers->slots[child + 1], &timers->slots[child]))
            child++;
        if (child >= timers->count || !timers_is_before(&timers->slots[child], &slot))
            break;
        timers_place(timers, at, timers->slots[child]);
        at = child;
    }
    timers_place(timers, at, slot);
}
