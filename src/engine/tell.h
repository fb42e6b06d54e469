#pragma once

/*
 * Parts of what plans and the status tell, the same in both.
 */

#include "berth/base/json.h"
#include "berth/domain/policy.h"

/** tell_amount() - "key":{"memory_bytes","cpus","slots"}; null for what has no bound. */
void tell_amount(struct json_out *out, const char *key, const struct host_amount *amount);
/** tell_money() - "money":{"spent","committed","budget"?} of this month. */
void tell_money(struct json_out *out, const struct pool *pool, int64_t spent_micro,
                int64_t committed_micro);
/** tell_launches() - "launches_last_hour","launches_per_hour"? */
void tell_launches(struct json_out *out, const struct pool *pool, uint32_t launches);
/** tell_held() - "held":[{"hold","text"}] of @held [count]. */
void tell_held(struct json_out *out, const struct policy_held *held, size_t count);
