#include "upkeep.h"

#include <string.h>

#include "housekeeping.h"
#include "join.h"
#include "lane.h"
#include "prepare.h"

enum {
    UPKEEP_AGAIN_MIN_MS = 300000, /* after a failure, then twice as long each time, */
    UPKEEP_AGAIN_MAX_MS = 21600000,
};

/* Of a certificate whose beginning is not known. */
static const int64_t upkeep_window_ms = INT64_C(30) * 86400000;

/* In order of time. */
static void upkeep_begin(struct rental *rental, enum shell_purpose purpose);
static void upkeep_failed(struct rental *rental, const struct fault *fault);
static bool upkeep_take(struct rental *rental, struct fault *fault);

/* --- What is due ---------------------------------------------------------------------------------- */

enum upkeep_drift
upkeep_drift(const struct engine *engine, const struct host *host)
{
    const struct shell_port *shell = engine->ports.shell;
    const char *had = host->machine->playbook_revision;
    char revision[SHELL_REVISION_SIZE];

    if (!shell || !shell->revision(shell->self, host->pool, revision))
        return DRIFT_NONE;
    if (!had)
        return DRIFT_UNKNOWN;
    return strcmp(had, revision) == 0 ? DRIFT_NONE : DRIFT_DIFFERS;
}

/* A machine that was given cannot be replaced. */
static bool
upkeep_reruns(const struct host *host)
{
    int32_t drift = host->pool->policy.playbook_drift;

    return drift == PLAYBOOK_RERUN || (drift == PLAYBOOK_REPLACE && !host_is_rented(host));
}

/* So long before its end it is to be renewed. */
static int64_t
upkeep_window(const struct machine *machine)
{
    int64_t life_ms = machine->certificate_ends_at_ms - machine->certificate_at_ms;

    return machine->certificate_at_ms > 0 ? life_ms / UPKEEP_LIFE_PART : upkeep_window_ms;
}

static bool
upkeep_certificate_is_due(const struct host *host, int64_t now_ms)
{
    const struct machine *machine = host->machine;

    return machine->certificate_ends_at_ms > 0 &&
           machine->certificate_ends_at_ms - now_ms < upkeep_window(machine);
}

bool
upkeep_certificate_is_late(const struct host *host, int64_t now_ms)
{
    const struct machine *machine = host->machine;

    return machine && machine->stage == MACHINE_READY && machine->certificate_ends_at_ms > 0 &&
           machine->certificate_ends_at_ms - now_ms < upkeep_window(machine) * 2 / 3;
}

/* Its engine may be silent: an ended certificate is mended by SSH. */
static bool
upkeep_may_run(const struct rental *rental)
{
    const struct host *host = rental->host;

    return (host->state == HOST_ACTIVE || host->state == HOST_INACTIVE) && !host->lost &&
           !host->remove_when_empty && host->machine->stage == MACHINE_READY &&
           !rental_is_busy(rental) && state_mono_ms(rental->engine) >= rental->upkeep_after_mono_ms;
}

static uint32_t
upkeep_running(const struct engine *engine, const struct pool *pool)
{
    uint32_t count = 0;

    IDMAP_EACH(&engine->rentals, struct rental, rental)
    {
        count +=
            rental->upkeep &&
            (!pool || (rental->host->pool == pool && rental->prepare.purpose == SHELL_PREPARE));
    }
    return count;
}

/* The one whose certificate ends first; NULL: none is due. */
static struct rental *
upkeep_renewal(struct engine *engine)
{
    struct rental *first = NULL;
    int64_t now_ms = state_now_ms(engine);

    IDMAP_EACH(&engine->rentals, struct rental, rental)
    {
        const struct machine *machine = rental->host->machine;

        if (upkeep_certificate_is_due(rental->host, now_ms) && upkeep_may_run(rental) &&
            (!first ||
             machine->certificate_ends_at_ms < first->host->machine->certificate_ends_at_ms))
            first = rental;
    }
    return first;
}

static struct rental *
upkeep_rerun(struct engine *engine)
{
    IDMAP_EACH(&engine->rentals, struct rental, rental)
    {
        const struct host *host = rental->host;

        if (upkeep_reruns(host) && host->state == HOST_ACTIVE && upkeep_may_run(rental) &&
            upkeep_drift(engine, host) != DRIFT_NONE && upkeep_running(engine, host->pool) == 0)
            return rental;
    }
    return NULL;
}

/* --- A run ---------------------------------------------------------------------------------------- */

void
upkeep_round(struct engine *engine)
{
    uint32_t running = upkeep_running(engine, NULL);
    struct rental *rental;

    if (!engine->ports.shell || rental_is_on_hold(engine) || engine->info.restored)
        return;
    for (; running < UPKEEP_RUNS_MAX && (rental = upkeep_renewal(engine)); running++)
        upkeep_begin(rental, SHELL_RENEW);
    for (; running < UPKEEP_RUNS_MAX && (rental = upkeep_rerun(engine)); running++)
        upkeep_begin(rental, SHELL_PREPARE);
}

static void
upkeep_begin(struct rental *rental, enum shell_purpose purpose)
{
    struct host *host = rental->host;

    state_event(rental->engine, purpose == SHELL_RENEW ? "host.certificate" : "host.playbook", host,
                NULL,
                purpose == SHELL_RENEW ? "its engine's certificate ends soon and is renewed"
                                       : "its playbook is another one by now and is run again");
    rental->upkeep = true;
    prepare_run(rental, purpose);
}

void
upkeep_ended(struct rental *rental, const struct fault *fault)
{
    struct fault own;

    rental->upkeep = false;
    if (rental->gone || rental->host->machine->stage != MACHINE_READY)
        return;
    if (!fault && !upkeep_take(rental, &own))
        fault = &own;
    if (fault) {
        upkeep_failed(rental, fault);
        return;
    }
    rental->upkeep_failures = 0;
    rental->upkeep_after_mono_ms = 0;
}

static void
upkeep_failed(struct rental *rental, const struct fault *fault)
{
    struct engine *engine = rental->engine;
    bool renews = rental->prepare.purpose == SHELL_RENEW;
    int64_t delay_ms = UPKEEP_AGAIN_MIN_MS;
    char span[32];

    for (uint32_t i = 0; i < rental->upkeep_failures && delay_ms < UPKEEP_AGAIN_MAX_MS; i++)
        delay_ms *= 2;
    if (delay_ms > UPKEEP_AGAIN_MAX_MS)
        delay_ms = UPKEEP_AGAIN_MAX_MS;
    rental->upkeep_failures++;
    rental->upkeep_after_mono_ms = state_mono_ms(engine) + delay_ms;
    state_event(engine, renews ? "host.certificate_failed" : "host.playbook_failed", rental->host,
                NULL, "%s; it is tried again in %s, and what runs there runs on", fault->text,
                text_duration(delay_ms, span));
}

/* How the engine is reached from now on. Return: false: that cannot be, with @fault. */
static bool
upkeep_endpoint_take(struct rental *rental, struct fault *fault)
{
    struct engine *engine = rental->engine;
    const struct docker_port *docker = engine->ports.docker;
    struct host *host = rental->host;

    if (docker->host_set(docker->self, host->id, &rental->prepare.endpoint, engine->info.cluster_id,
                         fault) < 0)
        return false;
    prepare_endpoint_set(engine, host, &rental->prepare.endpoint);
    if (host->lane) {
        host->lane->unset = false;
        join_schedule(host->lane, 0);
    }
    return true;
}

static bool
upkeep_take(struct rental *rental, struct fault *fault)
{
    struct engine *engine = rental->engine;
    const struct shell_prepare *prepare = &rental->prepare;
    struct machine *machine = rental->host->machine;
    bool renews = prepare->purpose == SHELL_RENEW;
    char until[TEXT_TIME_SIZE];

    if (renews && prepare->certificate_ends_at_ms <= machine->certificate_ends_at_ms) {
        fault_set(fault, FAULT_PREPARE, "upkeep", "the playbook left the certificate as it was");
        return false;
    }
    if (!upkeep_endpoint_take(rental, fault))
        return false;
    prepare_certificate_set(engine, machine, prepare->certificate_ends_at_ms);
    if (renews) {
        state_event(engine, "host.certificate_renewed", rental->host, NULL,
                    "its engine's certificate is good until %s",
                    text_time(machine->certificate_ends_at_ms, until));
    } else {
        mem_free(machine->playbook_revision);
        machine->playbook_revision = mem_strdup(prepare->revision[0] ? prepare->revision : NULL);
        state_event(engine, "host.playbook_done", rental->host, NULL, "it has the playbook %s now",
                    prepare->revision);
    }
    model_host_touch(engine->model, rental->host, state_now_ms(engine));
    return true;
}
