#include "sim.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/list.h"
#include "berth/base/mem.h"
#include "berth/base/text.h"

/* Older than all that a daemon makes now, so that ids go on behind it. */
#define SIM_FIRST_ID (INT64_C(1600000000000) << 22)

enum { SIM_IDS = 1 << 20 };

/* A call that waits for its answer. */
struct sim_call {
    struct list_node node;
    struct docker_call *call;
    bool cancelled;
};

/* A container that was made while it ran. */
struct sim_made {
    int64_t instance_id;
    uint32_t generation;
};

struct sim_host {
    struct sim_made *made; /* [count] */
    uint32_t count;
    uint32_t cap;
};

struct sim {
    struct docker_port port;
    const struct clock_port *clock;
    struct clock_timer answer; /* at the end of a turn, while calls wait */
    size_t host_count;
    size_t instance_count;
    struct sim_host *hosts;
    struct list waiting;
    struct list spare;
};

static void sim_on_turn(struct clock_timer *timer);
static void sim_answer(struct sim *sim, struct docker_call *call);

int64_t
sim_host_id(size_t at)
{
    return SIM_FIRST_ID + (int64_t)at;
}

int64_t
sim_instance_id(size_t at)
{
    return SIM_FIRST_ID + SIM_IDS + (int64_t)at;
}

void
sim_container_id(int64_t instance_id, uint32_t generation,
                 uint8_t ret_id[INSTANCE_CONTAINER_ID_SIZE])
{
    uint64_t mixed = (uint64_t)instance_id * UINT64_C(0x9e3779b97f4a7c15) + generation;

    for (size_t i = 0; i < INSTANCE_CONTAINER_ID_SIZE; i++) {
        mixed ^= mixed >> 29;
        mixed *= UINT64_C(0xbf58476d1ce4e5b9);
        ret_id[i] = (uint8_t)(mixed >> 56);
    }
}

/* --- The calls -------------------------------------------------------------------------------- */

static int
sim_host_set(void *self, int64_t host_id, const struct host_endpoint *endpoint,
             const char *cluster_id, struct fault *fault)
{
    (void)self;
    (void)host_id;
    (void)endpoint;
    (void)cluster_id;
    (void)fault;
    return 0;
}

static void
sim_host_forget(void *self, int64_t host_id)
{
    (void)self;
    (void)host_id;
}

static void
sim_queue(struct sim *sim, struct sim_call *waiting)
{
    list_push(&sim->waiting, &waiting->node);
    if (sim->answer.at_mono_ms == 0) {
        sim->clock->timer_set(sim->clock->self, &sim->answer,
                              sim->clock->mono_ms(sim->clock->self));
    }
}

static void
sim_call_start(void *self, struct docker_call *call)
{
    struct sim *sim = self;
    struct list_node *spare = list_pop(&sim->spare);
    struct sim_call *waiting =
        spare ? CONTAINER_OF(spare, struct sim_call, node) : mem_new0(sizeof(*waiting));

    waiting->call = call;
    waiting->cancelled = false;
    call->adapter = waiting;
    if (call->verb != DOCKER_EVENTS) /* nothing ever happens by itself */
        sim_queue(sim, waiting);
}

static void
sim_call_cancel(void *self, struct docker_call *call)
{
    struct sim_call *waiting = call->adapter;

    waiting->cancelled = true;
    if (!list_is_in(&waiting->node))
        sim_queue(self, waiting);
}

static void
sim_call_pause(void *self, struct docker_call *call, bool paused)
{
    (void)self;
    (void)call;
    (void)paused;
}

static void
sim_on_turn(struct clock_timer *timer)
{
    struct sim *sim = CONTAINER_OF(timer, struct sim, answer);
    struct list now;
    struct list_node *node;

    list_init(&now);
    list_move(&now, &sim->waiting);
    while ((node = list_pop(&now))) {
        struct sim_call *waiting = CONTAINER_OF(node, struct sim_call, node);
        struct docker_call *call = waiting->call;
        bool cancelled = waiting->cancelled;
        struct fault fault;

        list_push(&sim->spare, node);
        if (cancelled) {
            (void)fault_set(&fault, FAULT_CANCELLED, "sim", "cancelled");
            call->done(call, &fault);
        } else {
            sim_answer(sim, call);
        }
    }
}

/* --- The answers ------------------------------------------------------------------------------ */

static struct sim_host *
sim_host_find(struct sim *sim, int64_t host_id)
{
    int64_t at = host_id - SIM_FIRST_ID;

    return at >= 0 && at < (int64_t)sim->host_count ? &sim->hosts[at] : NULL;
}

static void
sim_container(struct docker_container *container, int64_t instance_id, uint32_t generation)
{
    uint8_t id[INSTANCE_CONTAINER_ID_SIZE];

    memset(container, 0, offsetof(struct docker_container, ports));
    sim_container_id(instance_id, generation, id);
    text_hex(id, sizeof(id), container->id);
    (void)id_encode(ID_INSTANCE, instance_id, container->label_instance);
    container->state = DOCKER_RUNNING;
    container->label_generation = generation;
    container->started_at_ms = 1;
    container->ports[0].container = SIM_PORT;
    container->ports[0].host = SIM_HOST_PORT;
    container->ports[0].protocol = PROTOCOL_TCP;
    container->port_count = 1;
}

static void
sim_info(const struct docker_call *call, struct docker_info *info)
{
    *info = (struct docker_info){
        .engine_version = "24.0.7",
        .engine_api = "1.43",
        .memory_bytes = SIM_MEMORY_BYTES,
        .cpus_milli = SIM_CPUS_MILLI,
        .memory_limit = true,
        .swap_limit = true,
        .storage_driver = "overlay2",
        .os = "Debian GNU/Linux 12 (bookworm)",
    };
    (void)snprintf(info->engine_id, sizeof(info->engine_id), "ENGINE-%lld",
                   (long long)call->host_id);
}

static void
sim_list(struct sim *sim, struct docker_call *call)
{
    const struct sim_host *host = sim_host_find(sim, call->host_id);
    size_t first = (size_t)(call->host_id - SIM_FIRST_ID);
    size_t most = host ? sim->instance_count / sim->host_count + 1 + host->count : 0;
    struct docker_container *at = mem_resize(NULL, most + 1, sizeof(*at));
    size_t count = 0;

    for (size_t i = first; host && i < sim->instance_count; i += sim->host_count)
        sim_container(&at[count++], sim_instance_id(i), 1);
    for (size_t i = 0; host && i < host->count; i++)
        sim_container(&at[count++], host->made[i].instance_id, host->made[i].generation);
    call->out.list.at = at;
    call->out.list.count = count;
    call->done(call, NULL);
    mem_free(at);
}

static void
sim_create(struct sim *sim, struct docker_call *call, int64_t instance_id, uint32_t generation)
{
    struct sim_host *host = sim_host_find(sim, call->host_id);
    uint8_t id[INSTANCE_CONTAINER_ID_SIZE];

    sim_container_id(instance_id, generation, id);
    text_hex(id, sizeof(id), call->out.container_id);
    if (!host)
        return;
    if (host->count == host->cap) {
        host->cap = host->cap ? 2 * host->cap : 4;
        host->made = mem_resize(host->made, host->cap, sizeof(*host->made));
    }
    host->made[host->count++] = (struct sim_made){ instance_id, generation };
}

static void
sim_remove(struct sim *sim, const struct docker_call *call, int64_t instance_id)
{
    struct sim_host *host = sim_host_find(sim, call->host_id);

    for (uint32_t i = 0; host && i < host->count; i++) {
        if (host->made[i].instance_id == instance_id)
            host->made[i] = host->made[--host->count];
    }
}

static void
sim_answer(struct sim *sim, struct docker_call *call)
{
    int64_t instance_id = 0;
    uint32_t generation = 0;
    bool named = call->name && instance_container_name_parse(call->name, &instance_id, &generation);

    if (call->verb == DOCKER_LIST) {
        sim_list(sim, call);
        return;
    }
    if (call->verb == DOCKER_INFO) {
        sim_info(call, &call->out.info);
    } else if (call->verb == DOCKER_CREATE && named) {
        sim_create(sim, call, instance_id, generation);
    } else if (call->verb == DOCKER_INSPECT && named) {
        sim_container(&call->out.container, instance_id, generation);
    } else if (call->verb == DOCKER_REMOVE && named) {
        sim_remove(sim, call, instance_id);
    } else {
        memset(&call->out.stats, 0, sizeof(call->out.stats));
    }
    call->done(call, NULL);
}

/* --- Life ------------------------------------------------------------------------------------- */

struct sim *
sim_new(size_t host_count, struct loop *loop, size_t instance_count)
{
    struct sim *sim = mem_new0(sizeof(*sim));

    sim->port = (struct docker_port){
        .self = sim,
        .host_set = sim_host_set,
        .host_forget = sim_host_forget,
        .call_start = sim_call_start,
        .call_cancel = sim_call_cancel,
        .call_pause = sim_call_pause,
    };
    sim->host_count = host_count;
    sim->instance_count = instance_count;
    sim->hosts = mem_new0((host_count + 1) * sizeof(*sim->hosts));
    list_init(&sim->waiting);
    list_init(&sim->spare);
    sim->clock = loop_clock(loop);
    sim->answer.fire = sim_on_turn;
    return sim;
}

const struct docker_port *
sim_port(struct sim *sim)
{
    return &sim->port;
}

void
sim_free(struct sim *sim)
{
    struct list_node *node;

    while ((node = list_pop(&sim->spare)))
        mem_free(CONTAINER_OF(node, struct sim_call, node));
    for (size_t i = 0; i < sim->host_count; i++)
        mem_free(sim->hosts[i].made);
    mem_free(sim->hosts);
    mem_free(sim);
}
