#pragma once

/* An index of two pools with hosts and blueprints, and what they have in use. */

#include <string.h>

#include "berth/base/mem.h"
#include "berth/domain/placement.h"

#include "rows.h"

enum { HOSTS = 300, BLUEPRINTS = 24, OWNERS = 5, LOADS = 2000, NOW_MS = 1000 };

struct load {
    struct host *host;
    const struct blueprint *blueprint;
    const char *owner;
};

struct world {
    struct placement *placement;
    struct pool *pools[2];
    struct host *hosts[HOSTS];
    size_t host_count;
    struct blueprint *blueprints[BLUEPRINTS];
    struct load loads[LOADS];
    size_t load_count;
    uint64_t random;
    bool coarse;
};

static const char *const owners[OWNERS] = { "ann", "bob", "cid", "dee", "eve" };

static inline struct host *
host_make(struct world *world, struct pool *pool, int64_t memory_bytes)
{
    struct host *host = host_new(pool, "h");

    host->id = (int64_t)world->host_count + 1;
    host->state = HOST_ACTIVE;
    host->reachable = true;
    host->total = (struct host_amount){ memory_bytes, 8000, 0 };
    host_capacity_update(host);
    world->hosts[world->host_count++] = host;
    placement_host_update(world->placement, host, NOW_MS);
    return host;
}

static inline void
world_init(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->random = seed;
    world->placement = placement_new();
    for (size_t i = 0; i < ARRAY_LEN(world->pools); i++) {
        world->pools[i] = pool_new(i == 0 ? "default" : "other", PROVIDER_STATIC);
        world->pools[i]->policy.reserve.memory_bytes = 0;
    }
}

static inline void
world_fini(struct world *world)
{
    placement_free(world->placement);
    for (size_t i = 0; i < world->host_count; i++)
        host_free(world->hosts[i]);
    for (size_t i = 0; i < BLUEPRINTS; i++)
        blueprint_free(world->blueprints[i]);
    for (size_t i = 0; i < ARRAY_LEN(world->pools); i++)
        pool_free(world->pools[i]);
}

static inline struct placement_ask
ask_for(struct world *world, const struct blueprint *blueprint)
{
    return (struct placement_ask){
        .pool = world->pools[0],
        .blueprint = blueprint,
        .amount = { blueprint->spec.memory_bytes, blueprint->spec.cpus_milli,
                    blueprint->spec.slots },
        .owner = owners[0],
    };
}

static inline void
reserve(struct world *world, struct host *host, const struct blueprint *blueprint,
        const char *owner, int sign)
{
    host->reserved.memory_bytes += sign * blueprint->spec.memory_bytes;
    host->reserved.cpus_milli += sign * blueprint->spec.cpus_milli;
    host->reserved.slots += sign * blueprint->spec.slots;
    placement_note_instance(world->placement, host, blueprint, owner, sign);
    placement_host_reserved(world->placement, host);
}

/* @blueprint, without ports so far, gets a fixed one. */
static inline void
fix_port(struct blueprint *blueprint, int64_t host_port)
{
    struct blueprint_port *port = mem_new0(sizeof(*port));

    *port = (struct blueprint_port){ .container = 80, .host = host_port };
    blueprint->spec.ports = (struct schema_array){ .at = port, .count = 1 };
    blueprint->fixed_ports = 1;
}
