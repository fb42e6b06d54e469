/* What becomes of each call to a port, and of machines and the disk. */

#include <stdio.h>
#include <string.h>

#include "sim_book.h"

enum { STORM_MAX_MS = 70 * 60000, SLOW_MIN_MS = 10000, SLOW_MS = 120000, GIVEN_UP_MS = 30000 };

static struct fake_fate
sim_fate_latency(struct sim *sim, int64_t least_ms, uint64_t spread_ms)
{
    return (struct fake_fate){ .latency_ms = least_ms + (int64_t)sim_random(sim, spread_ms) };
}

/* --- Engines -------------------------------------------------------------------------------- */

static struct fake_fate
sim_fate_docker(void *cookie, const struct docker_call *call)
{
    static const enum fault_kind kinds[] = {
        FAULT_UNREACHABLE, FAULT_TIMEOUT, FAULT_LOST,           FAULT_GARBLED,
        FAULT_ENGINE,      FAULT_TLS,     FAULT_ENGINE_REFUSED, FAULT_REGISTRY,
    };
    struct sim *sim = cookie;
    struct fake_fate fate = sim_fate_latency(sim, 1, 40);

    sim->stats.calls++;
    if (!sim->quiet && sim_chance(sim, sim->plan.docker_faults)) {
        fate.kind = kinds[sim_random(sim, ARRAY_LEN(kinds))];
        if (fault_rule(fate.kind)->unsure)
            fate.effect = (enum fake_effect)sim_random(sim, 3);
        fate.late_ms = 1 + (int64_t)sim_random(sim, sim_random(sim, 2) ? 50 : 90000);
        sim->stats.faults_docker[fate.kind]++;
    } else if (call->verb == DOCKER_PULL && strcmp(call->name, "bad:1") == 0) {
        fate.kind = FAULT_IMAGE;
    }
    sim_trace(sim, "docker %s %llx %s%s%s%s", docker_verb_name(call->verb),
              (unsigned long long)call->host_id, call->name ? call->name : "-",
              fate.kind ? " " : "", fate.kind ? fault_rule(fate.kind)->code : "",
              fate.kind && fate.effect ? ", but done" : "");
    sim_check_docker(sim, call, &fate);
    return fate;
}

/* Now and then a container that was started does not run, or ends at once. */
static void
sim_fate_on_start(void *cookie, struct fake_machine *machine, struct fake_container *container)
{
    struct sim *sim = cookie;

    if (strcmp(container->seen.image, "mute:1") == 0)
        container->ready = false;
    if (container->seen.state != DOCKER_RUNNING || sim->quiet ||
        !sim_chance(sim, sim->plan.docker_faults))
        return;
    sim_trace(sim, "%s does not go on", container->seen.name);
    sim_blame(sim, machine);
    if (sim_random(sim, 2)) {
        fake_machine_end(machine, container, (int32_t)sim_random(sim, 3), false);
    } else {
        sim_blame(sim, machine); /* it said that it was started */
        container->seen.state = DOCKER_CREATED;
        container->seen.port_count = 0;
    }
}

/* --- The provider and playbooks ------------------------------------------------------------- */

static void
sim_fate_life(struct sim *sim, const struct cloud_call *call, struct fake_vm_life *life)
{
    const struct pool_machine *types = call->pool->machines.at;

    life->boot_ms = 5000 + (int64_t)sim_random(sim, 60000 / sim->plan.haste);
    life->hidden_ms = (int64_t)sim_random(sim, 20000 / sim->plan.haste);
    life->stop_ms = (int64_t)sim_random(sim, 60000 / sim->plan.haste);
    if (sim->quiet || !sim_chance(sim, sim->plan.vm_faults))
        return;
    switch (sim_random(sim, 5)) {
    case 4:
        life->ends_ms = 1 + (int64_t)sim_random(sim, (uint64_t)life->boot_ms);
        break;
    case 0:
        life->boot_ms = -1;
        life->console = "Kernel panic - not syncing\n";
        break;
    case 1:
        life->mute = true;
        break;
    case 2:
        life->spot_micro = 1 + types[0].price_micro / 3;
        life->notice = true;
        life->ends_ms = FAKE_VM_NOTICE_MS + (int64_t)sim_random(sim, 7200000);
        break;
    default:
        life->ends_ms = 1 + (int64_t)sim_random(sim, 3600000);
        break;
    }
}

/* An API that answers 500 for an hour, credentials that have ended, an account at its limit, no room. */
static bool
sim_is_storm(struct sim *sim, const struct cloud_call *call)
{
    static const enum fault_kind kinds[] = { FAULT_CLOUD_FAILED, FAULT_CLOUD_DENIED,
                                             FAULT_CLOUD_THROTTLED, FAULT_CLOUD_LIMIT,
                                             FAULT_CLOUD_CAPACITY };

    if (sim->quiet)
        return false;
    if (sim_mono(sim) >= sim->storm_ends_ms && sim_chance(sim, sim->plan.storms)) {
        sim->storm = kinds[sim_random(sim, ARRAY_LEN(kinds))];
        sim->storm_ends_ms = sim_mono(sim) + 1 + (int64_t)sim_random(sim, STORM_MAX_MS);
        sim->stats.storms++;
        sim->stats.storms_s += (uint64_t)(sim->storm_ends_ms - sim_mono(sim)) / 1000 + 1;
        sim_trace(sim, "the provider fails for long: %s", fault_rule(sim->storm)->code);
    }
    return sim_mono(sim) < sim->storm_ends_ms &&
           (call->verb == CLOUD_LAUNCH ||
            (sim->storm != FAULT_CLOUD_LIMIT && sim->storm != FAULT_CLOUD_CAPACITY));
}

/* It is done and nobody hears of it for long, or it is not even looked at for long. */
static void
sim_fate_slow(struct sim *sim, struct fake_cloud_fate *fate)
{
    fate->first = sim_random(sim, 2);
    if (sim_chance(sim, sim->plan.cloud_faults / 4))
        fate->how.latency_ms = SLOW_MIN_MS + (int64_t)sim_random(sim, SLOW_MS);
}

/* A machine is missing from one complete listing, never from two in a row: then it would count as gone. */
static void
sim_fate_list(struct sim *sim, const struct cloud_call *call, struct fake_cloud_fate *fate)
{
    struct sim_pool *pool = sim_book_pool(sim->book, call->pool->id);
    bool told =
        !fate->incomplete && fate->how.kind == FAULT_NONE && fate->how.latency_ms < GIVEN_UP_MS;

    if (pool->missed) {
        pool->missed = !told;
    } else if (told && sim_chance(sim, sim->plan.cloud_faults)) {
        fate->misses = 1 + (uint32_t)sim_random(sim, call->pool->hosts + 1);
        pool->missed = true;
    }
}

static void
sim_fate_refuse(struct sim *sim, const struct cloud_call *call, struct fake_fate *how)
{
    static const enum fault_kind kinds[] = {
        FAULT_CLOUD_CAPACITY, FAULT_CLOUD_LIMIT,  FAULT_CLOUD_THROTTLED, FAULT_CLOUD_DENIED,
        FAULT_CLOUD_FAILED,   FAULT_CLOUD_UNSURE, FAULT_CLOUD_UNSURE,
    };

    if (sim_is_storm(sim, call)) {
        how->kind = sim->storm;
    } else if (!sim->quiet && sim_chance(sim, sim->plan.cloud_faults)) {
        /* Only what begins lacks capacity. */
        how->kind = kinds[call->verb == CLOUD_LAUNCH || call->verb == CLOUD_START
                              ? sim_random(sim, ARRAY_LEN(kinds))
                              : 2 + sim_random(sim, 5)];
        if (fault_rule(how->kind)->unsure)
            how->effect = (enum fake_effect)sim_random(sim, 3);
        how->late_ms = 1 + (int64_t)sim_random(sim, 90000);
    }
    if (how->kind != FAULT_NONE)
        sim->stats.faults_cloud[how->kind]++;
}

static struct fake_cloud_fate
sim_fate_cloud(void *cookie, const struct cloud_call *call)
{
    struct sim *sim = cookie;
    struct fake_cloud_fate fate = fake_cloud_fate_usual();

    fate.how = sim_fate_latency(sim, 50, 2000);
    sim_fate_life(sim, call, &fate.life);
    sim_fate_refuse(sim, call, &fate.how);
    fate.incomplete = !sim->quiet && sim_chance(sim, sim->plan.cloud_faults);
    fate.forget = !sim->quiet && sim_chance(sim, sim->plan.cloud_faults);
    if (!sim->quiet)
        sim_fate_slow(sim, &fate);
    if (!sim->quiet && call->verb == CLOUD_LIST)
        sim_fate_list(sim, call, &fate);
    sim_trace(sim, "cloud %s %s%s%s%s", cloud_verb_name(call->verb),
              call->verb == CLOUD_LAUNCH ? call->in.launch.host_name
                                         : (call->in.id ? call->in.id : ""),
              fate.how.kind ? " " : "", fate.how.kind ? fault_rule(fate.how.kind)->code : "",
              call->verb == CLOUD_TERMINATE && fate.forget ? ", forgotten" : "");
    sim_check_cloud(sim, call);
    return fate;
}

static struct fake_shell_fate
sim_fate_shell(void *cookie, const struct shell_prepare *prepare)
{
    static const enum fault_kind kinds[] = { FAULT_PREPARE, FAULT_TIMEOUT, FAULT_LOST,
                                             FAULT_UNREACHABLE };
    struct sim *sim = cookie;
    struct fake_shell_fate fate = {
        .step_ms = 500 + (int64_t)sim_random(sim, 30000 / sim->plan.haste),
    };

    sim->stats.preparations++;
    if (!sim->quiet && sim_chance(sim, sim->plan.shell_faults)) {
        fate.kind = kinds[sim_random(sim, ARRAY_LEN(kinds))];
        fate.fails_at = (uint32_t)sim_random(sim, FAKE_SHELL_STEPS);
        sim->stats.faults_shell[fate.kind]++;
    } else if (!sim->quiet) {
        fate.mute = sim_chance(sim, sim->plan.shell_faults / 4);
    }
    sim_trace(sim, "prepare %s%s%s", prepare->host->name, fate.kind ? " " : "",
              fate.kind ? fault_rule(fate.kind)->code : (fate.mute ? " in vain" : ""));
    return fate;
}

void
sim_fate_init(struct sim *sim)
{
    fake_docker_fate(sim->docker, sim_fate_docker, sim);
    fake_docker_on_start(sim->docker, sim_fate_on_start, sim);
    fake_cloud_fate(sim->cloud, sim_fate_cloud, sim);
    fake_shell_fate(sim->shell, sim_fate_shell, sim);
    (void)fake_cloud_alien_add(sim->cloud);
}

/* --- The disk ------------------------------------------------------------------------------- */

const struct fault *
sim_fate_disk(struct sim *sim, struct fault *fault)
{
    enum fault_kind kind = sim_random(sim, 2) ? FAULT_STORAGE_FULL : FAULT_STORAGE;

    if (sim->quiet || sim->disk_good_ms > 0 || !sim_chance(sim, sim->plan.disk_faults))
        return NULL;
    (void)fault_set(fault, kind, "sim", "made up: the disk");
    if (sim_random(sim, 2)) {
        /* For a while: the break itself fails this commit. */
        sim->disk_good_ms = sim_mono(sim) + 1 + (int64_t)sim_random(sim, 60000);
        fake_store_break(sim->store, fault, sim_random(sim, 200));
    }
    return fault;
}

bool
sim_is_there(struct sim *sim, const struct host *host)
{
    const struct fake_vm *vm;

    if (!host->machine)
        return true;
    vm = host->machine->id ? fake_vm_by_id(fake_cloud_vms(sim->cloud), host->machine->id) : NULL;
    return vm && vm->engine && vm->engine == sim_machine(sim, host);
}

/* A machine that is gone stays gone, and one that was prepared in vain does not come right. */
static void
sim_fate_heal_host(struct sim *sim, const struct host *host)
{
    struct fake_machine *machine = sim_machine(sim, host);

    if (host->state == HOST_REMOVED || !machine || !sim_is_there(sim, host) ||
        (host->machine && host->state == HOST_SPAWNED))
        return;
    machine->unreachable = machine->hung = false;
}

void
sim_fate_heal(struct sim *sim)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    struct fake_vm *vm = NULL;

    sim->disk_good_ms = 0;
    fake_store_break(sim->store, NULL, 0);
    while ((vm = fake_vm_next(vms, vm)))
        vm->life.ends_ms = 0;
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        sim_fate_heal_host(sim, host);
    }
}
