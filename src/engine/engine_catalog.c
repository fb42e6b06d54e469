#include <string.h>

#include "housekeeping.h"
#include "labels.h"
#include "shutdown.h"

/* What If-Match or its absence says about what must be there. */
static int
catalog_expect(const char *what, int64_t expect, int64_t have, struct fault *fault)
{
    if (expect < 0 || expect == have)
        return 0;
    if (expect == 0)
        return fault_set(fault, FAULT_PRECONDITION, "catalog", "%s exists already", what);
    if (have == 0)
        return fault_set(fault, FAULT_NOT_FOUND, "catalog", "there is no %s", what);
    return fault_set(fault, FAULT_PRECONDITION, "catalog",
                     "%s has changed: it is at version %lld now, not %lld", what, (long long)have,
                     (long long)expect);
}

static void
catalog_event(struct engine *engine, const char *kind, int64_t pool_id, const char *text)
{
    const struct event event = { .kind = kind, .pool_id = pool_id, .text = text };

    model_event_add(engine->model, &event, state_now_ms(engine));
}

int
engine_blueprint_put(struct engine *engine, struct blueprint_spec *spec, int64_t expect,
                     struct blueprint **ret_blueprint, bool *ret_created, struct fault *fault)
{
    struct blueprint *latest = model_blueprint_find(engine->model, spec->name);
    struct blueprint *blueprint;
    CLEANUP(mem_freep) char *text = NULL;

    if (engine_admit(engine, false, fault) < 0 ||
        catalog_expect(spec->name, expect, latest ? latest->version : 0, fault) < 0)
        return -1;
    if (spec->pool && !model_pool_find(engine->model, spec->pool))
        return fault_set(fault, FAULT_INVALID, "blueprints", "there is no pool %s", spec->pool);

    *ret_created = latest == NULL;
    blueprint = blueprint_new(spec);
    if (latest && strcmp(latest->spec_json, blueprint->spec_json) == 0) {
        blueprint_free(blueprint);
        *ret_blueprint = latest;
        return 0;
    }
    blueprint->id = state_id_next(engine);
    blueprint->version = model_blueprint_version_next(engine->model, blueprint->spec.name);
    blueprint->created_at_ms = state_now_ms(engine);
    blueprint->latest = true;
    text = mem_printf("%s is at version %lld", blueprint->spec.name, (long long)blueprint->version);
    model_blueprint_add(engine->model, blueprint, false);
    catalog_event(engine, *ret_created ? "blueprint.created" : "blueprint.changed", 0, text);
    *ret_blueprint = blueprint;
    return 0;
}

int
engine_blueprint_delete(struct engine *engine, const char *name, int64_t expect,
                        struct fault *fault)
{
    struct blueprint *blueprint = model_blueprint_find(engine->model, name);
    CLEANUP(mem_freep) char *text = NULL;

    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (!blueprint)
        return fault_set(fault, FAULT_NOT_FOUND, "blueprints", "there is no blueprint %s", name);
    if (catalog_expect(name, expect, blueprint->version, fault) < 0)
        return -1;
    text = mem_printf("%s was deleted; its instances run on", name);
    catalog_event(engine, "blueprint.deleted", 0, text);
    if (blueprint->instances == 0) {
        model_blueprint_drop(engine->model, blueprint);
        return 0;
    }
    blueprint->deleted = true;
    model_blueprint_touch(engine->model, blueprint);
    return 0;
}

/* New rules may change what every host of the pool can hold and carries. @labels: of the old ones. */
static void
catalog_pool_apply(struct engine *engine, const struct pool *pool, const struct schema_map *labels)
{
    int64_t now_ms = state_now_ms(engine);

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool != pool || host->state == HOST_REMOVED)
            continue;
        host->total.slots = host_slots(host);
        host_capacity_update(host);
        model_host_touch(engine->model, host, now_ms);
        labels_pool_changed(engine, host, labels);
    }
    state_sweep(engine);
}

int
engine_pool_check(const struct engine *engine, const struct pool_policy *policy,
                  struct problems *problems)
{
    const struct zone_port *zones = engine->ports.zones;
    const struct pool_schedule *schedules = policy->schedules.at;
    int result = pool_policy_check(policy, "", problems);

    for (size_t i = 0; i < policy->schedules.count; i++) {
        const char *name = schedules[i].time_zone;

        if (!name || (zones && zones->find(zones->self, name)))
            continue;
        pool_schedule_refuse(policy, i, "", problems);
        result = -1;
    }
    return result;
}

int
engine_pool_put(struct engine *engine, const struct pool_request *request, struct pool **ret_pool,
                struct fault *fault)
{
    const char *name = request->name;
    struct pool *pool = model_pool_find(engine->model, name);
    struct pool_policy before;
    bool created = pool == NULL;

    if (engine_admit(engine, false, fault) < 0 ||
        catalog_expect(name, request->expect, pool ? pool->rev : 0, fault) < 0)
        return -1;
    if (pool && pool->provider != request->provider) {
        return fault_set(fault, FAULT_CONFLICT, "pools", "the provider of pool %s is %s", name,
                         pool_provider_name(pool->provider));
    }
    if (!pool) {
        pool = pool_new(name, request->provider);
        pool->id = state_id_next(engine);
        pool->created_at_ms = state_now_ms(engine);
        model_pool_add(engine->model, pool, false);
    }
    before = pool->policy;
    pool->policy = *request->policy;
    *request->policy = (struct pool_policy){ 0 };
    if (request->machines) {
        schema_free(&pool_machines_schema, pool);
        pool->machines = *request->machines;
        *request->machines = (struct schema_array){ 0 };
    }
    /* What made its machines fail may have been mended with it. */
    setback_clear(&pool->setback);
    mind_of(engine, pool)->warm_refused = false;
    model_pool_touch(engine->model, pool);
    catalog_event(engine, created ? "pool.created" : "pool.changed", pool->id, name);
    catalog_pool_apply(engine, pool, &before.labels);
    schema_free(&pool_policy_schema, &before);
    if (pool->shut_down && !pool->policy.shutdown)
        shutdown_undo(engine, pool, "the pool was set back to work");
    housekeeping_poke(engine);
    *ret_pool = pool;
    return 0;
}

void
engine_pool_place_set(struct engine *engine, struct pool *pool, const struct pool_place *place)
{
    if (!pool_place_differs(place, &pool->place) && pool->place.region)
        return;
    pool_place_set(&pool->place, place);
    model_pool_save(engine->model, pool);
}

int
engine_token_create(struct engine *engine, struct token *token, struct fault *fault)
{
    CLEANUP(mem_freep) char *text = NULL;

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    token->id = state_id_next(engine);
    token->created_at_ms = state_now_ms(engine);
    text = mem_printf("%s token for %s", token_role_name(token->role),
                      token->owner ? token->owner : "nobody");
    model_token_add(engine->model, token, false);
    catalog_event(engine, "token.created", 0, text);
    return 0;
}

int
engine_token_delete(struct engine *engine, struct token *token, struct fault *fault)
{
    if (engine_admit(engine, true, fault) < 0)
        return -1;
    catalog_event(engine, "token.deleted", 0, token->name ? token->name : "without a name");
    model_token_drop(engine->model, token);
    return 0;
}
