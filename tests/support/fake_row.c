#include "support/fake_row.h"

#include <assert.h>
#include <string.h>

static void
text_copy(char **to, const char *from)
{
    char *copy = mem_strdup(from);

    mem_free(*to);
    *to = copy;
}

static void
map_fini(struct schema_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        mem_free(map->at[i].key);
        mem_free(map->at[i].value);
    }
    mem_free(map->at);
    *map = (struct schema_map){ 0 };
}

static void
map_copy(struct schema_map *to, const struct schema_map *from)
{
    map_fini(to);
    if (from->count == 0)
        return;
    to->at = mem_new0(from->count * sizeof(*to->at));
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        text_copy(&to->at[i].key, from->at[i].key);
        text_copy(&to->at[i].value, from->at[i].value);
    }
}

static void
strings_fini(struct schema_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        mem_free(strings->at[i]);
    mem_free(strings->at);
    *strings = (struct schema_strings){ 0 };
}

static void
strings_copy(struct schema_strings *to, const struct schema_strings *from)
{
    strings_fini(to);
    if (from->count == 0)
        return;
    to->at = mem_new0(from->count * sizeof(*to->at));
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        text_copy(&to->at[i], from->at[i]);
}

static void
array_copy(const struct schema *schema, const struct schema_array *from, struct schema_array *to)
{
    *to = (struct schema_array){ 0 };
    if (from->count == 0)
        return;
    to->at = mem_new0(from->count * schema->size);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        schema_copy(schema, (const char *)from->at + i * schema->size,
                    (char *)to->at + i * schema->size);
    }
}

/* --- Stored fields, from one row to another; used in both directions --------------------------- */

static void
pool_copy(struct pool *to, const struct pool *from)
{
    to->id = from->id;
    text_copy(&to->name, from->name);
    to->provider = from->provider;
    schema_free(&pool_policy_schema, &to->policy);
    schema_copy(&pool_policy_schema, &from->policy, &to->policy);
    schema_free(&pool_machines_schema, to);
    array_copy(&pool_machine_schema, &from->machines, &to->machines);
    setback_clear(&to->setback);
    schema_copy(&setback_schema, &from->setback, &to->setback);
    to->rev = from->rev;
    to->created_at_ms = from->created_at_ms;
    to->shut_down = from->shut_down;
    pool_place_set(&to->place, &from->place);
    to->grown_at_ms = from->grown_at_ms;
    to->spent_micro = from->spent_micro;
    to->spent_month = from->spent_month;
}

static void
blueprint_copy(struct blueprint *to, const struct blueprint *from)
{
    to->id = from->id;
    to->version = from->version;
    to->created_at_ms = from->created_at_ms;
    to->latest = from->latest;
    to->deleted = from->deleted;
    text_copy(&to->spec_json, from->spec_json);
}

static void
host_copy(struct host *to, const struct host *from)
{
    to->id = from->id;
    text_copy(&to->name, from->name);
    text_copy(&to->address, from->address);
    text_copy(&to->waiting_for, from->waiting_for);
    text_copy(&to->reason, from->reason);
    to->engine_version = from->engine_version; /* these two and the files: somebody's */
    to->engine_api = from->engine_api;
    text_copy(&to->engine_id, from->engine_id);
    text_copy(&to->endpoint.engine, from->endpoint.engine);
    to->endpoint.ca = from->endpoint.ca;
    to->endpoint.cert = from->endpoint.cert;
    to->endpoint.key = from->endpoint.key;
    to->endpoint.plain = from->endpoint.plain;
    map_copy(&to->labels, &from->labels);
    to->total = from->total;
    to->score = from->score;
    to->created_at_ms = from->created_at_ms;
    to->active_at_ms = from->active_at_ms;
    to->ends_at_ms = from->ends_at_ms;
    to->removed_at_ms = from->removed_at_ms;
    to->rev = from->rev;
    to->state = from->state;
    to->remove_when_empty = from->remove_when_empty;
    to->lost = from->lost;
    to->configured = from->configured;
    to->cause = from->cause;
    to->first_used_at_ms = from->first_used_at_ms;
    to->uses = from->uses;
    machine_free(to->machine);
    to->machine = from->machine ? mem_new0(sizeof(*to->machine)) : NULL;
    if (to->machine)
        schema_copy(&machine_schema, from->machine, to->machine);
    mem_free(to->trial);
    to->trial = from->trial ? mem_new0(sizeof(*to->trial)) : NULL;
    if (to->trial)
        *to->trial = *from->trial;
}

/* The row of a host gets texts of its own. */
static void
host_share(struct fake_row *row)
{
    const char **slots[HOST_SHARED_TEXTS];

    host_shared_texts(&row->as.host, slots);
    for (size_t i = 0; i < HOST_SHARED_TEXTS; i++)
        *slots[i] = row->shared[i] = mem_strdup(*slots[i]);
}

static void
instance_copy(struct instance *to, const struct instance *from)
{
    to->id = from->id;
    to->last_host_id = from->last_host_id;
    text_copy(&to->name, from->name);
    if (instance_ports_new(to, from->port_count))
        memcpy(to->ports, from->ports, from->port_count * sizeof(*from->ports));
    to->created_at_ms = from->created_at_ms;
    to->moved_at_ms = from->moved_at_ms;
    to->started_at_ms = from->started_at_ms;
    to->ended_at_ms = from->ended_at_ms;
    to->ends_at_ms = from->ends_at_ms;
    to->lifetime_ms = from->lifetime_ms;
    to->retry_at_ms = from->retry_at_ms;
    to->exit_code = from->exit_code;
    to->generation = from->generation;
    to->restarts = from->restarts;
    to->oom_kills = from->oom_kills;
    to->rev = from->rev;
    memcpy(to->container_id, from->container_id, sizeof(to->container_id));
    to->state = from->state;
    to->desired = from->desired;
    to->attempts = from->attempts;
    to->oom_told = from->oom_told;
    to->end_announced = from->end_announced;
}

static void
token_copy(struct token *to, const struct token *from)
{
    to->id = from->id;
    memcpy(to->digest, from->digest, sizeof(to->digest));
    to->role = from->role;
    text_copy(&to->name, from->name);
    text_copy(&to->owner, from->owner);
    strings_copy(&to->pools, &from->pools);
    to->created_at_ms = from->created_at_ms;
    to->expires_at_ms = from->expires_at_ms;
}

static void
operation_copy(struct operation *to, const struct operation *from)
{
    to->id = from->id;
    to->kind = from->kind;
    to->state = from->state;
    text_copy(&to->owner, from->owner);
    text_copy(&to->pool, from->pool);
    to->host_id = from->host_id;
    text_copy(&to->subject, from->subject);
    text_copy(&to->text, from->text);
    to->progress = from->progress;
    to->total = from->total;
    to->ends_at_ms = from->ends_at_ms;
    to->created_at_ms = from->created_at_ms;
    to->ended_at_ms = from->ended_at_ms;
}

static void
image_copy(struct image *to, const struct image *from)
{
    to->id = from->id;
    to->pool_id = from->pool_id;
    text_copy(&to->digest, from->digest);
    text_copy(&to->references, from->references);
    to->size_bytes = from->size_bytes;
    to->created_at_ms = from->created_at_ms;
}

/* --- From the model ------------------------------------------------------------------------- */

static void
instance_take(struct fake_row *row, const struct instance *instance)
{
    assert(instance->blueprint && instance->pool && instance->owner);
    instance_copy(&row->as.instance, instance);
    row->pool_id = instance->pool->id;
    row->blueprint_id = instance->blueprint->id;
    row->host_id = instance->host ? instance->host->id : 0;
    row->owner = mem_strdup(instance->owner);
    row->reason = mem_strdup(instance->reason);
    row->as.instance.owner = row->owner;
    row->as.instance.reason = row->reason;
}

static int64_t
row_id(const struct fake_row *row)
{
    switch (row->kind) {
    case ROW_POOL:
        return row->as.pool.id;
    case ROW_BLUEPRINT:
        return row->as.blueprint.id;
    case ROW_HOST:
        return row->as.host.id;
    case ROW_INSTANCE:
        return row->as.instance.id;
    case ROW_TOKEN:
        return row->as.token.id;
    case ROW_OPERATION:
        return row->as.operation.id;
    case ROW_IMAGE:
        return row->as.image.id;
    case ROW_KIND_COUNT:
        break;
    }
    assert(!"a kind of row");
    return 0;
}

struct fake_row *
fake_row_new(enum row_kind kind, const void *row)
{
    struct fake_row *copy = mem_new0(sizeof(*copy));

    copy->kind = kind;
    switch (kind) {
    case ROW_POOL:
        pool_copy(&copy->as.pool, row);
        break;
    case ROW_BLUEPRINT:
        blueprint_copy(&copy->as.blueprint, row);
        break;
    case ROW_HOST:
        host_copy(&copy->as.host, row);
        host_share(copy);
        copy->pool_id = ((const struct host *)row)->pool->id;
        break;
    case ROW_INSTANCE:
        instance_take(copy, row);
        break;
    case ROW_TOKEN:
        token_copy(&copy->as.token, row);
        break;
    case ROW_OPERATION:
        operation_copy(&copy->as.operation, row);
        break;
    case ROW_IMAGE:
        image_copy(&copy->as.image, row);
        copy->pool_id = copy->as.image.pool_id;
        break;
    case ROW_KIND_COUNT:
        assert(!"a kind of row");
    }
    copy->id = row_id(copy);
    assert(copy->id > 0);
    return copy;
}

/* --- Back into a model ---------------------------------------------------------------------- */

static void
pool_add(const struct fake_row *row, struct model *model)
{
    struct pool *pool = pool_new(row->as.pool.name, row->as.pool.provider);

    pool_copy(pool, &row->as.pool);
    model_pool_add(model, pool, true);
}

static void
blueprint_add(const struct fake_row *row, struct model *model)
{
    const char *text = row->as.blueprint.spec_json;
    struct problems problems = { 0 };
    CLEANUP(json_freep) json_t *json = NULL;
    struct blueprint_spec spec;
    struct blueprint *blueprint;
    int rc = json_in_parse(text, strlen(text), &json, NULL);

    assert(rc == 0);
    schema_defaults(&blueprint_schema, &spec);
    rc = schema_decode(&blueprint_schema, json, &spec, "", &problems);
    assert(rc == 0);
    (void)rc;
    blueprint = blueprint_new(&spec);
    blueprint_copy(blueprint, &row->as.blueprint);
    model_blueprint_add(model, blueprint, true);
}

static void
host_add(const struct fake_row *row, struct model *model)
{
    struct pool *pool = idmap_find(&model->pools, row->pool_id);
    struct host *host;

    assert(pool);
    host = host_new(pool, row->as.host.name);
    host_copy(host, &row->as.host);
    model_host_add(model, host, true);
}

static void
instance_add(const struct fake_row *row, struct model *model)
{
    struct instance *instance = instance_new(row->id);

    instance_copy(instance, &row->as.instance);
    instance->pool = idmap_find(&model->pools, row->pool_id);
    instance->blueprint = idmap_find(&model->blueprints, row->blueprint_id);
    instance->host = row->host_id ? idmap_find(&model->hosts, row->host_id) : NULL;
    instance->owner = row->owner; /* the model interns them */
    instance->reason = row->reason;
    assert(instance->pool && instance->blueprint && (instance->host || !row->host_id));
    model_instance_add(model, instance, true);
}

static void
token_add(const struct fake_row *row, struct model *model)
{
    struct token *token = token_new();

    token_copy(token, &row->as.token);
    model_token_add(model, token, true);
}

static void
operation_add(const struct fake_row *row, struct model *model)
{
    struct operation *operation = operation_new(row->id, row->as.operation.kind);

    operation_copy(operation, &row->as.operation);
    model_operation_add(model, operation, true);
}

static void
image_add(const struct fake_row *row, struct model *model)
{
    struct image *image = image_new(row->id);

    image_copy(image, &row->as.image);
    model_image_add(model, image, true);
}

void
fake_row_add(const struct fake_row *row, struct model *model)
{
    static void (*const adders[ROW_KIND_COUNT])(const struct fake_row *, struct model *) = {
        [ROW_POOL] = pool_add,   [ROW_BLUEPRINT] = blueprint_add,
        [ROW_HOST] = host_add,   [ROW_INSTANCE] = instance_add,
        [ROW_TOKEN] = token_add, [ROW_OPERATION] = operation_add,
        [ROW_IMAGE] = image_add,
    };

    adders[row->kind](row, model);
}

/* --- The end -------------------------------------------------------------------------------- */

static void
host_fini(struct host *host)
{
    char **const texts[] = {
        &host->name,   &host->address,   &host->waiting_for,
        &host->reason, &host->engine_id, &host->endpoint.engine,
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        mem_free(*texts[i]);
    map_fini(&host->labels);
    machine_free(host->machine);
    mem_free(host->trial);
}

static void
small_fini(struct fake_row *row)
{
    if (row->kind == ROW_TOKEN) {
        mem_free(row->as.token.name);
        mem_free(row->as.token.owner);
        strings_fini(&row->as.token.pools);
    } else if (row->kind == ROW_OPERATION) {
        mem_free(row->as.operation.owner);
        mem_free(row->as.operation.pool);
        mem_free(row->as.operation.subject);
        mem_free(row->as.operation.text);
    } else if (row->kind == ROW_IMAGE) {
        mem_free(row->as.image.digest);
        mem_free(row->as.image.references);
    }
}

void
fake_row_free(struct fake_row *row)
{
    if (!row)
        return;
    if (row->kind == ROW_POOL) {
        mem_free(row->as.pool.name);
        schema_free(&pool_policy_schema, &row->as.pool.policy);
        schema_free(&pool_machines_schema, &row->as.pool);
        setback_clear(&row->as.pool.setback);
        pool_place_clear(&row->as.pool.place);
    } else if (row->kind == ROW_BLUEPRINT) {
        mem_free(row->as.blueprint.spec_json);
    } else if (row->kind == ROW_HOST) {
        host_fini(&row->as.host);
        for (size_t i = 0; i < HOST_SHARED_TEXTS; i++)
            mem_free(row->shared[i]);
    } else if (row->kind == ROW_INSTANCE) {
        mem_free(row->as.instance.name);
        (void)instance_ports_new(&row->as.instance, 0);
    } else {
        small_fini(row);
    }
    mem_free(row->owner);
    mem_free(row->reason);
    mem_free(row);
}
