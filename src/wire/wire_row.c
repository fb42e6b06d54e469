/*
 * Rows as JSON, by hand: lists of ten thousand hosts and the answers to tens of thousands of
 * requests a second come through here, so keys are written together with what is constant around
 * them.
 */
#include <assert.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/text.h"
#include "berth/wire/row.h"

#include "wire_row_ssh.h"

/* Literal text between two values: it brings its own commas. */
#define WIRE_TEXT(out, literal) json_out_text(out, literal, sizeof(literal) - 1)

/* The same for a pen. */
#define PEN_TEXT(at, literal) json_out_pen_text(at, literal, sizeof(literal) - 1)

enum { ROW_NUMBERS_SIZE = 880 }; /* what a pen writes of a row at once, at the most */
enum { ROW_SIZE = 900 };         /* most rows are shorter; the buffer grows for the others */

static const char *const wire_row_protocols[] = { [PROTOCOL_TCP] = "tcp", [PROTOCOL_UDP] = "udp" };

/* The braces are ours: a row is one value for the writer. */
static void
wire_row_begin(struct json_out *out)
{
    (void)buf_reserve(out->buf, ROW_SIZE);
    json_out_object(out);
}

static void
wire_row_id(struct json_out *out, enum id_kind kind, int64_t id)
{
    char text[ID_TEXT_SIZE];

    if (id > 0) {
        json_out_string_n(out, id_encode(kind, id, text), ID_TEXT_SIZE - 1);
    } else {
        json_out_null(out);
    }
}

static char *
wire_row_pen_amount(char *at, const struct host_amount *amount)
{
    at = PEN_TEXT(at, "{\"memory_bytes\":");
    at = json_out_pen_int(at, amount->memory_bytes);
    at = PEN_TEXT(at, ",\"cpus\":");
    at = json_out_pen_milli(at, amount->cpus_milli);
    at = PEN_TEXT(at, ",\"slots\":");
    at = json_out_pen_int(at, amount->slots);
    return PEN_TEXT(at, "}");
}

static void
wire_row_map(struct json_out *out, const struct schema_map *map)
{
    json_out_object(out);
    for (size_t i = 0; i < map->count; i++)
        json_out_kv_string(out, map->at[i].key, map->at[i].value);
    json_out_object_end(out);
}

static void
wire_row_container_id(struct json_out *out, const struct instance *instance)
{
    static const uint8_t none[INSTANCE_CONTAINER_ID_SIZE];
    char text[2 * INSTANCE_CONTAINER_ID_SIZE + 1];

    if (memcmp(instance->container_id, none, sizeof(none)) == 0) {
        json_out_null(out);
        return;
    }
    text_hex(instance->container_id, INSTANCE_CONTAINER_ID_SIZE, text);
    json_out_string_n(out, text, sizeof(text) - 1);
}

static void
wire_row_ports(struct json_out *out, const struct instance *instance)
{
    const char *address = instance->host ? instance->host->address : NULL;

    json_out_array(out);
    for (size_t i = 0; i < instance->port_count; i++) {
        const struct instance_port *port = &instance->ports[i];

        json_out_object(out);
        json_out_kv_int(out, "container", port->container);
        json_out_kv_string(out, "protocol", wire_row_protocols[port->protocol]);
        json_out_kv_string(out, "host_address", port->host ? address : NULL);
        json_out_key(out, "host_port");
        if (port->host) {
            json_out_int(out, port->host);
        } else {
            json_out_null(out);
        }
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void
wire_row_queue(struct json_out *out, const struct instance *instance, const struct queue *queue,
               int64_t now_ms)
{
    int64_t eta_ms;

    if (!queue || instance->state != INSTANCE_QUEUED) {
        json_out_null(out);
        return;
    }
    eta_ms = queue_eta_ms(queue, instance, now_ms);
    WIRE_TEXT(out, "{\"position\":");
    json_out_uint(out, queue_position(queue, instance));
    WIRE_TEXT(out, ",\"eta_s\":");
    if (eta_ms < 0) {
        json_out_null(out);
    } else {
        json_out_int(out, (eta_ms + 999) / 1000);
    }
    WIRE_TEXT(out, "}");
}

static void
wire_row_instance_times(struct json_out *out, const struct instance *instance)
{
    WIRE_TEXT(out, ",\"created_at\":");
    json_out_time(out, instance->created_at_ms);
    WIRE_TEXT(out, ",\"started_at\":");
    json_out_time(out, instance->started_at_ms);
    WIRE_TEXT(out, ",\"ended_at\":");
    json_out_time(out, instance->ended_at_ms);
    WIRE_TEXT(out, ",\"ends_at\":");
    json_out_time(out, instance->ends_at_ms);
}

static void
wire_row_instance_life(struct json_out *out, const struct instance *instance)
{
    WIRE_TEXT(out, ",\"memory_bytes\":");
    json_out_int(out, instance->blueprint->spec.memory_bytes);
    WIRE_TEXT(out, ",\"restarts\":");
    json_out_uint(out, instance->restarts);
    WIRE_TEXT(out, ",\"oom_kills\":");
    json_out_uint(out, instance->oom_kills);
    WIRE_TEXT(out, ",\"exit_code\":");
    if (instance->exit_code == INSTANCE_NO_EXIT_CODE) {
        json_out_null(out);
    } else {
        json_out_int(out, instance->exit_code);
    }
}

void
wire_row_instance(struct json_out *out, const struct instance *instance, const struct queue *queue,
                  int64_t now_ms)
{
    wire_row_begin(out);
    WIRE_TEXT(out, "\"id\":");
    wire_row_id(out, ID_INSTANCE, instance->id);
    WIRE_TEXT(out, ",\"name\":");
    json_out_string(out, instance->name);
    WIRE_TEXT(out, ",\"blueprint\":");
    json_out_string(out, instance->blueprint->spec.name);
    WIRE_TEXT(out, ",\"blueprint_version\":");
    json_out_int(out, instance->blueprint->version);
    WIRE_TEXT(out, ",\"owner\":");
    json_out_string(out, instance->owner);
    WIRE_TEXT(out, ",\"pool\":");
    json_out_string(out, instance->pool->name);
    WIRE_TEXT(out, ",\"state\":");
    json_out_string(out, instance_state_name((enum instance_state)instance->state));
    WIRE_TEXT(out, ",\"desired\":");
    json_out_string(out, instance_state_name((enum instance_state)instance->desired));
    WIRE_TEXT(out, ",\"reason\":");
    json_out_string(out, instance->reason);
    WIRE_TEXT(out, ",\"host\":");
    wire_row_id(out, ID_HOST, instance->host ? instance->host->id : instance->last_host_id);
    WIRE_TEXT(out, ",\"container_id\":");
    wire_row_container_id(out, instance);
    WIRE_TEXT(out, ",\"generation\":");
    json_out_uint(out, instance->generation);
    WIRE_TEXT(out, ",\"ports\":");
    wire_row_ports(out, instance);
    WIRE_TEXT(out, ",\"url\":null,\"queue\":"); /* a URL needs a route */
    wire_row_queue(out, instance, queue, now_ms);
    wire_row_instance_life(out, instance);
    wire_row_instance_times(out, instance);
    json_out_object_end(out);
}

static char *
wire_row_pen_error(struct json_out *out, char *at, const struct host *host, int64_t now_ms)
{
    const struct error_score *score = &host->score;
    const char *code = fault_rule((enum fault_kind)score->last_kind)->code;

    at = PEN_TEXT(at, ",\"error\":{\"score\":");
    at = json_out_pen_milli(at, score_at(score, now_ms));
    at = PEN_TEXT(at, ",\"threshold\":");
    at = json_out_pen_milli(at, host->pool->policy.error_threshold_milli);
    at = PEN_TEXT(at, ",\"last_kind\":");
    if (score->last_at_ms) {
        at = PEN_TEXT(at, "\"");
        at = json_out_pen_text(at, code, strlen(code));
        at = PEN_TEXT(at, "\"");
    } else {
        at = PEN_TEXT(at, "null");
    }
    at = PEN_TEXT(at, ",\"last_at\":");
    at = json_out_pen_time(out, at, score->last_at_ms);
    return PEN_TEXT(at, "}");
}

static char *
wire_row_pen_times(struct json_out *out, char *at, const struct host *host)
{
    at = PEN_TEXT(at, ",\"created_at\":");
    at = json_out_pen_time(out, at, host->created_at_ms);
    at = PEN_TEXT(at, ",\"active_at\":");
    at = json_out_pen_time(out, at, host->active_at_ms);
    at = PEN_TEXT(at, ",\"first_used_at\":");
    at = json_out_pen_time(out, at, host->first_used_at_ms);
    at = PEN_TEXT(at, ",\"ends_at\":");
    at = json_out_pen_time(out, at, host->ends_at_ms);
    at = PEN_TEXT(at, ",\"removed_at\":");
    return json_out_pen_time(out, at, host->removed_at_ms);
}

/* The long stretch of numbers and times. */
static void
wire_row_host_numbers(struct json_out *out, const struct host *host, int64_t now_ms)
{
    char *const from = json_out_pen(out, ROW_NUMBERS_SIZE);
    char *at = from;

    if (!at)
        return;
    at = PEN_TEXT(at, ",\"capacity\":");
    at = wire_row_pen_amount(at, &host->capacity);
    at = PEN_TEXT(at, ",\"reserved\":");
    at = wire_row_pen_amount(at, &host->reserved);
    at = PEN_TEXT(at, ",\"instances\":");
    at = json_out_pen_uint(at, host->instance_count);
    at = PEN_TEXT(at, ",\"uses\":");
    at = json_out_pen_uint(at, host->uses);
    at = wire_row_pen_error(out, at, host, now_ms);
    at = wire_row_pen_times(out, at, host);
    assert(at - from <= ROW_NUMBERS_SIZE);
    json_out_pen_end(out, at);
}

/* Of a machine that is not rented the engine's id is all that tells it from another. */
static void
wire_row_host_machine(struct json_out *out, const struct host *host)
{
    const struct machine *machine = host->machine;

    WIRE_TEXT(out, ",\"machine_id\":");
    if (host_is_rented(host)) {
        json_out_string(out, machine->id);
        WIRE_TEXT(out, ",\"machine_type\":");
        json_out_string(out, machine->type);
        WIRE_TEXT(out, ",\"zone\":");
        json_out_string(out, machine->zone);
        WIRE_TEXT(out, ",\"spot\":");
        json_out_bool(out, machine->spot);
        WIRE_TEXT(out, ",\"price_per_hour\":");
        json_out_micro(out, machine->price_micro);
    } else {
        json_out_string(out, host->engine_id);
        WIRE_TEXT(out,
                  ",\"machine_type\":null,\"zone\":null,\"spot\":false,\"price_per_hour\":null");
    }
    if (!machine) {
        WIRE_TEXT(out, ",\"playbook_revision\":null,\"ssh\":null");
        return;
    }
    WIRE_TEXT(out, ",\"playbook_revision\":");
    json_out_string(out, machine->playbook_revision);
    WIRE_TEXT(out, ",\"ssh\":");
    wire_row_ssh(out, machine);
}

static const char *
wire_row_host_waits_for(const struct host *host)
{
    if (host->waiting_for || !host->trial || host->state != HOST_ACTIVE)
        return host->waiting_for;
    return host->trial->state == TRIAL_SUSPENDED ? "canary" : "probation";
}

/* What a host that failed too often has to pass; null: it is trusted. */
static void
wire_row_host_trial(struct json_out *out, const struct host *host)
{
    const struct trial *trial = host->trial;

    WIRE_TEXT(out, ",\"trial\":");
    if (!trial) {
        json_out_null(out);
        return;
    }
    WIRE_TEXT(out, "{\"state\":");
    json_out_string(out, trial_state_name(trial->state));
    WIRE_TEXT(out, ",\"since\":");
    json_out_time(out, trial->since_ms);
    WIRE_TEXT(out, ",\"next_canary_at\":");
    json_out_time(out, trial->state == TRIAL_SUSPENDED ? trial->canary_at_ms : 0);
    WIRE_TEXT(out, ",\"canaries_failed\":");
    json_out_int(out, trial->canaries_failed);
    WIRE_TEXT(out, ",\"placements_left\":");
    json_out_int(out, trial->placements_left);
    WIRE_TEXT(out, "}");
}

static void
wire_row_host_rest(struct json_out *out, const struct host *host)
{
    WIRE_TEXT(out, ",\"certificate_ends_at\":");
    json_out_time(out, host->machine ? host->machine->certificate_ends_at_ms : 0);
    WIRE_TEXT(out, ",\"labels\":");
    wire_row_map(out, &host->labels);
    WIRE_TEXT(out, ",\"engine\":{\"address\":");
    json_out_string(out, host->endpoint.engine);
    WIRE_TEXT(out, ",\"version\":");
    json_out_string(out, host->engine_version);
    WIRE_TEXT(out, ",\"api\":");
    json_out_string(out, host->engine_api);
    WIRE_TEXT(out, ",\"reachable\":");
    json_out_bool(out, host->reachable);
    WIRE_TEXT(out, "}");
}

void
wire_row_host(struct json_out *out, const struct host *host, int64_t now_ms)
{
    wire_row_begin(out);
    WIRE_TEXT(out, "\"id\":");
    wire_row_id(out, ID_HOST, host->id);
    WIRE_TEXT(out, ",\"name\":");
    json_out_string(out, host->name);
    WIRE_TEXT(out, ",\"pool\":");
    json_out_string(out, host->pool->name);
    WIRE_TEXT(out, ",\"provider\":");
    json_out_string(out, pool_provider_name(host->pool->provider));
    WIRE_TEXT(out, ",\"state\":");
    json_out_string(out, host_state_name((enum host_state)host->state));
    WIRE_TEXT(out, ",\"waiting_for\":");
    json_out_string(out, wire_row_host_waits_for(host));
    WIRE_TEXT(out, ",\"reason\":");
    json_out_string(out, host->reason);
    WIRE_TEXT(out, ",\"address\":");
    json_out_string(out, host->address);
    WIRE_TEXT(out, ",\"cause\":");
    json_out_string(out, host->cause == CAUSE_NONE ? NULL : host_cause_name(host->cause));
    wire_row_host_machine(out, host);
    wire_row_host_numbers(out, host, now_ms);
    wire_row_host_trial(out, host);
    wire_row_host_rest(out, host);
    json_out_object_end(out);
}

uint64_t
wire_row_host_stamp(const struct host *host, int64_t now_ms)
{
    const uint64_t parts[] = {
        (uint64_t)host->id,
        (uint64_t)host->rev,
        (uint64_t)host->pool->rev,
        (uint64_t)host->reserved.memory_bytes,
        (uint64_t)host->reserved.cpus_milli,
        (uint64_t)host->reserved.slots,
        (uint64_t)host->instance_count << 1 | host->reachable,
        (uint64_t)host->uses,
        host->score.milli > 0 ? (uint64_t)now_ms : 0, /* it decays */
    };
    uint64_t stamp = 0;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        stamp = (stamp ^ parts[i]) * UINT64_C(0xff51afd7ed558ccd);
    return stamp ^ stamp >> 32;
}

void
wire_row_pool(struct json_out *out, const struct pool *pool)
{
    wire_row_begin(out);
    json_out_kv_string(out, "name", pool->name);
    json_out_kv_string(out, "provider", pool_provider_name(pool->provider));
    json_out_kv_bool(out, "configured", pool->configured);
    json_out_kv_uint(out, "hosts", pool->hosts);
    json_out_kv_int(out, "rev", pool->rev);
    json_out_kv_time(out, "created_at", pool->created_at_ms);
    schema_encode_fields(&pool_machines_schema, pool, out);
    json_out_key(out, "policy");
    schema_encode(&pool_policy_schema, &pool->policy, out);
    json_out_object_end(out);
}

void
wire_row_blueprint(struct json_out *out, const struct blueprint *blueprint)
{
    wire_row_begin(out);
    schema_encode_fields(&blueprint_schema, &blueprint->spec, out);
    json_out_kv_int(out, "version", blueprint->version);
    json_out_kv_time(out, "created_at", blueprint->created_at_ms);
    json_out_kv_uint(out, "instances", blueprint->instances);
    json_out_object_end(out);
}

void
wire_row_token(struct json_out *out, const struct token *token, const char *secret)
{
    wire_row_begin(out);
    json_out_key(out, "id");
    wire_row_id(out, ID_TOKEN, token->id);
    json_out_kv_string(out, "name", token->name);
    json_out_kv_string(out, "role", token_role_name(token->role));
    json_out_kv_string(out, "owner", token->owner);
    json_out_key(out, "pools");
    json_out_array(out);
    for (size_t i = 0; i < token->pools.count; i++)
        json_out_string(out, token->pools.at[i]);
    json_out_array_end(out);
    json_out_kv_time(out, "created_at", token->created_at_ms);
    json_out_kv_time(out, "expires_at", token->expires_at_ms);
    if (secret)
        json_out_kv_string(out, "token", secret);
    json_out_object_end(out);
}

void
wire_row_operation(struct json_out *out, const struct operation *operation)
{
    wire_row_begin(out);
    json_out_key(out, "id");
    wire_row_id(out, ID_OPERATION, operation->id);
    json_out_kv_string(out, "kind", operation_kind_name(operation->kind));
    json_out_kv_string(out, "state", operation_state_name(operation->state));
    json_out_kv_string(out, "owner", operation->owner);
    json_out_kv_string(out, "pool", operation->pool);
    json_out_key(out, "host");
    wire_row_id(out, ID_HOST, operation->host_id);
    json_out_kv_string(out, "subject", operation->subject);
    json_out_kv_string(out, "text", operation->text);
    json_out_kv_int(out, "progress", operation->progress);
    json_out_key(out, "total");
    if (operation->total > 0) {
        json_out_int(out, operation->total);
    } else {
        json_out_null(out);
    }
    json_out_kv_time(out, "created_at", operation->created_at_ms);
    json_out_kv_time(out, "ended_at", operation->ended_at_ms);
    json_out_object_end(out);
}

void
wire_row_event(struct json_out *out, const struct event *event, const char *pool_name)
{
    wire_row_begin(out);
    json_out_kv_int(out, "seq", event->seq);
    json_out_kv_time(out, "at", event->at_ms);
    json_out_kv_string(out, "kind", event->kind);
    json_out_kv_string(out, "pool", pool_name);
    json_out_key(out, "host");
    wire_row_id(out, ID_HOST, event->host_id);
    json_out_key(out, "instance");
    wire_row_id(out, ID_INSTANCE, event->instance_id);
    json_out_kv_string(out, "owner", event->owner);
    json_out_kv_string(out, "text", event->text);
    json_out_object_end(out);
}
