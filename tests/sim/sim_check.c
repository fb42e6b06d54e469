/* The invariants: docs/ARCHITECTURE.md says why, this table what and how often. */

#include <stdio.h>
#include <string.h>

#include "sim_book.h"

enum { STARTING_MS = 30 * 60000, ORPHAN_MS = 150 * 60000, STAGE_MS = 60 * 60000 };

static void sim_hold_one_machine(struct sim *sim, const char *name);
static void sim_hold_machine_row(struct sim *sim, const char *name);
static void sim_hold_proofs(struct sim *sim, const char *name);
static void sim_hold_strangers(struct sim *sim, const char *name);
static void sim_hold_capacity(struct sim *sim, const char *name);
static void sim_hold_sums(struct sim *sim, const char *name);
static void sim_hold_places(struct sim *sim, const char *name);
static void sim_hold_singles(struct sim *sim, const char *name);
static void sim_hold_stages(struct sim *sim, const char *name);
static void sim_hold_scores(struct sim *sim, const char *name);
static void sim_hold_removed(struct sim *sim, const char *name);
static void sim_hold_apart(struct sim *sim, const char *name);

static const struct {
    const char *name;
    void (*hold)(struct sim *sim, const char *name);
    uint64_t every; /* turns: what stays broken once it is may be looked for less often */
} invariants[] = {
    { "1 one machine for each intent", sim_hold_one_machine, 4 },
    { "2 each machine has its row", sim_hold_machine_row, 4 },
    { "2 a pool that was shut down is empty", sim_hold_proofs, 1 },
    { "3 what is not ours is left alone", sim_hold_strangers, 16 },
    { "4 reservations stay within capacity", sim_hold_capacity, 1 },
    { "4 reservations are sums", sim_hold_sums, 1 },
    { "4 an instance has a host when it needs one", sim_hold_places, 2 },
    { "5 one container for each generation", sim_hold_singles, 8 },
    { "7 what was acknowledged is durable", sim_book_promises, 16 },
    { "8 each stage of a machine ends", sim_hold_stages, 8 },
    { "9 a score has its cause", sim_hold_scores, 1 },
    { "10 launches and money stay within limits", sim_limits_keep, 1 },
    { "11 a removed host has nothing", sim_hold_removed, 4 },
    { "13 no host hinders another", sim_hold_apart, 16 },
};

void
sim_check_turn(struct sim *sim)
{
    /* Ten times the hosts: what is looked at in each turn is there in the eighth, too. */
    uint64_t seldom = sim->plan.fleet ? 8 : 1;

    if (sim->book->model != engine_model(sim->engine)) {
        sim->book->model = engine_model(sim->engine);
        sim->book->started_ms = sim_mono(sim);
        sim->book->starts++;
    }
    sim_book_read(sim);
    for (size_t i = 0; i < ARRAY_LEN(invariants) && !sim->failed; i++) {
        if (sim->turn % (invariants[i].every * seldom) != 0)
            continue;
        invariants[i].hold(sim, invariants[i].name);
        sim->stats.checks++;
    }
}

void
sim_check_started(struct sim *sim)
{
    struct sim_book *book = sim->book;

    book->model = engine_model(sim->engine);
    book->starts++;
    book->started_ms = sim_mono(sim);
    sim_book_read(sim);
    sim_book_promises(sim, "7 what was acknowledged is durable");
}

struct fake_machine *
sim_machine(struct sim *sim, const struct host *host)
{
    return host->endpoint.engine ? fake_docker_machine(sim->docker, host->endpoint.engine) : NULL;
}

bool
sim_answers(const struct fake_machine *machine)
{
    return machine && !machine->unreachable && !machine->hung;
}

bool
sim_is_ours(const struct sim *sim, const struct fake_container *container)
{
    return strcmp(container->cluster, engine_cluster_id(sim->engine)) == 0;
}

struct fake_container *
sim_container_next(const struct fake_machine *machine, const struct fake_container *container)
{
    struct list_node *node = container ? list_next(&machine->containers, &container->node)
                                       : list_first(&machine->containers);

    return node ? CONTAINER_OF(node, struct fake_container, node) : NULL;
}

/* --- Machines ------------------------------------------------------------------------------- */

static void
sim_hold_one_machine(struct sim *sim, const char *name)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        const struct fake_vm *other = vm;

        while (vm->seen.state <= CLOUD_RUNNING && (other = fake_vm_next(vms, other))) {
            if (other->seen.state <= CLOUD_RUNNING && vm->host_id != 0 &&
                other->host_id == vm->host_id)
                sim_fail(sim, name, "%s and %s are both %s", vm->seen.id, other->seen.id, vm->name);
        }
    }
}

/* Terminations may fail for a while: made-up outages last for 70 minutes, and one may follow another. */
static void
sim_hold_machine_row(struct sim *sim, const char *name)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        const struct fake_row *row;
        const struct sim_row *known;

        if (vm->seen.state > CLOUD_RUNNING || vm->cluster[0] == '\0')
            continue;
        row = fake_store_row(sim->store, ROW_HOST, vm->host_id);
        if (row && row->as.host.state != HOST_REMOVED)
            continue;
        known = sim_book_row(sim->book, vm->host_id);
        if (!known || sim_mono(sim) - known->since_ms > ORPHAN_MS)
            sim_fail(sim, name, "%s of %s costs and nobody knows it", vm->seen.id, vm->name);
    }
}

static void
sim_hold_proof(struct sim *sim, const char *name, const struct pool *pool)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (vm->cluster[0] && vm->pool_id == pool->id && !vm->late && fake_vm_is_alive(vm))
            sim_fail(sim, name, "%s of %s is there", vm->seen.id, vm->name);
    }
}

/* When the proof is told.  What is launched long after its launch was answered comes after any proof. */
static void
sim_hold_proofs(struct sim *sim, const char *name)
{
    if (sim->stats.shutdowns == 0)
        return;
    IDMAP_EACH(&engine_model(sim->engine)->operations, struct operation, operation)
    {
        const struct pool *pool = operation->kind == OPERATION_POOL_SHUTDOWN
                                      ? model_pool_find(engine_model(sim->engine), operation->pool)
                                      : NULL;

        if (!pool || operation->state != OPERATION_DONE ||
            idmap_find(&sim->book->proofs, operation->id))
            continue;
        idmap_insert(&sim->book->proofs, operation->id, sim->book);
        sim_hold_proof(sim, name, pool);
    }
}

static void
sim_hold_strangers(struct sim *sim, const char *name)
{
    if (fake_cloud_aliens_touched(sim->cloud) > 0)
        sim_fail(sim, name, "a machine of another was to be terminated");
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        struct fake_machine *machine = sim_machine(sim, host);

        if (machine && !host->machine && !fake_machine_find(machine, "stranger"))
            sim_fail(sim, name, "a container of another is gone from %s", host->name);
    }
}

/* --- Reservations --------------------------------------------------------------------------- */

/* A capacity may fall below what is there already; then nothing may be added. */
static void
sim_hold_capacity(struct sim *sim, const char *name)
{
    /* What is found running is taken up then, whatever the rows had made of its room. */
    bool adopts = fake_store_is_restored(sim->store);

    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        struct sim_host *seen = sim_book_host(sim->book, host->id);
        bool grown = host->reserved.memory_bytes > seen->reserved.memory_bytes ||
                     host->reserved.cpus_milli > seen->reserved.cpus_milli ||
                     host->reserved.slots > seen->reserved.slots;
        bool over = host->reserved.memory_bytes > host->capacity.memory_bytes ||
                    (host->capacity.cpus_milli > 0 &&
                     host->reserved.cpus_milli > host->capacity.cpus_milli) ||
                    (host->capacity.slots > 0 && host->reserved.slots > host->capacity.slots);

        if (host->state == HOST_REMOVED)
            continue;
        if (over && grown && !adopts && seen->start == sim->book->starts &&
            host->total.memory_bytes > 0) {
            sim_fail(sim, name, "%s holds %lld of %lld bytes", host->name,
                     (long long)host->reserved.memory_bytes,
                     (long long)host->capacity.memory_bytes);
        }
        seen->reserved = host->reserved;
        seen->start = sim->book->starts;
    }
}

static void
sim_hold_sums(struct sim *sim, const char *name)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        struct host_amount sum = { 0 };
        uint32_t count = 0;

        for (struct list_node *node = list_first(&host->instances); node;
             node = list_next(&host->instances, node)) {
            struct host_amount one = instance_amount(CONTAINER_OF(node, struct instance, node));

            sum.memory_bytes += one.memory_bytes;
            sum.cpus_milli += one.cpus_milli;
            sum.slots += one.slots;
            count++;
        }
        if (sum.memory_bytes != host->reserved.memory_bytes ||
            sum.cpus_milli != host->reserved.cpus_milli || sum.slots != host->reserved.slots ||
            count != host->instance_count) {
            sim_fail(sim, name, "%s has %u instances and says %u", host->name, count,
                     host->instance_count);
        }
    }
}

static void
sim_hold_places(struct sim *sim, const char *name)
{
    IDMAP_EACH(&engine_model(sim->engine)->instances, struct instance, instance)
    {
        bool placed = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_RUNNING ||
                      instance->state == INSTANCE_STOPPING;
        bool listed = placed || instance->state == INSTANCE_QUEUED;
        bool final = instance_state_is_final((enum instance_state)instance->state);

        if (placed != (instance->host != NULL) || (placed && instance->generation == 0) ||
            (placed && instance->host && instance->host->state == HOST_REMOVED) ||
            list_is_in(&instance->node) != listed || (final && instance->work) ||
            (final && instance->ended_at_ms == 0)) {
            sim_fail(sim, name, "%llx is %s", (unsigned long long)instance->id,
                     instance_state_name((enum instance_state)instance->state));
        }
    }
}

/* --- Containers ----------------------------------------------------------------------------- */

/* Whether another machine runs the same generation. */
static bool
sim_is_doubled(struct sim *sim, const struct fake_machine *machine,
               const struct fake_container *container)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        struct fake_machine *other = sim_machine(sim, host);
        const struct fake_container *twin;

        if (!other || other == machine || host->state == HOST_REMOVED)
            continue;
        twin = fake_machine_find(other, container->seen.name);
        if (twin && twin->seen.state == DOCKER_RUNNING)
            return true;
    }
    return false;
}

static void
sim_hold_singles(struct sim *sim, const char *name)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        const struct fake_machine *machine = sim_machine(sim, host);
        struct fake_container *c = NULL;

        while (machine && host->state != HOST_REMOVED && (c = sim_container_next(machine, c))) {
            if (c->seen.state == DOCKER_RUNNING && sim_is_ours(sim, c) &&
                sim_is_doubled(sim, machine, c))
                sim_fail(sim, name, "%s runs twice", c->seen.name);
        }
    }
}

/* --- Hosts ---------------------------------------------------------------------------------- */

static void
sim_hold_scores(struct sim *sim, const char *name)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        const struct fake_machine *machine = sim_machine(sim, host);

        if (host->state != HOST_ACTIVE)
            sim_book_host(sim->book, host->id)->left_start = sim->book->starts;
        if (!machine || host->state == HOST_REMOVED)
            continue;
        if (!sim_answers(machine)) {
            sim_blame(sim, machine);
            sim_book_host(sim->book, host->id)->trouble_ms = sim_mono(sim);
        }
        if (host->score.milli > 0 && !sim_book_guilty(sim->book, machine)) {
            sim_fail(sim, name, "%s has a score of %lld for nothing", host->name,
                     (long long)host->score.milli);
        }
    }
}

/* No stage of a host that is to come lasts longer than its deadline, unless the daemon starts anew. */
static void
sim_hold_stages(struct sim *sim, const char *name)
{
    int64_t now = sim_mono(sim);

    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        struct sim_host *seen = sim_book_host(sim->book, host->id);
        int stage = host->machine && host->state == HOST_SPAWNED ? (int)host->machine->stage : -1;
        bool stays = stage < 0 || stage == MACHINE_WARM;

        if (seen->stage != stage || sim->book->started_ms > seen->stage_ms) {
            seen->stage = stage;
            seen->stage_ms = now;
        } else if (!stays && now - seen->stage_ms > STAGE_MS) {
            sim_fail(sim, name, "%s is %s for an hour", host->name, machine_stage_name(stage));
        }
    }
}

static void
sim_hold_removed(struct sim *sim, const char *name)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        const struct fake_vm *vm;

        if (host->state != HOST_REMOVED)
            continue;
        if (host->instance_count > 0)
            sim_fail(sim, name, "%s has %u instances", host->name, host->instance_count);
        vm = host->machine && host->machine->id
                 ? fake_vm_by_id(fake_cloud_vms(sim->cloud), host->machine->id)
                 : NULL;
        if (vm && (vm->seen.state <= CLOUD_RUNNING || vm->seen.state == CLOUD_STOPPED)) {
            sim_fail(sim, name, "%s is removed, and its machine %s is there", host->name,
                     vm->seen.id);
        }
    }
}

/* Whoever starts on a host about which nothing failed for long must have got somewhere. */
static void
sim_hold_apart(struct sim *sim, const char *name)
{
    int64_t long_ago = sim_mono(sim) - STARTING_MS;

    if (sim->book->started_ms > long_ago || engine_health(sim->engine, NULL) != ENGINE_SERVING)
        return;
    IDMAP_EACH(&engine_model(sim->engine)->instances, struct instance, instance)
    {
        const struct sim_row *row = sim_book_row(sim->book, instance->id);

        if (instance->state != INSTANCE_STARTING || !row || row->state != INSTANCE_STARTING ||
            row->since_ms > long_ago ||
            sim_book_host(sim->book, instance->host->id)->trouble_ms > long_ago)
            continue;
        sim_fail(sim, name, "%llx has been starting on %s for long",
                 (unsigned long long)instance->id, instance->host->name);
    }
}
