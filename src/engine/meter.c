#include "berth/engine/meter.h"

#include <assert.h>

const int64_t meter_bounds_us[METER_BUCKETS - 1] = {
    100,   250,    500,    1000,   2500,    5000,    10000,    25000,
    50000, 100000, 250000, 500000, 1000000, 5000000, 30000000,
};

/* clang-format off */
static const char *const meter_step_names[METER_STEP_COUNT] = {
    [METER_QUEUE]  = "queue",
    [METER_COMMIT] = "commit",
    [METER_LANE]   = "lane",
    [METER_PULL]   = "pull",
    [METER_CREATE] = "create",
    [METER_START]  = "start",
    [METER_READY]  = "ready",
    [METER_LAUNCH] = "launch",
};
/* clang-format on */

const char *
meter_step_name(enum meter_step step)
{
    assert(step >= 0 && step < METER_STEP_COUNT);
    return meter_step_names[step];
}

void
meter_add(struct meter_histogram *histogram, int64_t took_us)
{
    int i = 0;

    if (took_us < 0)
        took_us = 0;
    while (i < METER_BUCKETS - 1 && took_us > meter_bounds_us[i])
        i++;
    histogram->counts[i]++;
    histogram->count++;
    histogram->sum_us += (uint64_t)took_us;
}
