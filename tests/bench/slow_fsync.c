/*
 * Preloaded, it makes a disk of which each fsync takes SLOW_FSYNC_US
 * microseconds (1,000 without it), however quick the real one is.
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
slow_wait(const struct timespec *began)
{
    const char *text = getenv("SLOW_FSYNC_US"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    int64_t us = text ? strtoll(text, NULL, 10) : 1000;
    struct timespec until = *began;

    /* The kernel may round a sleep up by this much. */
    (void)prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);
    until.tv_nsec += (long)(us % 1000000 * 1000);
    until.tv_sec += us / 1000000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int
slow_sync(long call, int fd)
{
    struct timespec began;
    int result;

    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    result = (int)syscall(call, fd);
    slow_wait(&began);
    return result;
}

int
fsync(int fd)
{
    return slow_sync(SYS_fsync, fd);
}

int
fdatasync(int fildes)
{
    return slow_sync(SYS_fdatasync, fildes);
}
