/*
 * Safe by default: what a blueprint does not name is not given.  Never
 * privileged, never host namespaces, no capability but those named.
 * Source: Engine API 1.41, ContainerCreate.
 */

#include "docker_spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"

#define OUR_LABELS "berth."

/* The engine keeps this many log files of each container; together log_bytes. */
enum { LOG_FILES = 2, LOG_FILE_MIN = 4096 };

static void docker_spec_host(const struct docker_spec *spec, struct json_out *out);

static void
docker_spec_strings(struct json_out *out, const char *key, char *const *at, size_t count)
{
    if (count == 0)
        return;
    json_out_key(out, key);
    json_out_array(out);
    for (size_t i = 0; i < count; i++)
        json_out_string(out, at[i]);
    json_out_array_end(out);
}

static void
docker_spec_one(struct json_out *out, const char *key, const char *value)
{
    json_out_key(out, key);
    json_out_array(out);
    json_out_string(out, value);
    json_out_array_end(out);
}

static void
docker_spec_label_number(struct json_out *out, const char *key, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    json_out_kv_string(out, key, text);
}

static void
docker_spec_labels(const struct docker_spec *spec, struct json_out *out)
{
    const struct schema_map *theirs = &spec->blueprint->labels;

    json_out_key(out, "Labels");
    json_out_object(out);
    for (size_t i = 0; i < theirs->count; i++) {
        if (strncmp(theirs->at[i].key, OUR_LABELS, strlen(OUR_LABELS)) != 0)
            json_out_kv_string(out, theirs->at[i].key, theirs->at[i].value);
    }
    json_out_kv_string(out, DOCKER_LABEL_CLUSTER, spec->cluster_id);
    if (spec->canary) {
        json_out_kv_string(out, DOCKER_LABEL_CANARY, "true");
        json_out_object_end(out);
        return;
    }
    json_out_kv_string(out, DOCKER_LABEL_INSTANCE, spec->instance_id);
    docker_spec_label_number(out, DOCKER_LABEL_GENERATION, spec->generation);
    json_out_kv_string(out, DOCKER_LABEL_BLUEPRINT, spec->blueprint->name);
    docker_spec_label_number(out, DOCKER_LABEL_BLUEPRINT_VERSION, spec->blueprint_version);
    json_out_kv_string(out, DOCKER_LABEL_OWNER, spec->owner ? spec->owner : "");
    json_out_object_end(out);
}

static void
docker_spec_port_key(struct json_out *out, const struct blueprint_port *port)
{
    char key[32];

    (void)snprintf(key, sizeof(key), "%" PRId64 "/%s", port->container,
                   port->protocol == PROTOCOL_UDP ? "udp" : "tcp");
    json_out_key(out, key);
}

/* Without ExposedPorts an engine publishes nothing, whatever PortBindings says. */
static void
docker_spec_exposed(const struct docker_spec *spec, struct json_out *out)
{
    const struct blueprint_port *ports = spec->blueprint->ports.at;

    json_out_key(out, "ExposedPorts");
    json_out_object(out);
    for (size_t i = 0; i < spec->blueprint->ports.count; i++) {
        docker_spec_port_key(out, &ports[i]);
        json_out_object(out);
        json_out_object_end(out);
    }
    json_out_object_end(out);
}

void
docker_spec_encode(const struct docker_spec *spec, struct buf *body)
{
    struct json_out out;

    json_out_init(&out, body);
    json_out_object(&out);
    json_out_kv_string(&out, "Image", spec->blueprint->image);
    json_out_kv_string(&out, "Hostname", spec->instance_id);
    docker_spec_strings(&out, "Entrypoint", spec->entrypoint, spec->entrypoint_count);
    docker_spec_strings(&out, "Cmd", spec->command, spec->command_count);
    docker_spec_strings(&out, "Env", spec->env, spec->env_count);
    json_out_kv_int(&out, "StopTimeout", (spec->blueprint->stop_grace_ms + 999) / 1000);
    docker_spec_labels(spec, &out);
    docker_spec_exposed(spec, &out);
    json_out_key(&out, "HostConfig");
    docker_spec_host(spec, &out);
    json_out_object_end(&out);
}

static void
docker_spec_limits(const struct blueprint_spec *blueprint, struct json_out *out)
{
    const struct blueprint_ulimit *ulimits = blueprint->ulimits.at;
    int64_t memory = blueprint->memory_bytes;

    if (memory > 0) {
        json_out_kv_int(out, "Memory", memory);
        /* The engine counts memory and swap together. */
        json_out_kv_int(out, "MemorySwap",
                        blueprint->memory_swap_bytes < 0 ? 3 * memory
                                                         : memory + blueprint->memory_swap_bytes);
    }
    if (blueprint->memory_reservation_bytes > 0)
        json_out_kv_int(out, "MemoryReservation", blueprint->memory_reservation_bytes);
    if (blueprint->cpus_milli > 0)
        json_out_kv_int(out, "NanoCpus", blueprint->cpus_milli * 1000000);
    if (blueprint->pids > 0)
        json_out_kv_int(out, "PidsLimit", blueprint->pids);
    json_out_key(out, "Ulimits");
    json_out_array(out);
    for (size_t i = 0; i < blueprint->ulimits.count; i++) {
        json_out_object(out);
        json_out_kv_string(out, "Name", ulimits[i].name);
        json_out_kv_int(out, "Soft", ulimits[i].soft);
        json_out_kv_int(out, "Hard", ulimits[i].hard);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void
docker_spec_log(const struct blueprint_spec *blueprint, struct json_out *out)
{
    char size[24];
    int64_t bytes = blueprint->log_bytes / LOG_FILES;

    (void)snprintf(size, sizeof(size), "%" PRId64, bytes > LOG_FILE_MIN ? bytes : LOG_FILE_MIN);
    json_out_key(out, "LogConfig");
    json_out_object(out);
    json_out_kv_string(out, "Type", "json-file");
    json_out_key(out, "Config");
    json_out_object(out);
    json_out_kv_string(out, "max-size", size);
    docker_spec_label_number(out, "max-file", LOG_FILES);
    json_out_object_end(out);
    json_out_object_end(out);
}

static void
docker_spec_rights(const struct blueprint_spec *blueprint, struct json_out *out)
{
    json_out_kv_bool(out, "Privileged", false);
    docker_spec_one(out, "CapDrop", "ALL");
    docker_spec_strings(out, "CapAdd", blueprint->cap_add.at, blueprint->cap_add.count);
    docker_spec_one(out, "SecurityOpt", "no-new-privileges");
    json_out_kv_string(out, "IpcMode", "private");
    json_out_kv_bool(out, "ReadonlyRootfs", blueprint->read_only);
    json_out_key(out, "Tmpfs");
    json_out_object(out);
    for (size_t i = 0; i < blueprint->tmpfs.count; i++)
        json_out_kv_string(out, blueprint->tmpfs.at[i].key, blueprint->tmpfs.at[i].value);
    json_out_object_end(out);
}

static void
docker_spec_bindings(const struct docker_spec *spec, struct json_out *out)
{
    const struct blueprint_port *ports = spec->blueprint->ports.at;

    json_out_key(out, "PortBindings");
    json_out_object(out);
    for (size_t i = 0; i < spec->blueprint->ports.count; i++) {
        docker_spec_port_key(out, &ports[i]);
        json_out_array(out);
        json_out_object(out);
        json_out_kv_string(out, "HostIp", spec->publish_address ? spec->publish_address : "");
        docker_spec_label_number(out, "HostPort", ports[i].host);
        json_out_object_end(out);
        json_out_array_end(out);
    }
    json_out_object_end(out);
}

static void
docker_spec_host(const struct docker_spec *spec, struct json_out *out)
{
    json_out_object(out);
    docker_spec_limits(spec->blueprint, out);
    docker_spec_log(spec->blueprint, out);
    docker_spec_rights(spec->blueprint, out);
    docker_spec_bindings(spec, out);
    json_out_key(out, "RestartPolicy");
    json_out_object(out);
    json_out_kv_string(out, "Name", "no");
    json_out_object_end(out);
    json_out_kv_bool(out, "Init", true);
    json_out_kv_bool(out, "AutoRemove", false);
    json_out_object_end(out);
}
