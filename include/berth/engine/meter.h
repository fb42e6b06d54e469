#pragma once

/*
 * Counters and histograms of the engine, for /metrics.
 */

#include <stdint.h>

#include "berth/base/fault.h"

enum { METER_BUCKETS = 16 };

/* Upper bounds in microseconds, the same for all histograms; the last bucket is +Inf. */
extern const int64_t meter_bounds_us[METER_BUCKETS - 1];

struct meter_histogram {
    uint64_t counts[METER_BUCKETS]; /* not cumulative */
    uint64_t sum_us;
    uint64_t count;
};

enum meter_step {
    METER_QUEUE,  /* accepted until placed */
    METER_COMMIT, /* placed until durable */
    METER_LANE,   /* durable until its turn on the host */
    METER_PULL,
    METER_CREATE,
    METER_START,
    METER_READY,
    METER_LAUNCH, /* accepted until running */
    METER_STEP_COUNT,
};

const char *meter_step_name(enum meter_step step);

struct meter {
    struct meter_histogram steps[METER_STEP_COUNT];
    struct meter_histogram commit; /* of the store's transactions */
    struct meter_histogram rounds; /* of housekeeping, until its plans are carried out */
    uint64_t commit_rows;
    uint64_t commit_failures;
    uint64_t placements;
    uint64_t launches;
    uint64_t launch_failures;
    uint64_t oom_kills;
    uint64_t orphans_removed;
    uint64_t canaries_ran;
    uint64_t canaries_failed;
    uint64_t faults[FAULT_KIND_COUNT]; /* that ended a call to a host */
};

/** meter_add() - one observation. */
void meter_add(struct meter_histogram *histogram, int64_t took_us);
