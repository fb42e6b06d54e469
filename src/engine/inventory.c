#include "inventory.h"

#include <assert.h>
#include <string.h>

#include "berth/port/cloud.h"

#include "housekeeping.h"
#include "rental.h"
#include "retire.h"
#include "spawn.h"

enum {
    INVENTORY_LIST_MS = 30000, /* a listing that takes longer is given up */
    INVENTORY_CALL_MS = 60000, /* a termination, too */
    INVENTORY_HASTE_MS = 5000, /* between listings that something waits for */
    INVENTORY_DELAY_MAX_MS = 60000,
    INVENTORY_LATE_MS = 600000,   /* a machine without a row that is still there is no accident */
    INVENTORY_ORPHANS_MAX = 1000, /* that are kept in mind; more are looked at later */
};

/* A machine of ours without a row. */
struct inventory_orphan {
    struct list_node node;
    char id[CLOUD_ID_SIZE];
    int64_t since_mono_ms;
    uint32_t seen; /* listings in a row */
    bool listed;   /* by the one under way */
};

/* One termination of an orphan.  Freed when it ends. */
struct inventory_removal {
    struct inventory *inventory;
    struct cloud_call call;
    struct engine_wait wait;
    struct list_node node;
    char id[CLOUD_ID_SIZE];
    int64_t began_mono_ms; /* the call */
    bool calling;
};

struct inventory {
    struct mind *mind;
    struct cloud_call call;
    struct clock_timer timer; /* of the listing under way, or until the next one */
    struct list orphans;
    struct list removals;
    int64_t began_mono_ms;
    int64_t delay_ms; /* after failures */
    bool listing;
    bool hasty;     /* somebody waits for the next one */
    bool fail_told; /* that listings fail */
    size_t stopped; /* orphans, too many to be given back; 0: they are not */
};

/* In order of time. */
static void inventory_on_timer(struct clock_timer *timer);
static void inventory_on_listed(struct cloud_call *call, const struct fault *fault);
static void inventory_compare(struct inventory *inventory, const struct cloud_list *list);
static void inventory_miss(struct inventory *inventory);
static void inventory_sweep(struct inventory *inventory, size_t listed);
static void inventory_remove(struct inventory *inventory, const struct inventory_orphan *orphan);

static struct inventory *
inventory_get(struct mind *mind)
{
    struct inventory *inventory = mind->inventory;

    if (inventory)
        return inventory;
    inventory = mem_new0(sizeof(*inventory));
    inventory->mind = mind;
    inventory->timer.fire = inventory_on_timer;
    list_init(&inventory->orphans);
    list_init(&inventory->removals);
    mind->inventory = inventory;
    return inventory;
}

void
inventory_free(struct inventory *inventory)
{
    struct list_node *node;

    if (!inventory)
        return;
    assert(!inventory->listing && inventory->removals.count == 0);
    state_timer_clear(inventory->mind->engine, &inventory->timer);
    while ((node = list_pop(&inventory->orphans)))
        mem_free(CONTAINER_OF(node, struct inventory_orphan, node));
    mem_free(inventory);
}

bool
inventory_list(struct mind *mind)
{
    struct engine *engine = mind->engine;
    const struct cloud_port *cloud = engine->ports.cloud;
    struct inventory *inventory;

    if (!cloud || !pool_provider_rents(mind->pool->provider) || rental_is_on_hold(engine))
        return false;
    inventory = inventory_get(mind);
    if (inventory->listing)
        return true;
    if (inventory->delay_ms > 0 && inventory->timer.at_mono_ms > state_mono_ms(engine))
        return false; /* it failed: not before its time */
    inventory->listing = true;
    inventory->hasty = false;
    inventory->began_mono_ms = state_mono_ms(engine);
    inventory->call = (struct cloud_call){
        .verb = CLOUD_LIST,
        .pool = mind->pool,
        .cluster_id = engine->info.cluster_id,
        .done = inventory_on_listed,
    };
    engine->cloud_calls++;
    state_timer_set(engine, &inventory->timer, INVENTORY_LIST_MS);
    cloud->start(cloud->self, &inventory->call);
    return true;
}

void
inventory_hasten(struct mind *mind)
{
    struct inventory *inventory;

    if (!mind->engine->ports.cloud || rental_is_on_hold(mind->engine))
        return;
    inventory = inventory_get(mind);
    if (inventory->hasty)
        return;
    inventory->hasty = true;
    if (!inventory->listing && inventory->timer.at_mono_ms == 0)
        state_timer_set(mind->engine, &inventory->timer, INVENTORY_HASTE_MS);
}

static void
inventory_on_timer(struct clock_timer *timer)
{
    struct inventory *inventory = CONTAINER_OF(timer, struct inventory, timer);
    const struct cloud_port *cloud = inventory->mind->engine->ports.cloud;

    if (inventory->listing) {
        cloud->cancel(cloud->self, &inventory->call);
    } else {
        (void)inventory_list(inventory->mind);
    }
}

static void
inventory_failed(struct inventory *inventory, const struct fault *fault)
{
    struct mind *mind = inventory->mind;
    int64_t delay_ms = inventory->delay_ms > 0 ? inventory->delay_ms * 2 : INVENTORY_HASTE_MS;

    inventory->delay_ms = delay_ms < INVENTORY_DELAY_MAX_MS ? delay_ms : INVENTORY_DELAY_MAX_MS;
    delay_ms = inventory->delay_ms +
               (int64_t)(random_u32(mind->engine->ports.random) % (INVENTORY_HASTE_MS / 4));
    state_timer_set(mind->engine, &inventory->timer, delay_ms);
    if (inventory->fail_told)
        return;
    inventory->fail_told = true;
    state_pool_event(mind->engine, "pool.listing_failed", mind->pool,
                     "the provider does not tell which machines there are: %s", fault->text);
}

static void
inventory_on_listed(struct cloud_call *call, const struct fault *fault)
{
    struct inventory *inventory = CONTAINER_OF(call, struct inventory, call);
    struct engine *engine = inventory->mind->engine;

    inventory->listing = false;
    engine->cloud_calls--;
    state_timer_clear(engine, &inventory->timer);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    if (rental_is_on_hold(engine))
        return;
    if (fault) {
        inventory_failed(inventory, fault);
    } else {
        inventory->delay_ms = 0;
        inventory->fail_told = false;
        inventory_compare(inventory, &call->out.list);
        if (inventory->hasty)
            state_timer_set(engine, &inventory->timer, INVENTORY_HASTE_MS);
    }
    housekeeping_on_listed(engine);
}

/* --- What is listed ----------------------------------------------------------------------------- */

static struct inventory_orphan *
inventory_orphan_get(struct inventory *inventory, const char *id)
{
    struct inventory_orphan *orphan;

    for (struct list_node *node = list_first(&inventory->orphans); node;
         node = list_next(&inventory->orphans, node)) {
        orphan = CONTAINER_OF(node, struct inventory_orphan, node);
        if (strcmp(orphan->id, id) == 0)
            return orphan;
    }
    if (inventory->orphans.count == INVENTORY_ORPHANS_MAX)
        return NULL;
    orphan = mem_new0(sizeof(*orphan));
    memcpy(orphan->id, id, sizeof(orphan->id));
    orphan->since_mono_ms = inventory->began_mono_ms;
    list_push(&inventory->orphans, &orphan->node);
    return orphan;
}

static void
inventory_known(struct inventory *inventory, struct rental *rental,
                const struct cloud_machine *seen)
{
    struct machine *machine = rental->host->machine;
    bool ends = seen->state >= CLOUD_STOPPING;

    rental->listed = true;
    machine->strikes = 0;
    if (machine->stage == MACHINE_RETURNING) {
        retire_seen(rental, seen);
    } else if (seen->state == CLOUD_TERMINATED || seen->state == CLOUD_STOPPED) {
        retire_gone(rental, "it was stopped, but not by us");
    } else if (!ends) {
        spawn_seen(rental, seen);
        if (seen->notice)
            housekeeping_noticed(inventory->mind->engine, rental->host);
    }
}

/* One that has ended tells nothing about a host whose machine is not known: another attempt may be alive. */
static bool
inventory_is_of(const struct inventory *inventory, const struct host *host,
                const struct cloud_machine *seen)
{
    const char *id = host->machine->id;

    if (host->pool != inventory->mind->pool)
        return false;
    return id ? strcmp(id, seen->id) == 0 : seen->state < CLOUD_STOPPING;
}

static void
inventory_machine(struct inventory *inventory, const struct cloud_machine *seen)
{
    struct engine *engine = inventory->mind->engine;
    struct host *host = idmap_find(&engine->model->hosts, seen->host_id);
    struct rental *rental = host ? rental_find(engine, host) : NULL;
    struct inventory_orphan *orphan;

    if (rental && inventory_is_of(inventory, host, seen)) {
        inventory_known(inventory, rental, seen);
        return;
    }
    if (seen->state >= CLOUD_STOPPING && seen->state != CLOUD_STOPPED)
        return;
    orphan = inventory_orphan_get(inventory, seen->id);
    if (orphan) {
        orphan->listed = true;
        orphan->seen++;
    }
}

static void
inventory_compare(struct inventory *inventory, const struct cloud_list *list)
{
    struct engine *engine = inventory->mind->engine;
    int64_t id = 0;
    struct rental *rental;

    while ((rental = idmap_after(&engine->rentals, id, &id)))
        rental->listed = false;
    for (size_t i = 0; i < list->count; i++)
        inventory_machine(inventory, &list->at[i]);
    if (!list->complete)
        return;
    inventory_miss(inventory);
    if (!engine->info.restored)
        inventory_sweep(inventory, list->count);
}

/* --- What is not listed --------------------------------------------------------------------------- */

/* A listing that began before, or soon after, the machine was asked for tells nothing. */
static bool
inventory_is_struck(const struct inventory *inventory, const struct rental *rental)
{
    const struct machine *machine = rental->host->machine;

    if (rental->mind != inventory->mind || rental->listed || rental->calling)
        return false;
    if (!machine->id && machine->stage != MACHINE_RETURNING)
        return false; /* it is still being asked for */
    return inventory->began_mono_ms - rental->quiet_mono_ms >= INVENTORY_YOUNG_MS ||
           (rental->asked && machine->id);
}

static void
inventory_miss(struct inventory *inventory)
{
    struct engine *engine = inventory->mind->engine;
    struct rental *rental;
    int64_t id = 0;

    while ((rental = idmap_after(&engine->rentals, id, &id))) {
        struct machine *machine = rental->host->machine;

        if (inventory_is_struck(inventory, rental) && ++machine->strikes >= INVENTORY_STRIKES) {
            retire_gone(rental, "the provider does not list it any more");
        } else if (rental->mind == inventory->mind && !rental->listed && machine->id) {
            inventory_hasten(inventory->mind);
        }
    }
}

/* --- What has no row ------------------------------------------------------------------------------ */

static bool
inventory_is_due(const struct inventory *inventory, const struct inventory_orphan *orphan)
{
    return orphan->seen >= INVENTORY_STRIKES &&
           inventory->began_mono_ms - orphan->since_mono_ms >= INVENTORY_ORPHAN_MS;
}

/* Those that are gone, or got a row, are forgotten. Return: how many are to go. */
static size_t
inventory_orphans_count(struct inventory *inventory)
{
    struct list_node *next;
    size_t due = 0;

    for (struct list_node *node = list_first(&inventory->orphans); node; node = next) {
        struct inventory_orphan *orphan = CONTAINER_OF(node, struct inventory_orphan, node);

        next = list_next(&inventory->orphans, node);
        if (orphan->listed) {
            orphan->listed = false;
            due += inventory_is_due(inventory, orphan);
        } else {
            list_remove(&inventory->orphans, node);
            mem_free(orphan);
        }
    }
    return due;
}

size_t
inventory_stopped(const struct mind *mind)
{
    return mind->inventory ? mind->inventory->stopped : 0;
}

static void
inventory_sweep(struct inventory *inventory, size_t listed)
{
    struct mind *mind = inventory->mind;
    size_t due = inventory_orphans_count(inventory);
    size_t share = listed * INVENTORY_BLAST_PERCENT / 100;
    size_t most = share > INVENTORY_BLAST_MIN ? share : INVENTORY_BLAST_MIN;

    if (due > most) {
        if (inventory->stopped == 0) {
            state_pool_event(mind->engine, "pool.sweep_stopped", mind->pool,
                             "%zu of %zu machines with our tag have no row, too many to be given "
                             "back; is this the right database? If so, end all but %zu of them",
                             due, listed, most);
        }
        inventory->stopped = due;
        return;
    }
    if (inventory->stopped > 0) {
        state_pool_event(mind->engine, "pool.sweep_resumed", mind->pool,
                         "what has no row is given back again: %zu of %zu machines", due, listed);
    }
    inventory->stopped = 0;
    for (struct list_node *node = list_first(&inventory->orphans); node;
         node = list_next(&inventory->orphans, node)) {
        struct inventory_orphan *orphan = CONTAINER_OF(node, struct inventory_orphan, node);

        if (inventory_is_due(inventory, orphan))
            inventory_remove(inventory, orphan);
    }
}

static void
inventory_removal_end(struct inventory_removal *removal)
{
    list_remove(&removal->inventory->removals, &removal->node);
    removal->inventory->mind->engine->cloud_calls--;
    mem_free(removal);
}

/* Done or not: the next listings tell. */
static void
inventory_on_removed(struct cloud_call *call, const struct fault *fault)
{
    (void)fault;
    inventory_removal_end(CONTAINER_OF(call, struct inventory_removal, call));
}

static void
inventory_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct inventory_removal *removal = CONTAINER_OF(wait, struct inventory_removal, wait);
    struct engine *engine = removal->inventory->mind->engine;

    if (fault || rental_is_on_hold(engine)) {
        inventory_removal_end(removal);
        return;
    }
    removal->calling = true;
    removal->began_mono_ms = state_mono_ms(engine);
    engine->ports.cloud->start(engine->ports.cloud->self, &removal->call);
}

/* Return: whether @orphan is on its way; what has no answer for too long is given up. */
static bool
inventory_is_removed(struct inventory *inventory, const struct inventory_orphan *orphan)
{
    struct engine *engine = inventory->mind->engine;

    for (struct list_node *node = list_first(&inventory->removals); node;
         node = list_next(&inventory->removals, node)) {
        struct inventory_removal *removal = CONTAINER_OF(node, struct inventory_removal, node);

        if (strcmp(removal->id, orphan->id) != 0)
            continue;
        if (removal->calling && state_mono_ms(engine) - removal->began_mono_ms >= INVENTORY_CALL_MS)
            engine->ports.cloud->cancel(engine->ports.cloud->self, &removal->call);
        return true;
    }
    return false;
}

static void
inventory_remove(struct inventory *inventory, const struct inventory_orphan *orphan)
{
    struct engine *engine = inventory->mind->engine;
    struct inventory_removal *removal;

    if (inventory_is_removed(inventory, orphan))
        return;
    removal = mem_new0(sizeof(*removal));
    removal->inventory = inventory;
    memcpy(removal->id, orphan->id, sizeof(removal->id));
    removal->call = (struct cloud_call){
        .verb = CLOUD_TERMINATE,
        .pool = inventory->mind->pool,
        .cluster_id = engine->info.cluster_id,
        .in.id = removal->id,
        .done = inventory_on_removed,
    };
    removal->wait.done = inventory_on_durable;
    list_push(&inventory->removals, &removal->node);
    engine->cloud_calls++;
    state_pool_event(engine, "pool.orphan", inventory->mind->pool,
                     "machine %s belongs to no host here and is given back", orphan->id);
    engine_wait_durable(engine, &removal->wait);
}

void
inventory_cancel_all(struct engine *engine)
{
    const struct cloud_port *cloud = engine->ports.cloud;

    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        struct inventory *inventory = mind->inventory;

        if (!inventory)
            continue;
        if (inventory->listing)
            cloud->cancel(cloud->self, &inventory->call);
        for (struct list_node *node = list_first(&inventory->removals); node;
             node = list_next(&inventory->removals, node)) {
            struct inventory_removal *removal = CONTAINER_OF(node, struct inventory_removal, node);

            if (removal->calling)
                cloud->cancel(cloud->self, &removal->call);
        }
    }
}

size_t
inventory_late(const struct mind *mind)
{
    struct list_node *node = mind->inventory ? list_first(&mind->inventory->orphans) : NULL;
    size_t count = 0;

    for (; node; node = list_next(&mind->inventory->orphans, node)) {
        const struct inventory_orphan *orphan = CONTAINER_OF(node, struct inventory_orphan, node);

        count += orphan->seen >= INVENTORY_STRIKES &&
                 state_mono_ms(mind->engine) - orphan->since_mono_ms >= INVENTORY_LATE_MS;
    }
    return count;
}
