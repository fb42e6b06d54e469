#include "berth/domain/pool.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"

static const char *const pool_provider_names[PROVIDER_COUNT] = {
    [PROVIDER_LOCAL] = "local",
    [PROVIDER_STATIC] = "static",
    [PROVIDER_EC2] = "ec2",
};

/* clang-format off */
static const struct schema_field pool_overcommit_fields[] = {
    { .name = "memory", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_overcommit, memory_milli),
      .min = 100, .max = 10000, .fallback = 1000,
      .doc = "Reservations may sum up to the capacity times this; 1 promises each container its limit." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_overcommit, cpus_milli),
      .min = 100, .max = 100000, .fallback = 1000,
      .doc = "The same for cpus." },
};

const struct schema pool_overcommit_schema = {
    .name = "PoolOvercommit", .doc = "How much more may be reserved than there is.",
    .size = sizeof(struct pool_overcommit),
    .fields = pool_overcommit_fields, .field_count = ARRAY_LEN(pool_overcommit_fields),
};

static const struct schema_field pool_reserve_fields[] = {
    { .name = "memory_bytes", .type = SCHEMA_INT, .offset = offsetof(struct pool_reserve, memory_bytes),
      .min = 0, .max = INT64_C(1) << 50, .fallback = INT64_C(256) << 20,
      .doc = "Bytes of each host's memory that are kept for the system and the engine." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_reserve, cpus_milli),
      .min = 0, .max = 1000000, .fallback = 0,
      .doc = "Cpus of each host that are kept for the system and the engine." },
};

const struct schema pool_reserve_schema = {
    .name = "PoolReserve", .doc = "What of each host is not given to containers.",
    .size = sizeof(struct pool_reserve),
    .fields = pool_reserve_fields, .field_count = ARRAY_LEN(pool_reserve_fields),
};

static const struct schema_field pool_machine_fields[] = {
    { .name = "type", .type = SCHEMA_STRING, .offset = offsetof(struct pool_machine, type),
      .flags = SCHEMA_REQUIRED, .min = 1, .max = 64,
      .doc = "The provider's name of the machine type." },
    { .name = "price_micro", .type = SCHEMA_INT, .offset = offsetof(struct pool_machine, price_micro),
      .min = 0, .max = INT64_C(1000000) * 1000000, .fallback = 0,
      .doc = "Price of an hour in millionths of the currency." },
    { .name = "memory_bytes", .type = SCHEMA_INT, .offset = offsetof(struct pool_machine, memory_bytes),
      .min = 0, .max = INT64_C(1) << 50, .fallback = 0,
      .doc = "Bytes of memory that it has." },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_machine, cpus_milli),
      .min = 0, .max = 1000000, .fallback = 0,
      .doc = "Cpus that it has." },
    { .name = "slots", .type = SCHEMA_INT, .offset = offsetof(struct pool_machine, slots),
      .min = 0, .max = 100000, .fallback = 0,
      .doc = "Slots of a host of this type; 0: memory and cpus alone decide." },
};

const struct schema pool_machine_schema = {
    .name = "PoolMachine", .doc = "A machine type that may be launched.",
    .size = sizeof(struct pool_machine),
    .fields = pool_machine_fields, .field_count = ARRAY_LEN(pool_machine_fields),
};

static const struct schema_field pool_machines_fields[] = {
    { .name = "machine_types", .type = SCHEMA_OBJECTS, .offset = offsetof(struct pool, machines),
      .max = 32, .sub = &pool_machine_schema,
      .doc = "Machine types that may be launched, in the order of preference." },
};

const struct schema pool_machines_schema = {
    .name = "PoolMachines", .doc = "The machine types of a pool.",
    .size = sizeof(struct pool),
    .fields = pool_machines_fields, .field_count = ARRAY_LEN(pool_machines_fields),
};

static const struct schema_field pool_policy_fields[] = {
    { .name = "overcommit", .type = SCHEMA_OBJECT, .offset = offsetof(struct pool_policy, overcommit),
      .sub = &pool_overcommit_schema,
      .doc = "Factors on each host's capacity." },
    { .name = "reserve", .type = SCHEMA_OBJECT, .offset = offsetof(struct pool_policy, reserve),
      .sub = &pool_reserve_schema,
      .doc = "What of each host is not given to containers." },
    { .name = "labels", .type = SCHEMA_MAP, .offset = offsetof(struct pool_policy, labels),
      .max = 64, .item_max = 256,
      .doc = "Labels that each host of the pool carries, beside its own." },
    { .name = "error_threshold", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_policy, error_threshold_milli),
      .min = 0, .max = 1000000, .fallback = 3000,
      .doc = "A host whose error score is above this takes no new work." },
    { .name = "slots_per_host", .type = SCHEMA_INT, .offset = offsetof(struct pool_policy, slots_per_host),
      .min = 0, .max = 100000, .fallback = 0,
      .doc = "Slots of each host; 0: memory and cpus alone decide." },
    { .name = "starts_per_host", .type = SCHEMA_INT, .offset = offsetof(struct pool_policy, starts_per_host),
      .min = 0, .max = 256, .fallback = 0,
      .doc = "Engine operations at once on a host; 0: four for each of its cpus, 2 to 32." },
    { .name = "drain_deadline_s", .type = SCHEMA_MILLI, .offset = offsetof(struct pool_policy, drain_deadline_ms),
      .min = 0, .max = INT64_C(30) * 86400 * 1000, .fallback = INT64_C(3600) * 1000,
      .doc = "Seconds that instances of a drained host may go on before they are stopped, when the drain names none." },
    { .name = "anti_affinity", .type = SCHEMA_INT, .offset = offsetof(struct pool_policy, anti_affinity),
      .min = 0, .max = 100000, .fallback = 0,
      .doc = "Most instances of one owner on one host; 0: no limit." },
};

const struct schema pool_policy_schema = {
    .name = "PoolPolicy", .doc = "The rules for the hosts of a pool.",
    .size = sizeof(struct pool_policy),
    .fields = pool_policy_fields, .field_count = ARRAY_LEN(pool_policy_fields),
};

/* The first three stand beside `policy` in the configuration. */
const struct schema pool_rules_schema = {
    .name = "PoolRules", .doc = "The rules for the hosts of a pool.",
    .size = sizeof(struct pool_policy),
    .fields = pool_policy_fields + 3, .field_count = ARRAY_LEN(pool_policy_fields) - 3,
};
/* clang-format on */

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
    mem_free(pool->name);
    mem_free(pool);
}
