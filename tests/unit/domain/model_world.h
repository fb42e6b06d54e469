#pragma once

/* A model with a pool, an active host "h1" of 4 GiB, and a blueprint "web" of 256 MiB. */

#include "berth/domain/model.h"

#include "rows.h"

enum { NOW_MS = 5000 };

struct world {
    struct model *model;
    struct pool *pool;
    struct host *host;
    struct blueprint *blueprint;
    int64_t id;
    uint64_t random;
};

static inline struct blueprint *
blueprint_add(struct world *world, const char *name, int64_t version)
{
    struct blueprint *blueprint = rows_blueprint_new(name, "busybox", 256 * MIB);

    blueprint->id = ++world->id;
    blueprint->version = version;
    blueprint->latest = true;
    model_blueprint_add(world->model, blueprint, false);
    return blueprint;
}

static inline struct host *
host_add(struct world *world, const char *name)
{
    struct host *host = host_new(world->pool, name);

    host->id = ++world->id;
    host->reachable = true;
    host->total = (struct host_amount){ 4096 * MIB, 4000, 0 };
    model_host_add(world->model, host, false);
    model_host_move(world->model, host, HOST_EV_PREPARED, "it answers", NOW_MS);
    return host;
}

static inline struct instance *
instance_add(struct world *world, struct blueprint *blueprint, const char *owner)
{
    struct instance *instance = instance_new(++world->id);

    instance->blueprint = blueprint;
    instance->pool = world->pool;
    instance->owner = owner;
    instance->created_at_ms = NOW_MS;
    model_instance_add(world->model, instance, false);
    return instance;
}

static inline int
world_new(void **state)
{
    struct world *world = mem_new0(sizeof(*world));

    world->model = model_new();
    world->random = 1;
    world->pool = pool_new("default", PROVIDER_STATIC);
    world->pool->policy.reserve.memory_bytes = 0;
    world->pool->id = ++world->id;
    model_pool_add(world->model, world->pool, false);
    world->host = host_add(world, "h1");
    world->blueprint = blueprint_add(world, "web", 1);
    model_dirty_clear(world->model);
    *state = world;
    return 0;
}

static inline int
world_free(void **state)
{
    struct world *world = *state;

    model_free(world->model);
    mem_free(world);
    return 0;
}
