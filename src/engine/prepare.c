#include "prepare.h"

#include <string.h>

#include "housekeeping.h"
#include "lane.h"
#include "spawn.h"
#include "upkeep.h"
#include "warm.h"

enum {
    PREPARE_STEP_MS = 1200000, /* of a playbook */
    PREPARE_MINUTE_MS = 60000,
    PREPARE_AGAIN_MIN_MS =
        30000, /* after a failure on a machine that was given to us, then twice */
    PREPARE_AGAIN_MAX_MS = 1800000,
};

/* In order of time. */
static void prepare_on_step(struct shell_prepare *prepare);
static void prepare_on_output(struct shell_prepare *prepare, const char *data, size_t len);
static void prepare_on_step_end(struct shell_prepare *prepare, enum shell_end end);
static void prepare_on_done(struct shell_prepare *prepare, const struct fault *fault);
static void prepare_failed(struct rental *rental, const char *where, const struct fault *fault);
static void prepare_ready(struct rental *rental, const struct shell_prepare *prepare);

bool
prepare_order(struct engine *engine, struct host *host, const char *reason)
{
    struct rental *rental = rental_find(engine, host);

    if (!rental || host->state != HOST_SPAWNED || host->machine->stage != MACHINE_UP)
        return false;
    state_event(engine, "host.prepare", host, NULL, "%s", reason);
    rental_stage_set(rental, MACHINE_PREPARING, "preparing");
    rental_poke(rental);
    return true;
}

static void
prepare_on_late(struct clock_timer *timer)
{
    prepare_late(CONTAINER_OF(timer, struct rental, step_timer));
}

void
prepare_late(struct rental *rental)
{
    const struct shell_port *shell = rental->engine->ports.shell;

    rental->late = true;
    shell->prepare_cancel(shell->self, &rental->prepare);
}

/* Where the last run was: steps of another playbook are counted otherwise. */
static uint32_t
prepare_from_step(const struct rental *rental)
{
    const struct shell_port *shell = rental->engine->ports.shell;
    const struct machine *machine = rental->host->machine;
    char revision[SHELL_REVISION_SIZE];

    if (!machine->step_revision || !shell->revision(shell->self, rental->host->pool, revision) ||
        strcmp(machine->step_revision, revision) != 0)
        return 0;
    return (uint32_t)machine->step;
}

/* One that was warm has all but a certificate for its new address. */
static enum shell_purpose
prepare_purpose(const struct rental *rental)
{
    const struct shell_port *shell = rental->engine->ports.shell;
    const char *had = rental->host->machine->playbook_revision;
    char now[SHELL_REVISION_SIZE];

    return had && shell->revision(shell->self, rental->host->pool, now) && strcmp(had, now) == 0
               ? SHELL_RENEW
               : SHELL_PREPARE;
}

void
prepare_start(struct rental *rental)
{
    struct fault fault;

    if (!rental->engine->ports.shell) {
        fault_set(&fault, FAULT_PREPARE, "prepare", "there is no way to prepare machines");
        prepare_failed(rental, "its begin", &fault);
        return;
    }
    prepare_run(rental, prepare_purpose(rental));
}

void
prepare_run(struct rental *rental, enum shell_purpose purpose)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;

    rental->prepare = (struct shell_prepare){
        .host = host,
        .address = host->address,
        .purpose = purpose,
        .from_step = rental->upkeep ? 0 : prepare_from_step(rental),
        .on_step = prepare_on_step,
        .on_output = prepare_on_output,
        .on_step_end = prepare_on_step_end,
        .done = prepare_on_done,
    };
    rental->steps = steps_begin(engine, host);
    rental->preparing = true;
    rental->late = false;
    engine->cloud_calls++;
    rental->step_timer.fire = prepare_on_late;
    state_timer_set(engine, &rental->step_timer, PREPARE_STEP_MS);
    engine->ports.shell->prepare_start(engine->ports.shell->self, &rental->prepare);
}

static void
prepare_on_step(struct shell_prepare *prepare)
{
    struct rental *rental = CONTAINER_OF(prepare, struct rental, prepare);
    struct host *host = rental->host;

    state_timer_set(rental->engine, &rental->step_timer, PREPARE_STEP_MS);
    if (rental_is_on_hold(rental->engine))
        return;
    steps_step(rental->steps, prepare);
    if (rental->upkeep)
        return; /* the host serves on */
    host->machine->step = prepare->step;
    mem_free(host->machine->step_revision);
    host->machine->step_revision = prepare->revision[0] ? mem_strdup(prepare->revision) : NULL;
    mem_free(host->waiting_for);
    host->waiting_for =
        mem_printf("preparing, step %u of %u: %s%s%s", prepare->step + 1, prepare->step_count,
                   prepare->step_name, rental->failed ? "; before, it failed in " : "",
                   rental->failed ? rental->failed : "");
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

static void
prepare_on_output(struct shell_prepare *prepare, const char *data, size_t len)
{
    steps_output(CONTAINER_OF(prepare, struct rental, prepare)->steps, data, len);
}

static void
prepare_on_step_end(struct shell_prepare *prepare, enum shell_end end)
{
    struct rental *rental = CONTAINER_OF(prepare, struct rental, prepare);
    struct host *host = rental->host;

    if (rental_is_on_hold(rental->engine))
        return;
    steps_step_end(rental->steps, end);
    if (!prepare->sealed || host->machine->sealed)
        return;
    host->machine->sealed = true;
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

/* A machine that was given to us is tried for as long as it takes: it costs nothing, and people mend it. */
static void
prepare_again(struct rental *rental)
{
    int64_t failures = rental->host->machine->prepare_failures;
    int64_t delay_ms = PREPARE_AGAIN_MIN_MS;

    while (--failures > 0 && delay_ms < PREPARE_AGAIN_MAX_MS)
        delay_ms *= 2;
    rental_poke_in(rental, delay_ms < PREPARE_AGAIN_MAX_MS ? delay_ms : PREPARE_AGAIN_MAX_MS);
}

static void
prepare_failed(struct rental *rental, const char *where, const struct fault *fault)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    int64_t most = host->pool->policy.prepare_attempts;
    CLEANUP(mem_freep) char *why = NULL;

    host->machine->prepare_failures++;
    if (!host_is_rented(host)) {
        state_event(engine, "host.prepare_failed", host, NULL,
                    "%s: %s (failure %lld; it is tried again)", where, fault->text,
                    (long long)host->machine->prepare_failures);
    } else {
        state_event(engine, "host.prepare_failed", host, NULL, "%s: %s (failure %lld of %lld)",
                    where, fault->text, (long long)host->machine->prepare_failures,
                    (long long)most);
    }
    if (host_is_rented(host) && host->machine->prepare_failures >= most) {
        why = mem_printf("its preparation failed %lld times, last in %s: %s",
                         (long long)host->machine->prepare_failures, where, fault->text);
        spawn_give_up(rental, why);
        return;
    }
    mem_free(rental->failed);
    rental->failed = mem_printf("%s: %s", where, fault->text);
    why = mem_printf("preparation, again: it failed in %s", rental->failed);
    rental_stage_set(rental, MACHINE_UP, why);
    if (!host_is_rented(host))
        prepare_again(rental);
}

static void
prepare_on_done(struct shell_prepare *prepare, const struct fault *fault)
{
    struct rental *rental = CONTAINER_OF(prepare, struct rental, prepare);
    struct engine *engine = rental->engine;
    struct steps *steps = STEAL(rental->steps);
    CLEANUP(mem_freep) char *where = NULL;
    struct fault late;

    rental->preparing = false;
    engine->cloud_calls--;
    state_timer_clear(engine, &rental->step_timer);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    if (fault && rental->late) {
        fault_set(&late, FAULT_TIMEOUT, "prepare", "it took longer than %d minutes",
                  PREPARE_STEP_MS / PREPARE_MINUTE_MS);
        fault = &late;
    }
    where = steps_where(steps);
    if (!rental_is_on_hold(engine))
        steps_end(steps, fault);
    steps_free(steps);
    if (rental_is_on_hold(engine))
        return;
    if (rental->upkeep) {
        upkeep_ended(rental, fault);
    } else if (rental->host->state == HOST_SPAWNED && !rental->gone &&
               rental->host->machine->stage == MACHINE_PREPARING) {
        if (fault) {
            prepare_failed(rental, where, fault);
        } else {
            prepare_ready(rental, prepare);
        }
    }
    rental_settle(rental);
    housekeeping_poke(engine);
}

void
prepare_endpoint_set(struct engine *engine, struct host *host, const struct host_endpoint *endpoint)
{
    mem_free(host->endpoint.engine);
    host->endpoint.engine = mem_strdup(endpoint->engine);
    host->endpoint.plain = endpoint->plain;
    (void)model_host_text_set(engine->model, &host->endpoint.ca, endpoint->ca);
    (void)model_host_text_set(engine->model, &host->endpoint.cert, endpoint->cert);
    (void)model_host_text_set(engine->model, &host->endpoint.key, endpoint->key);
}

void
prepare_certificate_set(struct engine *engine, struct machine *machine, int64_t ends_at_ms)
{
    machine->certificate_at_ms = ends_at_ms > 0 ? state_now_ms(engine) : 0;
    machine->certificate_ends_at_ms = ends_at_ms;
}

/* What the run has told of the host. */
static void
prepare_keep(struct rental *rental, const struct shell_prepare *prepare)
{
    const struct host_endpoint *endpoint = &prepare->endpoint;
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    struct machine *machine = host->machine;

    prepare_endpoint_set(engine, host, endpoint);
    mem_free(machine->playbook_revision);
    machine->playbook_revision = prepare->revision[0] ? mem_strdup(prepare->revision) : NULL;
    prepare_certificate_set(engine, machine, prepare->certificate_ends_at_ms);
    if (!machine->ssh && prepare->user[0]) {
        mem_free(machine->user);
        machine->user = mem_strdup(prepare->user);
        mem_free(machine->host_key);
        machine->host_key = prepare->host_key[0] ? mem_strdup(prepare->host_key) : NULL;
    }
    machine->step = 0;
    mem_free(STEAL(machine->step_revision));
}

/* Its engine is to answer: the look at it makes the host active. */
void
prepare_join(struct rental *rental)
{
    struct engine *engine = rental->engine;
    const struct docker_port *docker = engine->ports.docker;
    struct host *host = rental->host;
    struct fault fault;

    if (docker->host_set(docker->self, host->id, &host->endpoint, engine->info.cluster_id, &fault) <
        0) {
        prepare_failed(rental, "its end", &fault);
        return;
    }
    rental_stage_set(rental, MACHINE_READY, "engine");
    lane_new(engine, host);
}

static void
prepare_ready(struct rental *rental, const struct shell_prepare *prepare)
{
    prepare_keep(rental, prepare);
    if (rental->host->machine->warm) {
        warm_park(rental);
    } else {
        prepare_join(rental);
    }
}
