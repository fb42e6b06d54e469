#include <string.h>

#include "inventory.h"
#include "lane.h"
#include "mind.h"
#include "state.h"
#include "upkeep.h"

enum { DOCTOR_MILLI_MICRO = 1000 };

/* One check over the live model; a detail is given for the first that fails. */
struct doctor {
    struct json_out *out;
    size_t failed;
};

static void
doctor_tell(struct doctor *doctor, const char *check, bool ok, const char *detail)
{
    json_out_object(doctor->out);
    json_out_kv_string(doctor->out, "check", check);
    json_out_kv_bool(doctor->out, "ok", ok);
    json_out_kv_string(doctor->out, "detail", detail);
    json_out_object_end(doctor->out);
    doctor->failed += !ok;
}

static void
doctor_store(const struct engine *engine, struct doctor *doctor)
{
    bool ok = engine->health == ENGINE_SERVING || engine->health == ENGINE_STOPPING;

    doctor_tell(doctor, "the database can be written", ok, ok ? NULL : engine->why.text);
}

/* What a host's instances add up to. */
static struct host_amount
doctor_sum(const struct host *host, uint32_t *ret_count)
{
    struct host_amount sum = { 0 };

    *ret_count = 0;
    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        struct host_amount one = instance_amount(CONTAINER_OF(node, struct instance, node));

        sum.memory_bytes += one.memory_bytes;
        sum.cpus_milli += one.cpus_milli;
        sum.slots += one.slots;
        (*ret_count)++;
    }
    return sum;
}

static void
doctor_reservations(const struct engine *engine, struct doctor *doctor)
{
    const char *beyond = NULL;
    const char *wrong = NULL;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        uint32_t count;
        struct host_amount sum = doctor_sum(host, &count);

        if (host->state == HOST_REMOVED)
            continue;
        if (host->reserved.memory_bytes > host->capacity.memory_bytes && host->seen)
            beyond = host->name;
        if (sum.memory_bytes != host->reserved.memory_bytes || count != host->instance_count)
            wrong = host->name;
    }
    doctor_tell(doctor, "reservations are within each host's capacity", !beyond, beyond);
    doctor_tell(doctor, "reservations are the sum of what is placed", !wrong, wrong);
}

static void
doctor_hosts(const struct engine *engine, struct doctor *doctor)
{
    const char *silent = NULL;
    const char *ends = NULL;
    const char *removed = NULL;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->state == HOST_ACTIVE && !host->reachable)
            silent = host->name;
        if (host->state != HOST_REMOVED && upkeep_certificate_is_late(host, state_now_ms(engine)))
            ends = host->name;
        if (host->state == HOST_REMOVED && host->instance_count > 0)
            removed = host->name;
    }
    doctor_tell(doctor, "each active host answers", !silent, silent);
    doctor_tell(doctor, "no certificate of an engine is about to end", !ends, ends);
    doctor_tell(doctor, "nothing is placed on a removed host", !removed, removed);
}

/* Machines that cost while nobody says how many there should be. */
static void
doctor_places(const struct engine *engine, struct doctor *doctor)
{
    const char *left = NULL;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED && host_is_rented(host) && host->pool->left)
            left = host->pool->name;
    }
    doctor_tell(doctor, "each pool with rented machines is in the configuration", !left, left);
}

static bool
doctor_instance_is_right(const struct instance *instance)
{
    bool placed = instance->state == INSTANCE_STARTING || instance->state == INSTANCE_RUNNING ||
                  instance->state == INSTANCE_STOPPING;

    return placed == (instance->host != NULL) &&
           (!placed || (instance->generation > 0 && instance->host->state != HOST_REMOVED));
}

static void
doctor_instances(const struct engine *engine, struct doctor *doctor)
{
    char id[ID_TEXT_SIZE];
    const char *wrong = NULL;
    const char *stuck = NULL;
    char stuck_id[ID_TEXT_SIZE];

    IDMAP_EACH(&engine->model->instances, struct instance, instance)
    {
        if (!wrong && !doctor_instance_is_right(instance))
            wrong = id_encode(ID_INSTANCE, instance->id, id);
        if (!stuck && !instance->work && instance->host && instance->host->reachable &&
            (instance->state == INSTANCE_STARTING || instance->state == INSTANCE_STOPPING))
            stuck = id_encode(ID_INSTANCE, instance->id, stuck_id);
    }
    doctor_tell(doctor, "each instance has a host exactly when its state needs one", !wrong, wrong);
    doctor_tell(doctor, "nobody forgot an instance on its way", !stuck, stuck);
}

/* --- Rented machines ---------------------------------------------------------------------------- */

static int
doctor_by_machine(const void *lhs, const void *rhs)
{
    const struct host *const *x = lhs;
    const struct host *const *y = rhs;

    return strcmp((*x)->machine->id, (*y)->machine->id);
}

/* The hosts that have a machine, sorted by it: two of the same stand side by side. */
static const char *
doctor_twice(const struct engine *engine)
{
    const struct model *model = engine->model;
    const struct host **hosts =
        mem_resize(NULL, model->hosts.live + 1, sizeof(const struct host *));
    const char *twice = NULL;
    size_t count = 0;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED && host->machine && host->machine->id)
            hosts[count++] = host;
    }
    qsort(hosts, count, sizeof(const struct host *), doctor_by_machine);
    for (size_t i = 1; i < count; i++) {
        if (doctor_by_machine(&hosts[i - 1], &hosts[i]) == 0)
            twice = hosts[i]->name;
    }
    free(hosts);
    return twice;
}

static bool
doctor_machine_is_right(const struct host *host)
{
    return host->state != HOST_ACTIVE || !host->machine ||
           ((host->machine->id || !host_is_rented(host)) && host->machine->stage == MACHINE_READY);
}

static void
doctor_machines(const struct engine *engine, struct doctor *doctor)
{
    const char *twice = doctor_twice(engine);
    const char *without = NULL;
    const char *late = NULL;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (!doctor_machine_is_right(host))
            without = host->name;
    }
    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        if (inventory_late(mind) > 0)
            late = mind->pool->name;
    }
    doctor_tell(doctor, "no machine stands for two hosts", !twice, twice);
    doctor_tell(doctor, "each active host on a machine that Berth prepares has it, prepared",
                !without, without);
    doctor_tell(doctor, "no rented machine is without a host", !late, late);
}

/* As of the last round. */
static void
doctor_limits(const struct engine *engine, struct doctor *doctor)
{
    const char *launches = NULL;
    const char *money = NULL;

    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        const struct status_plan *plan = &mind->status.plan;
        const struct pool_policy *policy = &mind->pool->policy;

        if (policy->launches_per_hour > 0 && plan->launches > policy->launches_per_hour)
            launches = mind->pool->name;
        if (policy->budget_per_month_milli > 0 &&
            plan->spent_micro > policy->budget_per_month_milli * DOCTOR_MILLI_MICRO)
            money = mind->pool->name;
    }
    doctor_tell(doctor, "launches of the last hour are within each pool's limit", !launches,
                launches);
    doctor_tell(doctor, "money of this month is within each pool's budget", !money, money);
}

static void
doctor_operations(const struct engine *engine, struct doctor *doctor)
{
    const char *waits = NULL;

    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        const struct host *host = idmap_find(&engine->model->hosts, operation->host_id);

        if (operation->state == OPERATION_RUNNING && host && host->state == HOST_REMOVED)
            waits = host->name;
    }
    doctor_tell(doctor, "no operation waits for a removed host", !waits, waits);
}

size_t
engine_doctor(const struct engine *engine, struct json_out *out)
{
    struct doctor doctor = { .out = out };

    json_out_array(out);
    doctor_store(engine, &doctor);
    doctor_reservations(engine, &doctor);
    doctor_hosts(engine, &doctor);
    doctor_places(engine, &doctor);
    doctor_instances(engine, &doctor);
    doctor_machines(engine, &doctor);
    doctor_limits(engine, &doctor);
    doctor_operations(engine, &doctor);
    json_out_array_end(out);
    return doctor.failed;
}
