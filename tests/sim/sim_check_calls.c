/* What must hold when a call leaves: the rows that it rests on are durable. */

#include <string.h>

#include "berth/base/id.h"

#include "sim_book.h"

#define OUTPUT_COMMIT "7 a call rests on durable rows"
#define WANTED        "8 what is wanted is not ended"
#define ALIEN         "3 what is not ours is left alone"

/* A canary runs on hosts only of which the disk says that they are suspended. */
static void
sim_check_canary(struct sim *sim, const struct docker_call *call)
{
    const struct fake_row *row = fake_store_row(sim->store, ROW_HOST, call->host_id);

    if (!row || !row->as.host.trial || row->as.host.trial->state != TRIAL_SUSPENDED)
        sim_fail(sim, OUTPUT_COMMIT, "%s of %s", docker_verb_name(call->verb), call->name);
}

/* A container may be made and started only for a row that is on the disk. */
static void
sim_check_begins(struct sim *sim, const struct docker_call *call)
{
    const struct fake_row *row;
    uint32_t generation;
    int64_t id;

    if (strncmp(call->name, "berth-canary-", strlen("berth-canary-")) == 0) {
        sim_check_canary(sim, call);
        return;
    }
    if (!instance_container_name_parse(call->name, &id, &generation)) {
        sim_fail(sim, OUTPUT_COMMIT, "%s names %s", docker_verb_name(call->verb), call->name);
        return;
    }
    row = fake_store_row(sim->store, ROW_INSTANCE, id);
    if (!row || row->host_id != call->host_id || row->as.instance.generation != generation ||
        row->as.instance.state != INSTANCE_STARTING)
        sim_fail(sim, OUTPUT_COMMIT, "%s of %s", docker_verb_name(call->verb), call->name);
}

/* What lives and is wanted, as far as the disk knows, must not be ended; but what was to leave its host
 * goes on leaving it when the host is activated again meanwhile. */
static void
sim_check_ends(struct sim *sim, const struct docker_call *call)
{
    struct fake_machine *machine = fake_docker_machine_of(sim->docker, call->host_id);
    const struct fake_container *container = fake_machine_find(machine, call->name);
    const struct fake_row *row;
    const struct fake_row *host;
    int64_t id;

    if (!container)
        return;
    if (!sim_is_ours(sim, container))
        sim_fail(sim, ALIEN, "%s of %s", docker_verb_name(call->verb), call->name);
    if (container->seen.state != DOCKER_RUNNING ||
        !id_decode(ID_INSTANCE, container->seen.label_instance, &id))
        return;
    row = fake_store_row(sim->store, ROW_INSTANCE, id);
    host = fake_store_row(sim->store, ROW_HOST, call->host_id);
    if (row && host && row->host_id == call->host_id && host->as.host.state == HOST_ACTIVE &&
        sim_book_host(sim->book, call->host_id)->left_start != sim->book->starts &&
        row->as.instance.generation == container->seen.label_generation &&
        row->as.instance.state == INSTANCE_RUNNING && row->as.instance.desired == INSTANCE_RUNNING)
        sim_fail(sim, WANTED, "%s of %s", docker_verb_name(call->verb), call->name);
}

void
sim_check_docker(struct sim *sim, const struct docker_call *call, const struct fake_fate *fate)
{
    if (fate->kind != FAULT_NONE) {
        sim_book_host(sim->book, call->host_id)->trouble_ms = sim_mono(sim);
        if (fault_rule(fate->kind)->blame == BLAME_HOST)
            sim_blame(sim, fake_docker_machine_of(sim->docker, call->host_id));
    }
    if (call->verb == DOCKER_CREATE || call->verb == DOCKER_START) {
        sim_check_begins(sim, call);
    } else if (call->verb == DOCKER_STOP || call->verb == DOCKER_REMOVE) {
        sim_check_ends(sim, call);
    }
}

static void
sim_check_launch(struct sim *sim, const struct cloud_call *call)
{
    const struct fake_row *row = fake_store_row(sim->store, ROW_HOST, call->in.launch.host_id);
    const struct machine *machine = row ? row->as.host.machine : NULL;

    sim->stats.machines++;
    if (!machine || machine->launched_at_ms == 0 || row->as.host.state != HOST_SPAWNED ||
        machine->stage > MACHINE_BOOTING || strcmp(machine->type, call->in.launch.type) != 0)
        sim_fail(sim, OUTPUT_COMMIT, "launch of %s", call->in.launch.host_name);
}

/* A machine that is wanted, as far as the disk knows, must not be given back. */
static void
sim_check_terminate(struct sim *sim, const struct cloud_call *call)
{
    const struct fake_vm *vm = fake_vm_by_id(fake_cloud_vms(sim->cloud), call->in.id);
    const struct fake_row *row = vm ? fake_store_row(sim->store, ROW_HOST, vm->host_id) : NULL;
    const struct machine *machine = row ? row->as.host.machine : NULL;

    if (!machine || row->as.host.state == HOST_REMOVED || machine->stage == MACHINE_RETURNING ||
        (machine->id && strcmp(machine->id, vm->seen.id) != 0))
        return;
    sim_fail(sim, WANTED, "terminate %s of %s, which is %s", call->in.id, vm->name,
             host_state_name((enum host_state)row->as.host.state));
}

void
sim_check_cloud(struct sim *sim, const struct cloud_call *call)
{
    if (call->verb == CLOUD_LAUNCH) {
        sim_check_launch(sim, call);
    } else if (call->verb == CLOUD_TERMINATE) {
        sim_check_terminate(sim, call);
    }
}
