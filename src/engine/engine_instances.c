#include <assert.h>
#include <string.h>

#include "bury.h"
#include "housekeeping.h"
#include "lane.h"
#include "outlook.h"
#include "state.h"
#include "sweep.h"

int
engine_admit(struct engine *engine, bool frees, struct fault *fault)
{
    if (engine->health == ENGINE_STOPPING)
        return fault_set(fault, FAULT_SHUTTING_DOWN, "engine", "the daemon is shutting down");
    if (engine->health == ENGINE_FULL && !frees) {
        return fault_set(fault, FAULT_STORAGE_FULL, "engine",
                         "the disk is full: %s; only reads and stops are possible until there is "
                         "room again",
                         engine->why.text);
    }
    if (engine->health == ENGINE_BROKEN || engine->reloading) {
        return fault_set(fault, engine->health == ENGINE_FULL ? FAULT_STORAGE_FULL : FAULT_STORAGE,
                         "engine", "the database cannot be written: %s", engine->why.text);
    }
    return 0;
}

/* The blueprint and pool that a request means. */
static int
instances_resolve(struct engine *engine, const struct instance_request *request,
                  struct blueprint **ret_blueprint, struct pool **ret_pool, struct fault *fault)
{
    const struct model *model = engine->model;
    struct blueprint *blueprint =
        request->version > 0
            ? model_blueprint_version_find(model, request->blueprint, request->version)
            : model_blueprint_find(model, request->blueprint);
    const char *name;
    struct pool *pool;

    if (!blueprint || blueprint->deleted) {
        return fault_set(fault, FAULT_NOT_FOUND, "instances", "there is no blueprint %s%s",
                         request->blueprint, request->version > 0 ? " with this version" : "");
    }
    name = request->pool ? request->pool : blueprint->spec.pool;
    pool = model_pool_find(model, name ? name : "default");
    if (!pool) {
        return fault_set(fault, FAULT_NOT_FOUND, "instances", "there is no pool %s",
                         name ? name : "default");
    }
    *ret_blueprint = blueprint;
    *ret_pool = pool;
    return 0;
}

static int
instances_check(struct engine *engine, const struct instance_request *request,
                const struct blueprint *blueprint, const struct pool *pool, struct fault *fault)
{
    const struct blueprint_spec *spec = &blueprint->spec;
    const struct model *model = engine->model;
    const struct placement_ask ask = {
        .pool = mem_unconst(pool),
        .blueprint = blueprint,
        .amount = instance_amount_of(spec),
    };

    if (spec->lifetime_ms > 0 && request->lifetime_ms > spec->lifetime_ms) {
        return fault_set(fault, FAULT_INVALID, "instances",
                         "lifetime_s must be at most the blueprint's %lld",
                         (long long)(spec->lifetime_ms / 1000));
    }
    if (spec->max_per_user > 0 &&
        model_owner_count(model, request->owner, spec->name) + request->count >
            spec->max_per_user) {
        return fault_set(fault, FAULT_QUOTA, "instances",
                         "%s may have %lld live instances of %s, has %u and asks for %lld more",
                         request->owner, (long long)spec->max_per_user, spec->name,
                         model_owner_count(model, request->owner, spec->name),
                         (long long)request->count);
    }
    if (model->instance_counts[INSTANCE_QUEUED] + request->count > engine->config.queue_max) {
        return fault_set(fault, FAULT_NO_CAPACITY, "instances",
                         "the queue is full: %u instances wait already, %lld may",
                         model->instance_counts[INSTANCE_QUEUED],
                         (long long)engine->config.queue_max);
    }
    if (!outlook_could_ever(engine, &ask)) {
        return fault_set(fault, FAULT_NO_CAPACITY, "instances",
                         "no host of pool %s could ever hold it (memory, cpus, slots or labels), "
                         "even when empty",
                         pool->name);
    }
    return 0;
}

static struct instance *
instances_new(struct engine *engine, const struct instance_request *request,
              struct blueprint *blueprint, struct pool *pool)
{
    struct instance *instance = instance_new(state_id_next(engine));
    int64_t lifetime_ms = blueprint->spec.lifetime_ms;

    if (request->lifetime_ms > 0)
        lifetime_ms = request->lifetime_ms;
    instance->blueprint = blueprint;
    instance->pool = pool;
    instance->owner = request->owner;
    instance->state = INSTANCE_QUEUED;
    instance->desired = INSTANCE_RUNNING;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    instance->created_at_ms = state_now_ms(engine);
    instance->moved_at_ms = instance->created_at_ms;
    instance->lifetime_ms = lifetime_ms;
    return instance;
}

int
engine_instances_create(struct engine *engine, const struct instance_request *request,
                        struct instance **ret_instances, struct fault *fault)
{
    struct blueprint *blueprint = NULL;
    struct pool *pool = NULL;
    bool line;

    assert(request->count >= 1 && request->count <= INSTANCE_COUNT_MAX);
    if (engine_admit(engine, false, fault) < 0 ||
        instances_resolve(engine, request, &blueprint, &pool, fault) < 0)
        return -1;
    assert(blueprint && pool);
    if (instances_check(engine, request, blueprint, pool, fault) < 0)
        return -1;

    /* Who comes later does not pass those who wait. */
    line = queue_length(engine->model->queue, pool) > 0;
    for (int64_t i = 0; i < request->count; i++) {
        struct instance *instance = instances_new(engine, request, blueprint, pool);

        if (request->name) {
            instance->name = request->count == 1
                                 ? mem_strdup(request->name)
                                 : mem_printf("%s-%lld", request->name, (long long)i + 1);
        }
        model_instance_add(engine->model, instance, false);
        ret_instances[i] = instance;
        line = line || !sweep_try(engine, instance);
    }
    if (line)
        state_sweep(engine);
    if (line && pool_provider_rents(pool->provider))
        housekeeping_poke(engine);
    return 0;
}

int
engine_instance_stop(struct engine *engine, struct instance *instance, const char *reason,
                     struct fault *fault)
{
    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (instance_state_is_final(instance->state) || instance->desired == INSTANCE_STOPPED)
        return 0;
    instance->desired = INSTANCE_STOPPED;
    model_instance_reason_set(engine->model, instance, reason);
    model_instance_touch(engine->model, instance);
    bury_stop(engine, instance);
    return 0;
}

int
engine_instance_extend(struct engine *engine, struct instance *instance, int64_t ends_at_ms,
                       struct fault *fault)
{
    int64_t most_ms = instance->blueprint->spec.lifetime_ms;
    int64_t now_ms = state_now_ms(engine);

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    if (instance_state_is_final(instance->state) || instance->desired == INSTANCE_STOPPED) {
        return fault_set(fault, FAULT_CONFLICT, "instances",
                         "it is %s, its end cannot be moved any more",
                         instance_state_name((enum instance_state)instance->state));
    }
    if (ends_at_ms != 0 && ends_at_ms < now_ms)
        return fault_set(fault, FAULT_INVALID, "instances", "ends_at must not be in the past");
    if (most_ms > 0 && (ends_at_ms == 0 || ends_at_ms > now_ms + most_ms)) {
        return fault_set(fault, FAULT_INVALID, "instances",
                         "its blueprint allows an end at most %lld s from now",
                         (long long)(most_ms / 1000));
    }
    instance->ends_at_ms = ends_at_ms;
    instance->end_announced = false;
    if (ends_at_ms == 0)
        instance->lifetime_ms = 0;
    if (ends_at_ms > 0 && (engine->next_end_ms == 0 || ends_at_ms < engine->next_end_ms))
        engine->next_end_ms = ends_at_ms;
    model_instance_reason_set(engine->model, instance, "its end was moved");
    model_instance_touch(engine->model, instance);
    state_event(engine, "instance.extended", instance->host, instance, "its end was moved");
    return 0;
}
