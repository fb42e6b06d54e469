#include "berth/domain/blueprint.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/hash.h"
#include "berth/base/mem.h"
#include "berth/domain/score.h"
#include "berth/domain/template.h"

enum { POINTER_SIZE = sizeof(((struct problem *)NULL)->pointer) };

static void blueprint_check_env(const struct blueprint_spec *spec, struct problems *problems);
static void blueprint_check_memory(const struct blueprint_spec *spec, struct problems *problems);
static void blueprint_check_ports(const struct blueprint_spec *spec, struct problems *problems);
static void blueprint_check_ready(const struct blueprint_spec *spec, struct problems *problems);
static void blueprint_check_ulimits(const struct blueprint_spec *spec, struct problems *problems);

int
blueprint_check(const struct blueprint_spec *spec, struct problems *problems)
{
    size_t before = problems->count + problems->dropped;

    blueprint_check_env(spec, problems);
    blueprint_check_memory(spec, problems);
    blueprint_check_ports(spec, problems);
    blueprint_check_ready(spec, problems);
    blueprint_check_ulimits(spec, problems);
    return problems->count + problems->dropped == before ? 0 : -1;
}

/* "@field/@key" with the key escaped as RFC 6901 wants, cut to fit. */
static void
blueprint_pointer(char ret_pointer[POINTER_SIZE], const char *field, const char *key)
{
    size_t at = strlen(field);

    assert(at + 2 < POINTER_SIZE);
    memcpy(ret_pointer, field, at);
    ret_pointer[at++] = '/';
    for (; *key && at + 3 <= POINTER_SIZE; key++) {
        bool escape = *key == '~' || *key == '/';

        if (escape)
            ret_pointer[at++] = '~';
        ret_pointer[at++] = (char)(*key == '~' ? '0' : *key == '/' ? '1' : *key);
    }
    ret_pointer[at] = '\0';
}

/* The same for an item of an array: "@field/@index@rest". */
static void
blueprint_problem_at(struct problems *problems, const char *field, const char *rest, size_t index,
                     const char *code, const char *detail)
{
    CLEANUP(mem_freep) char *pointer = mem_printf("%s/%zu%s", field, index, rest);

    problems_add(problems, pointer, code, "%s", detail);
}

static void
blueprint_check_env(const struct blueprint_spec *spec, struct problems *problems)
{
    for (size_t i = 0; i < spec->env.count; i++) {
        const char *wrong = template_check(spec->env.at[i].value);
        char pointer[POINTER_SIZE];

        if (!wrong)
            continue;
        blueprint_pointer(pointer, "/env", spec->env.at[i].key);
        problems_add(problems, pointer, "format", "%s", wrong);
    }
}

static void
blueprint_check_memory(const struct blueprint_spec *spec, struct problems *problems)
{
    if (spec->memory_reservation_bytes > spec->memory_bytes) {
        problems_add(problems, "/memory_reservation_bytes", "range",
                     "must not be above memory_bytes");
    }
}

/* Why @port cannot stand beside @other, or NULL. */
static const char *
blueprint_ports_clash(const struct blueprint_port *port, const struct blueprint_port *other)
{
    if (port->name && other->name && strcmp(port->name, other->name) == 0)
        return "has the name of an earlier port";
    if (port->protocol != other->protocol)
        return NULL;
    if (port->container == other->container)
        return "has the container port of an earlier one";
    if (port->host != 0 && port->host == other->host)
        return "has the host port of an earlier one";
    return NULL;
}

static void
blueprint_check_ports(const struct blueprint_spec *spec, struct problems *problems)
{
    const struct blueprint_port *ports = spec->ports.at;

    for (size_t i = 1; i < spec->ports.count; i++) {
        const char *clash = NULL;

        for (size_t j = 0; j < i && !clash; j++)
            clash = blueprint_ports_clash(&ports[i], &ports[j]);
        if (clash)
            blueprint_problem_at(problems, "/ports", "", i, "duplicate", clash);
    }
}

/* Whether @spec publishes the TCP port @container; 0: any. */
static bool
blueprint_has_tcp_port(const struct blueprint_spec *spec, int64_t container)
{
    const struct blueprint_port *ports = spec->ports.at;

    for (size_t i = 0; i < spec->ports.count; i++) {
        if (ports[i].protocol == PROTOCOL_TCP && (!container || ports[i].container == container))
            return true;
    }
    return false;
}

static void
blueprint_check_ready(const struct blueprint_spec *spec, struct problems *problems)
{
    const struct blueprint_ready *ready = &spec->ready;

    if (ready->kind == READY_HTTP && !ready->path)
        problems_add(problems, "/ready/path", "required", "is needed with kind http");
    if (ready->kind == READY_NONE)
        return;
    if (ready->port && !blueprint_has_tcp_port(spec, ready->port)) {
        problems_add(problems, "/ready/port", "range", "must be a TCP port of ports");
    } else if (ready->kind == READY_HTTP && !blueprint_has_tcp_port(spec, 0)) {
        problems_add(problems, "/ready/kind", "range", "http needs a TCP port in ports");
    }
}

/* That of the limit at @place. */
static void
blueprint_check_ulimit_name(const struct blueprint_ulimit *limits, size_t place,
                            struct problems *problems)
{
    for (size_t i = 0; i < place; i++) {
        if (strcmp(limits[i].name, limits[place].name) == 0) {
            blueprint_problem_at(problems, "/ulimits", "/name", place, "duplicate",
                                 "is given twice");
        }
    }
}

static void
blueprint_check_ulimits(const struct blueprint_spec *spec, struct problems *problems)
{
    const struct blueprint_ulimit *limits = spec->ulimits.at;

    for (size_t i = 0; i < spec->ulimits.count; i++) {
        bool endless = limits[i].soft < 0 && limits[i].hard >= 0;

        if (endless || (limits[i].hard >= 0 && limits[i].soft > limits[i].hard)) {
            blueprint_problem_at(problems, "/ulimits", "/soft", i, "range",
                                 "must not be above hard");
        }
        blueprint_check_ulimit_name(limits, i, problems);
    }
}

static const char *
blueprint_skip(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : text;
}

uint64_t
blueprint_image_key(const char *image)
{
    const char *name = blueprint_skip(blueprint_skip(image, "docker.io/"), "library/");
    const char *digest = strchr(name, '@');
    size_t tagged_len = digest ? (size_t)(digest - name) : strlen(name);
    const char *slash = memrchr(name, '/', tagged_len);
    const char *last = slash ? slash : name;
    const char *tag = memchr(last, ':', tagged_len - (size_t)(last - name));
    /* Beside a digest the tag says nothing; without either the engine means ":latest". */
    const char *version = digest ? digest : tag ? tag : ":latest";
    size_t name_len = tag ? (size_t)(tag - name) : tagged_len;
    uint64_t hash = hash_text(HASH_TEXT_START, name, name_len);

    return hash_text(hash, version, strlen(version));
}

static uint32_t
blueprint_fixed_ports(const struct blueprint_spec *spec)
{
    const struct blueprint_port *ports = spec->ports.at;
    uint32_t count = 0;

    for (size_t i = 0; i < spec->ports.count; i++)
        count += ports[i].host > 0;
    return count;
}

/* The parts are added: their order does not count. */
static uint64_t
blueprint_hosts_key(const struct blueprint_spec *spec)
{
    const struct blueprint_port *ports = spec->ports.at;
    uint64_t key = 0;

    for (size_t i = 0; i < spec->host_labels.count; i++) {
        const struct schema_pair *label = &spec->host_labels.at[i];
        uint64_t hash = hash_text(HASH_TEXT_START, label->key, strlen(label->key) + 1);

        key += hash_text(hash, label->value, strlen(label->value));
    }
    for (size_t i = 0; i < spec->ports.count; i++) {
        const char bytes[] = { (char)ports[i].protocol, (char)(ports[i].host >> 8),
                               (char)ports[i].host };

        if (ports[i].host > 0)
            key += hash_text(~HASH_TEXT_START, bytes, sizeof(bytes));
    }
    return key;
}

struct blueprint *
blueprint_new(struct blueprint_spec *spec)
{
    struct blueprint *blueprint = mem_new0(sizeof(*blueprint));
    struct json_out out;
    struct buf json;

    assert(spec->name && spec->image);
    blueprint->spec = *spec;
    *spec = (struct blueprint_spec){ 0 };
    buf_init(&json, 0);
    json_out_init(&out, &json);
    schema_encode(&blueprint_schema, &blueprint->spec, &out);
    blueprint->spec_json = buf_take(&json);
    blueprint->fixed_ports = blueprint_fixed_ports(&blueprint->spec);
    blueprint->hosts_key = blueprint_hosts_key(&blueprint->spec);
    blueprint->image_key = blueprint_image_key(blueprint->spec.image);
    blueprint->name_key =
        (uint32_t)hash_text(HASH_TEXT_START, blueprint->spec.name, strlen(blueprint->spec.name));
    return blueprint;
}

void
blueprint_free(struct blueprint *blueprint)
{
    if (!blueprint)
        return;
    schema_free(&blueprint_schema, &blueprint->spec);
    mem_free(blueprint->spec_json);
    mem_free(blueprint->breaker);
    mem_free(blueprint);
}
