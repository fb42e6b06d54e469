/* What becomes of rented machines behind the daemon's back, and of pools that nobody needs any more. */

#include <string.h>

#include "sim_book.h"

bool
sim_is_known(struct sim *sim, const struct fake_vm *vm)
{
    const struct fake_row *row = fake_store_row(sim->store, ROW_HOST, vm->host_id);
    const struct machine *machine = row ? row->as.host.machine : NULL;

    return machine && machine->id && strcmp(machine->id, vm->seen.id) == 0;
}

/* Somebody deletes it, stops it, or tidies up its tags. */
static void
sim_meddle(struct sim *sim, struct fake_vm *vm)
{
    switch (sim_random(sim, 4)) {
    case 0:
        if (vm->seen.state == CLOUD_RUNNING && !vm->seen.spot) {
            sim_trace(sim, "act %s is stopped by hand", vm->seen.id);
            (void)fake_vm_stop(vm);
        }
        break;
    case 1:
        if (sim_is_known(sim, vm)) {
            sim_trace(sim, "act %s loses its tag", vm->seen.id);
            vm->seen.host_id = 0;
        }
        break;
    default:
        sim_trace(sim, "act %s vanishes", vm->seen.id);
        fake_vm_vanish(vm);
        break;
    }
}

void
sim_act_cloud(struct sim *sim)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    struct fake_vm *vm = NULL;

    if (!sim_chance(sim, 3 * sim->plan.vm_faults))
        return;
    while ((vm = fake_vm_next(vms, vm))) {
        if (vm->cluster[0] && fake_vm_is_alive(vm) && sim_random(sim, 4) == 0) {
            sim_meddle(sim, vm);
            return;
        }
    }
}

/* Machines end themselves when nobody has looked after them for long. */
static void
sim_dead_man(struct sim *sim)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (vm->cluster[0] && vm->engine && fake_vm_is_alive(vm))
            fake_vm_vanish(vm);
    }
}

void
sim_act_down(struct sim *sim)
{
    static const int64_t minutes[] = { 0, 0, 0, 0, 1, 20, 180, 1800 };
    int64_t ms = minutes[sim_random(sim, ARRAY_LEN(minutes))] * 60000;
    int64_t until = sim_mono(sim) + ms;

    if (ms == 0 || sim->quiet)
        return;
    sim_trace(sim, "it is down for %lld min", (long long)(ms / 60000));
    while (fake_clock_next(sim->clock, until)) {
    }
    fake_clock_advance(sim->clock, until - sim_mono(sim));
    if (ms >= SIM_DEAD_MAN_MS && sim_random(sim, 2))
        sim_dead_man(sim);
    sim->stats.down_s += (uint64_t)ms / 1000;
    sim_book_pause(sim->book, ms);
}

/* A pool is emptied; sim_act_operation() or a new policy may take that back. */
void
sim_act_shutdown(struct sim *sim)
{
    struct pool_shutdown wanted = { .pool = sim_rented_names[0], .owner = "op" };
    struct operation *operation;
    struct fault fault;

    if (sim->plan.rented_pools == 0 || sim->plan.fleet || sim_random(sim, 4))
        return;
    wanted.deadline_ms = (int64_t)sim_random(sim, 1200000);
    sim_trace(sim, "act shut %s down", wanted.pool);
    sim->stats.shutdowns += engine_pool_shutdown(sim->engine, &wanted, &operation, &fault) == 0;
}

/* Hosts of another one are replaced, or it is run again, one at a time: a large pool would not come to rest. */
void
sim_act_playbook(struct sim *sim)
{
    static const char *const revisions[] = { "0000000000000001", "0000000000000002" };
    const char *revision = revisions[sim_random(sim, ARRAY_LEN(revisions))];

    if (sim->plan.fleet || sim_random(sim, 2))
        return;
    sim_trace(sim, "act the playbook is %s", revision);
    fake_shell_revision_set(sim->shell, revision);
}
