#pragma once

/*
 * A blueprint's breaker: while it is open, nothing is launched from the
 * blueprint, because it fails wherever it is tried.
 *
 *   closed --blamed--> open --pause--> half open --one launch went well--> closed
 *                       ^------it failed----/
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/domain/score.h"

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
    struct error_score score; /* of the faults that blame the blueprint */
    int64_t retry_mono_ms;    /* BREAKER_OPEN: half open from then on */
    int64_t pause_ms;         /* BREAKER_OPEN: that was set */
    int64_t tried_id;         /* BREAKER_HALF_OPEN: the one launch, an instance; 0: none yet */
    uint32_t opened;          /* times in a row */
    enum breaker_state state;
};

/** breaker_open() - closed or half open: nothing more for a pause, each as long as a trial's. */
void breaker_open(struct breaker *breaker, int64_t now_mono_ms);
/** breaker_pass() - the pause is over: half open. Return: whether that is so now. */
bool breaker_pass(struct breaker *breaker, int64_t now_mono_ms);
/** breaker_close() - a launch went well. */
void breaker_close(struct breaker *breaker);
