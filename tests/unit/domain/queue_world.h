#pragma once

/* A queue, a pool, and blueprints of different sizes and classes of hosts. */

#include "berth/base/mem.h"
#include "berth/domain/queue.h"

#include "rows.h"

static const char *const ann = "ann";
static const char *const bob = "bob";
static const char *const cid = "cid";

struct world {
    struct queue *queue;
    struct pool *pool;
    struct blueprint *small; /* 1 GiB */
    struct blueprint *large; /* 8 GiB */
    struct blueprint *other; /* 1 GiB, on hosts of another class */
    struct instance **instances;
    size_t count;
};

static inline int
world_new(void **state)
{
    struct world *world = mem_new0(sizeof(*world));

    world->queue = queue_new();
    world->pool = pool_new("default", PROVIDER_STATIC);
    world->small = rows_blueprint_new("small", "busybox", 1024 * MIB);
    world->large = rows_blueprint_new("large", "busybox", INT64_C(8) * 1024 * MIB);
    world->other = rows_blueprint_new("other", "busybox", 1024 * MIB);
    rows_label_add(&world->other->spec.host_labels, "gpu", "yes");
    world->other->hosts_key = 1;
    *state = world;
    return 0;
}

static inline int
world_free(void **state)
{
    struct world *world = *state;

    queue_free(world->queue);
    for (size_t i = 0; i < world->count; i++)
        instance_free(world->instances[i]);
    mem_free(world->instances);
    blueprint_free(world->small);
    blueprint_free(world->large);
    blueprint_free(world->other);
    pool_free(world->pool);
    mem_free(world);
    return 0;
}

static inline struct instance *
waiting(struct world *world, int64_t id, const char *owner, struct blueprint *blueprint)
{
    struct instance *instance = instance_new(id);

    instance->owner = owner;
    instance->pool = world->pool;
    instance->blueprint = blueprint;
    world->instances = mem_resize(world->instances, world->count + 1, sizeof(struct instance *));
    world->instances[world->count++] = instance;
    queue_add(world->queue, instance);
    return instance;
}

static inline struct instance *
next(struct world *world, struct queue_sweep *sweep, int64_t now_ms)
{
    return queue_next(world->queue, world->pool, sweep, now_ms);
}

/* Gives a place to whoever is next: the id, or 0. */
static inline int64_t
serve(struct world *world, struct queue_sweep *sweep, int64_t now_ms)
{
    struct instance *instance = next(world, sweep, now_ms);

    if (!instance)
        return 0;
    queue_served(world->queue, instance, now_ms);
    return instance->id;
}
