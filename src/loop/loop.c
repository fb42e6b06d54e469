#include "berth/loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <uv.h>

#include "berth/base/mem.h"

#include "timers.h"

/*
 * libuv runs: poll (descriptors, worker hand-off, signals), then the prepare
 * handle just before it polls again.  So a turn begins when the poll returns
 * and ends in loop_on_turn_end(): timers, then the hook.
 */

enum { LOOP_RANDOM_POOL = 256, LOOP_RANDOM_SMALL = 8 };
enum { LOOP_SIGNALS_MAX = 8, LOOP_NS_PER_MS = 1000000, LOOP_NS_PER_US = 1000 };

struct loop_signal {
    uv_signal_t uv;
    int signum; /* 0: this place is free */
    void (*handler)(void *cookie, int signum);
    void *cookie;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t turn_end;
    uv_idle_t no_sleep; /* while it is active, the poll does not wait */
    uv_timer_t alarm;   /* ends the poll when the first of @timers is due */
    int64_t alarm_mono_ms;
    struct timers timers;

    bool time_known; /* in this turn */
    int64_t now_ms;
    int64_t mono_ms;

    void (*hook)(void *cookie);
    void *hook_cookie;
    bool (*is_done)(void *cookie);
    void *is_done_cookie;

    uint64_t turn_began_ns; /* with the poll's waiting taken out, see loop_lag_note() */
    uint64_t waited_ns;
    int64_t lag_us;

    struct loop_signal signals[LOOP_SIGNALS_MAX];
    struct clock_port clock;
    struct random_port random;
    uint8_t random_pool[LOOP_RANDOM_POOL]; /* for ids and jitter; secrets come from the kernel */
    size_t random_left;
};

/* What stands behind a struct loop_fd. */
struct loop_watch {
    uv_poll_t uv;
    struct loop_fd *fd;
    int events; /* UV_READABLE, UV_WRITABLE */
};

struct loop_deadline {
    struct clock_timer timer;
    struct loop *loop;
};

static void loop_on_turn_end(uv_prepare_t *prepare);
static void loop_turn_end(struct loop *loop);
static void loop_alarm_set(struct loop *loop);
static void loop_on_alarm(uv_timer_t *alarm);
static void loop_on_no_sleep(uv_idle_t *idle);
static void loop_on_deadline(struct clock_timer *timer);
static void loop_on_fd(uv_poll_t *poll, int status, int events);
static void loop_on_watch_closed(uv_handle_t *handle);
static void loop_on_signal(uv_signal_t *handle, int signum);

/* libuv's own calls fail here on exhausted descriptors or on a bug: a start is always a recovery. */
static void
loop_must(int result, const char *what)
{
    if (result >= 0)
        return;
    (void)fprintf(stderr, "berth: %s: %s\n", what, uv_strerror(result));
    abort();
}

static void
loop_time_read(struct loop *loop)
{
    struct timespec wall;

    if (loop->time_known)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    loop->now_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / LOOP_NS_PER_MS;
    loop->mono_ms = (int64_t)(uv_hrtime() / LOOP_NS_PER_MS);
    loop->time_known = true;
}

static int64_t
loop_now_ms(void *self)
{
    struct loop *loop = self;

    loop_time_read(loop);
    return loop->now_ms;
}

static int64_t
loop_mono_ms(void *self)
{
    struct loop *loop = self;

    loop_time_read(loop);
    return loop->mono_ms;
}

static void
loop_timer_set(void *self, struct clock_timer *timer, int64_t at_mono_ms)
{
    struct loop *loop = self;

    timers_set(&loop->timers, timer, at_mono_ms, loop_mono_ms(loop));
}

static void
loop_timer_clear(void *self, struct clock_timer *timer)
{
    struct loop *loop = self;

    timers_clear(&loop->timers, timer);
}

static void
loop_clock_turn_ask(void *self)
{
    loop_turn_ask(self);
}

static void
loop_random_read(void *ret_data, size_t len)
{
    char *at = ret_data;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno != EINTR)
            loop_must(-errno, "getrandom");
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/* A system call for each id would cost more than the rest of the id. */
static void
loop_random_fill(void *self, void *ret_data, size_t len)
{
    struct loop *loop = self;

    if (len > LOOP_RANDOM_SMALL) {
        loop_random_read(ret_data, len);
        return;
    }
    if (loop->random_left < len) {
        loop_random_read(loop->random_pool, LOOP_RANDOM_POOL);
        loop->random_left = LOOP_RANDOM_POOL;
    }
    loop->random_left -= len;
    memcpy(ret_data, loop->random_pool + loop->random_left, len);
}

struct loop *
loop_new(void)
{
    struct loop *loop = mem_new0(sizeof(*loop));

    loop_must(uv_loop_init(&loop->uv), "event loop");
    loop_must(uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME), "event loop");
    loop_must(uv_prepare_init(&loop->uv, &loop->turn_end), "event loop");
    loop_must(uv_idle_init(&loop->uv, &loop->no_sleep), "event loop");
    loop_must(uv_timer_init(&loop->uv, &loop->alarm), "event loop");
    loop_must(uv_prepare_start(&loop->turn_end, loop_on_turn_end), "event loop");
    loop->turn_end.data = loop->alarm.data = loop;
    loop->clock = (struct clock_port){
        .self = loop,
        .now_ms = loop_now_ms,
        .mono_ms = loop_mono_ms,
        .timer_set = loop_timer_set,
        .timer_clear = loop_timer_clear,
        .turn_ask = loop_clock_turn_ask,
    };
    loop->random = (struct random_port){ .self = loop, .fill = loop_random_fill };
    return loop;
}

void
loop_free(struct loop *loop)
{
    if (!loop)
        return;
    for (size_t i = 0; i < LOOP_SIGNALS_MAX; i++) {
        if (loop->signals[i].uv.loop)
            uv_close((uv_handle_t *)&loop->signals[i].uv, NULL);
    }
    uv_close((uv_handle_t *)&loop->turn_end, NULL);
    uv_close((uv_handle_t *)&loop->no_sleep, NULL);
    uv_close((uv_handle_t *)&loop->alarm, NULL);
    (void)uv_run(&loop->uv, UV_RUN_NOWAIT); /* lets closed handles finish */
    loop_must(uv_loop_close(&loop->uv), "something still uses the event loop");
    timers_fini(&loop->timers);
    mem_free(loop);
}

void
loop_run(struct loop *loop)
{
    loop->time_known = false;
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    /* libuv leaves between the poll and the prepare handle: this turn has not ended yet. */
    loop_turn_end(loop);
    loop->uv.stop_flag = 0; /* a stop in this last turn has had its effect */
}

void
loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

bool
loop_run_until(struct loop *loop, bool (*is_done)(void *cookie), void *cookie, int64_t deadline_ms)
{
    struct loop_deadline deadline = { .timer.fire = loop_on_deadline, .loop = loop };

    assert(!loop->is_done);
    if (is_done(cookie))
        return true;
    loop->time_known = false;
    loop->is_done = is_done;
    loop->is_done_cookie = cookie;
    loop_timer_set(loop, &deadline.timer, loop_mono_ms(loop) + deadline_ms);
    loop_run(loop);
    loop_timer_clear(loop, &deadline.timer);
    loop->is_done = NULL;
    return is_done(cookie);
}

void
loop_turn_hook(struct loop *loop, void (*hook)(void *cookie), void *cookie)
{
    loop->hook = hook;
    loop->hook_cookie = cookie;
}

void
loop_turn_ask(struct loop *loop)
{
    if (!uv_is_active((uv_handle_t *)&loop->no_sleep))
        loop_must(uv_idle_start(&loop->no_sleep, loop_on_no_sleep), "event loop");
}

const struct clock_port *
loop_clock(struct loop *loop)
{
    return &loop->clock;
}

const struct random_port *
loop_random(struct loop *loop)
{
    return &loop->random;
}

struct uv_loop_s *
loop_uv(struct loop *loop)
{
    return &loop->uv;
}

int64_t
loop_lag_us(struct loop *loop)
{
    int64_t lag_us = loop->lag_us;

    loop->lag_us = 0;
    return lag_us;
}

void
loop_fd_start(struct loop *loop, struct loop_fd *fd, int descriptor, bool read, bool write)
{
    struct loop_watch *watch = fd->adapter;
    int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);

    assert(fd->ready && events != 0);
    if (!watch) {
        watch = mem_new0(sizeof(*watch));
        watch->fd = fd;
        watch->uv.data = watch;
        fd->adapter = watch;
        loop_must(uv_poll_init(&loop->uv, &watch->uv, descriptor), "cannot watch a descriptor");
    }
    watch->events = events;
    loop_must(uv_poll_start(&watch->uv, events, loop_on_fd), "cannot watch a descriptor");
}

void
loop_fd_stop(struct loop *loop, struct loop_fd *fd)
{
    struct loop_watch *watch = STEAL(fd->adapter);

    (void)loop;
    if (!watch)
        return;
    watch->fd = NULL;
    uv_close((uv_handle_t *)&watch->uv, loop_on_watch_closed);
}

int
loop_signal(struct loop *loop, int signum, void (*handler)(void *cookie, int signum), void *cookie)
{
    struct loop_signal *slot = NULL;

    for (size_t i = LOOP_SIGNALS_MAX; i-- > 0;) {
        if (loop->signals[i].signum == signum || (!slot && loop->signals[i].signum == 0))
            slot = &loop->signals[i];
    }
    if (!slot)
        return -1;
    if (!handler) {
        if (slot->signum == signum)
            (void)uv_signal_stop(&slot->uv);
        slot->signum = 0;
        return 0;
    }
    if (!slot->uv.loop)
        loop_must(uv_signal_init(&loop->uv, &slot->uv), "cannot watch signals");
    slot->uv.data = slot;
    slot->handler = handler;
    slot->cookie = cookie;
    if (uv_signal_start(&slot->uv, loop_on_signal, signum) < 0)
        return -1;
    slot->signum = signum;
    return 0;
}

static void
loop_on_turn_end(uv_prepare_t *prepare)
{
    loop_turn_end(prepare->data);
}

/* The poll's waiting is nobody's fault: only what lies between two polls keeps others waiting. */
static void
loop_lag_note(struct loop *loop)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t waited_ns = uv_metrics_idle_time(&loop->uv);
    uint64_t busy_ns = now_ns - loop->turn_began_ns - (waited_ns - loop->waited_ns);

    if (loop->turn_began_ns != 0 && (int64_t)(busy_ns / LOOP_NS_PER_US) > loop->lag_us)
        loop->lag_us = (int64_t)(busy_ns / LOOP_NS_PER_US);
    loop->turn_began_ns = now_ns;
    loop->waited_ns = waited_ns;
}

static void
loop_turn_end(struct loop *loop)
{
    loop_time_read(loop);
    (void)uv_idle_stop(&loop->no_sleep);
    timers_fire(&loop->timers, loop->mono_ms);
    if (loop->hook)
        loop->hook(loop->hook_cookie);
    if (loop->is_done && loop->is_done(loop->is_done_cookie))
        loop_stop(loop);
    loop->time_known = false;
    loop_alarm_set(loop);
    loop_lag_note(loop);
}

/* Once a turn, however many timers were set in it. */
static void
loop_alarm_set(struct loop *loop)
{
    int64_t next_mono_ms = timers_next_mono_ms(&loop->timers);
    int64_t left_ms;

    if (next_mono_ms == loop->alarm_mono_ms && uv_is_active((uv_handle_t *)&loop->alarm))
        return;
    loop->alarm_mono_ms = next_mono_ms;
    if (next_mono_ms == INT64_MAX) {
        (void)uv_timer_stop(&loop->alarm);
        return;
    }
    uv_update_time(&loop->uv); /* the alarm counts from it */
    left_ms = next_mono_ms - (int64_t)(uv_hrtime() / LOOP_NS_PER_MS);
    loop_must(uv_timer_start(&loop->alarm, loop_on_alarm, left_ms > 0 ? (uint64_t)left_ms : 0, 0),
              "event loop");
}

static void
loop_on_alarm(uv_timer_t *alarm)
{
    (void)alarm; /* it ended the poll; timers fire at the end of the turn */
}

static void
loop_on_no_sleep(uv_idle_t *idle)
{
    (void)idle;
}

static void
loop_on_deadline(struct clock_timer *timer)
{
    struct loop_deadline *deadline = CONTAINER_OF(timer, struct loop_deadline, timer);

    loop_stop(deadline->loop);
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the signature is libuv's. */
loop_on_fd(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = poll->data;
    struct loop_fd *fd = watch->fd;

    if (status >= 0) {
        fd->ready(fd, (events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
        return;
    }
    /* An error condition: reading or writing will tell which.  libuv has stopped watching. */
    fd->ready(fd, true, true);
    if (watch->fd && !uv_is_active((uv_handle_t *)poll))
        loop_must(uv_poll_start(poll, watch->events, loop_on_fd), "cannot watch a descriptor");
}

static void
loop_on_watch_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static void
loop_on_signal(uv_signal_t *handle, int signum)
{
    struct loop_signal *slot = handle->data;

    slot->handler(slot->cookie, signum);
}
