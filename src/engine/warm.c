#include "warm.h"

#include <string.h>

#include "housekeeping.h"
#include "inventory.h"
#include "prepare.h"
#include "retire.h"
#include "spawn.h"

enum {
    WARM_AGAIN_MS = 60000,        /* what the provider accepted is asked for again after */
    WARM_CERTIFICATE_MS = 3600000 /* it must be good for so long, to serve until it is renewed */
};

static void warm_on_asked(struct cloud_call *call, const struct fault *fault);

bool
warm_is_stage(int32_t stage)
{
    return stage == MACHINE_PARKING || stage == MACHINE_WARM || stage == MACHINE_WAKING;
}

void
warm_park(struct rental *rental)
{
    state_event(rental->engine, "host.park", rental->host, NULL,
                "it is prepared, and its machine %s is stopped until it is wanted",
                rental->host->machine->id);
    rental_stage_set(rental, MACHINE_PARKING, "stop");
    rental_poke(rental);
}

bool
warm_wake(struct engine *engine, struct host *host, const char *reason)
{
    struct rental *rental = rental_find(engine, host);
    int64_t now_ms = state_now_ms(engine);

    if (!rental || host->state != HOST_SPAWNED || host->machine->stage != MACHINE_WARM)
        return false;
    host->machine->warm = false;
    host->machine->launched_at_ms = now_ms; /* it costs from now on */
    host->pool->grown_at_ms = now_ms;
    model_pool_save(engine->model, host->pool);
    state_event(engine, "host.wake", host, NULL, "%s", reason);
    rental_stage_set(rental, MACHINE_WAKING, "start");
    rental_poke(rental);
    return true;
}

void
warm_poke(struct rental *rental)
{
    int32_t stage = rental->host->machine->stage;

    if (stage == MACHINE_WARM)
        return;
    inventory_hasten(rental->mind);
    rental->call = (struct cloud_call){
        .verb = stage == MACHINE_PARKING ? CLOUD_STOP : CLOUD_START,
        .in.id = rental->host->machine->id,
    };
    rental_call(rental, warm_on_asked);
}

/* Nothing waits for it, and what it would cost in service was not counted: it goes back. */
static void
warm_refused(struct rental *rental, const struct fault *fault)
{
    rental->mind->warm_refused = true;
    state_event(rental->engine, "host.park_failed", rental->host, NULL,
                "its machine cannot be stopped, so it is given back: %s", fault->text);
    spawn_give_up(rental, "its machine cannot be stopped to be kept warm");
}

static void
warm_tell(struct mind *mind, enum cloud_verb verb, const struct fault *fault)
{
    if (fault) {
        (void)refusal_note(mind, verb, fault);
    } else {
        (void)refusal_end(mind, verb);
    }
}

static void
warm_on_asked(struct cloud_call *call, const struct fault *fault)
{
    struct rental *rental = rental_called(call);
    struct host *host;

    if (!rental)
        return;
    host = rental->host;
    warm_tell(rental->mind, call->verb, fault);
    if (rental->gone || host->state != HOST_SPAWNED || !warm_is_stage(host->machine->stage)) {
        rental_settle(rental);
        return;
    }
    inventory_hasten(rental->mind);
    if (fault && fault->kind == FAULT_CLOUD_REFUSED && host->machine->stage == MACHINE_PARKING) {
        warm_refused(rental, fault);
        return;
    }
    if (fault && rental->delay_ms == 0) {
        state_event(rental->engine,
                    host->machine->stage == MACHINE_PARKING ? "host.park_failed"
                                                            : "host.wake_failed",
                    host, NULL, "it is tried again: %s", fault->text);
    }
    rental_poke_in(rental, fault ? rental_delay_next(rental) : WARM_AGAIN_MS);
}

/* --- What a listing shows ------------------------------------------------------------------------ */

static void
warm_stopped(struct rental *rental)
{
    struct host *host = rental->host;

    retire_account(rental->engine, host);
    host->machine->launched_at_ms = 0;
    rental_stage_set(rental, MACHINE_WARM, "demand: it is warm");
    housekeeping_poke(rental->engine);
}

static bool
warm_certificate_ends(const struct rental *rental)
{
    int64_t ends_at_ms = rental->host->machine->certificate_ends_at_ms;

    return ends_at_ms > 0 && ends_at_ms - state_now_ms(rental->engine) < WARM_CERTIFICATE_MS;
}

/* Its certificate names its address: another one needs another; and it may have ended meanwhile. */
static void
warm_up(struct rental *rental, const char *address)
{
    struct host *host = rental->host;

    state_event(rental->engine, "host.awake", host, NULL, "its machine %s runs again at %s",
                host->machine->id, address);
    if (host->address && strcmp(host->address, address) == 0 && !warm_certificate_ends(rental)) {
        prepare_join(rental);
        return;
    }
    mem_free(host->address);
    host->address = mem_strdup(address);
    rental_stage_set(rental, MACHINE_UP, "preparation");
}

/* Somebody has started it: it is stopped again. */
static void
warm_is_running(struct rental *rental)
{
    struct host *host = rental->host;

    host->machine->launched_at_ms = state_now_ms(rental->engine);
    warm_park(rental);
}

void
warm_seen(struct rental *rental, const struct cloud_machine *seen)
{
    int32_t stage = rental->host->machine->stage;

    if (stage == MACHINE_PARKING && seen->state == CLOUD_STOPPED) {
        warm_stopped(rental);
    } else if (stage == MACHINE_WAKING && seen->state == CLOUD_RUNNING && seen->address[0]) {
        warm_up(rental, seen->address);
    } else if (stage == MACHINE_WARM && seen->state <= CLOUD_RUNNING) {
        warm_is_running(rental);
    }
}
