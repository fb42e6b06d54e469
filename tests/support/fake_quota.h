#pragma once

/* What a provider allows: machines of a type, machines in all, calls in a time. */

#include "support/fake_vm.h"

enum { FAKE_QUOTA_ROOMS_MAX = 16 };

struct fake_quota_room {
    char type[64];
    int64_t room;
};

struct fake_quota {
    const struct clock_port *clock;
    struct fake_quota_room rooms[FAKE_QUOTA_ROOMS_MAX];
    size_t room_count;
    int64_t limit;
    int64_t every_ms; /* throttling: a token bucket */
    int64_t burst;
    int64_t bucket_ms; /* filled with time up to burst × every_ms */
    int64_t bucket_mono_ms;
};

void fake_quota_init(struct fake_quota *quota, const struct clock_port *clock);

/** fake_quota_room_set() - so many machines of @type at once, then FAULT_CLOUD_CAPACITY; negative:
 * no limit, as for types that were never named. */
void fake_quota_room_set(struct fake_quota *quota, const char *type, int64_t room);
/** fake_quota_limit_set() - so many machines in all, then FAULT_CLOUD_LIMIT; negative: none. */
void fake_quota_limit_set(struct fake_quota *quota, int64_t limit);
/** fake_quota_throttle_set() - a call each @every_ms and @burst at once; @every_ms 0: no limit. */
void fake_quota_throttle_set(struct fake_quota *quota, int64_t every_ms, int64_t burst);

/** fake_quota_is_throttled() - this call is one too many. */
bool fake_quota_is_throttled(struct fake_quota *quota);
/** fake_quota_check() - whether one more machine of @type may be launched. */
int fake_quota_check(struct fake_quota *quota, const struct fake_vms *vms, const char *type,
                     struct fault *fault);
