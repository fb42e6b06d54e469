/* What must hold when faults stopped long ago: nothing is under way; memory, disk, machines and the
 * provider agree. */

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/engine/status.h"

#include "sim_book.h"

#define FIXED  "15 a fixed point is reached"
#define LEAKED "2 no machine is leaked"
#define ORPHAN "11 no container is orphaned"
#define AGREE  "7 memory and disk agree"

static void
sim_rest_row(struct sim *sim, const struct instance *instance)
{
    const struct fake_row *row = fake_store_row(sim->store, ROW_INSTANCE, instance->id);

    if (!row || row->as.instance.state != instance->state ||
        row->as.instance.desired != instance->desired ||
        row->as.instance.generation != instance->generation ||
        row->as.instance.exit_code != instance->exit_code ||
        row->as.instance.attempts != instance->attempts ||
        row->as.instance.restarts != instance->restarts ||
        row->host_id != (instance->host ? instance->host->id : 0))
        sim_fail(sim, AGREE, "%llx", (unsigned long long)instance->id);
}

/* The oldest that waits is never held back: it waits for room alone. */
static void
sim_rest_queue(struct sim *sim)
{
    const struct instance *oldest = NULL;
    struct placement_ask ask;
    struct host *host;

    IDMAP_EACH(&engine_model(sim->engine)->instances, struct instance, instance)
    {
        if (instance->state == INSTANCE_QUEUED && (!oldest || instance->id < oldest->id))
            oldest = instance;
    }
    if (!oldest || oldest->retry_at_ms > engine_now_ms(sim->engine))
        return;
    ask = (struct placement_ask){ .pool = oldest->pool,
                                  .blueprint = oldest->blueprint,
                                  .amount = instance_amount(oldest),
                                  .owner = oldest->owner };
    if (placement_pick(engine_model(sim->engine)->placement, &ask, &host, NULL) == PLACEMENT_OK) {
        sim_fail(sim, FIXED, "%llx of %s waits, and there is room on %s",
                 (unsigned long long)oldest->id, oldest->owner, host->name);
    }
}

/* What waits in a pool that can grow has a reason to wait: its plan says what holds it back. */
static void
sim_rest_demand(struct sim *sim, struct pool *pool)
{
    int64_t now_ms = engine_now_ms(sim->engine);
    const struct instance *waits = NULL;
    struct json_out out;
    struct buf buf;

    IDMAP_EACH(&engine_model(sim->engine)->instances, struct instance, instance)
    {
        if (instance->state == INSTANCE_QUEUED && instance->pool == pool &&
            instance->retry_at_ms <= now_ms &&
            placement_labels_match(&pool->policy.labels, &instance->blueprint->spec.host_labels))
            waits = instance;
    }
    /* Who waits for a host without another of the same owner is not seen by the policy. */
    if (!waits || !pool_provider_rents(pool->provider) || pool->policy.anti_affinity > 0)
        return;
    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    engine_pool_plan(sim->engine, pool, 1, &out);
    if (!strstr(buf_text(&buf), "\"hold\":")) {
        sim_fail(sim, FIXED, "%llx waits in %s, and nothing says why",
                 (unsigned long long)waits->id, pool->name);
    }
    buf_fini(&buf);
}

static void
sim_rest_instance(struct sim *sim, const struct instance *instance)
{
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    const struct fake_container *container;

    sim_rest_row(sim, instance);
    if (instance_state_is_final((enum instance_state)instance->state)) {
        if (!instance->reason)
            sim_fail(sim, FIXED, "%llx ended without a reason", (unsigned long long)instance->id);
        return;
    }
    if (!instance->host)
        return;
    (void)instance_container_name(instance, name);
    container = fake_machine_find(sim_machine(sim, instance->host), name);
    if (instance->state != INSTANCE_RUNNING || !container ||
        container->seen.state != DOCKER_RUNNING) {
        sim_fail(sim, FIXED, "%s is %s on %s: %s", name,
                 instance_state_name((enum instance_state)instance->state), instance->host->name,
                 instance->reason ? instance->reason : "");
    }
}

static void
sim_rest_machine(struct sim *sim, const struct host *host)
{
    const struct fake_machine *machine = sim_machine(sim, host);
    struct fake_container *c = NULL;

    while (machine && (c = sim_container_next(machine, c))) {
        const struct instance *instance = NULL;
        int64_t id;

        if (!sim_is_ours(sim, c))
            continue;
        if (id_decode(ID_INSTANCE, c->seen.label_instance, &id))
            instance = idmap_find(&engine_model(sim->engine)->instances, id);
        if (!instance || instance->host != host ||
            (int64_t)instance->generation != c->seen.label_generation)
            sim_fail(sim, ORPHAN, "%s on %s", c->seen.name, host->name);
    }
}

static bool
sim_is_leaked(struct sim *sim, const struct fake_vm *vm)
{
    const struct host *host;

    if (vm->cluster[0] == '\0' || !fake_vm_is_alive(vm))
        return false;
    host = idmap_find(&engine_model(sim->engine)->hosts, vm->host_id);
    return !host || host->state == HOST_REMOVED || !host->machine || !host->machine->id ||
           strcmp(host->machine->id, vm->seen.id) != 0;
}

static void
sim_rest_leaks(struct sim *sim)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;

    while ((vm = fake_vm_next(vms, vm))) {
        if (sim_is_leaked(sim, vm)) {
            sim_fail(sim, LEAKED, "%s of %s has cost %lld millionths", vm->seen.id, vm->name,
                     (long long)fake_vm_cost_micro(vm));
        }
    }
}

void
sim_money_count(struct sim *sim)
{
    const struct fake_vms *vms = fake_cloud_vms(sim->cloud);
    const struct fake_vm *vm = NULL;

    while (sim->engine && (vm = fake_vm_next(vms, vm))) {
        if (vm->cluster[0] == '\0')
            continue;
        sim->stats.machine_s += (uint64_t)fake_vm_cost_ms(vm) / 1000;
        sim->stats.cost_micro += (uint64_t)fake_vm_cost_micro(vm);
        if (sim_is_leaked(sim, vm))
            sim->stats.leaked_micro += (uint64_t)fake_vm_cost_micro(vm);
    }
}

/* A policy may have taken capacity from under what runs: the doctor says so, and is right. */
static bool
sim_rest_overfull(struct sim *sim)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED &&
            host->reserved.memory_bytes > host->capacity.memory_bytes)
            return true;
    }
    return false;
}

/* Nothing is on its way, and each row has its machine; but what a person has set aside stays so. */
static void
sim_rest_host(struct sim *sim, const struct host *host)
{
    bool aside = host->state == HOST_INACTIVE && host->cause == CAUSE_OPERATOR;
    const struct fake_vm *vm;

    if (host->state == HOST_REMOVED || !host->machine || (aside && !host->machine->id))
        return;
    vm = host->machine->id ? fake_vm_by_id(fake_cloud_vms(sim->cloud), host->machine->id) : NULL;
    if (!vm || !fake_vm_is_alive(vm)) {
        sim_fail(sim, FIXED, "%s has no machine, and is %s", host->name,
                 host_state_name((enum host_state)host->state));
    }
    if ((host->state == HOST_SPAWNED && host->machine->stage != MACHINE_WARM) ||
        (host->state == HOST_INACTIVE && host->instance_count == 0 && !aside)) {
        sim_fail(sim, FIXED, "%s is %s, and its machine %s", host->name,
                 host_state_name((enum host_state)host->state),
                 machine_stage_name(host->machine->stage));
    }
}

/* So may one whose limits were lowered below what was launched and spent before. */
static size_t
sim_rest_beyond(struct sim *sim)
{
    size_t launches = 0;
    size_t money = 0;

    engine_status_count(sim->engine);
    IDMAP_EACH(&engine_model(sim->engine)->pools, struct pool, pool)
    {
        const struct status_plan *plan = &engine_status_pool(sim->engine, pool)->plan;
        const struct pool_policy *policy = &pool->policy;

        launches |= policy->launches_per_hour > 0 && plan->launches > policy->launches_per_hour;
        money |= policy->budget_per_month_milli > 0 &&
                 plan->spent_micro > policy->budget_per_month_milli * 1000;
    }
    return launches + money;
}

static void
sim_rest_doctor(struct sim *sim)
{
    size_t expected = sim_rest_overfull(sim) + sim_rest_beyond(sim);
    struct json_out out;
    struct buf buf;

    buf_init(&buf, 1 << 16);
    json_out_init(&out, &buf);
    if (engine_doctor(sim->engine, &out) > expected)
        sim_fail(sim, FIXED, "%s", buf_text(&buf));
    buf_fini(&buf);
}

static void
sim_rest_rows(struct sim *sim)
{
    const struct model *model = engine_model(sim->engine);

    if (fake_store_count(sim->store, ROW_INSTANCE) != model->instances.live) {
        sim_fail(sim, AGREE, "%zu instances on the disk, %zu in memory",
                 fake_store_count(sim->store, ROW_INSTANCE), model->instances.live);
    }
    IDMAP_EACH(&model->instances, struct instance, instance)
    {
        sim_rest_instance(sim, instance);
    }
}

static void
sim_rest_hosts(struct sim *sim)
{
    IDMAP_EACH(&engine_model(sim->engine)->hosts, struct host, host)
    {
        if (host->state != HOST_REMOVED)
            sim_rest_machine(sim, host);
        sim_rest_host(sim, host);
    }
}

static void
sim_rest_pools(struct sim *sim)
{
    IDMAP_EACH(&engine_model(sim->engine)->pools, struct pool, pool)
    {
        sim_rest_demand(sim, pool);
    }
}

void
sim_check_rest(struct sim *sim)
{
    if (engine_health(sim->engine, NULL) != ENGINE_SERVING)
        sim_fail(sim, FIXED, "it does not serve");
    sim_book_promises(sim, "7 what was acknowledged is durable");
    sim_book_answered(sim, "14 each request gets one answer");
    sim_rest_rows(sim);
    sim_rest_hosts(sim);
    sim_rest_queue(sim);
    sim_rest_pools(sim);
    sim_rest_leaks(sim);
    sim_limits_rest(sim);
    sim_rest_doctor(sim);
    sim->restless = sim->failed;
}
