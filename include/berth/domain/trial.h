#pragma once

/*
 * A host that failed too often gets no work until a canary container ran on it, and then little,
 * until it is trusted again.
 */

#include <stdint.h>

#include "berth/base/schema.h"

enum trial_state {
    TRIAL_SUSPENDED, /* no work; canaries */
    TRIAL_PROBATION, /* a canary ran: one placement at a time */
    TRIAL_STATE_COUNT,
};

/** trial_state_name() - "suspended", "probation". */
const char *trial_state_name(int32_t state);

struct trial {
    int64_t since_ms;        /* when it was suspended */
    int64_t canary_at_ms;    /* of the next canary */
    int64_t canaries_failed; /* in a row */
    int64_t placements_left; /* TRIAL_PROBATION: successes still wanted */
    int32_t state;           /* enum trial_state */
};

extern const struct schema trial_schema;
