/* Containers, images and the engine itself, as engines 20.10 and later tell them. */

#include "docker_parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

#define WHERE             "docker.parse"
#define DOCKER_PARSE_MOST (INT64_C(1) << 50)

static const char *const state_names[] = {
    [DOCKER_CREATED] = "created",   [DOCKER_RUNNING] = "running",
    [DOCKER_PAUSED] = "paused",     [DOCKER_RESTARTING] = "restarting",
    [DOCKER_REMOVING] = "removing", [DOCKER_EXITED] = "exited",
    [DOCKER_DEAD] = "dead",
};

static void docker_parse_labels(const json_t *labels, struct docker_container *ret_container);
static void docker_parse_port(struct docker_container *container,
                              const struct instance_port_binding *port);

static void
docker_parse_copy(char *ret_text, size_t size, const char *text)
{
    (void)snprintf(ret_text, size, "%s", text);
    text_utf8_clean(ret_text, false);
}

int
docker_parse_id(const json_t *json, const char *key, char *ret_id, size_t size, struct fault *fault)
{
    const char *id = json_in_string(json, key, "");

    if (id[0] == '\0' || strlen(id) >= size) {
        return fault_set(fault, FAULT_GARBLED, WHERE, "the engine's answer has no good \"%s\"",
                         key);
    }
    docker_parse_copy(ret_id, size, id);
    return 0;
}

/* Unix milliseconds; 0 for "never", which engines write as the year 1. */
static int64_t
docker_parse_time(const json_t *json, const char *key)
{
    int64_t at_ms;

    if (!text_time_parse(json_in_string(json, key, ""), &at_ms) || at_ms < 0)
        return 0;
    return at_ms;
}

/* No machine has more, and sums with it do not overflow. */
static int64_t
docker_parse_bounded(int64_t number)
{
    return number < 0 ? 0 : number > DOCKER_PARSE_MOST ? DOCKER_PARSE_MOST : number;
}

void
docker_parse_info(const json_t *json, struct docker_info *ret_info)
{
    *ret_info = (struct docker_info){
        .memory_bytes = docker_parse_bounded(json_in_int(json, "MemTotal", 0)),
        .cpus_milli = docker_parse_bounded(json_in_int(json, "NCPU", 0)) * 1000,
        .memory_limit = json_in_bool(json, "MemoryLimit", false),
        .swap_limit = json_in_bool(json, "SwapLimit", false),
    };
    docker_parse_copy(ret_info->engine_version, sizeof(ret_info->engine_version),
                      json_in_string(json, "ServerVersion", ""));
    docker_parse_copy(ret_info->engine_id, sizeof(ret_info->engine_id),
                      json_in_string(json, "ID", ""));
    docker_parse_copy(ret_info->storage_driver, sizeof(ret_info->storage_driver),
                      json_in_string(json, "Driver", ""));
    docker_parse_copy(ret_info->os, sizeof(ret_info->os),
                      json_in_string(json, "OperatingSystem", ""));
    docker_parse_copy(ret_info->architecture, sizeof(ret_info->architecture),
                      json_in_string(json, "Architecture", ""));
}

static int32_t
docker_parse_state(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++) {
        if (strcmp(state_names[i], name) == 0)
            return (int32_t)i;
    }
    return DOCKER_DEAD;
}

/* A number that an engine writes as text, in a label or a port; 0 when it is none. */
static int64_t
docker_parse_number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);

    return *end == '\0' ? value : 0;
}

static void
docker_parse_labels(const json_t *labels, struct docker_container *ret)
{
    ret->canary = json_object_get(labels, DOCKER_LABEL_CANARY) != NULL;
    docker_parse_copy(ret->label_instance, sizeof(ret->label_instance),
                      json_in_string(labels, DOCKER_LABEL_INSTANCE, ""));
    docker_parse_copy(ret->label_blueprint, sizeof(ret->label_blueprint),
                      json_in_string(labels, DOCKER_LABEL_BLUEPRINT, ""));
    docker_parse_copy(ret->label_owner, sizeof(ret->label_owner),
                      json_in_string(labels, DOCKER_LABEL_OWNER, ""));
    ret->label_generation =
        docker_parse_number(json_in_string(labels, DOCKER_LABEL_GENERATION, ""));
    ret->label_blueprint_version =
        docker_parse_number(json_in_string(labels, DOCKER_LABEL_BLUEPRINT_VERSION, ""));
}

static void
docker_parse_port(struct docker_container *container, const struct instance_port_binding *port)
{
    for (size_t i = 0; i < container->port_count; i++) {
        const struct instance_port_binding *have = &container->ports[i];

        if (have->container == port->container && have->protocol == port->protocol)
            return; /* the same one for IPv6 */
    }
    if (port->host == 0 || container->port_count == DOCKER_PORTS_MAX)
        return;
    container->ports[container->port_count++] = *port;
}

static uint8_t
docker_parse_protocol(const char *name)
{
    return strcmp(name, "udp") == 0 ? PROTOCOL_UDP : PROTOCOL_TCP;
}

static int
docker_parse_entry(const json_t *json, struct docker_container *ret, struct fault *fault)
{
    const char *name = json_string_value(json_array_get(json_object_get(json, "Names"), 0));
    const json_t *ports = json_object_get(json, "Ports");
    const json_t *port;
    size_t i;

    if (docker_parse_id(json, "Id", ret->id, sizeof(ret->id), fault) < 0)
        return -1;
    name = name ? name : "";
    docker_parse_copy(ret->name, sizeof(ret->name), name + (name[0] == '/'));
    ret->state = docker_parse_state(json_in_string(json, "State", ""));
    docker_parse_copy(ret->image, sizeof(ret->image), json_in_string(json, "Image", ""));
    docker_parse_labels(json_object_get(json, "Labels"), ret);
    json_array_foreach(ports, i, port)
    {
        docker_parse_port(
            ret, &(struct instance_port_binding){
                     .container = (uint16_t)json_in_int(port, "PrivatePort", 0),
                     .host = (uint16_t)json_in_int(port, "PublicPort", 0),
                     .protocol = docker_parse_protocol(json_in_string(port, "Type", "tcp")) });
    }
    return 0;
}

static bool
docker_parse_is_ours(const json_t *json, const char *cluster_id)
{
    const json_t *labels = json_object_get(json, "Labels");

    return strcmp(json_in_string(labels, DOCKER_LABEL_CLUSTER, ""), cluster_id) == 0;
}

int
docker_parse_list(const json_t *json, const char *cluster_id, struct docker_container **ret_list,
                  size_t *ret_count, struct fault *fault)
{
    CLEANUP(mem_freep) struct docker_container *list = NULL;
    size_t told = json_array_size(json);
    size_t count = 0;

    if (!json_is_array(json) || told > DOCKER_LIST_MAX) {
        return fault_set(fault, FAULT_GARBLED, WHERE, "no list of containers, or more than %d",
                         DOCKER_LIST_MAX);
    }
    if (told > 0)
        list = mem_new0(told * sizeof(*list));
    for (size_t i = 0; i < told; i++) {
        const json_t *entry = json_array_get(json, i);

        if (docker_parse_entry(entry, &list[count], fault) < 0)
            return -1;
        if (docker_parse_is_ours(entry, cluster_id)) {
            count++;
        } else {
            list[count] = (struct docker_container){ 0 };
        }
    }
    *ret_list = STEAL(list);
    *ret_count = count;
    return 0;
}

/* {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}, ...], "53/udp": null} */
static void
docker_parse_bindings(const json_t *ports, struct docker_container *ret)
{
    const char *key;
    json_t *bindings;

    json_object_foreach(mem_unconst(ports), key, bindings)
    {
        const json_t *first = json_array_get(bindings, 0);
        const char *slash = strchr(key, '/');
        long number = strtol(key, NULL, 10);

        docker_parse_port(
            ret, &(struct instance_port_binding){
                     .container = (uint16_t)number,
                     .host = (uint16_t)docker_parse_number(json_in_string(first, "HostPort", "")),
                     .protocol = docker_parse_protocol(slash ? slash + 1 : "") });
    }
}

int
docker_parse_inspect(const json_t *json, struct docker_container *ret, struct fault *fault)
{
    const json_t *state = json_object_get(json, "State");
    const json_t *config = json_object_get(json, "Config");
    const char *name = json_in_string(json, "Name", "");

    *ret = (struct docker_container){ 0 };
    if (docker_parse_id(json, "Id", ret->id, sizeof(ret->id), fault) < 0)
        return -1;
    if (!json_is_object(state))
        return fault_set(fault, FAULT_GARBLED, WHERE, "a container without a state");
    docker_parse_copy(ret->name, sizeof(ret->name), name + (name[0] == '/'));
    ret->state = docker_parse_state(json_in_string(state, "Status", ""));
    ret->exit_code = (int32_t)json_in_int(state, "ExitCode", 0);
    ret->oom_killed = json_in_bool(state, "OOMKilled", false);
    ret->started_at_ms = docker_parse_time(state, "StartedAt");
    ret->finished_at_ms = docker_parse_time(state, "FinishedAt");
    docker_parse_copy(ret->error, sizeof(ret->error), json_in_string(state, "Error", ""));
    ret->memory_bytes = json_in_int(json_object_get(json, "HostConfig"), "Memory", 0);
    docker_parse_copy(ret->image, sizeof(ret->image), json_in_string(config, "Image", ""));
    docker_parse_labels(json_object_get(config, "Labels"), ret);
    docker_parse_bindings(json_object_get(json_object_get(json, "NetworkSettings"), "Ports"), ret);
    return 0;
}

/* Entries that the list of images makes: one for each tag, and one for an image without. */
static size_t
docker_parse_tags(const json_t *image)
{
    size_t tags = json_array_size(json_object_get(image, "RepoTags"));

    return tags ? tags : 1;
}

static int
docker_parse_image(const json_t *json, struct docker_image *ret, struct fault *fault)
{
    const json_t *tags = json_object_get(json, "RepoTags");

    for (size_t i = 0; i < docker_parse_tags(json); i++) {
        const char *tag = json_string_value(json_array_get(tags, i));

        if (docker_parse_id(json, "Id", ret[i].id, sizeof(ret[i].id), fault) < 0)
            return -1;
        docker_parse_copy(ret[i].reference, sizeof(ret[i].reference), tag ? tag : "");
        ret[i].size_bytes = json_in_int(json, "Size", 0);
        ret[i].created_at_ms = json_in_int(json, "Created", 0) * 1000;
    }
    return 0;
}

int
docker_parse_images(const json_t *json, struct docker_image **ret_images, size_t *ret_count,
                    struct fault *fault)
{
    CLEANUP(mem_freep) struct docker_image *images = NULL;
    size_t count = 0;
    size_t at = 0;

    for (size_t i = 0; i < json_array_size(json); i++)
        count += docker_parse_tags(json_array_get(json, i));
    if (!json_is_array(json) || count > DOCKER_LIST_MAX) {
        return fault_set(fault, FAULT_GARBLED, WHERE, "no list of images, or more than %d",
                         DOCKER_LIST_MAX);
    }
    if (count > 0)
        images = mem_new0(count * sizeof(*images));
    for (size_t i = 0; images && i < json_array_size(json); i++) {
        const json_t *image = json_array_get(json, i);

        if (docker_parse_image(image, &images[at], fault) < 0)
            return -1;
        at += docker_parse_tags(image);
    }
    *ret_images = STEAL(images);
    *ret_count = count;
    return 0;
}

const char *
docker_parse_event(const json_t *json, struct docker_container *ret)
{
    const json_t *actor = json_object_get(json, "Actor");
    const json_t *attributes = json_object_get(actor, "Attributes");
    const char *action = json_in_string(json, "Action", NULL);

    *ret = (struct docker_container){ 0 };
    /* "exec_create: sh" and the like: not its life, and there may be thousands. */
    if (!action || strncmp(action, "exec_", 5) == 0 ||
        docker_parse_id(actor, "ID", ret->id, sizeof(ret->id), NULL) < 0)
        return NULL;
    docker_parse_copy(ret->name, sizeof(ret->name), json_in_string(attributes, "name", ""));
    docker_parse_copy(ret->image, sizeof(ret->image), json_in_string(attributes, "image", ""));
    docker_parse_labels(attributes, ret);
    ret->exit_code = (int32_t)docker_parse_number(json_in_string(attributes, "exitCode", ""));
    ret->oom_killed = strcmp(action, "oom") == 0;
    if (strcmp(action, "create") == 0) {
        ret->state = DOCKER_CREATED;
    } else if (strcmp(action, "die") == 0 || strcmp(action, "stop") == 0) {
        ret->state = DOCKER_EXITED;
    } else if (strcmp(action, "destroy") == 0) {
        ret->state = DOCKER_REMOVING;
    } else {
        ret->state = DOCKER_RUNNING;
    }
    return action;
}
