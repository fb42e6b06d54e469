#include "berth/domain/host.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "berth/base/mem.h"

enum { HOST_MILLI = 1000 };

/* clang-format off */
const struct host_edge host_edges[] = {
    { HOST_SPAWNED,  HOST_EV_PREPARED,  HOST_ACTIVE   },
    { HOST_SPAWNED,  HOST_EV_GAVE_UP,   HOST_INACTIVE },
    { HOST_SPAWNED,  HOST_EV_GONE,      HOST_REMOVED  },
    { HOST_ACTIVE,   HOST_EV_DRAIN,     HOST_INACTIVE },
    { HOST_ACTIVE,   HOST_EV_GAVE_UP,   HOST_INACTIVE },
    { HOST_ACTIVE,   HOST_EV_GONE,      HOST_REMOVED  },
    { HOST_INACTIVE, HOST_EV_ACTIVATED, HOST_ACTIVE   },
    { HOST_INACTIVE, HOST_EV_EMPTY,     HOST_REMOVED  },
    { HOST_INACTIVE, HOST_EV_GONE,      HOST_REMOVED  },
};
/* clang-format on */
const size_t host_edge_count = ARRAY_LEN(host_edges);

static const char *const host_state_names[HOST_STATE_COUNT] = {
    [HOST_SPAWNED] = "spawned",
    [HOST_ACTIVE] = "active",
    [HOST_INACTIVE] = "inactive",
    [HOST_REMOVED] = "removed",
};

static const char *const host_event_names[HOST_EVENT_COUNT] = {
    [HOST_EV_PREPARED] = "prepared",   [HOST_EV_GAVE_UP] = "gave_up", [HOST_EV_DRAIN] = "drain",
    [HOST_EV_ACTIVATED] = "activated", [HOST_EV_EMPTY] = "empty",     [HOST_EV_GONE] = "gone",
};

static const char *const host_cause_names[CAUSE_COUNT] = {
    [CAUSE_NONE] = "none",
    [CAUSE_OPERATOR] = "operator",
    [CAUSE_AGE] = "age",
    [CAUSE_USES] = "uses",
    [CAUSE_ERRORS] = "errors",
    [CAUSE_GAVE_UP] = "gave_up",
    [CAUSE_CONSOLIDATED] = "consolidated",
    [CAUSE_SHUTDOWN] = "shutdown",
    [CAUSE_NOTICE] = "notice",
};

int
host_next(enum host_state from, enum host_event event, enum host_state *ret_state)
{
    for (size_t i = 0; i < host_edge_count; i++) {
        if (host_edges[i].from == from && host_edges[i].on == event) {
            *ret_state = host_edges[i].to;
            return HOST_OK;
        }
    }
    return HOST_NO_SUCH_EDGE;
}

const char *
host_state_name(enum host_state state)
{
    assert((int)state >= 0 && state < HOST_STATE_COUNT);
    return host_state_names[state];
}

const char *
host_event_name(enum host_event event)
{
    assert((int)event >= 0 && event < HOST_EVENT_COUNT);
    return host_event_names[event];
}

const char *
host_cause_name(int32_t cause)
{
    assert(cause >= 0 && cause < CAUSE_COUNT);
    return host_cause_names[cause];
}

int
host_state_from_name(const char *name)
{
    for (int state = 0; state < HOST_STATE_COUNT; state++) {
        if (strcmp(host_state_names[state], name) == 0)
            return state;
    }
    return -1;
}

struct host *
host_new(struct pool *pool, const char *name)
{
    struct host *host = mem_new0(sizeof(*host));

    host->pool = pool;
    host->name = mem_strdup(name);
    host->state = HOST_SPAWNED;
    list_init(&host->instances);
    return host;
}

void
host_free(struct host *host)
{
    if (!host)
        return;
    assert(!host->placement && !host->lane);
    mem_free(host->name);
    mem_free(host->address);
    mem_free(host->waiting_for);
    mem_free(host->reason);
    mem_free(host->engine_id);
    mem_free(host->endpoint.engine);
    for (size_t i = 0; i < host->labels.count; i++) {
        mem_free(host->labels.at[i].key);
        mem_free(host->labels.at[i].value);
    }
    mem_free(host->labels.at);
    machine_free(host->machine);
    mem_free(host->trial);
    mem_free(host);
}

void
host_shared_texts(struct host *host, const char **ret_slots[HOST_SHARED_TEXTS])
{
    ret_slots[0] = &host->engine_version;
    ret_slots[1] = &host->engine_api;
    ret_slots[2] = &host->endpoint.ca;
    ret_slots[3] = &host->endpoint.cert;
    ret_slots[4] = &host->endpoint.key;
}

struct host_share {
    int64_t total;
    int64_t reserve;
    int64_t overcommit_milli;
};

/* What is left of the total after the reserve, times the overcommit factor, rounded down. */
static int64_t
host_capacity_part(const struct host_share *share)
{
    int64_t overcommit_milli = share->overcommit_milli;
    int64_t left = share->total - share->reserve;

    if (left <= 0)
        return 0;
    return left / HOST_MILLI * overcommit_milli + left % HOST_MILLI * overcommit_milli / HOST_MILLI;
}

struct host_amount
host_capacity_of(const struct pool_policy *policy, const struct host_amount *total)
{
    const struct host_share memory = { .total = total->memory_bytes,
                                       .reserve = policy->reserve.memory_bytes,
                                       .overcommit_milli = policy->overcommit.memory_milli };
    const struct host_share cpus = { .total = total->cpus_milli,
                                     .reserve = policy->reserve.cpus_milli,
                                     .overcommit_milli = policy->overcommit.cpus_milli };

    return (struct host_amount){
        .memory_bytes = host_capacity_part(&memory),
        .cpus_milli = host_capacity_part(&cpus),
        .slots = total->slots > 0 ? total->slots : policy->slots_per_host,
    };
}

void
host_capacity_update(struct host *host)
{
    host->capacity = host_capacity_of(&host->pool->policy, &host->total);
}

int64_t
host_slots(const struct host *host)
{
    const struct pool *pool = host->pool;
    const struct pool_machine *types = pool->machines.at;

    for (size_t i = 0; host_is_rented(host) && i < pool->machines.count; i++) {
        if (strcmp(types[i].type, host->machine->type) == 0 && types[i].slots > 0)
            return types[i].slots;
    }
    return pool->policy.slots_per_host;
}

bool
host_takes_work(const struct host *host, int64_t now_ms)
{
    if (host->trial && host->trial->state == TRIAL_PROBATION && !host->proving)
        return host->state == HOST_ACTIVE && host->reachable && !host->breaker_open;
    return host_is_trusted(host, now_ms);
}

bool
host_is_trusted(const struct host *host, int64_t now_ms)
{
    return host->state == HOST_ACTIVE && host->reachable && !host->breaker_open && !host->trial &&
           score_at(&host->score, now_ms) <= host->pool->policy.error_threshold_milli;
}
