#include "rows.h"

#include <assert.h>
#include <string.h>

static void
put_json(struct store_batch *batch, struct buf *json)
{
    batch_text(batch, buf_text(json));
    buf_fini(json);
}

static void
put_schema(struct store_batch *batch, const struct schema *schema, const void *in)
{
    struct json_out out;
    struct buf json;

    buf_init(&json, 0);
    json_out_init(&out, &json);
    schema_encode(schema, in, &out);
    put_json(batch, &json);
}

static void
put_schema_or_null(struct store_batch *batch, const struct schema *schema, const void *in)
{
    if (in) {
        put_schema(batch, schema, in);
    } else {
        batch_null(batch);
    }
}

static void
put_map(struct store_batch *batch, const struct schema_map *map)
{
    struct json_out out;
    struct buf json;

    buf_init(&json, 0);
    json_out_init(&out, &json);
    json_out_object(&out);
    for (size_t i = 0; i < map->count; i++)
        json_out_kv_string(&out, map->at[i].key, map->at[i].value);
    json_out_object_end(&out);
    put_json(batch, &json);
}

static void
put_strings(struct store_batch *batch, const struct schema_strings *strings)
{
    struct json_out out;
    struct buf json;

    buf_init(&json, 0);
    json_out_init(&out, &json);
    json_out_array(&out);
    for (size_t i = 0; i < strings->count; i++)
        json_out_string(&out, strings->at[i]);
    json_out_array_end(&out);
    put_json(batch, &json);
}

static void
put_pool(struct store_batch *batch, const void *row)
{
    const struct pool *pool = row;

    batch_int(batch, pool->id);
    batch_text(batch, pool->name);
    batch_static(batch, pool_provider_name(pool->provider));
    put_schema(batch, &pool_policy_schema, &pool->policy);
    put_schema(batch, &pool_machines_schema, pool);
    batch_int(batch, pool->rev);
    batch_int(batch, pool->created_at_ms);
    batch_int(batch, pool->grown_at_ms);
    batch_int(batch, pool->spent_micro);
    batch_int(batch, pool->spent_month);
    put_schema_or_null(batch, &setback_schema, pool->setback.hosts > 0 ? &pool->setback : NULL);
    batch_int(batch, pool->shut_down);
    put_schema_or_null(batch, &pool_place_schema, pool->place.region ? &pool->place : NULL);
}

static void
put_blueprint(struct store_batch *batch, const void *row)
{
    const struct blueprint *blueprint = row;

    assert(blueprint->spec_json);
    batch_int(batch, blueprint->id);
    batch_text(batch, blueprint->spec.name);
    batch_int(batch, blueprint->version);
    batch_int(batch, blueprint->created_at_ms);
    batch_int(batch, blueprint->latest);
    batch_int(batch, blueprint->deleted);
    batch_text(batch, blueprint->spec_json);
}

static void
put_host_facts(struct store_batch *batch, const struct host *host)
{
    batch_text(batch, host->name);
    batch_text(batch, host->address);
    batch_text(batch, host->waiting_for);
    batch_text(batch, host->reason);
    batch_text(batch, host->engine_version);
    batch_text(batch, host->engine_api);
    batch_text(batch, host->engine_id);
    batch_text(batch, host->endpoint.engine);
    batch_text(batch, host->endpoint.ca);
    batch_text(batch, host->endpoint.cert);
    batch_text(batch, host->endpoint.key);
    batch_int(batch, host->endpoint.plain);
    put_map(batch, &host->labels);
}

static void
put_host(struct store_batch *batch, const void *row)
{
    const struct host *host = row;

    batch_int(batch, host->id);
    batch_int(batch, host->pool->id);
    put_host_facts(batch, host);
    batch_int(batch, host->total.memory_bytes);
    batch_int(batch, host->total.cpus_milli);
    batch_int(batch, host->total.slots);
    batch_int(batch, host->score.milli);
    batch_int(batch, host->score.at_ms);
    batch_int(batch, host->score.last_at_ms);
    batch_static(batch, fault_rule((enum fault_kind)host->score.last_kind)->code);
    batch_int(batch, host->created_at_ms);
    batch_int(batch, host->active_at_ms);
    batch_int(batch, host->ends_at_ms);
    batch_int(batch, host->removed_at_ms);
    batch_int(batch, host->rev);
    batch_static(batch, host_state_name((enum host_state)host->state));
    batch_int(batch, host->remove_when_empty);
    batch_int(batch, host->lost);
    batch_int(batch, host->configured);
    batch_static(batch, host_cause_name(host->cause));
    batch_int(batch, host->first_used_at_ms);
    batch_int(batch, host->uses);
    put_schema_or_null(batch, &machine_schema, host->machine);
    put_schema_or_null(batch, &trial_schema, host->trial);
}

static void
put_ports(struct store_batch *batch, const struct instance *instance)
{
    uint8_t *at;

    if (instance->port_count == 0) {
        batch_null(batch);
        return;
    }
    at = batch_blob(batch, (size_t)instance->port_count * ROWS_PORT_BYTES);
    for (size_t i = 0; i < instance->port_count; i++) {
        const struct instance_port *port = &instance->ports[i];

        *at++ = (uint8_t)(port->container & 0xff);
        *at++ = (uint8_t)(port->container >> 8);
        *at++ = (uint8_t)(port->host & 0xff);
        *at++ = (uint8_t)(port->host >> 8);
        *at++ = port->protocol;
    }
}

static void
put_container_id(struct store_batch *batch, const struct instance *instance)
{
    static const uint8_t none[INSTANCE_CONTAINER_ID_SIZE];

    if (memcmp(instance->container_id, none, sizeof(none)) == 0) {
        batch_null(batch);
    } else {
        memcpy(batch_blob(batch, sizeof(none)), instance->container_id, sizeof(none));
    }
}

static void
put_instance(struct store_batch *batch, const void *row)
{
    const struct instance *instance = row;

    batch_int(batch, instance->id);
    batch_int(batch, instance->blueprint->id);
    batch_int(batch, instance->pool->id);
    batch_id(batch, instance->host ? instance->host->id : 0);
    batch_int(batch, instance->last_host_id);
    batch_text(batch, instance->owner);
    batch_text(batch, instance->reason);
    batch_text(batch, instance->name);
    put_ports(batch, instance);
    batch_int(batch, instance->created_at_ms);
    batch_int(batch, instance->moved_at_ms);
    batch_int(batch, instance->started_at_ms);
    batch_int(batch, instance->ended_at_ms);
    batch_int(batch, instance->ends_at_ms);
    batch_int(batch, instance->lifetime_ms);
    batch_int(batch, instance->retry_at_ms);
    batch_int(batch, instance->exit_code);
    batch_int(batch, instance->generation);
    batch_int(batch, instance->restarts);
    batch_int(batch, instance->oom_kills);
    batch_int(batch, instance->rev);
    put_container_id(batch, instance);
    batch_static(batch, instance_state_name((enum instance_state)instance->state));
    batch_static(batch, instance_state_name((enum instance_state)instance->desired));
    batch_int(batch, instance->attempts);
    batch_int(batch, instance->oom_told);
    batch_int(batch, instance->end_announced);
}

static void
put_token(struct store_batch *batch, const void *row)
{
    const struct token *token = row;

    batch_int(batch, token->id);
    memcpy(batch_blob(batch, sizeof(token->digest)), token->digest, sizeof(token->digest));
    batch_static(batch, token_role_name(token->role));
    batch_text(batch, token->name);
    batch_text(batch, token->owner);
    put_strings(batch, &token->pools);
    batch_int(batch, token->created_at_ms);
    batch_int(batch, token->expires_at_ms);
}

static void
put_operation(struct store_batch *batch, const void *row)
{
    const struct operation *operation = row;

    batch_int(batch, operation->id);
    batch_static(batch, operation_kind_name(operation->kind));
    batch_static(batch, operation_state_name(operation->state));
    batch_text(batch, operation->owner);
    batch_text(batch, operation->pool);
    batch_int(batch, operation->host_id);
    batch_text(batch, operation->subject);
    batch_text(batch, operation->text);
    batch_int(batch, operation->progress);
    batch_int(batch, operation->total);
    batch_int(batch, operation->created_at_ms);
    batch_int(batch, operation->ended_at_ms);
    batch_int(batch, operation->ends_at_ms);
}

static void
put_image(struct store_batch *batch, const void *row)
{
    const struct image *image = row;

    batch_int(batch, image->id);
    batch_int(batch, image->pool_id);
    batch_text(batch, image->digest);
    batch_text(batch, image->references);
    batch_int(batch, image->size_bytes);
    batch_int(batch, image->created_at_ms);
}

void
rows_put(struct store_batch *batch, enum row_kind kind, const void *row)
{
    static void (*const putters[ROW_KIND_COUNT])(struct store_batch *, const void *) = {
        [ROW_POOL] = put_pool,   [ROW_BLUEPRINT] = put_blueprint,
        [ROW_HOST] = put_host,   [ROW_INSTANCE] = put_instance,
        [ROW_TOKEN] = put_token, [ROW_OPERATION] = put_operation,
        [ROW_IMAGE] = put_image,
    };

    assert((int)kind >= 0 && kind < ROW_KIND_COUNT && row);
    batch_op(batch, BATCH_PUT + (int)kind);
    putters[kind](batch, row);
}

void
rows_drop(struct store_batch *batch, enum row_kind kind, int64_t id)
{
    assert(id > 0);
    batch_op(batch, BATCH_DROP + (int)kind);
    batch_int(batch, id);
    if (kind == ROW_HOST) {
        batch_op(batch, BATCH_DROP_STEPS);
        batch_int(batch, id);
    }
    if (kind != ROW_INSTANCE)
        return;
    batch_op(batch, BATCH_DROP_DECISIONS);
    batch_int(batch, id);
    batch_op(batch, BATCH_DROP_LOGS);
    batch_int(batch, id);
}

void
rows_put_event(struct store_batch *batch, const struct event *event)
{
    assert(event->seq > 0 && event->kind);
    batch_op(batch, BATCH_EVENT);
    batch_int(batch, event->seq);
    batch_int(batch, event->at_ms);
    batch_text(batch, event->kind);
    batch_id(batch, event->pool_id);
    batch_id(batch, event->host_id);
    batch_id(batch, event->instance_id);
    batch_text(batch, event->owner);
    batch_text(batch, event->text);
}

void
rows_put_decision(struct store_batch *batch, const struct store_decision *decision)
{
    assert(decision->instance_id > 0 && decision->json);
    batch_op(batch, BATCH_DECISION);
    batch_int(batch, decision->instance_id);
    batch_int(batch, decision->generation);
    batch_int(batch, decision->at_ms);
    batch_text(batch, decision->json);
}

void
rows_put_log(struct store_batch *batch, const struct store_log *log)
{
    assert(log->instance_id > 0 && (log->data || log->len == 0));
    batch_op(batch, BATCH_LOG);
    batch_int(batch, log->instance_id);
    batch_int(batch, log->generation);
    batch_int(batch, log->at_ms);
    batch_int(batch, (int64_t)log->len);
    memcpy(batch_blob(batch, log->len), log->len ? log->data : "", log->len);
}

void
rows_put_step(struct store_batch *batch, const struct store_step *step)
{
    assert(step->host_id > 0 && step->run > 0 && step->name && (step->output || step->len == 0));
    batch_op(batch, BATCH_STEP);
    batch_int(batch, step->host_id);
    batch_int(batch, step->run);
    batch_int(batch, step->step);
    batch_int(batch, step->steps);
    batch_text(batch, step->name);
    batch_int(batch, step->started_at_ms);
    batch_int(batch, step->took_ms);
    batch_static(batch, shell_end_name(step->ended));
    batch_text(batch, step->reason);
    batch_int(batch, step->cut_bytes);
    batch_int(batch, (int64_t)step->len);
    memcpy(batch_blob(batch, step->len), step->len ? step->output : "", step->len);
}

void
rows_put_answer(struct store_batch *batch, const struct store_answer *answer)
{
    assert(answer->key && (answer->body || answer->body_len == 0));
    batch_op(batch, BATCH_ANSWER);
    batch_text(batch, answer->key);
    memcpy(batch_blob(batch, sizeof(answer->digest)), answer->digest, sizeof(answer->digest));
    batch_int(batch, answer->at_ms);
    batch_int(batch, answer->status);
    batch_text(batch, answer->location);
    memcpy(batch_blob(batch, answer->body_len), answer->body_len ? answer->body : "",
           answer->body_len);
}

void
rows_put_retention(struct store_batch *batch, const struct store_retention *retention)
{
    batch->retention = *retention;
    batch->retain = true;
}

void
rows_put_compared(struct store_batch *batch)
{
    batch_op(batch, BATCH_COMPARED);
}
