#include "load.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "db.h"
#include "rows.h"
#include "tables.h"

/* Reads a row's columns in their order; remembers what was not as it should be. */
struct cursor {
    sqlite3_stmt *statement;
    int at;
    const char *wrong; /* static; NULL: nothing yet */
    struct model *model;
};

static void add_pool(struct cursor *cursor);
static void add_blueprint(struct cursor *cursor);
static void add_host(struct cursor *cursor);
static void add_instance(struct cursor *cursor);
static void add_token(struct cursor *cursor);
static void add_operation(struct cursor *cursor);
static void add_image(struct cursor *cursor);

/* What is referred to comes first. */
static const struct {
    enum row_kind kind;
    void (*add)(struct cursor *cursor);
} load_order[] = {
    { ROW_POOL, add_pool },   { ROW_BLUEPRINT, add_blueprint },
    { ROW_HOST, add_host },   { ROW_INSTANCE, add_instance },
    { ROW_TOKEN, add_token }, { ROW_OPERATION, add_operation },
    { ROW_IMAGE, add_image },
};

static int load_kind(sqlite3 *db, size_t index, struct model *model, struct fault *fault);

int
load_all(sqlite3 *db, struct model *model, struct fault *fault)
{
    int rc;

    _Static_assert(ARRAY_LEN(load_order) == ROW_KIND_COUNT, "each kind is loaded");
    if (db_exec(db, "BEGIN", "store.load", fault) != 0)
        return -1;
    rc = db_int(db, "SELECT max(seq) FROM events", &model->last_seq, fault);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(load_order); i++)
        rc = load_kind(db, i, model, fault);
    (void)db_exec(db, "ROLLBACK", "store.load", NULL);
    (void)sqlite3_db_release_memory(db);
    return rc;
}

static int
load_kind(sqlite3 *db, size_t index, struct model *model, struct fault *fault)
{
    CLEANUP(mem_freep) char *sql = tables_read(load_order[index].kind);
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    int rc;

    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        struct cursor cursor = { .statement = statement, .model = model };

        load_order[index].add(&cursor);
        if (cursor.wrong) {
            return fault_set(fault, FAULT_STORAGE, "store.load", "table %s, row %" PRId64 ": %s",
                             tables_name(load_order[index].kind),
                             (int64_t)sqlite3_column_int64(statement, 0), cursor.wrong);
        }
    }
    return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "store.load", fault);
}

/* --- Columns -------------------------------------------------------------------------------- */

static int64_t
get_int(struct cursor *cursor)
{
    return sqlite3_column_int64(cursor->statement, cursor->at++);
}

static bool
get_bool(struct cursor *cursor)
{
    return get_int(cursor) != 0;
}

/* Borrowed until the next row; NULL of NULL. */
static const char *
get_text(struct cursor *cursor)
{
    return (const char *)sqlite3_column_text(cursor->statement, cursor->at++);
}

static void
get_owned(struct cursor *cursor, char **slot)
{
    mem_free(*slot);
    *slot = mem_strdup(get_text(cursor));
}

/* Exactly @len bytes, or NULL, which leaves @ret_data untouched. */
static void
get_bytes(struct cursor *cursor, void *ret_data, size_t len)
{
    const void *data = sqlite3_column_blob(cursor->statement, cursor->at);

    if (data && (size_t)sqlite3_column_bytes(cursor->statement, cursor->at) == len) {
        memcpy(ret_data, data, len);
    } else if (data) {
        cursor->wrong = "a digest has the wrong length";
    }
    cursor->at++;
}

/* The index of a name whose names come from @name_of(0 .. count - 1). */
static int
get_name(struct cursor *cursor, int count, const char *(*name_of)(int32_t))
{
    const char *text = get_text(cursor);

    for (int i = 0; text && i < count; i++) {
        if (strcmp(name_of(i), text) == 0)
            return i;
    }
    cursor->wrong = "a name is not known to this version";
    return 0;
}

static void
get_schema(struct cursor *cursor, const struct schema *schema, void *out)
{
    const char *text = get_text(cursor);
    struct problems problems = { 0 };
    CLEANUP(json_freep) json_t *json = NULL;

    if (!text || json_in_parse(text, strlen(text), &json, NULL) != 0 ||
        schema_decode(schema, json, out, "", &problems) != 0)
        cursor->wrong = "its JSON is not valid";
}

/* An object of its own, owned by the caller; NULL of NULL. */
static void *
get_schema_or_null(struct cursor *cursor, const struct schema *schema)
{
    void *out;

    if (sqlite3_column_type(cursor->statement, cursor->at) == SQLITE_NULL) {
        cursor->at++;
        return NULL;
    }
    out = mem_new0(schema->size);
    schema_defaults(schema, out);
    get_schema(cursor, schema, out);
    return out;
}

/* What is NULL stays as it is. */
static void
get_schema_if_any(struct cursor *cursor, const struct schema *schema, void *out)
{
    if (sqlite3_column_type(cursor->statement, cursor->at) == SQLITE_NULL) {
        cursor->at++;
    } else {
        get_schema(cursor, schema, out);
    }
}

/* --- Rows, each the opposite of its put in rows.c ------------------------------------------- */

static void
add_pool(struct cursor *cursor)
{
    int64_t id = get_int(cursor);
    const char *name = get_text(cursor);
    int provider = get_name(cursor, PROVIDER_COUNT, pool_provider_name);
    struct pool *pool = pool_new(name, provider);

    pool->id = id;
    get_schema(cursor, &pool_policy_schema, &pool->policy);
    get_schema(cursor, &pool_machines_schema, pool);
    pool->rev = get_int(cursor);
    pool->created_at_ms = get_int(cursor);
    pool->grown_at_ms = get_int(cursor);
    pool->spent_micro = get_int(cursor);
    pool->spent_month = (int32_t)get_int(cursor);
    get_schema_if_any(cursor, &setback_schema, &pool->setback);
    pool->shut_down = get_int(cursor) != 0;
    get_schema_if_any(cursor, &pool_place_schema, &pool->place);
    if (cursor->wrong) {
        pool_free(pool);
    } else {
        model_pool_add(cursor->model, pool, true);
    }
}

static void
add_blueprint(struct cursor *cursor)
{
    int64_t id = get_int(cursor);
    struct blueprint_spec spec;
    struct blueprint *blueprint;
    struct blueprint row = { .id = id };

    (void)get_text(cursor); /* the name, which the spec has too */
    row.version = get_int(cursor);
    row.created_at_ms = get_int(cursor);
    row.latest = get_bool(cursor);
    row.deleted = get_bool(cursor);
    schema_defaults(&blueprint_schema, &spec);
    get_schema(cursor, &blueprint_schema, &spec);
    if (cursor->wrong) {
        schema_free(&blueprint_schema, &spec);
        return;
    }
    blueprint = blueprint_new(&spec);
    blueprint->id = row.id;
    blueprint->version = row.version;
    blueprint->created_at_ms = row.created_at_ms;
    blueprint->latest = row.latest;
    blueprint->deleted = row.deleted;
    model_blueprint_add(cursor->model, blueprint, true);
}

/* A JSON object of strings, as rows.c writes it: sorted by key. */
static void
get_map(struct cursor *cursor, struct schema_map *map)
{
    const char *text = get_text(cursor);
    CLEANUP(json_freep) json_t *json = NULL;
    const char *key;
    json_t *value;

    if (!text || json_in_parse(text, strlen(text), &json, NULL) != 0) {
        cursor->wrong = "its JSON is not valid";
        return;
    }
    if (json_object_size(json) == 0)
        return;
    map->at = mem_new0(json_object_size(json) * sizeof(*map->at));
    json_object_foreach(json, key, value)
    {
        map->at[map->count].key = mem_strdup(key);
        map->at[map->count].value = mem_strdup(json_string_value(value));
        map->count++;
    }
}

static void
get_strings(struct cursor *cursor, struct schema_strings *strings)
{
    const char *text = get_text(cursor);
    CLEANUP(json_freep) json_t *json = NULL;
    size_t index;
    json_t *value;

    if (!text || json_in_parse(text, strlen(text), &json, NULL) != 0) {
        cursor->wrong = "its JSON is not valid";
        return;
    }
    if (json_array_size(json) == 0)
        return;
    strings->at = mem_new0(json_array_size(json) * sizeof(*strings->at));
    json_array_foreach(json, index, value) strings->at[strings->count++] =
        mem_strdup(json_string_value(value));
}

static void
get_host_facts(struct cursor *cursor, struct host *host)
{
    get_owned(cursor, &host->address);
    get_owned(cursor, &host->waiting_for);
    get_owned(cursor, &host->reason);
    host->engine_version = get_text(cursor);
    host->engine_api = get_text(cursor);
    get_owned(cursor, &host->engine_id);
    get_owned(cursor, &host->endpoint.engine);
    host->endpoint.ca = get_text(cursor);
    host->endpoint.cert = get_text(cursor);
    host->endpoint.key = get_text(cursor);
    host->endpoint.plain = get_bool(cursor);
    get_map(cursor, &host->labels);
}

static const char *
host_name_of_state(int32_t state)
{
    return host_state_name((enum host_state)state);
}

static void
add_host(struct cursor *cursor)
{
    int64_t id = get_int(cursor);
    struct pool *pool = idmap_find(&cursor->model->pools, get_int(cursor));
    struct host *host = host_new(pool, get_text(cursor));

    host->id = id;
    get_host_facts(cursor, host);
    host->total.memory_bytes = get_int(cursor);
    host->total.cpus_milli = get_int(cursor);
    host->total.slots = get_int(cursor);
    host->score.milli = get_int(cursor);
    host->score.at_ms = get_int(cursor);
    host->score.last_at_ms = get_int(cursor);
    host->score.last_kind = (int32_t)fault_kind_from_code(get_text(cursor));
    host->created_at_ms = get_int(cursor);
    host->active_at_ms = get_int(cursor);
    host->ends_at_ms = get_int(cursor);
    host->removed_at_ms = get_int(cursor);
    host->rev = get_int(cursor);
    host->state = get_name(cursor, HOST_STATE_COUNT, host_name_of_state);
    host->remove_when_empty = get_bool(cursor);
    host->lost = get_bool(cursor);
    host->configured = get_bool(cursor);
    host->cause = (int8_t)get_name(cursor, CAUSE_COUNT, host_cause_name);
    host->first_used_at_ms = get_int(cursor);
    host->uses = (uint32_t)get_int(cursor);
    host->machine = get_schema_or_null(cursor, &machine_schema);
    host->trial = get_schema_or_null(cursor, &trial_schema);
    if (!pool)
        cursor->wrong = "there is no such pool";
    if (cursor->wrong) {
        host_free(host);
    } else {
        model_host_add(cursor->model, host, true);
    }
}

static void
get_ports(struct cursor *cursor, struct instance *instance)
{
    const uint8_t *at = sqlite3_column_blob(cursor->statement, cursor->at);
    size_t len = (size_t)sqlite3_column_bytes(cursor->statement, cursor->at++);

    if (len == 0)
        return;
    if (len % ROWS_PORT_BYTES || len / ROWS_PORT_BYTES > UINT8_MAX) {
        cursor->wrong = "its ports have the wrong length";
        return;
    }
    (void)instance_ports_new(instance, (uint8_t)(len / ROWS_PORT_BYTES));
    for (size_t i = 0; i < instance->port_count; i++, at += ROWS_PORT_BYTES) {
        instance->ports[i].container = (uint16_t)(at[0] | at[1] << 8);
        instance->ports[i].host = (uint16_t)(at[2] | at[3] << 8);
        instance->ports[i].protocol = at[4];
    }
}

static uint8_t
get_instance_state(struct cursor *cursor)
{
    const char *text = get_text(cursor);
    int state = text ? instance_state_from_name(text) : -1;

    if (state < 0)
        cursor->wrong = "its state is not known to this version";
    return state < 0 ? 0 : (uint8_t)state;
}

/* What an instance points at. */
static void
get_instance_places(struct cursor *cursor, struct instance *instance)
{
    const struct model *model = cursor->model;
    int64_t host_id;

    instance->blueprint = idmap_find(&model->blueprints, get_int(cursor));
    instance->pool = idmap_find(&model->pools, get_int(cursor));
    host_id = get_int(cursor);
    instance->host = host_id ? idmap_find(&model->hosts, host_id) : NULL;
    instance->last_host_id = get_int(cursor);
    if (!instance->blueprint || !instance->pool || (host_id && !instance->host))
        cursor->wrong = "what it refers to is not there";
}

static void
add_instance(struct cursor *cursor)
{
    struct instance *instance = instance_new(get_int(cursor));

    get_instance_places(cursor, instance);
    instance->owner = get_text(cursor); /* until the model interns them */
    instance->reason = get_text(cursor);
    get_owned(cursor, &instance->name);
    get_ports(cursor, instance);
    instance->created_at_ms = get_int(cursor);
    instance->moved_at_ms = get_int(cursor);
    instance->started_at_ms = get_int(cursor);
    instance->ended_at_ms = get_int(cursor);
    instance->ends_at_ms = get_int(cursor);
    instance->lifetime_ms = get_int(cursor);
    instance->retry_at_ms = get_int(cursor);
    instance->exit_code = (int32_t)get_int(cursor);
    instance->generation = (uint32_t)get_int(cursor);
    instance->restarts = (uint32_t)get_int(cursor);
    instance->oom_kills = (uint32_t)get_int(cursor);
    instance->rev = (uint32_t)get_int(cursor);
    get_bytes(cursor, instance->container_id, sizeof(instance->container_id));
    instance->state = get_instance_state(cursor);
    instance->desired = get_instance_state(cursor);
    instance->attempts = (uint8_t)get_int(cursor);
    instance->oom_told = get_bool(cursor);
    instance->end_announced = get_bool(cursor);
    if (cursor->wrong) {
        instance_free(instance);
    } else {
        model_instance_add(cursor->model, instance, true);
    }
}

static void
add_token(struct cursor *cursor)
{
    struct token *token = token_new();

    token->id = get_int(cursor);
    get_bytes(cursor, token->digest, sizeof(token->digest));
    token->role = get_name(cursor, ROLE_COUNT, token_role_name);
    get_owned(cursor, &token->name);
    get_owned(cursor, &token->owner);
    get_strings(cursor, &token->pools);
    token->created_at_ms = get_int(cursor);
    token->expires_at_ms = get_int(cursor);
    if (cursor->wrong) {
        token_free(token);
    } else {
        model_token_add(cursor->model, token, true);
    }
}

static void
add_operation(struct cursor *cursor)
{
    int64_t id = get_int(cursor);
    int kind = get_name(cursor, OPERATION_KIND_COUNT, operation_kind_name);
    struct operation *operation = operation_new(id, kind);

    operation->state = get_name(cursor, OPERATION_STATE_COUNT, operation_state_name);
    get_owned(cursor, &operation->owner);
    get_owned(cursor, &operation->pool);
    operation->host_id = get_int(cursor);
    get_owned(cursor, &operation->subject);
    get_owned(cursor, &operation->text);
    operation->progress = get_int(cursor);
    operation->total = get_int(cursor);
    operation->created_at_ms = get_int(cursor);
    operation->ended_at_ms = get_int(cursor);
    operation->ends_at_ms = get_int(cursor);
    if (cursor->wrong) {
        operation_free(operation);
    } else {
        model_operation_add(cursor->model, operation, true);
    }
}

static void
add_image(struct cursor *cursor)
{
    struct image *image = image_new(get_int(cursor));

    image->pool_id = get_int(cursor);
    get_owned(cursor, &image->digest);
    get_owned(cursor, &image->references);
    image->size_bytes = get_int(cursor);
    image->created_at_ms = get_int(cursor);
    model_image_add(cursor->model, image, true);
}
