/*
 * The loop: what a turn is, when the hook and the timers run, descriptors,
 * signals, and that nothing stays behind.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/loop/loop.h"

enum { PATIENCE_MS = 10000 };

static struct loop *loop;
static char trail[64];

static void
note(char what)
{
    size_t len = strlen(trail);

    assert_true(len + 1 < sizeof(trail));
    trail[len] = what;
}

static int
setup(void **state)
{
    (void)state;
    loop = loop_new();
    memset(trail, 0, sizeof(trail));
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static const char *wanted;

static bool
trail_has_wanted(void *cookie)
{
    (void)cookie;
    return strstr(trail, wanted) != NULL;
}

static bool
trail_gets(const char *what, int64_t within_ms)
{
    wanted = what;
    return loop_run_until(loop, trail_has_wanted, NULL, within_ms);
}

static bool
never(void *cookie)
{
    (void)cookie;
    return false;
}

static void
on_timer(struct clock_timer *timer)
{
    (void)timer;
    note('t');
}

static void
on_turn(void *cookie)
{
    int *asks = cookie;

    note('h');
    if ((*asks)-- > 0)
        loop_turn_ask(loop);
}

static void
set_in(struct clock_timer *timer, int64_t after_ms)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + after_ms);
}

/* Timers first, then the hook; the hook again for each time it was asked for; then sleep. */
static void
hook_ends_each_turn(void **state)
{
    struct clock_timer timer = { .fire = on_timer };
    int asks = 2;

    (void)state;
    loop_turn_hook(loop, on_turn, &asks);
    set_in(&timer, 0);
    assert_false(loop_run_until(loop, never, NULL, 100));
    assert_memory_equal(trail, "thhh", 4);
    /* Then it slept: one turn when the deadline woke it and one in which the run ended, or few. */
    assert_in_range(strlen(trail), 6, 12);
}

static void
on_timer_stop(struct clock_timer *timer)
{
    (void)timer;
    note('s');
    loop_stop(loop);
}

static void
run_ends_by_stop_only(void **state)
{
    struct clock_timer first = { .fire = on_timer };
    struct clock_timer last = { .fire = on_timer_stop };
    int64_t began_ms = loop_clock(loop)->mono_ms(loop_clock(loop)->self);

    (void)state;
    set_in(&last, 30);
    set_in(&first, 10);
    loop_run(loop);
    assert_string_equal(trail, "ts");
    assert_true(loop_clock(loop)->mono_ms(loop_clock(loop)->self) >= began_ms + 30);
    loop_run_until(loop, never, NULL, 1); /* it can run again */
}

static void
time_stands_still_in_a_turn(void **state)
{
    const struct clock_port *clock = loop_clock(loop);
    int64_t mono_ms = clock->mono_ms(clock->self);
    int64_t now_ms = clock->now_ms(clock->self);
    struct timespec real;
    struct timespec pause = { .tv_nsec = 3000000 };

    (void)state;
    assert_int_equal(nanosleep(&pause, NULL), 0);
    assert_int_equal(clock->mono_ms(clock->self), mono_ms);
    assert_int_equal(clock->now_ms(clock->self), now_ms);
    assert_false(loop_run_until(loop, never, NULL, 1));
    assert_true(clock->mono_ms(clock->self) > mono_ms);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &real), 0);
    assert_in_range(real.tv_sec - clock->now_ms(clock->self) / 1000, 0, PATIENCE_MS / 1000);
}

struct end {
    struct loop_fd fd;
    int descriptor;
};

static void
on_readable(struct loop_fd *fd, bool readable, bool writable)
{
    struct end *end = CONTAINER_OF(fd, struct end, fd);
    char byte;

    (void)writable;
    if (!readable)
        return;
    if (read(end->descriptor, &byte, 1) == 1) {
        note(byte);
        return;
    }
    note('.');
    loop_fd_stop(loop, fd);
}

static void
on_writable(struct loop_fd *fd, bool readable, bool writable)
{
    struct end *end = CONTAINER_OF(fd, struct end, fd);

    assert_false(readable);
    assert_true(writable);
    assert_int_equal(write(end->descriptor, "x", 1), 1);
    loop_fd_stop(loop, fd);
}

static void
descriptors_are_watched(void **state)
{
    struct end in = { .fd.ready = on_readable };
    struct end out = { .fd.ready = on_writable };
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    in.descriptor = pair[0];
    out.descriptor = pair[1];
    loop_fd_start(loop, &in.fd, pair[0], true, false);
    loop_fd_start(loop, &out.fd, pair[1], true, false);
    loop_fd_start(loop, &out.fd, pair[1], false, true); /* changed its mind */
    assert_true(trail_gets("x", PATIENCE_MS));
    assert_int_equal(close(pair[1]), 0);
    assert_true(trail_gets("x.", PATIENCE_MS));
    loop_fd_stop(loop, &in.fd); /* stopped: allowed */
    assert_int_equal(close(pair[0]), 0);
}

/* The reader of a pipe is gone: poll tells an error, not "writable". */
static void
on_broken(struct loop_fd *fd, bool readable, bool writable)
{
    (void)readable;
    assert_true(writable);
    note('b');
    if (strlen(trail) == 2)
        loop_fd_stop(loop, fd);
}

static void
broken_descriptors_are_told_until_stopped(void **state)
{
    struct loop_fd fd = { .ready = on_broken };
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(close(ends[0]), 0);
    loop_fd_start(loop, &fd, ends[1], false, true);
    assert_true(trail_gets("bb", PATIENCE_MS));
    assert_false(trail_gets("bbb", 20));
    assert_int_equal(close(ends[1]), 0);
}

static void
on_signal(void *cookie, int signum)
{
    assert_ptr_equal(cookie, trail);
    assert_int_equal(signum, SIGUSR1);
    note('!');
}

static void
signals_come_from_the_loop(void **state)
{
    (void)state;
    assert_int_equal(loop_signal(loop, SIGUSR1, on_signal, trail), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_string_equal(trail, "");
    assert_true(trail_gets("!", PATIENCE_MS));

    assert_int_equal(loop_signal(loop, SIGUSR1, NULL, NULL), 0);
    assert_int_equal(loop_signal(loop, SIGUSR2, NULL, NULL), 0); /* never set */
    assert_int_equal(loop_signal(loop, SIGUSR1, on_signal, trail), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(trail_gets("!!", PATIENCE_MS));
    assert_int_equal(loop_signal(loop, SIGKILL, on_signal, trail), -1);
}

static void
on_timer_busy(struct clock_timer *timer)
{
    struct timespec pause = { .tv_nsec = 30000000 };

    (void)timer;
    assert_int_equal(nanosleep(&pause, NULL), 0);
    note('t');
}

/* Waiting for events is no lag; a callback that takes 30 ms is. */
static void
lag_is_the_longest_turn(void **state)
{
    struct clock_timer timer = { .fire = on_timer_busy };

    (void)state;
    (void)loop_run_until(loop, never, NULL, 10);
    (void)loop_lag_us(loop);
    set_in(&timer, 5);
    assert_true(trail_gets("t", PATIENCE_MS));
    assert_true(loop_lag_us(loop) >= 30000);
    assert_int_equal(loop_lag_us(loop), 0);
}

static void
random_fills_all_of_it(void **state)
{
    const struct random_port *random = loop_random(loop);
    uint8_t bytes[1024] = { 0 };
    size_t zeros = 0;

    (void)state;
    random->fill(random->self, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        zeros += bytes[i] == 0;
    assert_in_range(zeros, 0, 64); /* 4 are expected */
    assert_int_not_equal(random_u32(random), random_u32(random));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hook_ends_each_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(run_ends_by_stop_only, setup, teardown),
        cmocka_unit_test_setup_teardown(time_stands_still_in_a_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptors_are_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_descriptors_are_told_until_stopped, setup, teardown),
        cmocka_unit_test_setup_teardown(signals_come_from_the_loop, setup, teardown),
        cmocka_unit_test_setup_teardown(lag_is_the_longest_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(random_fills_all_of_it, setup, teardown),
    };

    return cmocka_run_group_tests_name("loop.loop", tests, NULL, NULL);
}
