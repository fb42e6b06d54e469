/* What users, operators and bad luck do. */

#include <stdio.h>
#include <string.h>

#include "sim_book.h"

#define YEAR_MS INT64_C(31536000000)
#define DAY_MS  INT64_C(86400000)

static const char *const blueprints[] = { "web", "web", "svc",  "job", "tmp",
                                          "fat", "bad", "mute", "ssd" };
static const char *const owners[] = { "ann", "ben", "cid" };

/* --- Whom something happens to -------------------------------------------------------------- */

static struct instance *
sim_any_instance(struct sim *sim)
{
    const struct model *model = engine_model(sim->engine);
    uint64_t skip = model->instances.live ? sim_random(sim, model->instances.live) : 0;

    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        if (skip-- == 0)
            return instance;
    }
    return NULL;
}

static struct host *
sim_any_host(struct sim *sim)
{
    const struct model *model = engine_model(sim->engine);
    uint64_t count = 0;
    uint64_t skip;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        count += host->state != HOST_REMOVED;
    }
    if (count == 0)
        return NULL;
    skip = sim_random(sim, count);
    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED && skip-- == 0)
            return host;
    }
    return NULL;
}

/* Of a machine that is gone nothing comes back. */
static struct fake_machine *
sim_any_machine(struct sim *sim)
{
    const struct host *host = sim_any_host(sim);

    return host && sim_is_there(sim, host) ? sim_machine(sim, host) : NULL;
}

static struct fake_container *
sim_any_container(struct sim *sim, const struct fake_machine *machine)
{
    uint64_t skip = machine->containers.count ? sim_random(sim, machine->containers.count) : 0;
    struct list_node *node = list_first(&machine->containers);

    while (node && skip-- > 0)
        node = list_next(&machine->containers, node);
    return node ? CONTAINER_OF(node, struct fake_container, node) : NULL;
}

/* --- Users ---------------------------------------------------------------------------------- */

static void
sim_act_launch(struct sim *sim)
{
    struct instance_request request = { .count = 1 };
    uint64_t pool = sim_random(sim, 1 + (uint64_t)sim->plan.rented_pools);
    struct instance *instances[8];
    struct fault fault;
    int ret;

    request.pool = pool == 0 ? NULL : sim_rented_names[pool - 1];
    request.blueprint = blueprints[sim_random(sim, ARRAY_LEN(blueprints))];
    request.owner = owners[sim_random(sim, ARRAY_LEN(owners))];
    if (sim_random(sim, 5) == 0)
        request.count = 1 + (int64_t)sim_random(sim, 6);
    if (sim_random(sim, 3) == 0)
        request.lifetime_ms = 1000 + (int64_t)sim_random(sim, 3600000);
    ret = engine_instances_create(sim->engine, &request, instances, &fault);
    sim_trace(sim, "act launch %lld %s in %s for %s%s%s", (long long)request.count,
              request.blueprint, request.pool ? request.pool : "default", request.owner,
              ret < 0 ? ": " : "", ret < 0 ? fault_rule(fault.kind)->code : "");
    if (ret < 0)
        return;
    sim->stats.launches += (uint64_t)request.count;
    for (int64_t i = 0; i < request.count; i++)
        sim_promise(sim, PROMISE_LAUNCH, instances[i]->id);
}

static void
sim_stop_one(struct sim *sim, struct instance *instance)
{
    struct fault fault;

    if (engine_instance_stop(sim->engine, instance, "asked to", &fault) == 0)
        sim_promise(sim, PROMISE_STOP, instance->id);
}

static void
sim_act_stop(struct sim *sim)
{
    struct instance *instance = sim_any_instance(sim);

    if (!instance)
        return;
    sim_trace(sim, "act stop %llx", (unsigned long long)instance->id);
    sim_stop_one(sim, instance);
    sim->stopped_id = instance->id;
    sim->impatient = sim_random(sim, 2);
    if (sim->impatient)
        sim->act_ms = sim_mono(sim);
}

/* An impatient client asks again, perhaps before the first answer is out. */
static void
sim_act_again(struct sim *sim)
{
    struct instance *instance =
        sim->stopped_id ? idmap_find(&engine_model(sim->engine)->instances, sim->stopped_id) : NULL;

    if (!instance)
        return;
    sim_trace(sim, "act stop %llx again", (unsigned long long)instance->id);
    sim_stop_one(sim, instance);
}

/* The end of a lesson: everybody leaves. */
static void
sim_act_stop_all(struct sim *sim)
{
    const char *owner = owners[sim_random(sim, ARRAY_LEN(owners))];

    sim_trace(sim, "act stop all of %s", owner);
    IDMAP_EACH(&engine_model(sim->engine)->instances, struct instance, instance)
    {
        if (!instance_state_is_final((enum instance_state)instance->state) &&
            strcmp(instance->owner, owner) == 0)
            sim_stop_one(sim, instance);
    }
}

static void
sim_act_extend(struct sim *sim)
{
    struct instance *instance = sim_any_instance(sim);
    struct fault fault;

    if (!instance)
        return;
    sim_trace(sim, "act extend %llx", (unsigned long long)instance->id);
    (void)engine_instance_extend(
        sim->engine, instance,
        engine_now_ms(sim->engine) + (int64_t)sim_random(sim, (uint64_t)DAY_MS), &fault);
}

/* A request's own call to a container, which the request may give up. */
struct sim_call {
    struct engine_call call;
    struct list_node node;
    struct sim *sim;
    const struct engine *engine;
    bool done;
};

static void
sim_on_called(struct engine_call *call, const struct fault *fault)
{
    struct sim_call *one = CONTAINER_OF(call, struct sim_call, call);

    (void)fault;
    if (one->done)
        sim_fail(one->sim, "14 each request gets one answer", "a call ended twice");
    one->done = true;
}

/* Those that have ended, or whose daemon has died, go; some of the others are given up. */
static void
sim_calls_tidy(struct sim *sim)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&sim->calls); node; node = next) {
        struct sim_call *one = CONTAINER_OF(node, struct sim_call, node);

        next = list_next(&sim->calls, node);
        if (one->done) {
            list_remove(&sim->calls, node);
            mem_free(one);
        } else if (one->engine == sim->engine && sim_random(sim, 2)) {
            engine_call_cancel(sim->engine, &one->call);
        }
    }
}

static void
sim_act_call(struct sim *sim)
{
    const struct instance *instance = sim_any_instance(sim);
    struct sim_call *one;
    struct fault fault;

    sim_calls_tidy(sim);
    if (!instance)
        return;
    one = mem_new0(sizeof(*one));
    one->sim = sim;
    one->engine = sim->engine;
    one->call.call.verb = sim_random(sim, 2) ? DOCKER_LOGS : DOCKER_STATS;
    one->call.call.in.logs.follow = sim_random(sim, 2);
    one->call.done = sim_on_called;
    if (engine_instance_call(sim->engine, instance, &one->call, &fault) < 0) {
        mem_free(one);
    } else {
        list_push(&sim->calls, &one->node);
    }
}

void
sim_calls_free(struct sim *sim)
{
    struct list_node *node;

    while ((node = list_pop(&sim->calls)))
        mem_free(CONTAINER_OF(node, struct sim_call, node));
}

/* --- Bad luck ------------------------------------------------------------------------------- */

static void
sim_act_container(struct sim *sim)
{
    struct fake_machine *machine = sim_any_machine(sim);
    struct fake_container *container = machine ? sim_any_container(sim, machine) : NULL;
    bool oom = sim_random(sim, 4) == 0;

    if (!container || container->cluster[0] == '\0')
        return;
    sim_blame(sim, machine); /* containers that vanish, or end as they start, speak against it */
    if (container->seen.state == DOCKER_RUNNING && sim_random(sim, 4) > 0) {
        sim_trace(sim, "act %s ends%s", container->seen.name, oom ? ", out of memory" : "");
        fake_docker_crash(sim->docker, machine, container, oom ? 137 : (int32_t)sim_random(sim, 3),
                          oom);
    } else {
        sim_trace(sim, "act %s is deleted", container->seen.name);
        list_remove(&machine->containers, &container->node);
        mem_free(container);
    }
}

static void
sim_act_machine(struct sim *sim)
{
    static const char *const words[] = { "unreachable", "hangs", "reboots", "good" };
    struct fake_machine *machine = sim_any_machine(sim);
    uint64_t what = sim_random(sim, 8);

    if (!machine)
        return;
    what = what < 3 ? what : 3;
    sim_trace(sim, "act %s %s", machine->engine, words[what]);
    sim_blame(sim, machine);
    machine->unreachable = what == 0;
    machine->hung = what == 1;
    if (what == 2)
        fake_machine_reboot(machine);
    if (what != 3)
        fake_docker_streams_break(sim->docker, machine, FAULT_LOST);
}

static void
sim_act_clock(struct sim *sim)
{
    static const int64_t spans[] = { 5000, 100000, DAY_MS, YEAR_MS, 10 * YEAR_MS };
    int64_t span = spans[sim_random(sim, ARRAY_LEN(spans))];

    if (!sim_chance(sim, sim->plan.jumps))
        return;
    span = sim_random(sim, 2) ? span : -span;
    sim_trace(sim, "act the clock jumps %lld s", (long long)(span / 1000));
    sim->stats.jumps++;
    fake_clock_jump(sim->clock, span);
}

/* --- Operators ------------------------------------------------------------------------------ */

struct host *
sim_host_add(struct sim *sim, const char *machine)
{
    char name[24];
    char engine[FAKE_NAME_SIZE];
    struct host_request request = { .pool = "default", .name = name };
    struct fake_machine *one;
    struct host *host;
    struct fault fault;

    (void)snprintf(name, sizeof(name), "%s-%d", machine, ++sim->hosts_added);
    (void)snprintf(engine, sizeof(engine), "tcp://%s:2376", machine);
    request.endpoint.engine = engine;
    request.endpoint.plain = true;
    one = fake_docker_machine(sim->docker, engine);
    one->info.memory_bytes = (2 + (int64_t)(machine[1] - '0') % 3 * 3) * GIB;
    if (one->containers.count == 0) {
        struct fake_container *stranger = fake_machine_add(one, "stranger", "");

        stranger->seen.state = DOCKER_RUNNING;
    }
    if (engine_host_add(sim->engine, &request, &host, &fault) < 0)
        return NULL;
    return host;
}

static void
sim_act_host_add(struct sim *sim)
{
    char machine[16];
    char engine[FAKE_NAME_SIZE];

    (void)snprintf(machine, sizeof(machine), "s%d",
                   1 + (int)sim_random(sim, (uint64_t)sim->plan.static_hosts));
    (void)snprintf(engine, sizeof(engine), "tcp://%s:2376", machine);
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, known)
    {
        if (known->state != HOST_REMOVED && known->endpoint.engine &&
            strcmp(known->endpoint.engine, engine) == 0)
            return;
    }
    sim_trace(sim, "act add host %s", machine);
    (void)sim_host_add(sim, machine);
}

static void
sim_act_host(struct sim *sim)
{
    struct host *host = sim_any_host(sim);
    struct operation *operation;
    struct fault fault;
    uint64_t what = sim_random(sim, 8);

    if (!host || what == 7) {
        sim_act_host_add(sim);
        return;
    }
    if (what < 3) {
        sim_trace(sim, "act drain %s", host->name);
        (void)engine_host_drain(sim->engine, host, (int64_t)sim_random(sim, 20000), "op",
                                &operation, &fault);
    } else if (what == 3) {
        bool force = sim_random(sim, 2);

        sim_trace(sim, "act remove %s%s", host->name, force ? " by force" : "");
        (void)engine_host_remove(sim->engine, host, force, "op", &operation, &fault);
    } else {
        sim_trace(sim, "act activate %s", host->name);
        (void)engine_host_activate(sim->engine, host, &fault);
    }
}

/* Whoever changes one policy has read what it says now. */
static void
sim_act_policy(struct sim *sim)
{
    IDMAP_EACH(&engine_model(sim->engine)->pools, struct pool, pool)
    {
        if (sim_random(sim, 2))
            continue;
        sim_trace(sim, "act policy of %s", pool->name);
        sim_pool_put(sim, pool->name);
        return;
    }
}

static void
sim_act_operation(struct sim *sim)
{
    static const char *const archives[] = { "a1", "a2", "a3" };
    struct image_request request = { .pool = "default", .size_bytes = 4096, .owner = "op" };
    struct operation *operation;
    struct fault fault;

    switch (sim_random(sim, 3)) {
    case 0:
        request.spool = archives[sim_random(sim, 3)];
        sim_trace(sim, "act load %s", request.spool);
        (void)engine_image_load(sim->engine, &request, &operation, &fault);
        break;
    case 1:
        sim_trace(sim, "act housekeep");
        (void)engine_housekeep(sim->engine, "op", &operation, &fault);
        break;
    default:
        IDMAP_EACH(&engine_model(sim->engine)->operations, struct operation, one)
        {
            if (one->state == OPERATION_RUNNING && sim_random(sim, 2) == 0) {
                sim_trace(sim, "act cancel %s", operation_kind_name(one->kind));
                (void)engine_operation_cancel(sim->engine, one, &fault);
                break;
            }
        }
        break;
    }
}

void
sim_act(struct sim *sim)
{
    static const struct {
        uint64_t weight;
        void (*happen)(struct sim *sim);
    } acts[] = {
        { 30, sim_act_launch },  { 14, sim_act_stop },     { 1, sim_act_stop_all },
        { 2, sim_act_extend },   { 8, sim_act_container }, { 5, sim_act_machine },
        { 5, sim_act_host },     { 1, sim_act_policy },    { 3, sim_act_operation },
        { 3, sim_act_call },     { 20, sim_act_clock },    { 3, sim_act_cloud },
        { 1, sim_act_shutdown }, { 1, sim_act_playbook },
    };
    uint64_t all = 0;
    uint64_t at;

    if (sim->impatient) {
        sim->impatient = false;
        sim_act_again(sim);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        all += acts[i].weight;
    at = sim_random(sim, all);
    for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
        if (at < acts[i].weight) {
            acts[i].happen(sim);
            return;
        }
        at -= acts[i].weight;
    }
}
