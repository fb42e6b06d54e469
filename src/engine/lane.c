#include "lane.h"

#include <assert.h>

#include "join.h"
#include "pulse.h"
#include "rental.h"
#include "trust.h"

/* In order of time. */
static void lane_poke(struct lane *lane);
static void lane_begin(struct lane *lane, struct lane_op *op);
static void lane_on_done(struct docker_call *call, const struct fault *fault);
static void lane_judge(struct lane *lane, const struct lane_op *op, const struct fault *fault);

void
lane_new(struct engine *engine, struct host *host)
{
    struct lane *lane = mem_new0(sizeof(*lane));

    assert(!host->lane);
    lane->engine = engine;
    lane->host = host;
    lane->probe_delay_ms = LANE_PROBE_MIN_MS;
    list_init(&lane->running);
    lane->leftovers = 1; /* of what was before us, nothing is known */
    host->lane = lane;
    lane->counted = true;
    engine->joins_pending++;
    join_schedule(lane, 0);
}

void
lane_free(struct lane *lane)
{
    if (!lane)
        return;
    assert(!lane_is_busy(lane));
    state_timer_clear(lane->engine, &lane->timer);
    pulse_free(lane);
    trust_free(lane);
    if (list_is_in(&lane->join_node))
        list_remove(&lane->engine->joins_waiting, &lane->join_node);
    if (lane->counted)
        lane->engine->joins_pending--;
    lane->engine->rounds_due -= lane->round_due;
    lane->host->lane = NULL;
    free(lane);
}

bool
lane_is_leaving(const struct lane *lane)
{
    const struct host *host = lane->host;

    return host->state == HOST_INACTIVE && host->instance_count == 0 &&
           (host->lost || (host->remove_when_empty && !lane_is_unsure(lane)));
}

bool
lane_is_busy(const struct lane *lane)
{
    return lane->work || lane->running.count > 0 || lane->join || lane->hints ||
           (lane->trust && lane->trust->canary);
}

bool
lane_is_unsure(const struct lane *lane)
{
    return lane->state != LANE_BROKEN && lane->leftovers != lane->leftovers_seen;
}

static uint32_t
lane_limit(const struct lane *lane, int share)
{
    int64_t limit = lane->host->pool->policy.starts_per_host;

    if (share != LANE_HEAVY)
        return share == LANE_LIGHT ? LANE_LIGHT_MAX : LANE_BULK_MAX;
    if (limit == 0)
        limit = lane->host->total.cpus_milli * 4 / 1000;
    if (limit < 2)
        limit = 2;
    return limit > 32 ? 32 : (uint32_t)limit;
}

/* Work that was placed before the host was suspended goes elsewhere, too. */
static bool
lane_sheds(const struct lane *lane)
{
    const struct trial *trial = lane->host->trial;

    return trial && trial->state == TRIAL_SUSPENDED;
}

static void
lane_settle_ask(struct lane *lane)
{
    bool full = false;

    for (int share = 0; share < LANE_FREE && lane->work; share++)
        full |= lane->work->queues[share].waiting.count > LANE_WAITING_MAX;
    if (lane->state != LANE_BROKEN && !full && !lane_sheds(lane))
        return;
    lane->engine->breaks_pending = true;
    lane->engine->ports.clock->turn_ask(lane->engine->ports.clock->self);
}

/* Room for one limited call more. */
static struct lane_work *
lane_work_take(struct lane *lane)
{
    if (!lane->work) {
        lane->work = mem_new0(sizeof(*lane->work));
        for (int share = 0; share < LANE_FREE; share++)
            list_init(&lane->work->queues[share].waiting);
    }
    lane->work->count++;
    return lane->work;
}

static void
lane_work_give(struct lane *lane)
{
    assert(lane->work && lane->work->count > 0);
    if (--lane->work->count == 0)
        free(STEAL(lane->work));
}

void
lane_submit(struct lane *lane, struct lane_op *op)
{
    op->lane = lane;
    op->running = false;
    op->broken = false;
    op->submitted_mono_ms = state_mono_ms(lane->engine);
    if (op->share == LANE_FREE) {
        lane_begin(lane, op);
        return;
    }
    list_push(&lane_work_take(lane)->queues[op->share].waiting, &op->node);
    lane_poke(lane);
    if (!op->running)
        lane_settle_ask(lane);
}

/* What it was to make may be there all the same, what it was to remove may still be. */
static void
lane_note_leftover(struct lane *lane, const struct lane_op *op, const struct fault *fault)
{
    if (fault && op->share == LANE_HEAVY &&
        (fault_rule(fault->kind)->unsure || op->call.verb == DOCKER_REMOVE))
        lane->leftovers++;
}

/* All but the first @kept go to the end of @failed, in their order. */
static void
lane_shorten(struct lane_queue *queue, size_t kept, struct list *failed)
{
    struct list newest;
    struct list_node *node;

    list_init(&newest);
    while (queue->waiting.count > kept && (node = list_pop_last(&queue->waiting)))
        list_push_front(&newest, node);
    list_move(failed, &newest);
}

static void
lane_fail(struct lane *lane, struct list *failed, const struct fault *fault)
{
    struct list_node *node;

    while ((node = list_pop(failed))) {
        struct lane_op *op = CONTAINER_OF(node, struct lane_op, node);

        lane_note_leftover(lane, op, fault);
        lane_work_give(lane);
        op->done(op, fault);
    }
}

static void
lane_shed(struct lane *lane)
{
    struct list *waiting = &lane->work->queues[LANE_HEAVY].waiting;
    struct list failed;
    struct list_node *next;
    struct fault fault;

    list_init(&failed);
    for (struct list_node *node = list_first(waiting); node; node = next) {
        next = list_next(waiting, node);
        if (!CONTAINER_OF(node, struct lane_op, node)->new_work)
            continue;
        list_remove(waiting, node);
        list_push(&failed, node);
    }
    fault_set(&fault, FAULT_NO_CAPACITY, "lane",
              "host %s takes no new work: too much fails there, it is suspended", lane->host->name);
    lane_fail(lane, &failed, &fault);
}

/* What waits on a broken host, and the newest of too many, fails at the end of the turn, not inside
 * its submission. */
void
lane_settle(struct lane *lane)
{
    size_t kept = lane->state == LANE_BROKEN ? 0 : LANE_WAITING_MAX;
    struct list failed;
    struct fault fault;

    if (lane->state != LANE_BROKEN && lane->work && lane_sheds(lane))
        lane_shed(lane);
    list_init(&failed);
    for (int share = 0; share < LANE_FREE && lane->work; share++)
        lane_shorten(&lane->work->queues[share], kept, &failed);
    if (failed.count == 0)
        return;
    if (lane->state == LANE_BROKEN) {
        fault_set(&fault, FAULT_UNREACHABLE, "lane", "host %s does not answer", lane->host->name);
    } else {
        fault_set(&fault, FAULT_NO_CAPACITY, "lane", "host %s has %d calls waiting already",
                  lane->host->name, LANE_WAITING_MAX);
    }
    lane_fail(lane, &failed, &fault);
}

/* The first of @share may run now. */
static bool
lane_may_begin(const struct lane *lane, int share)
{
    const struct lane_queue *queue = &lane->work->queues[share];
    struct list_node *first = list_first(&queue->waiting);

    if (!first || queue->running >= lane_limit(lane, share))
        return false;
    if (share == LANE_LIGHT)
        return true;
    /* What is shed at the end of the turn is not begun in its midst. */
    return lane->state == LANE_OPEN &&
           !(CONTAINER_OF(first, struct lane_op, node)->new_work && lane_sheds(lane));
}

static void
lane_poke(struct lane *lane)
{
    for (int share = 0; share < LANE_FREE && lane->work; share++) {
        while (lane_may_begin(lane, share)) {
            struct list_node *first = list_pop(&lane->work->queues[share].waiting);

            lane_begin(lane, CONTAINER_OF(first, struct lane_op, node));
        }
    }
}

static void
lane_begin(struct lane *lane, struct lane_op *op)
{
    const struct docker_port *docker = lane->engine->ports.docker;

    op->running = true;
    op->began_mono_ms = state_mono_ms(lane->engine);
    list_push(&lane->running, &op->node);
    if (op->share != LANE_FREE)
        lane->work->queues[op->share].running++;
    lane->engine->lane_ops++;
    op->call.host_id = lane->host->id;
    op->call.done = lane_on_done;
    pulse_begin(op);
    docker->call_start(docker->self, &op->call);
}

static void
lane_on_done(struct docker_call *call, const struct fault *fault)
{
    struct lane_op *op = CONTAINER_OF(call, struct lane_op, call);
    struct lane *lane = op->lane;
    struct fault lost;

    list_remove(&lane->running, &op->node);
    op->running = false;
    if (op->share != LANE_FREE) {
        lane->work->queues[op->share].running--;
        lane_work_give(lane);
    }
    lane->engine->lane_ops--;
    pulse_end(op, fault);
    if (op->broken && fault && fault->kind == FAULT_CANCELLED) {
        /* Whether it happened is not known: the caller looks, or tries elsewhere. */
        fault_set(&lost, FAULT_TIMEOUT, "lane", "host %s stopped answering", lane->host->name);
        fault = &lost;
    } else {
        lane_judge(lane, op, fault);
    }
    lane_note_leftover(lane, op, fault);
    lane_poke(lane);
    op->done(op, fault);
}

/* While it is broken, only the looks at it count: not when nobody answers for a while, as after a
 * restart of its engine, but an engine that hangs does. */
static bool
lane_counts(const struct lane *lane, const struct lane_op *op, const struct fault *fault)
{
    if (lane->engine->reloading || lane->engine->health == ENGINE_STOPPING)
        return false;
    if (lane->state != LANE_BROKEN)
        return true;
    return (op->call.verb == DOCKER_INFO || op->call.verb == DOCKER_PING) &&
           (fault->kind != FAULT_UNREACHABLE || lane->probe_delay_ms >= LANE_PROBE_MAX_MS);
}

/* Its engine is restarted by what is done there just now: that it does not answer is our doing.  An engine
 * that stays away makes that run fail, and counts from then on. */
static bool
lane_is_excused(const struct lane *lane, const struct fault *fault)
{
    const struct host *host = lane->host;
    const struct rental *rental = host->machine ? rental_find(lane->engine, host) : NULL;

    return rental && rental->upkeep &&
           (fault->kind == FAULT_UNREACHABLE || fault->kind == FAULT_LOST ||
            fault->kind == FAULT_TLS);
}

/* A fault that blames the host raises its score; some mean that it cannot be worked with now. */
static void
lane_judge(struct lane *lane, const struct lane_op *op, const struct fault *fault)
{
    if (!fault) {
        lane->failures = 0;
        return;
    }
    lane->engine->meter.faults[fault->kind]++;
    if (fault_rule(fault->kind)->blame != BLAME_HOST || !lane_counts(lane, op, fault))
        return;
    if (!lane_is_excused(lane, fault))
        trust_fault(lane, docker_verb_name(op->call.verb), fault);
    if (lane->state == LANE_BROKEN)
        return;
    if (lane->failures < LANE_FAILURES_MAX)
        lane->failures++;
    if (fault->kind == FAULT_UNREACHABLE || fault->kind == FAULT_TLS ||
        op->call.verb == DOCKER_PING || lane->failures >= LANE_FAILURES_MAX) {
        lane_break(lane, fault);
    } else {
        join_schedule(lane, 0); /* look at once whether it lives */
        lane_settle_ask(lane);
    }
}

void
lane_cancel(struct lane_op *op)
{
    struct lane *lane = op->lane;
    const struct docker_port *docker = lane->engine->ports.docker;
    struct fault fault;

    if (op->running) {
        docker->call_cancel(docker->self, &op->call);
        return;
    }
    list_remove(&lane->work->queues[op->share].waiting, &op->node);
    lane_work_give(lane);
    fault_set(&fault, FAULT_CANCELLED, "lane", "cancelled before it began");
    lane_note_leftover(lane, op, &fault);
    op->done(op, &fault);
}

void
lane_cancel_all(struct lane *lane)
{
    const struct docker_port *docker = lane->engine->ports.docker;
    struct list_node *node;
    struct list_node *next;

    trust_cancel(lane);
    for (int share = 0; share < LANE_FREE; share++) {
        while (lane->work && (node = list_first(&lane->work->queues[share].waiting)))
            lane_cancel(CONTAINER_OF(node, struct lane_op, node));
    }
    for (node = list_first(&lane->running); node; node = next) {
        next = list_next(&lane->running, node);
        docker->call_cancel(docker->self, &CONTAINER_OF(node, struct lane_op, node)->call);
    }
}

void
lane_opened(struct lane *lane)
{
    lane->state = LANE_OPEN;
    lane->failures = 0;
    lane_poke(lane);
}

void
lane_probe_later(struct lane *lane)
{
    lane->probe_delay_ms *= 2;
    if (lane->probe_delay_ms > LANE_PROBE_MAX_MS)
        lane->probe_delay_ms = LANE_PROBE_MAX_MS;
}

void
lane_break(struct lane *lane, const struct fault *fault)
{
    const struct docker_port *docker = lane->engine->ports.docker;
    struct host *host = lane->host;
    struct list_node *next;

    if (lane->state == LANE_BROKEN)
        return;
    /* One that breaks again and again is not asked ever so often. */
    if (lane->broken_mono_ms == 0 ||
        state_mono_ms(lane->engine) - lane->broken_mono_ms > LANE_STEADY_MS) {
        lane->probe_delay_ms = LANE_PROBE_MIN_MS;
    } else {
        lane_probe_later(lane);
    }
    lane->state = LANE_BROKEN;
    lane->broken_mono_ms = state_mono_ms(lane->engine);
    host->reachable = false;
    host->breaker_open = true;
    model_host_touch(lane->engine->model, host, state_now_ms(lane->engine));
    state_event(lane->engine, "host.unreachable", host, NULL, "takes no work until it answers: %s",
                fault->text);
    log_warn("host", "%s does not answer: %s", host->name, fault->text);
    for (struct list_node *node = list_first(&lane->running); node; node = next) {
        struct lane_op *op = CONTAINER_OF(node, struct lane_op, node);

        next = list_next(&lane->running, node);
        op->broken = true;
        docker->call_cancel(docker->self, &op->call);
    }
    state_timer_clear(lane->engine, &lane->timer); /* a look at once was wanted: not any more */
    join_schedule(lane, lane->probe_delay_ms);
    lane_settle_ask(lane);
}
