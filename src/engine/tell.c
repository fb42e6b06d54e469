#include "tell.h"

static void
tell_bounded(struct json_out *out, const char *key, int64_t value)
{
    json_out_key(out, key);
    if (value >= POLICY_AMPLE) {
        json_out_null(out);
    } else {
        json_out_int(out, value);
    }
}

void
tell_amount(struct json_out *out, const char *key, const struct host_amount *amount)
{
    json_out_key(out, key);
    json_out_object(out);
    tell_bounded(out, "memory_bytes", amount->memory_bytes);
    json_out_key(out, "cpus");
    if (amount->cpus_milli >= POLICY_AMPLE) {
        json_out_null(out);
    } else {
        json_out_milli(out, amount->cpus_milli);
    }
    tell_bounded(out, "slots", amount->slots);
    json_out_object_end(out);
}

void
tell_money(struct json_out *out, const struct pool *pool, int64_t spent_micro,
           int64_t committed_micro)
{
    int64_t budget_milli = pool->policy.budget_per_month_milli;

    json_out_key(out, "money");
    json_out_object(out);
    json_out_kv_micro(out, "spent", spent_micro);
    json_out_kv_micro(out, "committed", committed_micro);
    json_out_key(out, "budget");
    if (budget_milli > 0) {
        json_out_milli(out, budget_milli);
    } else {
        json_out_null(out);
    }
    json_out_object_end(out);
}

void
tell_launches(struct json_out *out, const struct pool *pool, uint32_t launches)
{
    json_out_kv_uint(out, "launches_last_hour", launches);
    json_out_key(out, "launches_per_hour");
    if (pool->policy.launches_per_hour > 0) {
        json_out_int(out, pool->policy.launches_per_hour);
    } else {
        json_out_null(out);
    }
}

void
tell_held(struct json_out *out, const struct policy_held *held, size_t count)
{
    json_out_key(out, "held");
    json_out_array(out);
    for (size_t i = 0; i < count; i++) {
        json_out_object(out);
        json_out_kv_string(out, "hold", policy_hold_name(held[i].hold));
        json_out_kv_string(out, "text", held[i].text);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}
