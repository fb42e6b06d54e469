#include "join.h"

#include <assert.h>
#include <string.h>

#include "compare.h"
#include "hints.h"
#include "images.h"
#include "recover.h"
#include "rounds.h"
#include "trust.h"

enum {
    JOIN_LOOKS_A_SECOND = 200, /* over all hosts: with more hosts, each is looked at less often */
    JOIN_AT_ONCE_MAX = 500,    /* looks under way: all hosts are looked at when we start */
};

/* One look.  Freed when it ends. */
struct join {
    struct lane_op op;
    uint32_t leftovers; /* the lane's when the list was asked for */
    bool informed;      /* it is the engine that it should be */
    bool stranger;      /* it has another id: its list must prove it */
    struct docker_info info;
};

/* In order of time. */
static void join_on_timer(struct clock_timer *timer);
static void join_begin(struct lane *lane);
static void join_info(struct lane *lane);
static void join_on_info(struct lane_op *op, const struct fault *fault);
static void join_list(struct lane *lane);
static void join_on_list(struct lane_op *op, const struct fault *fault);
static void join_succeeded(struct lane *lane);
static void join_ended(struct lane *lane, const struct fault *fault);
static void join_plan(struct lane *lane, const struct fault *fault);
static void join_admit(struct engine *engine);

/* Between two looks at a healthy host. */
static int64_t
join_interval_ms(struct engine *engine)
{
    int64_t fair_ms = (int64_t)engine->model->hosts.live * 1000 / JOIN_LOOKS_A_SECOND;
    int64_t base_ms = engine->config.housekeeping_ms;

    return fair_ms > base_ms ? fair_ms : base_ms;
}

static bool
join_is_welcome(const struct lane *lane)
{
    return !lane->engine->reloading && lane->engine->health != ENGINE_STOPPING &&
           !lane_is_leaving(lane);
}

void
join_schedule(struct lane *lane, int64_t in_ms)
{
    int64_t at_ms = state_mono_ms(lane->engine) + in_ms;

    if (!join_is_welcome(lane))
        return;
    if (lane->join) {
        lane->wanted |= in_ms == 0;
        return;
    }
    if (lane->timer.at_mono_ms != 0 && lane->timer.at_mono_ms <= at_ms)
        return;
    lane->timer.fire = join_on_timer;
    state_timer_set(lane->engine, &lane->timer, in_ms);
}

/* What was wrong with the endpoint when the rows were loaded may have been mended: a file that was
 * missing, say.  Return: whether the host can be asked. */
static bool
join_reach(struct lane *lane)
{
    const struct docker_port *docker = lane->engine->ports.docker;
    const struct host *host = lane->host;
    struct fault fault;

    lane->unset = docker->host_set(docker->self, host->id, &host->endpoint,
                                   lane->engine->info.cluster_id, &fault) < 0;
    if (lane->unset)
        join_plan(lane, &fault);
    return !lane->unset;
}

static void
join_on_timer(struct clock_timer *timer)
{
    struct lane *lane = CONTAINER_OF(timer, struct lane, timer);

    assert(!lane->join);
    if (list_is_in(&lane->join_node) || !join_is_welcome(lane) ||
        (lane->unset && !join_reach(lane)))
        return;
    if (lane->engine->joins_running < JOIN_AT_ONCE_MAX) {
        join_begin(lane);
    } else {
        list_push(&lane->engine->joins_waiting, &lane->join_node);
    }
}

static void
join_begin(struct lane *lane)
{
    lane->join = mem_new0(sizeof(*lane->join));
    lane->engine->joins_running++;
    lane->wanted = false;
    if (lane->state == LANE_OPEN) {
        join_list(lane);
    } else {
        join_info(lane);
    }
}

static void
join_info(struct lane *lane)
{
    lane->join->informed = true;
    lane->join->op = (struct lane_op){ .call = { .verb = DOCKER_INFO },
                                       .share = LANE_FREE,
                                       .done = join_on_info };
    lane_submit(lane, &lane->join->op);
}

/* Return: whether that is a change. */
static bool
join_text_set(char **slot, const char *text)
{
    if (*slot && strcmp(*slot, text) == 0)
        return false;
    free(*slot);
    *slot = mem_strdup(text);
    return true;
}

/* Return: whether the engine tells anything new. */
static bool
join_info_take(struct model *model, struct host *host, const struct docker_info *info)
{
    const struct host_amount total = {
        .memory_bytes = info->memory_bytes,
        .cpus_milli = info->cpus_milli,
        .slots = host_slots(host),
    };
    bool changed = host->total.memory_bytes != total.memory_bytes ||
                   host->total.cpus_milli != total.cpus_milli || host->total.slots != total.slots;

    changed |= join_text_set(&host->engine_id, info->engine_id);
    changed |= model_host_text_set(model, &host->engine_version, info->engine_version);
    changed |= model_host_text_set(model, &host->engine_api, info->engine_api);
    host->total = total;
    return changed;
}

/*
 * Another machine stands at this address, or another engine on the machine: whether what ran on the old
 * one is lost, only people know.
 */
static void
join_refuse(struct lane *lane, const char *engine_id)
{
    struct host *host = lane->host;
    struct fault fault;

    fault_set(
        &fault, FAULT_UNREACHABLE, "join",
        "another engine answers at %s (it was %s, is %s): put the address right, or accept it "
        "with `berth host activate %s`, which gives up what ran on the old one",
        host->endpoint.engine, host->engine_id, engine_id, host->name);
    if (!host->other_engine) {
        host->other_engine = true;
        (void)join_text_set(&host->reason, fault.text);
        model_host_touch(lane->engine->model, host, state_now_ms(lane->engine));
        state_event(lane->engine, "host.replaced", host, NULL, "%s", fault.text);
    }
    join_ended(lane, &fault);
}

/* It is the engine that it should be. */
static void
join_accept(struct lane *lane, const struct docker_info *info)
{
    struct host *host = lane->host;

    if (host->other_engine) {
        host->other_engine = false;
        (void)join_text_set(&host->reason, "its engine answers");
        model_host_touch(lane->engine->model, host, state_now_ms(lane->engine));
    }
    if (join_info_take(lane->engine->model, host, info))
        model_host_touch(lane->engine->model, host, state_now_ms(lane->engine));
    if (!info->memory_limit) {
        state_event(lane->engine, "host.no_memory_limit", host, NULL,
                    "its engine cannot limit memory: limits of containers do not bite there");
    }
}

static void
join_on_info(struct lane_op *op, const struct fault *fault)
{
    struct lane *lane = op->lane;
    const struct host *host = lane->host;
    const struct docker_info *info = &op->call.out.info;

    if (fault) {
        join_ended(lane, fault);
        return;
    }
    lane->join->stranger = host->engine_id && strcmp(host->engine_id, info->engine_id) != 0;
    if (lane->join->stranger) {
        lane->join->info = *info;
    } else {
        join_accept(lane, info);
    }
    join_list(lane);
}

/* An engine may lose its id and keep its containers. Return: whether it is this host's engine. */
static bool
join_is_proven(struct lane *lane, const struct docker_call *list)
{
    if (!lane->join->stranger)
        return true;
    if (!compare_is_proof(lane->engine, lane->host, list->out.list.at, list->out.list.count))
        return false;
    state_event(
        lane->engine, "host.engine_id", lane->host, NULL,
        "its engine has another id now (it was %s, is %s), and is the same by what runs there",
        lane->host->engine_id, lane->join->info.engine_id);
    join_accept(lane, &lane->join->info);
    return true;
}

static void
join_list(struct lane *lane)
{
    lane->join->op = (struct lane_op){ .call = { .verb = DOCKER_LIST },
                                       .share = LANE_FREE,
                                       .done = join_on_list };
    lane->join->leftovers = lane->leftovers;
    trust_list_asked(lane);
    lane_submit(lane, &lane->join->op);
}

static void
join_on_list(struct lane_op *op, const struct fault *fault)
{
    struct lane *lane = op->lane;

    if (fault) {
        join_ended(lane, fault);
        return;
    }
    if (!join_is_proven(lane, &op->call)) {
        join_refuse(lane, lane->join->info.engine_id);
        return;
    }
    if (!lane->join->informed && join_is_welcome(lane) &&
        compare_is_surprised(lane->engine, lane->host, op->call.out.list.at,
                             op->call.out.list.count)) {
        join_info(lane); /* before anything is given up or removed: is it still this engine? */
        return;
    }
    if (compare_host(lane->engine, lane->host, op->call.out.list.at, op->call.out.list.count))
        lane->leftovers_seen = lane->join->leftovers;
    if (lane->engine->reloading || lane->engine->health == ENGINE_STOPPING) {
        join_ended(lane, NULL);
        return;
    }
    if (!lane->engine->info.restored)
        recover_host_compared(lane->engine, lane->host);
    if (lane->state != LANE_OPEN)
        join_succeeded(lane);
    trust_look(lane);
    join_ended(lane, NULL);
}

/* The host is back, or here for the first time. */
static void
join_succeeded(struct lane *lane)
{
    struct engine *engine = lane->engine;
    struct host *host = lane->host;
    int64_t now_ms = state_now_ms(engine);

    if (lane->state == LANE_BROKEN)
        state_event(engine, "host.reachable", host, NULL, "answers again and was compared");
    host->reachable = true;
    host->breaker_open = false;
    host->seen = true;
    if (host->state == HOST_SPAWNED) {
        free(host->waiting_for);
        host->waiting_for = NULL;
        model_host_move(engine->model, host, HOST_EV_PREPARED, "its engine answers", now_ms);
    }
    model_host_seen(engine->model, host, now_ms);
    lane_opened(lane);
    images_host_joined(engine, host);
    state_sweep(engine);
}

static void
join_ended(struct lane *lane, const struct fault *fault)
{
    struct engine *engine = lane->engine;

    free(STEAL(lane->join));
    engine->joins_running--;
    join_plan(lane, fault);
    join_admit(engine);
}

/* Plans the next look: soon and ever later while it is broken. */
static void
join_plan(struct lane *lane, const struct fault *fault)
{
    struct engine *engine = lane->engine;
    int64_t delay_ms = join_interval_ms(engine);

    if (lane->counted) {
        lane->counted = false;
        engine->joins_pending--;
    }
    rounds_host_looked(engine, lane->host);
    if (!join_is_welcome(lane))
        return;
    if (!fault)
        hints_open(lane);
    if (fault && lane->state != LANE_BROKEN)
        lane_break(lane, fault);
    if (lane->state == LANE_BROKEN) {
        delay_ms = lane->probe_delay_ms;
        lane_probe_later(lane);
    }
    /* Jitter, so that hosts which broke together are not asked together for ever. */
    delay_ms += (int64_t)(random_u32(engine->ports.random) % (uint64_t)(delay_ms / 8 + 1));
    join_schedule(lane, lane->wanted && lane->state != LANE_BROKEN ? 0 : delay_ms);
}

/* Those that waited for their turn. */
static void
join_admit(struct engine *engine)
{
    struct list_node *node;

    while (engine->joins_running < JOIN_AT_ONCE_MAX && (node = list_pop(&engine->joins_waiting))) {
        struct lane *lane = CONTAINER_OF(node, struct lane, join_node);

        if (join_is_welcome(lane))
            join_begin(lane);
    }
}
