#include "recover.h"

#include "bury.h"
#include "housekeeping.h"
#include "idle.h"
#include "images.h"
#include "join.h"
#include "jumps.h"
#include "lane.h"
#include "launch.h"
#include "mind.h"
#include "rental.h"
#include "rounds.h"
#include "shutdown.h"
#include "turn.h"
#include "work.h"

enum {
    RECOVER_DELAY_MIN_MS = 1000,
    RECOVER_DELAY_MAX_MS = 30000,
    RECOVER_PROBE_MS = 2000,
};

/* In order of time. */
static void recover_instance(struct engine *engine, struct instance *instance);
static void recover_reload(struct engine *engine);
static void recover_on_probe(struct clock_timer *timer);

static void
recover_host(struct engine *engine, struct host *host)
{
    const struct docker_port *docker = engine->ports.docker;
    struct fault fault;

    if (host->state == HOST_REMOVED)
        return;
    host_capacity_update(host);
    engine->hosts_lost |= host->lost;
    if (host->machine && host->machine->stage != MACHINE_READY)
        return; /* there is no engine to ask */
    lane_new(engine, host);
    if (docker->host_set(docker->self, host->id, &host->endpoint, engine->info.cluster_id, &fault) <
        0) {
        host->lane->unset = true;
        lane_break(host->lane, &fault);
    }
}

static void
recover_instance(struct engine *engine, struct instance *instance)
{
    if (!instance->host || !instance->host->lane || instance->work)
        return;
    if (instance->state == INSTANCE_STARTING) {
        launch_start(engine, instance);
    } else if (instance->state == INSTANCE_STOPPING) {
        bury_start(engine, instance);
    } else if (instance->desired == INSTANCE_STOPPED) {
        bury_stop(engine, instance);
    }
}

static void
recover_instances(struct engine *engine)
{
    IDMAP_EACH(&engine->model->instances, struct instance, instance)
    {
        recover_instance(engine, instance);
    }
}

void
recover_resume(struct engine *engine)
{
    engine->next_end_ms = 0;
    engine->hosts_lost = false;
    engine->blame.count = 0;
    engine->breakers_open = 0;
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        recover_host(engine, host);
    }
    shutdown_resume(engine);
    rental_resume_all(engine);
    if (!engine->info.restored)
        recover_instances(engine);
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (operation->state != OPERATION_RUNNING || operation->kind == OPERATION_HOST_DRAIN ||
            operation->kind == OPERATION_HOST_REMOVE || operation->kind == OPERATION_POOL_SHUTDOWN)
            continue;
        operation->state = OPERATION_FAILED;
        operation->ended_at_ms = state_now_ms(engine);
        free(operation->text);
        operation->text = mem_strdup("interrupted by a restart; ask for it again");
        model_operation_touch(engine->model, operation);
    }
    state_sweep(engine);
}

void
recover_lanes_free(struct engine *engine)
{
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        lane_free(host->lane);
    }
}

void
recover_quiesce(struct engine *engine)
{
    struct list_node *next;

    work_abandon_all(engine);
    rental_cancel_all(engine);
    images_cancel_all(engine);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->lane)
            lane_cancel_all(host->lane);
    }
    for (struct list_node *node = list_first(&engine->calls); node; node = next) {
        next = list_next(&engine->calls, node);
        engine_call_cancel(engine, CONTAINER_OF(node, struct engine_call, node));
    }
    engine->ports.clock->turn_ask(engine->ports.clock->self);
}

bool
recover_is_quiet(const struct engine *engine)
{
    return engine->works == 0 && engine->lane_ops == 0 && engine->calls.count == 0 &&
           engine->cloud_calls == 0 && engine->spreads.count == 0 && engine->commits_in_flight == 0;
}

void
recover_on_store_fault(struct engine *engine, const struct fault *fault)
{
    if (engine->reloading || engine->health == ENGINE_STOPPING)
        return;
    log_error("store", "a commit failed: %s", fault->text);
    engine->health = fault->kind == FAULT_STORAGE_FULL ? ENGINE_FULL : ENGINE_BROKEN;
    engine->why = *fault;
    engine->reloading = true;
    state_timer_clear(engine, &engine->recover_timer);
    turn_drop(engine, fault);
    recover_quiesce(engine);
}

static void
recover_on_retry(struct clock_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, recover_timer);

    recover_reload(engine);
}

static int64_t
recover_delay_next(struct engine *engine)
{
    int64_t delay_ms = engine->recover_delay_ms;

    engine->recover_delay_ms = delay_ms == 0 ? RECOVER_DELAY_MIN_MS : delay_ms * 2;
    if (engine->recover_delay_ms > RECOVER_DELAY_MAX_MS)
        engine->recover_delay_ms = RECOVER_DELAY_MAX_MS;
    return delay_ms;
}

/* The model in memory stays for readers until the new one is there. */
static void
recover_reload(struct engine *engine)
{
    const struct store_port *store = engine->ports.store;
    struct model *model = model_new();
    struct store_info info;
    struct fault fault;

    model_dirty_clear(engine->model);
    if (store->load(store->self, model, &info, &fault) < 0) {
        log_error("store", "the rows cannot be loaded: %s", fault.text);
        model_free(model);
        engine->why = fault;
        engine->health = ENGINE_BROKEN;
        engine->recover_timer.fire = recover_on_retry;
        state_timer_set(engine, &engine->recover_timer,
                        recover_delay_next(engine) + RECOVER_DELAY_MIN_MS);
        return;
    }
    housekeeping_stop(engine);
    rounds_fini(engine);
    idle_fini(engine);
    rental_fini(engine);
    mind_fini(engine);
    recover_lanes_free(engine);
    model_free(engine->model);
    engine->model = model;
    engine->info = info;
    engine->reloading = false;
    jumps_reloaded(engine);
    log_warn("store", "the rows were loaded again after a failed commit");
    recover_resume(engine);
    engine->recover_timer.fire = recover_on_probe;
    state_timer_set(engine, &engine->recover_timer, RECOVER_PROBE_MS);
}

static void
recover_on_probe(struct clock_timer *timer)
{
    struct engine *engine = CONTAINER_OF(timer, struct engine, recover_timer);
    const struct store_port *store = engine->ports.store;
    struct fault fault;

    if (!store->probe(store->self, &fault)) {
        engine->why = fault;
        state_timer_set(engine, &engine->recover_timer, RECOVER_PROBE_MS);
        return;
    }
    log_info("store", "the database can be written again");
    engine->health = ENGINE_SERVING;
    engine->recover_delay_ms = 0;
    engine->why = (struct fault){ 0 };
    state_event(engine, "store.recovered", NULL, NULL, "the database can be written again");
    state_sweep(engine);
}

/* Until the last has answered, the file counts as restored: a restart must not forget who is late. */
static void
recover_late_check(struct engine *engine)
{
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->late && host->state != HOST_REMOVED)
            return;
    }
    engine->extra.compared = true;
}

void
recover_host_compared(struct engine *engine, struct host *host)
{
    if (!host->late)
        return;
    host->late = false;
    recover_late_check(engine);
}

/*
 * A restored file is first compared with all hosts, and only adds what it finds.  After that the open
 * work goes on, and what has no row is an orphan.
 */
static void
recover_compared(struct engine *engine)
{
    if (!engine->info.restored || engine->joins_pending > 0)
        return;
    engine->info.restored = false;
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        host->late = host->lane && !host->seen;
    }
    recover_late_check(engine);
    state_event(engine, "store.compared", NULL, NULL,
                "the restored rows were compared with the hosts that answered");
    recover_instances(engine);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->lane)
            join_schedule(host->lane, 0);
    }
    state_sweep(engine);
}

void
recover_poke(struct engine *engine)
{
    if (engine->reloading && engine->recover_timer.at_mono_ms == 0 && recover_is_quiet(engine)) {
        engine->recover_timer.fire = recover_on_retry;
        state_timer_set(engine, &engine->recover_timer, recover_delay_next(engine));
    }
    if (engine->health == ENGINE_STOPPING && engine->stopped && recover_is_quiet(engine) &&
        turn_is_clean(engine)) {
        void (*stopped)(void *cookie) = engine->stopped;

        engine->stopped = NULL;
        stopped(engine->stopped_cookie);
        return;
    }
    if (!engine->reloading && engine->started && engine->health != ENGINE_STOPPING)
        recover_compared(engine);
}
