#include "berth/domain/instance.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/mem.h"

/* clang-format off */
const struct instance_edge instance_edges[] = {
    { INSTANCE_QUEUED,   INSTANCE_EV_PLACED,  INSTANCE_STARTING },
    { INSTANCE_QUEUED,   INSTANCE_EV_STOP,    INSTANCE_STOPPED  },
    { INSTANCE_QUEUED,   INSTANCE_EV_FAILED,  INSTANCE_FAILED   },
    { INSTANCE_STARTING, INSTANCE_EV_READY,   INSTANCE_RUNNING  },
    { INSTANCE_STARTING, INSTANCE_EV_RETRY,   INSTANCE_QUEUED   },
    { INSTANCE_STARTING, INSTANCE_EV_CRASHED, INSTANCE_STARTING },
    { INSTANCE_STARTING, INSTANCE_EV_STOP,    INSTANCE_STOPPING },
    { INSTANCE_STARTING, INSTANCE_EV_ENDED,   INSTANCE_STOPPED  },
    { INSTANCE_STARTING, INSTANCE_EV_FAILED,  INSTANCE_FAILED   },
    { INSTANCE_RUNNING,  INSTANCE_EV_RETRY,   INSTANCE_QUEUED   },
    { INSTANCE_RUNNING,  INSTANCE_EV_CRASHED, INSTANCE_STARTING },
    { INSTANCE_RUNNING,  INSTANCE_EV_STOP,    INSTANCE_STOPPING },
    { INSTANCE_RUNNING,  INSTANCE_EV_ENDED,   INSTANCE_STOPPED  },
    { INSTANCE_RUNNING,  INSTANCE_EV_FAILED,  INSTANCE_FAILED   },
    { INSTANCE_STOPPING, INSTANCE_EV_ENDED,   INSTANCE_STOPPED  },
    { INSTANCE_STOPPING, INSTANCE_EV_FAILED,  INSTANCE_FAILED   },
};
/* clang-format on */
const size_t instance_edge_count = ARRAY_LEN(instance_edges);

static const char *const instance_state_names[INSTANCE_STATE_COUNT] = {
    [INSTANCE_QUEUED] = "queued",   [INSTANCE_STARTING] = "starting",
    [INSTANCE_RUNNING] = "running", [INSTANCE_STOPPING] = "stopping",
    [INSTANCE_STOPPED] = "stopped", [INSTANCE_FAILED] = "failed",
};

static const char *const instance_event_names[INSTANCE_EVENT_COUNT] = {
    [INSTANCE_EV_PLACED] = "placed",   [INSTANCE_EV_READY] = "ready", [INSTANCE_EV_RETRY] = "retry",
    [INSTANCE_EV_CRASHED] = "crashed", [INSTANCE_EV_STOP] = "stop",   [INSTANCE_EV_ENDED] = "ended",
    [INSTANCE_EV_FAILED] = "failed",
};

static const char instance_name_prefix[] = "berth-";

int
instance_next(enum instance_state from, enum instance_event event, enum instance_state *ret_state)
{
    for (size_t i = 0; i < instance_edge_count; i++) {
        if (instance_edges[i].from == from && instance_edges[i].on == event) {
            *ret_state = instance_edges[i].to;
            return INSTANCE_OK;
        }
    }
    return INSTANCE_NO_SUCH_EDGE;
}

const char *
instance_state_name(enum instance_state state)
{
    assert((int)state >= 0 && state < INSTANCE_STATE_COUNT);
    return instance_state_names[state];
}

const char *
instance_event_name(enum instance_event event)
{
    assert((int)event >= 0 && event < INSTANCE_EVENT_COUNT);
    return instance_event_names[event];
}

int
instance_state_from_name(const char *name)
{
    for (int state = 0; state < INSTANCE_STATE_COUNT; state++) {
        if (strcmp(instance_state_names[state], name) == 0)
            return state;
    }
    return -1;
}

bool
instance_state_is_final(enum instance_state state)
{
    return state == INSTANCE_STOPPED || state == INSTANCE_FAILED;
}

struct instance *
instance_new(int64_t id)
{
    struct instance *instance = mem_new0(sizeof(*instance));

    instance->id = id;
    instance->state = INSTANCE_QUEUED;
    instance->desired = INSTANCE_RUNNING;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    return instance;
}

struct instance_port *
instance_ports_new(struct instance *instance, uint8_t count)
{
    if (instance->ports != &instance->own_port)
        mem_free(instance->ports);
    instance->own_port = (struct instance_port){ 0 };
    instance->port_count = count;
    if (count > 1) {
        instance->ports = mem_new0(count * sizeof(*instance->ports));
    } else {
        instance->ports = count == 1 ? &instance->own_port : NULL;
    }
    return instance->ports;
}

void
instance_free(struct instance *instance)
{
    if (!instance)
        return;
    (void)instance_ports_new(instance, 0);
    mem_free(instance->name);
    mem_free(instance);
}

/* The decimal digits of @number at the end of @ret_digits. Return: the first of them. */
static const char *
instance_digits(uint32_t number, char ret_digits[11])
{
    char *at = &ret_digits[10];

    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

const char *
instance_container_name(const struct instance *instance,
                        char ret_name[INSTANCE_CONTAINER_NAME_SIZE])
{
    char digits[11];
    const char *generation = instance_digits(instance->generation, digits);
    char *at = ret_name;

    _Static_assert(sizeof(instance_name_prefix) + ID_TEXT_SIZE + sizeof(digits) <=
                       INSTANCE_CONTAINER_NAME_SIZE,
                   "the name fits");
    memcpy(at, instance_name_prefix, sizeof(instance_name_prefix) - 1);
    at += sizeof(instance_name_prefix) - 1;
    (void)id_encode(ID_INSTANCE, instance->id, at);
    at += strlen(at);
    *at++ = '-';
    memcpy(at, generation, strlen(generation) + 1);
    return ret_name;
}

/* A whole number as instance_digits() writes it, or false. */
static bool
instance_digits_parse(const char *text, uint32_t *ret_number)
{
    uint64_t number = 0;

    if (text[0] == '\0' || text[0] == '0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > UINT32_MAX)
            return false;
    }
    *ret_number = (uint32_t)number;
    return true;
}

bool
instance_container_name_parse(const char *name, int64_t *ret_id, uint32_t *ret_generation)
{
    char id[ID_TEXT_SIZE];
    size_t len;
    int64_t found;

    if (name[0] == '/')
        name++;
    len = strlen(instance_name_prefix);
    if (strncmp(name, instance_name_prefix, len) != 0)
        return false;
    name += len;
    if (strlen(name) < ID_TEXT_SIZE || name[ID_TEXT_SIZE - 1] != '-')
        return false;
    memcpy(id, name, ID_TEXT_SIZE - 1);
    id[ID_TEXT_SIZE - 1] = '\0';
    if (!id_decode(ID_INSTANCE, id, &found) ||
        !instance_digits_parse(name + ID_TEXT_SIZE, ret_generation))
        return false;
    *ret_id = found;
    return true;
}

struct host_amount
instance_amount_of(const struct blueprint_spec *spec)
{
    return (struct host_amount){
        .memory_bytes = spec->memory_bytes + INSTANCE_OVERHEAD_BYTES,
        .cpus_milli = spec->cpus_milli,
        .slots = spec->slots,
    };
}

struct host_amount
instance_amount(const struct instance *instance)
{
    return instance_amount_of(&instance->blueprint->spec);
}
