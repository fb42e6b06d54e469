#include "departures.h"

#include "bury.h"
#include "housekeeping.h"
#include "join.h"
#include "lane.h"
#include "launch.h"
#include "mind.h"
#include "rental.h"
#include "retire.h"
#include "rounds.h"
#include "shutdown.h"
#include "work.h"

/* What has not run yet starts elsewhere: its image alone may take longer than all of the drain. */
static void
departures_evict(struct work *work)
{
    if (work->kind == WORK_LAUNCH && work->instance->state == INSTANCE_STARTING)
        launch_evict(CONTAINER_OF(work, struct launch, work));
}

/* The drain's deadline has passed: what may move is moved, the rest is stopped.  A pool that is being
 * emptied has no other place. */
static void
departures_clear(struct engine *engine, struct host *host)
{
    bool stops = shutdown_find(engine, host->pool) != NULL;
    struct list_node *next;

    for (struct list_node *node = list_first(&host->instances); node; node = next) {
        struct instance *instance = CONTAINER_OF(node, struct instance, node);
        struct fault fault;

        next = list_next(&host->instances, node);
        if (instance->desired == INSTANCE_STOPPED)
            continue;
        if (instance->work) {
            departures_evict(instance->work);
            continue;
        }
        if (stops) {
            (void)engine_instance_stop(engine, instance, "its pool was shut down", &fault);
        } else if (instance->blueprint->spec.restart.policy == RESTART_ALWAYS &&
                   instance->state == INSTANCE_RUNNING) {
            bury_move(engine, instance);
        } else {
            (void)engine_instance_stop(engine, instance, "its host was drained", &fault);
        }
    }
}

static void
departures_abandon(struct work *work)
{
    if (work->abandoned)
        return;
    if (work->kind == WORK_LAUNCH) {
        launch_abandon(CONTAINER_OF(work, struct launch, work));
    } else {
        bury_abandon(CONTAINER_OF(work, struct bury, work));
    }
}

/* What becomes of an instance that nothing works on, when its machine is gone. */
static enum instance_event
departures_event(const struct instance *instance)
{
    if (instance->state == INSTANCE_STOPPING)
        return INSTANCE_EV_ENDED;
    if (instance->blueprint->spec.restart.policy == RESTART_ALWAYS ||
        instance->state == INSTANCE_STARTING)
        return INSTANCE_EV_RETRY;
    return INSTANCE_EV_FAILED;
}

/* The machine is not to be waited for: its instances are lost, or start elsewhere. */
static void
departures_lose(struct engine *engine, struct host *host)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&host->instances); node; node = next) {
        struct instance *instance = CONTAINER_OF(node, struct instance, node);

        next = list_next(&host->instances, node);
        if (instance->work) {
            departures_abandon(instance->work);
            continue;
        }
        instance->retry_at_ms = 0;
        model_instance_move(engine->model, instance, departures_event(instance),
                            "its host was removed", state_now_ms(engine));
        state_sweep(engine);
    }
}

static void
departures_operation_end(struct engine *engine, const struct host *host, bool removed)
{
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (operation->host_id != host->id || operation->state != OPERATION_RUNNING ||
            (operation->kind == OPERATION_HOST_REMOVE && !removed))
            continue;
        operation->state = OPERATION_DONE;
        operation->ended_at_ms = state_now_ms(engine);
        operation->progress = operation->total;
        model_operation_touch(engine->model, operation);
    }
}

/* Calls on behalf of requests (a log that is followed, ...). Return: whether there were any. */
static bool
departures_calls_end(struct engine *engine, const struct host *host)
{
    struct list_node *next;
    bool any = false;

    for (struct list_node *node = list_first(&engine->calls); node; node = next) {
        struct engine_call *call = CONTAINER_OF(node, struct engine_call, node);

        next = list_next(&engine->calls, node);
        if (call->call.host_id != host->id)
            continue;
        any = true;
        engine_call_cancel(engine, call);
    }
    return any;
}

/* A rented machine that was of no use to anybody. */
static bool
departures_is_setback(const struct host *host, enum host_cause cause)
{
    if (!host_is_rented(host))
        return false;
    return (host->state == HOST_SPAWNED && cause == CAUSE_GAVE_UP) ||
           (host->state == HOST_ACTIVE && cause == CAUSE_ERRORS && host->uses == 0);
}

void
departures_begin(struct engine *engine, struct host *host, enum host_cause cause,
                 int64_t ends_at_ms, const char *reason)
{
    int64_t now_ms = state_now_ms(engine);

    if (departures_is_setback(host, cause))
        mind_host_failed(mind_of(engine, host->pool), host, reason);
    host->ends_at_ms = ends_at_ms;
    /* What the policy has set aside for later is a person's now. */
    if (host->state != HOST_INACTIVE ||
        (cause == CAUSE_OPERATOR && host->cause == CAUSE_CONSOLIDATED))
        host->cause = (int8_t)cause;
    free(host->waiting_for);
    host->waiting_for = mem_strdup("draining");
    if (host->state == HOST_ACTIVE) {
        model_host_move(engine->model, host, HOST_EV_DRAIN, reason, now_ms);
    } else if (host->state == HOST_SPAWNED) {
        /* A rented machine that is not a host yet is not kept for later. */
        host->remove_when_empty |= host_is_rented(host);
        model_host_move(engine->model, host, HOST_EV_GAVE_UP, reason, now_ms);
    } else {
        model_host_touch(engine->model, host, now_ms);
    }
}

void
departures_end(struct engine *engine, struct host *host, const char *reason)
{
    int64_t now_ms = state_now_ms(engine);

    host->removed_at_ms = now_ms;
    host->ends_at_ms = 0;
    free(STEAL(host->waiting_for));
    model_host_move(engine->model, host, host->lost ? HOST_EV_GONE : HOST_EV_EMPTY, reason, now_ms);
    departures_operation_end(engine, host, true);
}

/* Its engine is asked nothing any more.  Return: whether all that was under way has ended. */
static bool
departures_leave(struct engine *engine, struct host *host)
{
    /* What was left behind is removed first, or goes with the machine. */
    if (host->lane && !host->lost && !host_is_rented(host) && lane_is_unsure(host->lane)) {
        join_schedule(host->lane, 0);
        return false;
    }
    if (host->lane && lane_is_busy(host->lane)) {
        lane_cancel_all(host->lane);
        return false;
    }
    if (departures_calls_end(engine, host))
        return false;
    if (host->lane) {
        rounds_host_looked(engine, host); /* nobody looks at it any more */
        lane_free(host->lane);
        engine->ports.docker->host_forget(engine->ports.docker->self, host->id);
    }
    return true;
}

/* A machine that was given to us is left as it is.  Return: whether nothing is under way there. */
static bool
departures_let_go(struct rental *rental)
{
    const struct shell_port *shell = rental->engine->ports.shell;

    if (rental->preparing)
        shell->prepare_cancel(shell->self, &rental->prepare);
    if (rental_is_busy(rental))
        return false;
    rental_free(rental);
    return true;
}

static void
departures_remove(struct engine *engine, struct host *host)
{
    struct rental *rental = rental_find(engine, host);

    /* Its machine runs on as long as nobody can end it, and its row with it. */
    if ((host_is_rented(host) && !engine->ports.cloud) || !departures_leave(engine, host))
        return;
    if (rental && host_is_rented(host)) {
        retire_begin(engine, host);
        return;
    }
    if (rental && !departures_let_go(rental))
        return;
    departures_end(engine, host, host->lost ? "removed at once, as asked" : "empty, as asked");
}

/* The drain's deadline has passed.  What runs on a machine that does not answer cannot be moved: it is
 * lost, and goes with the machine. */
static void
departures_due(struct engine *engine, struct host *host)
{
    if (host_is_rented(host) && host->lane && host->lane->state == LANE_BROKEN) {
        state_event(engine, "host.given_up", host, NULL,
                    "it does not answer: what runs there is given up with its machine");
        host->lost = true;
        engine->hosts_lost = true;
        model_host_touch(engine->model, host, state_now_ms(engine));
        departures_lose(engine, host);
    } else {
        departures_clear(engine, host);
    }
}

static void
departures_check_host(struct engine *engine, struct host *host, int64_t now_ms)
{
    if (host->lost) {
        departures_lose(engine, host);
    } else if (host->ends_at_ms > 0 && now_ms >= host->ends_at_ms && host->instance_count > 0) {
        departures_due(engine, host);
    }
    if (host->instance_count > 0 || (host->machine && host->machine->stage == MACHINE_RETURNING))
        return;
    if (host->waiting_for) {
        free(STEAL(host->waiting_for));
        host->ends_at_ms = 0;
        model_host_touch(engine->model, host, now_ms);
        departures_operation_end(engine, host, false);
        housekeeping_poke(engine);
    }
    if (host->remove_when_empty || host->lost)
        departures_remove(engine, host);
}

void
departures_check(struct engine *engine)
{
    int64_t now_ms = state_now_ms(engine);

    if (engine->model->host_counts[HOST_INACTIVE] == 0 && !engine->hosts_lost)
        return;
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->state == HOST_INACTIVE || (host->lost && host->state != HOST_REMOVED))
            departures_check_host(engine, host, now_ms);
    }
}
