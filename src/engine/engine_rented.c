/* What the account of a pool's provider holds, for people. */

#include "inventory.h"
#include "orphans.h"

static int
engine_rented_check(const struct pool *pool, struct fault *fault)
{
    if (pool_provider_rents(pool->provider))
        return 0;
    return fault_set(fault, FAULT_CONFLICT, "pools",
                     "pool %s rents no machines: its provider is %s", pool->name,
                     pool_provider_name(pool->provider));
}

int
engine_pool_list_start(struct engine *engine, struct pool *pool, struct engine_listing *listing,
                       struct fault *fault)
{
    if (engine_rented_check(pool, fault) < 0)
        return -1;
    if (!engine->ports.cloud) {
        return fault_set(fault, FAULT_CONFLICT, "pools",
                         "this daemon has no access to the provider of pool %s", pool->name);
    }
    if (!inventory_ask(mind_of(engine, pool), listing))
        return fault_set(fault, FAULT_SHUTTING_DOWN, "pools", "the daemon is not serving now");
    return 0;
}

void
engine_pool_orphans(struct engine *engine, struct pool *pool, struct json_out *out)
{
    struct mind *mind = mind_of(engine, pool);
    const struct inventory_seen *seen = inventory_seen(mind);

    json_out_object(out);
    json_out_kv_string(out, "pool", pool->name);
    json_out_kv_string(out, "cluster_id", engine->info.cluster_id);
    json_out_kv_time(out, "listed_at", seen ? seen->at_ms : 0);
    json_out_kv_bool(out, "complete", seen && seen->complete);
    json_out_kv_uint(out, "machines", seen ? seen->alive : 0);
    orphans_tell(inventory_orphans(mind), out);
    json_out_object_end(out);
}

int
engine_pool_orphans_end(struct engine *engine, struct pool *pool,
                        const struct schema_strings *machines, const char *owner,
                        struct fault *fault)
{
    if (engine_admit(engine, true, fault) < 0 || engine_rented_check(pool, fault) < 0)
        return -1;
    return orphans_condemn(inventory_orphans(mind_of(engine, pool)), machines, owner, fault);
}
