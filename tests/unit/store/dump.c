#include "dump.h"

#include <inttypes.h>

static void
dump_text(struct buf *to, const char *name, const char *value)
{
    if (value) {
        buf_printf(to, " %s='%s'", name, value);
    } else {
        buf_printf(to, " %s=none", name);
    }
}

static void
dump_int(struct buf *to, const char *name, int64_t value)
{
    buf_printf(to, " %s=%" PRId64, name, value);
}

static void
dump_bytes(struct buf *to, const char *name, const uint8_t *data, size_t len)
{
    buf_printf(to, " %s=", name);
    for (size_t i = 0; i < len; i++)
        buf_printf(to, "%02x", data[i]);
}

static void
dump_schema(struct buf *to, const struct schema *schema, const void *in)
{
    struct json_out out;

    buf_append_char(to, ' ');
    if (!in)
        return;
    json_out_init(&out, to);
    schema_encode(schema, in, &out);
}

static void
dump_pool(struct buf *to, const struct pool *pool)
{
    dump_int(to, "pool", pool->id);
    dump_text(to, "name", pool->name);
    dump_int(to, "provider", pool->provider);
    dump_schema(to, &pool_policy_schema, &pool->policy);
    dump_int(to, "rev", pool->rev);
    dump_int(to, "created", pool->created_at_ms);
    dump_schema(to, &pool_machines_schema, pool);
    dump_int(to, "grown", pool->grown_at_ms);
    dump_int(to, "spent", pool->spent_micro);
    dump_int(to, "spent_month", pool->spent_month);
    dump_schema(to, &setback_schema, &pool->setback);
    dump_int(to, "shut_down", pool->shut_down);
    dump_schema(to, &pool_place_schema, &pool->place);
}

static void
dump_blueprint(struct buf *to, const struct blueprint *blueprint)
{
    dump_int(to, "blueprint", blueprint->id);
    dump_int(to, "version", blueprint->version);
    dump_int(to, "created", blueprint->created_at_ms);
    dump_int(to, "latest", blueprint->latest);
    dump_int(to, "deleted", blueprint->deleted);
    dump_schema(to, &blueprint_schema, &blueprint->spec);
    dump_text(to, "json", blueprint->spec_json);
}

static void
dump_host(struct buf *to, const struct host *host)
{
    dump_int(to, "host", host->id);
    dump_int(to, "pool", host->pool->id);
    dump_text(to, "name", host->name);
    dump_text(to, "address", host->address);
    dump_text(to, "waiting_for", host->waiting_for);
    dump_text(to, "reason", host->reason);
    dump_text(to, "engine_version", host->engine_version);
    dump_text(to, "engine_api", host->engine_api);
    dump_text(to, "engine_id", host->engine_id);
    dump_text(to, "engine", host->endpoint.engine);
    dump_text(to, "ca", host->endpoint.ca);
    dump_text(to, "cert", host->endpoint.cert);
    dump_text(to, "key", host->endpoint.key);
    dump_int(to, "plain", host->endpoint.plain);
    for (size_t i = 0; i < host->labels.count; i++)
        dump_text(to, host->labels.at[i].key, host->labels.at[i].value);
    dump_int(to, "memory", host->total.memory_bytes);
    dump_int(to, "cpus", host->total.cpus_milli);
    dump_int(to, "slots", host->total.slots);
    dump_int(to, "score", host->score.milli);
    dump_int(to, "score_at", host->score.at_ms);
    dump_int(to, "last_at", host->score.last_at_ms);
    dump_int(to, "last_kind", host->score.last_kind);
    dump_int(to, "created", host->created_at_ms);
    dump_int(to, "active", host->active_at_ms);
    dump_int(to, "ends", host->ends_at_ms);
    dump_int(to, "removed", host->removed_at_ms);
    dump_int(to, "rev", host->rev);
    dump_int(to, "state", host->state);
    dump_int(to, "remove_when_empty", host->remove_when_empty);
    dump_int(to, "lost", host->lost);
    dump_int(to, "configured", host->configured);
    dump_int(to, "cause", host->cause);
    dump_int(to, "first_used", host->first_used_at_ms);
    dump_int(to, "uses", host->uses);
    dump_schema(to, &machine_schema, host->machine);
    dump_schema(to, &trial_schema, host->trial);
}

static void
dump_instance(struct buf *to, const struct instance *instance)
{
    dump_int(to, "instance", instance->id);
    dump_int(to, "blueprint", instance->blueprint->id);
    dump_int(to, "pool", instance->pool->id);
    dump_int(to, "host", instance->host ? instance->host->id : 0);
    dump_int(to, "last_host", instance->last_host_id);
    dump_text(to, "owner", instance->owner);
    dump_text(to, "reason", instance->reason);
    dump_text(to, "name", instance->name);
    for (size_t i = 0; i < instance->port_count; i++) {
        buf_printf(to, " %d:%d/%d", instance->ports[i].container, instance->ports[i].host,
                   instance->ports[i].protocol);
    }
    dump_int(to, "created", instance->created_at_ms);
    dump_int(to, "moved", instance->moved_at_ms);
    dump_int(to, "started", instance->started_at_ms);
    dump_int(to, "ended", instance->ended_at_ms);
    dump_int(to, "ends", instance->ends_at_ms);
    dump_int(to, "lifetime", instance->lifetime_ms);
    dump_int(to, "retry", instance->retry_at_ms);
    dump_int(to, "exit", instance->exit_code);
    dump_int(to, "generation", instance->generation);
    dump_int(to, "restarts", instance->restarts);
    dump_int(to, "oom", instance->oom_kills);
    dump_int(to, "rev", instance->rev);
    dump_bytes(to, "container", instance->container_id, sizeof(instance->container_id));
    dump_int(to, "state", instance->state);
    dump_int(to, "desired", instance->desired);
    dump_int(to, "attempts", instance->attempts);
    dump_int(to, "oom_told", instance->oom_told);
    dump_int(to, "announced", instance->end_announced);
}

static void
dump_token(struct buf *to, const struct token *token)
{
    dump_int(to, "token", token->id);
    dump_bytes(to, "digest", token->digest, sizeof(token->digest));
    dump_int(to, "role", token->role);
    dump_text(to, "name", token->name);
    dump_text(to, "owner", token->owner);
    for (size_t i = 0; i < token->pools.count; i++)
        dump_text(to, "pool", token->pools.at[i]);
    dump_int(to, "created", token->created_at_ms);
    dump_int(to, "expires", token->expires_at_ms);
}

static void
dump_operation(struct buf *to, const struct operation *operation)
{
    dump_int(to, "operation", operation->id);
    dump_int(to, "kind", operation->kind);
    dump_int(to, "state", operation->state);
    dump_text(to, "owner", operation->owner);
    dump_text(to, "pool", operation->pool);
    dump_int(to, "host", operation->host_id);
    dump_text(to, "subject", operation->subject);
    dump_text(to, "text", operation->text);
    dump_int(to, "progress", operation->progress);
    dump_int(to, "total", operation->total);
    dump_int(to, "created", operation->created_at_ms);
    dump_int(to, "ended", operation->ended_at_ms);
    dump_int(to, "ends", operation->ends_at_ms);
}

static void
dump_image(struct buf *to, const struct image *image)
{
    dump_int(to, "image", image->id);
    dump_int(to, "pool", image->pool_id);
    dump_text(to, "digest", image->digest);
    dump_text(to, "references", image->references);
    dump_int(to, "size", image->size_bytes);
    dump_int(to, "created", image->created_at_ms);
}

#define DUMP_DEFINE(rows, type, print)                                                             \
    static void dump_##rows(struct buf *to, const struct model *model)                             \
    {                                                                                              \
        IDMAP_EACH(&model->rows, type, row)                                                        \
        {                                                                                          \
            print(to, row);                                                                        \
            buf_append_char(to, '\n');                                                             \
        }                                                                                          \
    }                                                                                              \
    _Static_assert(1, "swallow the semicolon")

DUMP_DEFINE(pools, struct pool, dump_pool);
DUMP_DEFINE(blueprints, struct blueprint, dump_blueprint);
DUMP_DEFINE(hosts, struct host, dump_host);
DUMP_DEFINE(instances, struct instance, dump_instance);
DUMP_DEFINE(tokens, struct token, dump_token);
DUMP_DEFINE(operations, struct operation, dump_operation);
DUMP_DEFINE(images, struct image, dump_image);

char *
dump_model(const struct model *model)
{
    struct buf text;

    buf_init(&text, 0);
    dump_pools(&text, model);
    dump_blueprints(&text, model);
    dump_hosts(&text, model);
    dump_instances(&text, model);
    dump_tokens(&text, model);
    dump_operations(&text, model);
    dump_images(&text, model);
    return buf_take(&text);
}
