#pragma once

/*
 * How often EC2 is asked: a bucket of tokens for each action, as EC2 keeps one for each account and
 * action, and pauses that grow.  Pure.  Source: "Request throttling for the Amazon EC2 API".
 */

#include <stdbool.h>
#include <stdint.h>

struct ec2_pace {
    int64_t burst_milli;      /* requests at once */
    int64_t per_second_milli; /* that come back */
};

/* Full when zeroed. */
struct ec2_bucket {
    int64_t spent_milli; /* more than the burst: so much is promised to those that wait */
    int64_t at_mono_ms;  /* as of then */
};

/** ec2_pace_wait_ms() - how long a request has to wait from @now_mono_ms on; takes nothing. */
int64_t ec2_pace_wait_ms(struct ec2_bucket *bucket, const struct ec2_pace *pace,
                         int64_t now_mono_ms);
/** ec2_pace_take() - one request is promised to be sent after that wait. */
void ec2_pace_take(struct ec2_bucket *bucket);
/** ec2_pace_empty() - EC2 asked for fewer: nothing is left at once. */
void ec2_pace_empty(struct ec2_bucket *bucket, const struct ec2_pace *pace);

/** ec2_pace_delay_ms() - the pause before the @tries-th repeat, from 1: doubles up to a cap, of which
 * a half is @random: the jitter comes after the cap, so that those that fail together do not come
 * back together. */
int64_t ec2_pace_delay_ms(uint32_t tries, uint64_t random);
