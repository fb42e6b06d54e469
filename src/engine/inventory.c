#include "inventory.h"

#include <assert.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/port/cloud.h"

#include "housekeeping.h"
#include "orphans.h"
#include "rental.h"
#include "retire.h"
#include "shutdown.h"
#include "spawn.h"
#include "warm.h"

enum {
    INVENTORY_LIST_MS = 30000, /* a listing that takes longer is given up */
    INVENTORY_HASTE_MS = 5000, /* between listings that something waits for */
    INVENTORY_SOON_MS = 800,   /* before the first after a launch: the next plan sees it */
    INVENTORY_DELAY_MAX_MS = 60000,
};

struct inventory {
    struct mind *mind;
    struct cloud_call call;
    struct clock_timer timer; /* of the listing under way, or until the next one */
    struct orphans *orphans;
    struct list asks; /* struct engine_listing: who waits for the listing under way */
    struct inventory_seen seen;
    int64_t began_mono_ms;
    int64_t delay_ms; /* after failures */
    int64_t haste_ms; /* somebody waits for the next one: so long after the last; 0: nobody */
    int64_t boot_ms;  /* the same for machines that boot; 0: none were awaited */
    bool listing;
    bool boots;     /* a machine that boots waits for the next one */
    bool fail_told; /* that listings fail */
};

/* In order of time. */
static void inventory_on_timer(struct clock_timer *timer);
static void inventory_on_listed(struct cloud_call *call, const struct fault *fault);
static void inventory_compare(struct inventory *inventory, const struct cloud_list *list);
static void inventory_miss(struct inventory *inventory);

static struct inventory *
inventory_get(struct mind *mind)
{
    struct inventory *inventory = mind->inventory;

    if (inventory)
        return inventory;
    inventory = mem_new0(sizeof(*inventory));
    inventory->mind = mind;
    inventory->timer.fire = inventory_on_timer;
    inventory->orphans = orphans_new(mind);
    list_init(&inventory->asks);
    mind->inventory = inventory;
    return inventory;
}

void
inventory_free(struct inventory *inventory)
{
    if (!inventory)
        return;
    assert(!inventory->listing && inventory->asks.count == 0);
    state_timer_clear(inventory->mind->engine, &inventory->timer);
    orphans_free(inventory->orphans);
    mem_free(inventory);
}

static int64_t
inventory_boot_pause(const struct inventory *inventory)
{
    int64_t pause_ms = inventory->boot_ms > 0 ? inventory->boot_ms : INVENTORY_SOON_MS;

    return pause_ms < INVENTORY_HASTE_MS ? pause_ms : INVENTORY_HASTE_MS;
}

static void
inventory_start(struct inventory *inventory)
{
    struct mind *mind = inventory->mind;
    struct engine *engine = mind->engine;
    const struct cloud_port *cloud = engine->ports.cloud;

    inventory->listing = true;
    inventory->haste_ms = 0;
    inventory->boot_ms = inventory->boots ? inventory_boot_pause(inventory) * 3 / 2 : 0;
    inventory->boots = false;
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
}

static bool
inventory_can_list(const struct mind *mind)
{
    return mind->engine->ports.cloud && pool_provider_rents(mind->pool->provider) &&
           !rental_is_on_hold(mind->engine);
}

bool
inventory_list(struct mind *mind)
{
    struct inventory *inventory;

    if (!inventory_can_list(mind))
        return false;
    inventory = inventory_get(mind);
    if (inventory->listing)
        return true;
    if (inventory->delay_ms > 0 && inventory->timer.at_mono_ms > state_mono_ms(mind->engine))
        return false; /* it failed: not before its time */
    inventory_start(inventory);
    return true;
}

/* A person does not wait for the end of a pause. */
bool
inventory_ask(struct mind *mind, struct engine_listing *ask)
{
    struct inventory *inventory;

    if (!inventory_can_list(mind))
        return false;
    inventory = inventory_get(mind);
    if (!inventory->listing)
        inventory_start(inventory);
    list_push(&inventory->asks, &ask->node);
    return true;
}

/* A listing that failed is asked for again in its own time. */
static void
inventory_hurry(struct inventory *inventory, int64_t in_ms)
{
    struct engine *engine = inventory->mind->engine;
    int64_t at_mono_ms = inventory->timer.at_mono_ms;

    if (inventory->haste_ms == 0 || in_ms < inventory->haste_ms)
        inventory->haste_ms = in_ms;
    if (inventory->listing || inventory->delay_ms > 0)
        return;
    if (at_mono_ms == 0 || at_mono_ms > state_mono_ms(engine) + in_ms)
        state_timer_set(engine, &inventory->timer, in_ms);
}

void
inventory_hasten(struct mind *mind)
{
    if (mind->engine->ports.cloud && !rental_is_on_hold(mind->engine))
        inventory_hurry(inventory_get(mind), INVENTORY_HASTE_MS);
}

void
inventory_await_boot(struct mind *mind)
{
    struct inventory *inventory;

    if (!mind->engine->ports.cloud || rental_is_on_hold(mind->engine))
        return;
    inventory = inventory_get(mind);
    inventory->boots = true;
    inventory_hurry(inventory, inventory_boot_pause(inventory));
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

    (void)refusal_note(mind, CLOUD_LIST, fault);
    inventory->delay_ms = delay_ms < INVENTORY_DELAY_MAX_MS ? delay_ms : INVENTORY_DELAY_MAX_MS;
    delay_ms = inventory->delay_ms +
               (int64_t)(random_u32(mind->engine->ports.random) % (INVENTORY_HASTE_MS / 4));
    state_timer_set(mind->engine, &inventory->timer, delay_ms);
    if (inventory->fail_told)
        return;
    inventory->fail_told = true;
    state_pool_event(mind->engine, "pool.listing_failed", mind->pool,
                     "the provider does not tell which machines there are: %s",
                     mind->refusals[CLOUD_LIST].last.text);
}

static void
inventory_told(struct inventory *inventory)
{
    struct mind *mind = inventory->mind;
    int64_t lasted_ms = refusal_end(mind, CLOUD_LIST);
    char lasted[32];

    if (inventory->fail_told) {
        state_pool_event(mind->engine, "pool.listing_resumed", mind->pool,
                         "the provider tells again which machines there are, after %s",
                         text_duration(lasted_ms, lasted));
    }
    inventory->fail_told = false;
}

/* Each is done with the answer, and may be gone after that. */
static void
inventory_answer(struct inventory *inventory, const struct fault *fault)
{
    struct fault told;
    struct list_node *node;

    if (rental_is_on_hold(inventory->mind->engine)) {
        fault_set(&told, FAULT_SHUTTING_DOWN, "inventory",
                  "the daemon stops, or reads its rows again");
        fault = &told;
    } else if (fault && fault->kind == FAULT_CANCELLED) {
        fault_set(&told, FAULT_TIMEOUT, "inventory", "the provider did not answer within %d s",
                  INVENTORY_LIST_MS / 1000);
        fault = &told;
    }
    while ((node = list_pop(&inventory->asks))) {
        struct engine_listing *ask = CONTAINER_OF(node, struct engine_listing, node);

        ask->done(ask, fault);
    }
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
    if (rental_is_on_hold(engine)) {
        inventory_answer(inventory, NULL);
        return;
    }
    if (fault) {
        inventory_failed(inventory, fault);
    } else {
        inventory->delay_ms = 0;
        inventory_told(inventory);
        inventory_compare(inventory, &call->out.list);
        if (inventory->haste_ms > 0)
            state_timer_set(engine, &inventory->timer, inventory->haste_ms);
    }
    inventory_answer(inventory, fault);
    housekeeping_on_listed(engine);
}

/* --- What is listed ----------------------------------------------------------------------------- */

static void
inventory_known(struct inventory *inventory, struct rental *rental,
                const struct cloud_machine *seen)
{
    struct machine *machine = rental->host->machine;
    bool ends = seen->state >= CLOUD_STOPPING;

    rental->listed = rental->shown = true;
    machine->strikes = 0;
    if (machine->stage == MACHINE_RETURNING) {
        retire_seen(rental, seen);
    } else if (warm_is_stage(machine->stage) && seen->state != CLOUD_TERMINATED) {
        warm_seen(rental, seen);
    } else if (seen->state == CLOUD_TERMINATED) {
        retire_gone(rental,
                    seen->notice
                        ? "the provider took its machine back"
                        : "it was ended, but not by us: by hand, by itself, or by the provider");
    } else if (seen->state == CLOUD_STOPPED) {
        retire_lost(rental, "it was stopped, but not by us");
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

/* People, and programs that tidy up, change tags: a machine that a row names is not nobody's. */
static struct rental *
inventory_by_id(const struct engine *engine, const char *machine_id)
{
    IDMAP_EACH(&engine->rentals, struct rental, rental)
    {
        const char *id = rental->host->machine->id;

        if (id && strcmp(id, machine_id) == 0)
            return rental;
    }
    return NULL;
}

static void
inventory_machine(struct inventory *inventory, const struct cloud_machine *seen)
{
    struct engine *engine = inventory->mind->engine;
    struct host *host = idmap_find(&engine->model->hosts, seen->host_id);
    struct rental *rental = host ? rental_find(engine, host) : NULL;

    if (!rental || !inventory_is_of(inventory, host, seen))
        rental = inventory_by_id(engine, seen->id);
    if (rental && rental->mind == inventory->mind)
        inventory_known(inventory, rental, seen);
    if (rental)
        return;
    if (seen->state < CLOUD_STOPPING || seen->state == CLOUD_STOPPED)
        orphans_seen(inventory->orphans, seen, inventory->began_mono_ms);
}

/* Whose account the machines are in is kept, so that other keys are not taken for those of nobody. */
static void
inventory_account(const struct inventory *inventory, const char *account)
{
    struct pool *pool = inventory->mind->pool;

    if (!account[0] || !pool->place.region || pool->place.account || pool->hosts == 0)
        return;
    pool->place.account = mem_strdup(account);
    model_pool_save(inventory->mind->engine->model, pool);
}

static void
inventory_compare(struct inventory *inventory, const struct cloud_list *list)
{
    struct engine *engine = inventory->mind->engine;
    int64_t id = 0;
    struct rental *rental;

    inventory->seen = (struct inventory_seen){
        .at_ms = state_now_ms(engine),
        .began_mono_ms = inventory->began_mono_ms,
        .complete = list->complete,
    };
    while ((rental = idmap_after(&engine->rentals, id, &id)))
        rental->listed = false;
    for (size_t i = 0; i < list->count; i++) {
        inventory->seen.alive += list->at[i].state != CLOUD_TERMINATED;
        inventory_machine(inventory, &list->at[i]);
    }
    inventory_account(inventory, list->account);
    if (!list->complete)
        return;
    inventory_miss(inventory);
    orphans_sweep(inventory->orphans, list->count, inventory->began_mono_ms);
    shutdown_listed(inventory->mind, &inventory->seen);
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
    /* The end of one that is too young to be found is accepted, too, and nothing comes of it. */
    return inventory->began_mono_ms - rental->quiet_mono_ms >= INVENTORY_YOUNG_MS ||
           (rental->asked && machine->id && rental->shown);
}

/* The next listing is to tell more. */
static void
inventory_miss_one(struct inventory *inventory, const struct rental *rental)
{
    const struct machine *machine = rental->host->machine;

    if (rental->mind != inventory->mind || rental->listed || !machine->id)
        return;
    if (machine->stage == MACHINE_BOOTING && machine->strikes == 0) {
        inventory_await_boot(inventory->mind);
    } else {
        inventory_hasten(inventory->mind);
    }
}

static void
inventory_miss(struct inventory *inventory)
{
    struct engine *engine = inventory->mind->engine;
    struct rental *rental;
    int64_t id = 0;

    while ((rental = idmap_after(&engine->rentals, id, &id))) {
        struct machine *machine = rental->host->machine;

        /* What answers is there: another region or account is asked than the one it was launched in. */
        if (machine->stage == MACHINE_READY && rental->host->reachable)
            continue;
        if (inventory_is_struck(inventory, rental) && ++machine->strikes >= INVENTORY_STRIKES) {
            retire_gone(rental, "the provider does not list it any more");
        } else {
            inventory_miss_one(inventory, rental);
        }
    }
}

/* --- For others ----------------------------------------------------------------------------------- */

const struct inventory_seen *
inventory_seen(const struct mind *mind)
{
    return mind->inventory && mind->inventory->seen.at_ms > 0 ? &mind->inventory->seen : NULL;
}

int64_t
inventory_next_mono_ms(const struct mind *mind)
{
    const struct inventory *inventory = mind->inventory;

    if (!inventory)
        return 0;
    return inventory->listing ? state_mono_ms(mind->engine) : inventory->timer.at_mono_ms;
}

struct orphans *
inventory_orphans(struct mind *mind)
{
    return inventory_get(mind)->orphans;
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
        orphans_cancel_all(inventory->orphans);
    }
}

size_t
inventory_late(const struct mind *mind)
{
    return mind->inventory ? orphans_late(mind->inventory->orphans) : 0;
}

size_t
inventory_stopped(const struct mind *mind)
{
    return mind->inventory ? orphans_stopped(mind->inventory->orphans) : 0;
}
