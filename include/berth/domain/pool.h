#pragma once

/*
 * A pool: hosts of one kind and the rules for them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/schema.h"

enum pool_provider { PROVIDER_LOCAL, PROVIDER_STATIC, PROVIDER_COUNT };

/** pool_provider_name() - "local", "static". */
const char *pool_provider_name(int32_t provider);

struct pool_overcommit {
    int64_t memory_milli; /* 1000: reservations up to the capacity */
    int64_t cpus_milli;
};

struct pool_reserve {
    int64_t memory_bytes; /* of each host, kept for the system */
    int64_t cpus_milli;
};

/* What PUT /v1/pools/{name} changes. */
struct pool_policy {
    struct pool_overcommit overcommit;
    struct pool_reserve reserve;
    struct schema_map labels; /* each host of the pool carries these, too */
    int64_t error_threshold_milli;
    int64_t slots_per_host;    /* 0: memory and cpus alone decide */
    int64_t starts_per_host;   /* engine operations at once on a host; 0: 4 × its cpus, 2 to 32 */
    int64_t drain_deadline_ms; /* of a drain that names none */
    int64_t anti_affinity;     /* most instances of one owner on one host; 0: no limit */
};

extern const struct schema pool_policy_schema;

/* The same, in the parts of which a pool's configuration is made: pool_rules_schema describes a
 * struct pool_policy without overcommit, reserve and labels. */
extern const struct schema pool_overcommit_schema;
extern const struct schema pool_reserve_schema;
extern const struct schema pool_rules_schema;

struct placement_pool;

struct pool {
    int64_t id;
    char *name; /* owned */
    int32_t provider;
    struct pool_policy policy;
    int64_t rev; /* of the policy, for ETag */
    int64_t created_at_ms;
    /* Not stored. */
    struct placement_pool *placement; /* owned by the placement index */
    uint32_t hosts;                   /* rows that are not removed */
    bool configured;                  /* the configuration names it (or it is `default`) */
    bool dirty;
};

struct pool *pool_new(const char *name, int32_t provider);
void pool_free(struct pool *pool);
