#include "outlook.h"

#include <string.h>

#include "berth/base/digest.h"

#include "lane.h"
#include "mind.h"
#include "rental.h"
#include "sweep.h"
#include "upkeep.h"

enum {
    OUTLOOK_GRACE_MS = 30000, /* a host may be silent before it is missed */
    OUTLOOK_LOOKS_MAX = 32,   /* lines of the queue that a host is sought for in a round */
};

int32_t
outlook_machine_index(const struct host *host)
{
    const struct pool_machine *types = host->pool->machines.at;

    for (size_t i = 0; host_is_rented(host) && i < host->pool->machines.count; i++) {
        if (strcmp(types[i].type, host->machine->type) == 0)
            return (int32_t)i;
    }
    return -1;
}

/* One that is silent for a moment, or was not looked at yet, is not missed. */
static bool
outlook_takes_work(const struct engine *engine, const struct host *host, int64_t now_ms)
{
    const struct lane *lane = host->lane;
    int64_t mono_ms = state_mono_ms(engine);

    if (host->state != HOST_ACTIVE || !lane || host->trial ||
        score_at(&host->score, now_ms) > host->pool->policy.error_threshold_milli)
        return false;
    return lane->state != LANE_BROKEN || mono_ms - lane->broken_mono_ms < OUTLOOK_GRACE_MS;
}

/* A machine that is not rented cannot be replaced: it stays on trial, and people are told. */
static bool
outlook_is_untrusted(const struct engine *engine, const struct host *host)
{
    const struct lane *lane = host->lane;

    if (!host_is_rented(host))
        return false;
    if (host->trial && trial_is_untrusted(host->trial, host->pool->policy.suspended_max_ms))
        return true;
    return lane && lane->state == LANE_BROKEN && host->pool->policy.suspended_max_ms > 0 &&
           state_mono_ms(engine) - lane->broken_mono_ms >= host->pool->policy.suspended_max_ms;
}

static bool
outlook_is_busy(const struct engine *engine, const struct host *host)
{
    const struct rental *rental = host->machine ? rental_find(engine, host) : NULL;

    /* What is done to a host while it serves keeps none that does not serve any more. */
    return host->lost || host->remove_when_empty ||
           (rental && rental_is_busy(rental) && !(rental->upkeep && host->state == HOST_INACTIVE));
}

static uint32_t
outlook_movable(const struct host *host)
{
    uint32_t count = 0;

    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        const struct instance *instance = CONTAINER_OF(node, struct instance, node);

        count += instance->state == INSTANCE_STARTING ||
                 instance->blueprint->spec.restart.policy == RESTART_ALWAYS;
    }
    return count;
}

static void
outlook_host(const struct engine *engine, const struct host *host, struct policy_host *ret)
{
    int64_t now_ms = state_now_ms(engine);

    *ret = (struct policy_host){
        .id = host->id,
        .name = host->name,
        .state = host->state,
        .stage = host_is_rented(host) ? host->machine->stage : MACHINE_READY,
        .cause = host->cause,
        .capacity = host->capacity,
        .reserved = host->reserved,
        .instances = host->instance_count,
        .movable = outlook_movable(host),
        .uses = host->uses,
        .machine = outlook_machine_index(host),
        .created_at_ms = host->created_at_ms,
        .active_at_ms = host->active_at_ms,
        .first_used_at_ms = host->first_used_at_ms,
        .ends_at_ms = host->ends_at_ms,
        .takes_work = outlook_takes_work(engine, host, now_ms),
        .untrusted = outlook_is_untrusted(engine, host),
        .busy = outlook_is_busy(engine, host),
    };
    if (!host_is_rented(host))
        return;
    ret->prepare_failures = (uint32_t)host->machine->prepare_failures;
    ret->price_micro = host->machine->price_micro;
    ret->launched_at_ms = host->machine->launched_at_ms;
    ret->warm = host->state == HOST_SPAWNED && host->machine->warm;
}

/* One at a time: the oldest, when none is on its way out; one that a person keeps aside is not. */
static void
outlook_outdated(const struct engine *engine, const struct pool *pool, struct policy_host *hosts,
                 size_t count)
{
    struct policy_host *first = NULL;

    if (pool->policy.playbook_drift != PLAYBOOK_REPLACE)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct host *host = idmap_find(&engine->model->hosts, hosts[i].id);

        if (host->state == HOST_INACTIVE && host->cause != CAUSE_OPERATOR)
            return;
        if (!first && host->state == HOST_ACTIVE && host_is_rented(host) &&
            upkeep_drift(engine, host) == DRIFT_DIFFERS)
            first = &hosts[i];
    }
    if (first)
        first->outdated = true;
}

static size_t
outlook_hosts_fill(const struct engine *engine, const struct pool *pool, struct policy_host *hosts)
{
    size_t count = 0;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool == pool && host->state != HOST_REMOVED)
            outlook_host(engine, host, &hosts[count++]);
    }
    outlook_outdated(engine, pool, hosts, count);
    return count;
}

/* Those of one owner that the same hosts can take: neighbours in the queue. */
struct outlook_line {
    const struct instance *first; /* NULL: none yet */
    uint32_t count;               /* of those that are barred */
    uint32_t looks;               /* placements tried so far, for all lines */
    bool barred;                  /* from each host that is there, though one may have room */
};

static bool
outlook_look(const struct engine *engine, const struct instance *instance)
{
    struct placement_ask ask;
    struct placement_why why;
    struct host *host;

    sweep_ask(engine, instance, &ask);
    if (placement_pick(engine->model->placement, &ask, &host, &why) == PLACEMENT_OK)
        return false;
    return why.counts[PLACEMENT_LABELS] > 0 || why.counts[PLACEMENT_PORTS] > 0 ||
           why.counts[PLACEMENT_OWNER] > 0;
}

/* Only where something but room decides, and not at once: a host may be silent for a moment. */
static bool
outlook_is_barred(const struct engine *engine, const struct instance *instance,
                  struct outlook_line *line)
{
    const struct pool *pool = instance->pool;
    int64_t waited_ms = state_now_ms(engine) - instance->moved_at_ms;

    if (engine->joins_pending > 0 || waited_ms < OUTLOOK_GRACE_MS)
        return false;
    if (!line->first || line->first->owner != instance->owner ||
        line->first->blueprint->hosts_key != instance->blueprint->hosts_key) {
        bool picky = pool->policy.anti_affinity > 0 || instance->blueprint->fixed_ports > 0 ||
                     instance->blueprint->spec.host_labels.count > 0;

        line->first = instance;
        line->count = 0;
        line->barred = picky && line->looks < OUTLOOK_LOOKS_MAX && outlook_look(engine, instance);
        line->looks += picky;
    }
    line->count += line->barred;
    return line->barred;
}

/* So many new hosts at least are needed for those of @line up to now. */
static int64_t
outlook_line_hosts(const struct outlook_line *line)
{
    int64_t each = line->first->pool->policy.anti_affinity;

    if (line->first->blueprint->fixed_ports > 0)
        return line->count;
    return each > 0 ? (line->count + each - 1) / each : 1;
}

/* A new host carries its pool's labels, and no others. */
void
outlook_demand(const struct engine *engine, const struct pool *pool,
               struct policy_demand *ret_demand)
{
    struct queue_cursor cursor = { 0 };
    struct outlook_line line = { 0 };
    int64_t now_ms = state_now_ms(engine);
    const struct instance *instance;

    *ret_demand = (struct policy_demand){ 0 };
    while ((instance = queue_waiting_next(engine->model->queue, pool, &cursor))) {
        struct host_amount amount = instance_amount(instance);

        if (instance->retry_at_ms > now_ms)
            continue;
        if (!placement_labels_match(&pool->policy.labels, &instance->blueprint->spec.host_labels)) {
            ret_demand->strangers++;
            continue;
        }
        if (policy_demand_add(ret_demand, pool, &amount, now_ms - instance->moved_at_ms) &&
            outlook_is_barred(engine, instance, &line))
            policy_demand_bar(ret_demand, &amount, outlook_line_hosts(&line));
    }
}

bool
outlook_could_ever(const struct engine *engine, const struct placement_ask *ask)
{
    const struct pool *pool = ask->pool;

    if (pool->hosts == 0 || engine->joins_pending > 0 ||
        placement_could_ever(engine->model->placement, ask))
        return true;
    return placement_labels_match(&pool->policy.labels, &ask->blueprint->spec.host_labels) &&
           policy_could_launch(pool, &ask->amount);
}

/* A zone that is gone from the machine since the policy was accepted counts as UTC. */
static void
outlook_zones_fill(const struct engine *engine, const struct pool *pool, struct outlook *outlook)
{
    const struct zone_port *zones = engine->ports.zones;
    const struct pool_schedule *schedules = pool->policy.schedules.at;

    for (size_t i = 0; zones && i < pool->policy.schedules.count; i++) {
        if (schedules[i].time_zone)
            outlook->zones[i] = zones->find(zones->self, schedules[i].time_zone);
    }
    outlook->view.zones = outlook->zones;
}

void
outlook_init(struct engine *engine, struct pool *pool, struct outlook *ret_outlook)
{
    struct mind *mind = mind_of(engine, pool);
    int64_t now_ms = state_now_ms(engine);
    int64_t free_in_ms;
    int64_t held_ms = mind_held_ms(mind);

    *ret_outlook = (struct outlook){
        .hosts = mem_new0((pool->hosts + 1) * sizeof(struct policy_host)),
        .view = { .pool = pool, .now_ms = now_ms },
    };
    ret_outlook->view.hosts = ret_outlook->hosts;
    ret_outlook->view.host_count = outlook_hosts_fill(engine, pool, ret_outlook->hosts);
    outlook_zones_fill(engine, pool, ret_outlook);
    outlook_demand(engine, pool, &ret_outlook->view.demand);
    ret_outlook->view.launches = mind_launches(mind, &free_in_ms);
    ret_outlook->view.launches_free_at_ms = free_in_ms > 0 ? now_ms + free_in_ms : 0;
    ret_outlook->view.warm_refused = mind->warm_refused;
    ret_outlook->view.cloud_held_until_ms = held_ms > 0 ? now_ms + held_ms : 0;
}

void
outlook_fini(struct outlook *outlook)
{
    mem_free(STEAL(outlook->hosts));
}

bool
outlook_affords(struct engine *engine, const struct host *host, int64_t price_micro)
{
    int64_t budget_milli = host->pool->policy.budget_per_month_milli;
    struct outlook outlook;
    struct policy_plan *plan;
    bool affords;

    if (budget_milli == 0 || price_micro <= host->machine->price_micro)
        return true;
    plan = mem_new0(sizeof(*plan));
    outlook_init(engine, host->pool, &outlook);
    for (size_t i = 0; i < outlook.view.host_count; i++) {
        if (outlook.hosts[i].id == host->id)
            outlook.hosts[i].price_micro = price_micro;
    }
    policy_plan_make(&outlook.view, plan);
    affords = plan->spent_micro + plan->committed_micro <= budget_milli * 1000;
    outlook_fini(&outlook);
    mem_free(plan);
    return affords;
}

/* --- The digest --------------------------------------------------------------------------------- */

static void
outlook_digest_ints(struct digest *digest, const int64_t *values, size_t count)
{
    digest_add(digest, values, count * sizeof(*values));
}

static void
outlook_digest_host(struct digest *digest, const struct policy_host *host)
{
    const int64_t values[] = {
        host->id,
        host->state,
        host->stage,
        host->cause,
        host->capacity.memory_bytes,
        host->capacity.cpus_milli,
        host->capacity.slots,
        host->reserved.memory_bytes,
        host->reserved.cpus_milli,
        host->reserved.slots,
        host->instances,
        host->prepare_failures,
        host->machine,
        host->takes_work,
        host->untrusted,
        host->busy,
    };

    outlook_digest_ints(digest, values, ARRAY_LEN(values));
}

void
outlook_digest(const struct outlook *outlook, const struct policy_plan *plan,
               char ret_text[OUTLOOK_DIGEST_SIZE])
{
    const struct policy_view *view = &outlook->view;
    const int64_t values[] = {
        view->pool->id,
        view->pool->rev,
        view->demand.count,
        view->demand.sum.memory_bytes,
        view->demand.sum.slots,
        view->demand.largest.memory_bytes,
        view->demand.barred.count,
        view->demand.strangers,
        view->launches,
        view->cloud_held_until_ms > 0,
        (int64_t)plan->held_count,
    };
    CLEANUP(digest_freep) struct digest *digest = digest_new();
    uint8_t result[TEXT_SHA256_SIZE];

    outlook_digest_ints(digest, values, ARRAY_LEN(values));
    for (size_t i = 0; i < view->host_count; i++)
        outlook_digest_host(digest, &view->hosts[i]);
    for (size_t i = 0; i < plan->count; i++) {
        const struct policy_action *action = &plan->actions[i];
        const int64_t taken[] = { action->kind, action->host_id, action->machine, action->cause };

        outlook_digest_ints(digest, taken, ARRAY_LEN(taken));
    }
    digest_end(digest, result);
    text_hex(result, (OUTLOOK_DIGEST_SIZE - 1) / 2, ret_text);
}
