#include "prepare.h"

#include "housekeeping.h"
#include "lane.h"
#include "spawn.h"

enum { PREPARE_STEP_MS = 600000 /* of a playbook */ };

/* In order of time. */
static void prepare_on_step(struct shell_prepare *prepare);
static void prepare_on_step_end(struct shell_prepare *prepare, enum shell_end end);
static void prepare_on_done(struct shell_prepare *prepare, const struct fault *fault);
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
    struct rental *rental = CONTAINER_OF(timer, struct rental, step_timer);
    const struct shell_port *shell = rental->engine->ports.shell;

    shell->prepare_cancel(shell->self, &rental->prepare);
}

void
prepare_start(struct rental *rental)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    struct fault fault;

    if (!engine->ports.shell) {
        fault_set(&fault, FAULT_PREPARE, "prepare", "there is no way to prepare machines");
        spawn_give_up(rental, fault.text);
        return;
    }
    rental->prepare = (struct shell_prepare){
        .host = host,
        .address = host->address,
        .from_step = rental->step,
        .on_step = prepare_on_step,
        .on_step_end = prepare_on_step_end,
        .done = prepare_on_done,
    };
    rental->preparing = true;
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
    mem_free(host->waiting_for);
    host->waiting_for = mem_printf("preparing, step %u of %u: %s", prepare->step + 1,
                                   prepare->step_count, prepare->step_name);
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

static void
prepare_on_step_end(struct shell_prepare *prepare, enum shell_end end)
{
    struct rental *rental = CONTAINER_OF(prepare, struct rental, prepare);
    struct host *host = rental->host;

    (void)end;
    if (rental_is_on_hold(rental->engine) || !prepare->sealed || host->machine->sealed)
        return;
    host->machine->sealed = true;
    model_host_touch(rental->engine->model, host, state_now_ms(rental->engine));
}

static void
prepare_failed(struct rental *rental, const struct fault *fault)
{
    struct engine *engine = rental->engine;
    struct host *host = rental->host;
    int64_t most = host->pool->policy.prepare_attempts;
    CLEANUP(mem_freep) char *why = NULL;

    host->machine->prepare_failures++;
    rental->step = rental->prepare.step;
    state_event(engine, "host.prepare_failed", host, NULL,
                "step %u (%s): %s (failure %lld of %lld)", rental->prepare.step + 1,
                rental->prepare.step_name, fault->text, (long long)host->machine->prepare_failures,
                (long long)most);
    if (host->machine->prepare_failures >= most) {
        why = mem_printf("its preparation failed %lld times, last with: %s",
                         (long long)host->machine->prepare_failures, fault->text);
        spawn_give_up(rental, why);
        return;
    }
    rental_stage_set(rental, MACHINE_UP, "preparation");
}

static void
prepare_on_done(struct shell_prepare *prepare, const struct fault *fault)
{
    struct rental *rental = CONTAINER_OF(prepare, struct rental, prepare);
    struct engine *engine = rental->engine;

    rental->preparing = false;
    engine->cloud_calls--;
    state_timer_clear(engine, &rental->step_timer);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    if (rental_is_on_hold(engine))
        return;
    if (rental->host->state == HOST_SPAWNED && !rental->gone &&
        rental->host->machine->stage == MACHINE_PREPARING) {
        if (fault) {
            prepare_failed(rental, fault);
        } else {
            prepare_ready(rental, prepare);
        }
    }
    rental_settle(rental);
    housekeeping_poke(engine);
}

/* Its engine is to answer: the look at it makes the host active. */
static void
prepare_ready(struct rental *rental, const struct shell_prepare *prepare)
{
    const struct host_endpoint *endpoint = &prepare->endpoint;
    struct engine *engine = rental->engine;
    const struct docker_port *docker = engine->ports.docker;
    struct host *host = rental->host;
    struct fault fault;

    if (docker->host_set(docker->self, host->id, endpoint, engine->info.cluster_id, &fault) < 0) {
        prepare_failed(rental, &fault);
        return;
    }
    mem_free(host->endpoint.engine);
    host->endpoint.engine = mem_strdup(endpoint->engine);
    host->endpoint.plain = endpoint->plain;
    (void)model_host_text_set(engine->model, &host->endpoint.ca, endpoint->ca);
    (void)model_host_text_set(engine->model, &host->endpoint.cert, endpoint->cert);
    (void)model_host_text_set(engine->model, &host->endpoint.key, endpoint->key);
    mem_free(host->machine->playbook_revision);
    host->machine->playbook_revision = prepare->revision[0] ? mem_strdup(prepare->revision) : NULL;
    host->machine->certificate_ends_at_ms = prepare->certificate_ends_at_ms;
    rental_stage_set(rental, MACHINE_READY, "engine");
    lane_new(engine, host);
}
