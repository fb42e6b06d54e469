#include "berth/domain/pool.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"

static const char *const pool_provider_names[PROVIDER_COUNT] = {
    [PROVIDER_LOCAL] = "local",
    [PROVIDER_STATIC] = "static",
    [PROVIDER_EC2] = "ec2",
};

const char *
pool_provider_name(int32_t provider)
{
    assert(provider >= 0 && provider < PROVIDER_COUNT);
    return pool_provider_names[provider];
}

bool
pool_provider_rents(int32_t provider)
{
    return provider == PROVIDER_EC2;
}

struct pool *
pool_new(const char *name, int32_t provider)
{
    struct pool *pool = mem_new0(sizeof(*pool));

    assert(provider >= 0 && provider < PROVIDER_COUNT);
    pool->name = mem_strdup(name);
    pool->provider = provider;
    schema_defaults(&pool_policy_schema, &pool->policy);
    return pool;
}

void
pool_free(struct pool *pool)
{
    if (!pool)
        return;
    assert(!pool->placement);
    schema_free(&pool_policy_schema, &pool->policy);
    schema_free(&pool_machines_schema, pool);
    setback_clear(&pool->setback);
    pool_place_clear(&pool->place);
    mem_free(pool->name);
    mem_free(pool);
}

static void
pool_refuse(const char *pointer, const char *field, struct problems *problems, const char *why)
{
    CLEANUP(mem_freep) char *at = mem_printf("%s/%s", pointer, field);

    problems_add(problems, at, "range", "%s", why);
}

int
pool_policy_check(const struct pool_policy *policy, const char *pointer, struct problems *problems)
{
    const struct pool_schedule *schedules = policy->schedules.at;
    size_t before = problems->count + problems->dropped;

    if (policy->min_hosts > policy->max_hosts) {
        pool_refuse(pointer, "min_hosts", problems,
                    "must be at most max_hosts, or max_hosts be larger");
    }
    if (policy->host_lifetime_ms > 0 && policy->host_lifetime_low_ms >= policy->host_lifetime_ms) {
        pool_refuse(pointer, "host_lifetime_low_s", problems,
                    "must be less than host_lifetime_s: every host would be near its end");
    }
    for (size_t i = 0; i < policy->schedules.count; i++) {
        CLEANUP(mem_freep) char *field = mem_printf("schedules/%zu/min_hosts", i);

        if (schedules[i].min_hosts > policy->max_hosts)
            pool_refuse(pointer, field, problems, "must be at most max_hosts");
    }
    return problems->count + problems->dropped > before ? -1 : 0;
}

void
pool_schedule_refuse(const struct pool_policy *policy, size_t index, const char *pointer,
                     struct problems *problems)
{
    const struct pool_schedule *schedules = policy->schedules.at;
    CLEANUP(mem_freep) char *at = mem_printf("%s/schedules/%zu/time_zone", pointer, index);

    problems_add(problems, at, "format",
                 "there is no time zone %s on this machine; leave it out for UTC",
                 schedules[index].time_zone);
}
