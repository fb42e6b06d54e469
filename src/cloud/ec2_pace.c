#include "ec2_pace.h"

enum { PACE_FIRST_MS = 400, PACE_MOST_MS = 10000, PACE_REQUEST_MILLI = 1000, PACE_TRIES_MAX = 16 };

static void
ec2_pace_refill(struct ec2_bucket *bucket, const struct ec2_pace *pace, int64_t now_mono_ms)
{
    int64_t passed_ms = now_mono_ms - bucket->at_mono_ms;
    int64_t back_milli;

    if (passed_ms <= 0)
        return;
    if (passed_ms > bucket->spent_milli * 1000 / pace->per_second_milli) {
        bucket->spent_milli = 0;
        bucket->at_mono_ms = now_mono_ms;
        return;
    }
    back_milli = passed_ms * pace->per_second_milli / 1000;
    bucket->spent_milli -= back_milli;
    /* The rest of the time counts next time. */
    bucket->at_mono_ms += back_milli * 1000 / pace->per_second_milli;
}

int64_t
ec2_pace_wait_ms(struct ec2_bucket *bucket, const struct ec2_pace *pace, int64_t now_mono_ms)
{
    int64_t lacking_milli;

    ec2_pace_refill(bucket, pace, now_mono_ms);
    lacking_milli = bucket->spent_milli + PACE_REQUEST_MILLI - pace->burst_milli;
    if (lacking_milli <= 0)
        return 0;
    return (lacking_milli * 1000 + pace->per_second_milli - 1) / pace->per_second_milli;
}

void
ec2_pace_take(struct ec2_bucket *bucket)
{
    bucket->spent_milli += PACE_REQUEST_MILLI;
}

void
ec2_pace_empty(struct ec2_bucket *bucket, const struct ec2_pace *pace)
{
    if (bucket->spent_milli < pace->burst_milli)
        bucket->spent_milli = pace->burst_milli;
}

int64_t
ec2_pace_delay_ms(uint32_t tries, uint64_t random)
{
    int64_t delay_ms = PACE_FIRST_MS;

    for (uint32_t i = 1; i < tries && i < PACE_TRIES_MAX; i++)
        delay_ms = 2 * delay_ms < PACE_MOST_MS ? 2 * delay_ms : PACE_MOST_MS;
    return delay_ms / 2 + (int64_t)(random % (uint64_t)(delay_ms / 2 + 1));
}
