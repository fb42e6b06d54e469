#pragma once

/*
 * Machines of a pool that never became hosts, one after the other: what replaces them would most
 * likely fail, too, so that launches become rarer until one succeeds.
 */

#include <stdint.h>

#include "berth/base/schema.h"

enum {
    SETBACK_WAIT_MIN_MS = 60000,   /* after the second in a row, then twice as long each time, */
    SETBACK_WAIT_MAX_MS = 3600000, /* up to this */
};

struct setback {
    int64_t hosts;      /* given up since the last success; 0: none */
    int64_t steps;      /* of the wait: those that were launched together count little */
    int64_t last_at_ms; /* when the last one was given up */
    char *why;          /* of the last one; owned; NULL: none was */
};

extern const struct schema setback_schema;

/** setback_add() - a host that was wanted at @wanted_at_ms was given up at @now_ms.  After the second,
 * one that was under way already when another was given up does not prolong the wait. */
void setback_add(struct setback *setback, int64_t wanted_at_ms, const char *why, int64_t now_ms);
/** setback_clear() - a host of the pool has proven itself. */
void setback_clear(struct setback *setback);

/** setback_wait_ms() - from the last one to the next launch: 0, 0, 1 min, 2 min, ... 60 min. */
int64_t setback_wait_ms(const struct setback *setback);
/** setback_until_ms() - no launch before; 0: launch.  Never more than the wait from @now_ms on, whatever
 * became of the clock. */
int64_t setback_until_ms(const struct setback *setback, int64_t now_ms);
