#include "places.h"

#include <inttypes.h>
#include <stdio.h>

#include "berth/base/log.h"
#include "berth/store/store.h"

#include "machines.h"

/* A pool and its machines, from wherever they are known. */
struct places_pool {
    const char *name;
    const struct pool_place *place;
    int64_t machines;
};

static int
places_compare(const struct places_pool *pool, const struct config_pool *section,
               struct fault *fault)
{
    CLEANUP(mem_freep) char *from = NULL;
    CLEANUP(mem_freep) char *to = NULL;
    struct pool_place place;
    const char *field;

    if (machines_place(section, &place, fault) < 0)
        return -1;
    field = pool_place_differs(pool->place, &place);
    if (field) {
        from = pool_place_text(pool->place);
        to = pool_place_text(&place);
        (void)fault_set(fault, FAULT_INVALID, "config",
                        "/pools/%s/%s: %" PRId64
                        " machines are in %s: set it back, then `berth pool "
                        "shutdown %s` or another pool for %s",
                        pool->name, field, pool->machines, from, pool->name, to);
    }
    pool_place_clear(&place);
    return field ? -1 : 0;
}

static int64_t
places_count(const struct model *model, const struct pool *pool)
{
    int64_t count = 0;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        count += host->pool == pool && host->state != HOST_REMOVED && host->machine;
    }
    return count;
}

int
places_check(const struct config *config, const struct model *model, struct fault *fault)
{
    IDMAP_EACH(&model->pools, struct pool, pool)
    {
        const struct config_pool *section = config_rented_find(config, pool->name);
        const struct places_pool there = { pool->name, &pool->place, places_count(model, pool) };

        if (pool_provider_rents(pool->provider) && section && there.machines > 0 &&
            places_compare(&there, section, fault) < 0)
            return -1;
    }
    return 0;
}

int
places_check_stored(const struct config *config)
{
    CLEANUP(store_machines_fini) struct store_machines machines = { 0 };
    int result = 0;

    if (store_machines_read(config->data_dir, &machines, NULL) < 0)
        return 0;
    for (size_t i = 0; i < machines.count; i++) {
        const struct store_machines_pool *pool = &machines.pools[i];
        const struct config_pool *section = config_rented_find(config, pool->name);
        const struct places_pool there = { pool->name, &pool->place, pool->rented };
        struct fault fault;

        if (pool->rented == 0)
            continue;
        if (!section) {
            (void)fprintf(
                stderr,
                "berthd: pool %s has %" PRId64 " rented machines and no section any more: "
                "they cost, and none is added; `berth pool shutdown %s` gives them back\n",
                pool->name, pool->rented, pool->name);
        } else if (places_compare(&there, section, &fault) < 0) {
            (void)fprintf(stderr, "  %s\n", fault.text);
            result = -1;
        }
    }
    return result;
}

static void
places_apply_pool(const struct config *config, struct engine *engine, struct pool *pool)
{
    const struct config_pool *section = config_rented_find(config, pool->name);
    int64_t machines = places_count(engine_model(engine), pool);
    struct pool_place place;
    struct fault fault;

    pool->left = !section;
    if (section) {
        if (machines_place(section, &place, &fault) < 0)
            return; /* it is told when the provider is asked */
        if (machines == 0 || !pool->place.region)
            engine_pool_place_set(engine, pool, &place);
        pool_place_clear(&place);
    } else if (machines > 0) {
        log_error("config",
                  "pool %s has %" PRId64 " rented machines and no section any more: they cost, and "
                  "none is added; `berth pool shutdown %s` gives them back",
                  pool->name, machines, pool->name);
    }
}

void
places_apply(const struct config *config, struct engine *engine)
{
    IDMAP_EACH(&engine_model(engine)->pools, struct pool, pool)
    {
        if (pool_provider_rents(pool->provider))
            places_apply_pool(config, engine, pool);
    }
}
