#pragma once

/*
 * What the benchmark's programs share.
 */

#include <stdint.h>
#include <time.h>

static inline int64_t
bench_clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}
