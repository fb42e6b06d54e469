#include "rental.h"

#include <assert.h>

#include "console.h"
#include "forget.h"
#include "inventory.h"
#include "retire.h"
#include "spawn.h"

enum {
    RENTAL_CALL_MS = 60000, /* an answer that takes longer got lost */
    RENTAL_DELAY_MIN_MS = 2000,
    RENTAL_DELAY_MAX_MS = 60000,
    RENTAL_RESUME_MIN_MS = 60000, /* what is left of a stage after a restart, at least */
};

/* How long a machine may be in a stage; 0: as long as it likes. */
static const int64_t rental_stage_ms[MACHINE_STAGE_COUNT] = {
    [MACHINE_INTENT] = 600000,     [MACHINE_BOOTING] = 600000, [MACHINE_UP] = 1800000,
    [MACHINE_PREPARING] = 2700000, [MACHINE_READY] = 600000,   [MACHINE_RETURNING] = 3600000,
    [MACHINE_PARKING] = 600000,    [MACHINE_WAKING] = 600000,
};

/* In order of time. */
static void rental_on_durable(struct engine_wait *wait, const struct fault *fault);
static void rental_on_timer(struct clock_timer *timer);
static void rental_on_deadline(struct clock_timer *timer);

bool
rental_is_on_hold(const struct engine *engine)
{
    return engine->reloading || engine->health == ENGINE_STOPPING;
}

struct rental *
rental_find(const struct engine *engine, const struct host *host)
{
    return idmap_find(&engine->rentals, host->id);
}

struct rental *
rental_new(struct engine *engine, struct host *host)
{
    struct rental *rental = mem_new0(sizeof(*rental));

    assert(host->machine && !rental_find(engine, host));
    rental->engine = engine;
    rental->host = host;
    rental->mind = mind_of(engine, host->pool);
    rental->quiet_mono_ms = state_mono_ms(engine);
    rental->timer.fire = rental_on_timer;
    rental->stage_timer.fire = rental_on_deadline;
    rental->wait.done = rental_on_durable;
    idmap_insert(&engine->rentals, host->id, rental);
    return rental;
}

bool
rental_is_busy(const struct rental *rental)
{
    return rental->waiting || rental->calling || rental->preparing;
}

void
rental_free(struct rental *rental)
{
    assert(!rental_is_busy(rental));
    state_timer_clear(rental->engine, &rental->timer);
    state_timer_clear(rental->engine, &rental->stage_timer);
    (void)idmap_remove(&rental->engine->rentals, rental->host->id);
    secret_free(rental->user_data);
    steps_free(rental->steps);
    mem_free(rental->failed);
    mem_free(rental);
}

static void
rental_deadline_arm(struct rental *rental, int64_t passed_ms)
{
    const struct host *host = rental->host;
    int64_t left_ms = rental_stage_ms[host->machine->stage] - passed_ms;

    bool rests = host->machine->stage == MACHINE_WARM ||
                 (host->machine->stage == MACHINE_READY && host->state != HOST_SPAWNED);

    if (rests || (!host_is_rented(host) && host->machine->stage != MACHINE_PREPARING)) {
        state_timer_clear(rental->engine, &rental->stage_timer);
        return;
    }
    state_timer_set(rental->engine, &rental->stage_timer,
                    left_ms > RENTAL_RESUME_MIN_MS ? left_ms : RENTAL_RESUME_MIN_MS);
}

void
rental_stage_set(struct rental *rental, enum machine_stage stage, const char *waiting_for)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;

    host->machine->stage = (int32_t)stage;
    host->machine->stage_at_ms = state_now_ms(engine);
    mem_free(host->waiting_for);
    host->waiting_for = mem_strdup(waiting_for);
    model_host_touch(engine->model, host, host->machine->stage_at_ms);
    rental->delay_ms = 0;
    rental_changed(rental);
    rental_deadline_arm(rental, 0);
}

void
rental_price_set(struct rental *rental, const struct cloud_machine *seen)
{
    struct host *host = rental->host;

    if (seen->price_micro <= 0 || seen->price_micro == host->machine->price_micro)
        return;
    host->machine->price_micro = seen->price_micro;
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

void
rental_changed(struct rental *rental)
{
    rental->rested = false;
    rental->stale = rental->waiting;
}

static void
rental_on_deadline(struct clock_timer *timer)
{
    struct rental *rental = CONTAINER_OF(timer, struct rental, stage_timer);

    if (rental_is_on_hold(rental->engine))
        return;
    if (rental->host->machine->stage == MACHINE_RETURNING) {
        rental_deadline_arm(rental, 0);
        retire_on_deadline(rental);
    } else if (rental->host->state == HOST_SPAWNED) {
        spawn_on_deadline(rental);
    }
}

/* A first step of a stage waits until the stage is on the disk. */
void
rental_poke(struct rental *rental)
{
    if (rental_is_busy(rental) || rental_is_on_hold(rental->engine))
        return;
    if (!rental->rested) {
        rental->waiting = true;
        rental->engine->cloud_calls++;
        engine_wait_durable(rental->engine, &rental->wait);
    } else if (rental->host->machine->stage == MACHINE_RETURNING) {
        retire_poke(rental);
    } else if (rental->host->state == HOST_SPAWNED) {
        spawn_poke(rental);
    }
}

static void
rental_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct rental *rental = CONTAINER_OF(wait, struct rental, wait);

    rental->waiting = false;
    rental->engine->cloud_calls--;
    if (fault || rental_is_on_hold(rental->engine))
        return; /* its row is loaded again, and it is taken up from there */
    rental->rested = !rental->stale;
    rental->stale = false;
    rental_poke(rental);
}

void
rental_poke_in(struct rental *rental, int64_t in_ms)
{
    if (!rental->calling)
        state_timer_set(rental->engine, &rental->timer, in_ms);
}

int64_t
rental_delay_next(struct rental *rental)
{
    int64_t delay_ms = rental->delay_ms * 2;

    if (delay_ms < RENTAL_DELAY_MIN_MS)
        delay_ms = RENTAL_DELAY_MIN_MS;
    rental->delay_ms = delay_ms < RENTAL_DELAY_MAX_MS ? delay_ms : RENTAL_DELAY_MAX_MS;
    return rental->delay_ms +
           (int64_t)(random_u32(rental->engine->ports.random) % (uint64_t)(rental->delay_ms / 4));
}

static void
rental_on_timer(struct clock_timer *timer)
{
    struct rental *rental = CONTAINER_OF(timer, struct rental, timer);
    const struct cloud_port *cloud = rental->engine->ports.cloud;

    if (rental->calling) {
        cloud->cancel(cloud->self, &rental->call);
    } else {
        rental_poke(rental);
    }
}

void
rental_call(struct rental *rental, void (*done)(struct cloud_call *call, const struct fault *fault))
{
    struct engine *engine = rental->engine;

    assert(!rental->calling && engine->ports.cloud);
    rental->calling = true;
    rental->call.pool = rental->host->pool;
    rental->call.cluster_id = engine->info.cluster_id;
    rental->call.done = done;
    engine->cloud_calls++;
    state_timer_set(engine, &rental->timer, RENTAL_CALL_MS);
    engine->ports.cloud->start(engine->ports.cloud->self, &rental->call);
}

struct rental *
rental_called(struct cloud_call *call)
{
    struct rental *rental = CONTAINER_OF(call, struct rental, call);
    struct engine *engine = rental->engine;

    rental->calling = false;
    if (call->verb != CLOUD_TERMINATE)
        rental->quiet_mono_ms = state_mono_ms(engine);
    engine->cloud_calls--;
    state_timer_clear(engine, &rental->timer);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    return rental_is_on_hold(engine) ? NULL : rental;
}

void
rental_settle(struct rental *rental)
{
    if (rental->gone) {
        retire_gone(rental, NULL);
    } else if (rental->host->machine->stage == MACHINE_RETURNING) {
        rental_poke(rental);
    }
}

/* What the last daemon had asked for may be done. */
static void
rental_resume(struct engine *engine, struct host *host)
{
    struct rental *rental = rental_new(engine, host);
    int64_t passed_ms = state_now_ms(engine) - host->machine->stage_at_ms;

    rental->unsure = host->machine->launched_at_ms != 0;
    rental->rested = true;
    rental_deadline_arm(rental, passed_ms > 0 ? passed_ms : 0);
    rental_poke(rental);
}

void
rental_resume_all(struct engine *engine)
{
    int64_t now_ms = state_now_ms(engine);

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        int64_t age_ms = now_ms - host->created_at_ms;

        if (!host->machine)
            continue;
        if (age_ms < MIND_HOUR_MS && host_is_rented(host))
            mind_launch_add(mind_of(engine, host->pool), age_ms > 0 ? age_ms : 0);
        if (host->state != HOST_REMOVED && (engine->ports.cloud || !host_is_rented(host)))
            rental_resume(engine, host);
    }
}

void
rental_cancel_all(struct engine *engine)
{
    const struct cloud_port *cloud = engine->ports.cloud;
    const struct shell_port *shell = engine->ports.shell;

    IDMAP_EACH(&engine->rentals, struct rental, rental)
    {
        if (rental->calling)
            cloud->cancel(cloud->self, &rental->call);
        if (rental->preparing)
            shell->prepare_cancel(shell->self, &rental->prepare);
    }
    inventory_cancel_all(engine);
    forget_cancel_all(engine);
    console_cancel_all(engine);
}

void
rental_fini(struct engine *engine)
{
    struct rental *rental;
    int64_t id = 0;

    while ((rental = idmap_after(&engine->rentals, id, &id)))
        rental_free(rental);
    idmap_fini(&engine->rentals);
}
