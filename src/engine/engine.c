#include "berth/engine/engine.h"

#include <assert.h>

#include "berth/base/intern.h"

#include "departures.h"
#include "housekeeping.h"
#include "idle.h"
#include "images.h"
#include "jumps.h"
#include "lane.h"
#include "launch.h"
#include "mind.h"
#include "recover.h"
#include "rental.h"
#include "rounds.h"
#include "steps.h"
#include "sweep.h"
#include "tick.h"
#include "turn.h"

void
engine_config_defaults(struct engine_config *ret_config)
{
    const int64_t day_ms = 86400000;

    *ret_config = (struct engine_config){
        .cluster = "berth",
        .housekeeping_ms = 15000,
        .log_tail_bytes = INT64_C(64) * 1024,
        .queue_max = 100000,
        .retention = {
            .instances_max = 10000,
            .instances_ms = 7 * day_ms,
            .hosts_ms = 30 * day_ms,
            .operations_ms = 7 * day_ms,
            .events_max = 1000000,
            .events_ms = 30 * day_ms,
            .logs_ms = 7 * day_ms,
            .logs_bytes_max = INT64_C(256) * 1024 * 1024,
            .steps_bytes_max = INT64_C(64) * 1024 * 1024,
            .answers_ms = day_ms,
        },
    };
}

struct engine *
engine_new(const struct engine_ports *ports, const struct engine_config *config)
{
    struct engine *engine = mem_new0(sizeof(*engine));

    engine->ports = *ports;
    engine->config = *config;
    engine->model = model_new();
    engine->flights = intern_new();
    turn_init(engine);
    list_init(&engine->calls);
    list_init(&engine->registries);
    list_init(&engine->registries_old);
    list_init(&engine->spreads);
    list_init(&engine->consoles);
    list_init(&engine->image_retries);
    list_init(&engine->rounds);
    list_init(&engine->joins_waiting);
    list_init(&engine->spare_launches);
    return engine;
}

int
engine_load(struct engine *engine, struct fault *fault)
{
    const struct store_port *store = engine->ports.store;

    if (store->load(store->self, engine->model, &engine->info, fault) < 0)
        return -1;
    engine->started = true;
    jumps_check(engine); /* the clock is what it is */
    engine->told_seq = engine->model->last_seq;
    recover_resume(engine);
    tick_start(engine);
    return 0;
}

void
engine_config_set(struct engine *engine, const struct engine_config *config)
{
    engine->config = *config;
}

/* What waits on hosts that were found broken, or is too much for one, fails now. */
static void
engine_settle_lanes(struct engine *engine)
{
    engine->breaks_pending = false;
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->lane)
            lane_settle(host->lane);
    }
}

void
engine_turn_end(struct engine *engine)
{
    if (!engine->reloading) {
        sweep_queues(engine);
        if (engine->breaks_pending)
            engine_settle_lanes(engine);
    }
    steps_tell(engine);
    turn_commit(engine);
    recover_poke(engine);
}

void
engine_stop_start(struct engine *engine, void (*done)(void *cookie), void *cookie)
{
    engine->stopped = done;
    engine->stopped_cookie = cookie;
    tick_stop(engine);
    housekeeping_stop(engine);
    state_timer_clear(engine, &engine->recover_timer);
    engine->reloading = false;
    engine->health = ENGINE_STOPPING;
    recover_quiesce(engine);
}

void
engine_free(struct engine *engine)
{
    if (!engine)
        return;
    assert(recover_is_quiet(engine));
    tick_stop(engine);
    state_timer_clear(engine, &engine->recover_timer);
    housekeeping_stop(engine);
    rounds_fini(engine);
    idle_fini(engine);
    rental_fini(engine);
    mind_fini(engine);
    intern_free(engine->flights);
    images_fini(engine);
    recover_lanes_free(engine);
    launch_spares_free(engine);
    turn_fini(engine);
    model_free(engine->model);
    free(engine);
}

const struct model *
engine_model(const struct engine *engine)
{
    return engine->model;
}

int64_t
engine_now_ms(const struct engine *engine)
{
    return state_now_ms(engine);
}

const struct engine_config *
engine_config(const struct engine *engine)
{
    return &engine->config;
}

const char *
engine_cluster_id(const struct engine *engine)
{
    return engine->info.cluster_id;
}

struct meter *
engine_meter(struct engine *engine)
{
    return &engine->meter;
}

const struct cloud_tally *
engine_cloud_tally(struct engine *engine, size_t *ret_count)
{
    const struct cloud_port *cloud = engine->ports.cloud;

    *ret_count = 0;
    return cloud ? cloud->tally(cloud->self, ret_count) : NULL;
}

enum engine_health
engine_health(const struct engine *engine, struct fault *ret_why)
{
    if (ret_why && engine->health != ENGINE_SERVING)
        *ret_why = engine->why;
    return engine->health;
}

bool
engine_ready(const struct engine *engine)
{
    return engine->started && engine->joins_pending == 0 && !engine->reloading;
}

void
engine_wait_durable(struct engine *engine, struct engine_wait *wait)
{
    list_push(&engine->waits, &wait->node);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
}

void
engine_history_start(struct engine *engine, struct store_history *history)
{
    engine->ports.store->history_start(engine->ports.store->self, history);
}

void
engine_backup_start(struct engine *engine, struct store_backup *backup)
{
    engine->ports.store->backup_start(engine->ports.store->self, backup);
}

const struct spool_port *
engine_spool(const struct engine *engine)
{
    return engine->ports.spool;
}

void
engine_listen(struct engine *engine, void (*notify)(void *cookie), void *cookie)
{
    engine->notify = notify;
    engine->notify_cookie = cookie;
}
