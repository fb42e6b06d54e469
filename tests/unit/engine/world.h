#pragma once

/*
 * An engine in a world of fakes with virtual time: hosts whose calls take a
 * millisecond, a store that commits at once or in its time, a clock that jumps to
 * the next timer.
 */

#include "berth/engine/engine.h"

#include "support/fake_clock.h"
#include "support/fake_docker.h"
#include "support/fake_shell.h"
#include "support/fake_store.h"

struct check;

struct world {
    struct fake_clock *clock;
    struct fake_docker *docker;
    struct fake_cloud *cloud; /* machines for the pools of world_pool_rented() */
    struct fake_shell *shell;
    struct fake_store *store;
    struct engine *engine; /* NULL: crashed */
    struct engine_config config;
    struct engine_ports ports;
    uint64_t seed;
    struct random_port random;
    struct spool_port spool;
    uint64_t turns;
    struct fake_fates fates; /* what goes wrong with calls */
    int64_t disk_ms;         /* how long a commit takes */
    int64_t disk_due_ms;     /* when the oldest one is done; 0: none is pending */
    /* Called after each turn; may look but not touch. */
    void (*on_turn)(struct world *world);
    /* Called when a call to an engine begins, which is to have @fate. */
    void (*on_call)(struct world *world, const struct docker_call *call,
                    const struct fake_fate *fate);
    struct check *check; /* check.h's */
    void *cookie;
};

/** world_init() - an engine that has loaded an empty store; @seed of all randomness. */
void world_init(struct world *world, uint64_t seed);
void world_fini(struct world *world);

/** world_turn() - one turn of the loop: the next thing that happens within @until_mono_ms, then the
 * end of the turn. Return: false when nothing happened. */
bool world_turn(struct world *world, int64_t until_mono_ms);
/** world_run() - turns until @ms have passed. */
void world_run(struct world *world, int64_t ms);
/** world_run_until() - turns until @is_true, at most @ms of virtual time. Return: whether it is. */
bool world_run_until(struct world *world, bool (*is_true)(struct world *world), int64_t ms);

/** world_mono() - the monotonic clock. */
int64_t world_mono(const struct world *world);

/** world_crash() - kill -9: what is committed stays, open calls vanish. @durable as in
 * fake_store_crash(). */
void world_crash(struct world *world, size_t durable);
/** world_stop() - in order: nothing is under way afterwards. */
void world_stop(struct world *world);
/** world_start() - a new engine on what the store has. */
void world_start(struct world *world);

/** world_pool_put() - a static pool's policy, whose contents are taken. */
struct pool *world_pool_put(struct world *world, const char *name, struct pool_policy *policy);
/** world_pool() - a static pool; its policy may be changed through the engine. */
struct pool *world_pool(struct world *world, const char *name);
/** world_pool_rented() - @policy's contents are taken; machine types "small" (2 GiB, 2 cpus, 0.01 an hour)
 * and "large" (8 GiB, 4 cpus, 0.04 an hour). */
struct pool *world_pool_rented(struct world *world, const char *name, struct pool_policy *policy);
/** world_host() - a host of that pool with @memory_bytes for containers (and room for the overhead of
 * 16) and @cpus; not yet joined. */
struct host *world_host(struct world *world, const char *pool, const char *name,
                        int64_t memory_bytes, int cpus);
struct fake_machine *world_machine(struct world *world, const char *name);
/** world_blueprint() - @json: a blueprint as the API takes it. */
struct blueprint *world_blueprint(struct world *world, const char *json);
/** world_launch() - one instance of @blueprint for @owner; its id. */
int64_t world_launch(struct world *world, const char *blueprint, const char *owner);
/** world_instance() - NULL: there is none with this id. */
struct instance *world_instance(struct world *world, int64_t id);
/** world_doctor() - how many of the doctor's checks fail. */
size_t world_doctor(struct world *world);
