#include "berth/domain/breaker.h"

#include <assert.h>

#include "berth/domain/trial.h"

void
breaker_open(struct breaker *breaker, int64_t now_mono_ms)
{
    assert(breaker->state != BREAKER_OPEN);
    breaker->state = BREAKER_OPEN;
    breaker->pause_ms = trial_pause_of(breaker->opened);
    breaker->retry_mono_ms = now_mono_ms + breaker->pause_ms;
    breaker->opened++;
    breaker->tried_id = 0;
}

bool
breaker_pass(struct breaker *breaker, int64_t now_mono_ms)
{
    if (breaker->state != BREAKER_OPEN || now_mono_ms < breaker->retry_mono_ms)
        return false;
    breaker->state = BREAKER_HALF_OPEN;
    return true;
}

void
breaker_close(struct breaker *breaker)
{
    assert(breaker->state == BREAKER_HALF_OPEN);
    breaker->state = BREAKER_CLOSED;
    breaker->opened = 0;
    breaker->tried_id = 0;
    breaker->score.milli = 0;
}
