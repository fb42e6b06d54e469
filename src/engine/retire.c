#include "retire.h"

#include "berth/domain/cost.h"

#include "departures.h"
#include "housekeeping.h"
#include "inventory.h"

enum { RETIRE_AGAIN_MS = 60000 /* an accepted termination is asked for again after */ };

static void retire_on_terminated(struct cloud_call *call, const struct fault *fault);
static void retire_end(struct rental *rental);

void
retire_begin(struct engine *engine, struct host *host)
{
    struct rental *rental = rental_find(engine, host);

    if (!rental || host->machine->stage == MACHINE_RETURNING)
        return;
    if (rental->gone) {
        if (!rental_is_busy(rental))
            retire_end(rental); /* else departures.c asks again */
        return;
    }
    state_event(engine, "host.return", host, NULL, "its machine %s is given back",
                host->machine->id ? host->machine->id : "(if there is one)");
    if (rental->preparing)
        engine->ports.shell->prepare_cancel(engine->ports.shell->self, &rental->prepare);
    rental_stage_set(rental, MACHINE_RETURNING, "end of its machine");
    rental_poke(rental);
}

void
retire_poke(struct rental *rental)
{
    const struct host *host = rental->host;

    if (rental->gone || (host->machine->launched_at_ms == 0 && !host->machine->id)) {
        retire_end(rental);
        return;
    }
    inventory_hasten(rental->mind);
    if (!host->machine->id)
        return; /* whether there is one, a listing tells */
    rental->call = (struct cloud_call){ .verb = CLOUD_TERMINATE, .in.id = host->machine->id };
    rental_call(rental, retire_on_terminated);
}

static void
retire_on_terminated(struct cloud_call *call, const struct fault *fault)
{
    struct rental *rental = rental_called(call);

    if (!rental)
        return;
    if (rental->gone || rental->host->state == HOST_REMOVED) {
        rental_settle(rental);
        return;
    }
    if (fault) {
        (void)refusal_note(rental->mind, CLOUD_TERMINATE, fault);
        if (rental->delay_ms == 0) {
            state_event(rental->engine, "host.return_failed", rental->host, NULL,
                        "its machine could not be given back, it is tried again: %s", fault->text);
        }
        rental_poke_in(rental, rental_delay_next(rental));
    } else {
        (void)refusal_end(rental->mind, CLOUD_TERMINATE);
        rental->asked = true;
        rental->delay_ms = 0;
        rental_poke_in(rental, RETIRE_AGAIN_MS);
    }
    inventory_hasten(rental->mind);
}

void
retire_seen(struct rental *rental, const struct cloud_machine *seen)
{
    struct host *host = rental->host;

    if (!host->machine->id) {
        host->machine->id = mem_strdup(seen->id);
        rental_price_set(rental, seen);
        model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
        rental_changed(rental);
        rental_poke(rental);
    }
    if (seen->state == CLOUD_TERMINATED)
        retire_gone(rental, "its machine was given back");
}

void
retire_on_deadline(struct rental *rental)
{
    state_event(rental->engine, "host.return_slow", rental->host, NULL,
                "the provider has not ended its machine %s for an hour: it may still cost",
                rental->host->machine->id ? rental->host->machine->id : "(unknown)");
}

/* The instances there are lost first, and its lane ends: departures.c. */
void
retire_gone(struct rental *rental, const char *why)
{
    struct engine *engine = rental->engine;
    const struct host *host = rental->host;

    rental->gone = true;
    if (rental->preparing)
        engine->ports.shell->prepare_cancel(engine->ports.shell->self, &rental->prepare);
    if (host->machine->stage == MACHINE_RETURNING) {
        if (!rental_is_busy(rental))
            retire_end(rental);
        return;
    }
    retire_lost(rental, why);
}

void
retire_lost(struct rental *rental, const char *why)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    int64_t now_ms = state_now_ms(engine);

    if (host->lost)
        return;
    state_event(engine, "host.lost", host, NULL, "its machine %s serves no more: %s",
                host->machine->id, why);
    host->lost = true;
    engine->hosts_lost = true;
    if (host->state == HOST_SPAWNED)
        mind_host_failed(rental->mind, host, why);
    if (host->state == HOST_ACTIVE) {
        host->cause = CAUSE_NOTICE;
        model_host_move(engine->model, host, HOST_EV_GAVE_UP, "its machine is gone", now_ms);
    } else {
        model_host_touch(engine->model, host, now_ms);
    }
    housekeeping_poke(engine);
}

/* --- Money -------------------------------------------------------------------------------------- */

void
retire_account(struct engine *engine, const struct host *host)
{
    struct pool *pool = host->pool;
    int64_t now_ms = state_now_ms(engine);
    int64_t began_ms = cost_month_start_ms(now_ms);
    int64_t since_ms = host->machine->launched_at_ms;
    int32_t month = cost_month(now_ms);

    if (since_ms == 0 || !host->machine->id)
        return; /* complete listings showed none: it never came */
    if (since_ms < began_ms)
        since_ms = began_ms;
    if (month != pool->spent_month) {
        pool->spent_month = month;
        pool->spent_micro = 0;
    }
    pool->spent_micro = cost_add_micro(
        pool->spent_micro, cost_of_micro(host->machine->price_micro, now_ms - since_ms));
    model_pool_save(engine->model, pool);
}

static void
retire_end(struct rental *rental)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    const char *end = host->lost ? "its machine is gone" : "its machine was given back";
    CLEANUP(mem_freep) char *why = mem_strdup(end);

    /* Why it never became a host is what people look for. */
    if (host->cause == CAUSE_GAVE_UP && host->reason) {
        mem_free(why);
        why = mem_printf("%s; %s", end, host->reason);
    }
    retire_account(engine, host);
    rental_free(rental);
    departures_end(engine, host, why);
    housekeeping_poke(engine);
}
