#include "bury.h"

#include <assert.h>

#include "launch.h"
#include "observe.h"
#include "restart.h"
#include "trust.h"

enum {
    BURY_DELAY_MIN_MS = 250,
    BURY_DELAY_MAX_MS = 10000,
    BURY_WAITS_MAX = 2,    /* each twice as long as the one before */
    BURY_FRESH_MS = 60000, /* having run for less, it does not disappear by itself */
    BURY_STOPS_MAX = 3,    /* answered with an error: from then on it is removed by force */
};

/* In order of time. */
static struct bury *bury_new(struct engine *engine, struct instance *instance);
static void bury_on_durable(struct engine_wait *wait, const struct fault *fault);
static void bury_end_container(struct bury *bury);
static void bury_on_ended(struct lane_op *op, const struct fault *fault);
static void bury_inspect(struct bury *bury);
static void bury_on_inspected(struct lane_op *op, const struct fault *fault);
static void bury_on_dead(struct bury *bury, const struct docker_container *container);
static void bury_keep_log(struct bury *bury);
static void bury_on_kept(struct keep *keep);
static void bury_on_kept_durable(struct engine_wait *wait, const struct fault *fault);
static void bury_remove(struct bury *bury);
static void bury_on_removed(struct lane_op *op, const struct fault *fault);
static void bury_settle(struct bury *bury);
static void bury_retry(struct bury *bury, void (*again)(struct bury *bury));

void
bury_stop(struct engine *engine, struct instance *instance)
{
    struct work *work = instance->work;
    int64_t now_ms = state_now_ms(engine);

    assert(instance->desired == INSTANCE_STOPPED);
    if (instance_state_is_final(instance->state))
        return;
    if (instance->state == INSTANCE_QUEUED) {
        model_instance_move(engine->model, instance, INSTANCE_EV_STOP, NULL, now_ms);
        return;
    }
    if (instance->state != INSTANCE_STOPPING)
        model_instance_move(engine->model, instance, INSTANCE_EV_STOP, NULL, now_ms);
    if (!work) {
        bury_start(engine, instance);
    } else if (work->kind == WORK_LAUNCH) {
        launch_stop(CONTAINER_OF(work, struct launch, work));
    }
    /* A burial that is under way sees it at its end. */
}

static struct bury *
bury_new(struct engine *engine, struct instance *instance)
{
    struct bury *bury = mem_new0(sizeof(*bury));

    work_begin(&bury->work, WORK_BURY, engine, instance);
    instance_container_name(instance, bury->name);
    bury->delay_ms = BURY_DELAY_MIN_MS;
    return bury;
}

static void
bury_free(struct bury *bury)
{
    assert(!bury->calling && !bury->waiting);
    state_timer_clear(bury->work.engine, &bury->timer);
    work_end(&bury->work);
    free(bury);
}

static void
bury_wait(struct bury *bury, void (*done)(struct engine_wait *, const struct fault *))
{
    bury->waiting = true;
    bury->wait.done = done;
    engine_wait_durable(bury->work.engine, &bury->wait);
}

void
bury_start(struct engine *engine, struct instance *instance)
{
    struct bury *bury = bury_new(engine, instance);

    assert(instance->state == INSTANCE_STOPPING && instance->host);
    bury->stopping = true;
    bury_wait(bury, bury_on_durable);
}

void
bury_move(struct engine *engine, struct instance *instance)
{
    struct bury *bury = bury_new(engine, instance);

    assert(instance->state == INSTANCE_RUNNING);
    bury->stopping = true;
    bury->moving = true;
    bury_wait(bury, bury_on_durable);
}

void
bury_look(struct engine *engine, struct instance *instance)
{
    assert(instance->state == INSTANCE_RUNNING && instance->host);
    bury_inspect(bury_new(engine, instance));
}

static void
bury_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct bury *bury = CONTAINER_OF(wait, struct bury, wait);

    bury->waiting = false;
    if (fault || bury->work.abandoned) {
        bury_free(bury);
    } else {
        bury_end_container(bury);
    }
}

static void
bury_call(struct bury *bury, enum lane_share share,
          void (*done)(struct lane_op *, const struct fault *))
{
    bury->calling = true;
    bury->op.share = share;
    bury->op.done = done;
    lane_submit(bury->work.instance->host->lane, &bury->op);
}

/* First line of each callback; NULL when the burial has ended here. */
static struct bury *
bury_called(struct lane_op *op)
{
    struct bury *bury = CONTAINER_OF(op, struct bury, op);

    bury->calling = false;
    if (!bury->work.abandoned)
        return bury;
    bury_free(bury);
    return NULL;
}

static void
bury_end_container(struct bury *bury)
{
    if (bury->moving && bury->work.instance->host->state == HOST_ACTIVE) {
        /* Its host takes work again: it may stay, unless it was ended already. */
        bury->moving = false;
        bury->stopping = false;
        bury_inspect(bury);
        return;
    }
    bury->op = (struct lane_op){ .call = { .verb = DOCKER_STOP, .name = bury->name } };
    bury->op.call.in.grace_ms = bury->work.instance->blueprint->spec.stop_grace_ms;
    bury_call(bury, LANE_HEAVY, bury_on_ended);
}

static void
bury_on_ended(struct lane_op *op, const struct fault *fault)
{
    struct bury *bury = bury_called(op);

    if (!bury)
        return;
    if (fault && fault->kind != FAULT_ENGINE_MISSING) {
        /* Whoever does not answer cannot be asked to remove it either. */
        bury->stops += bury->work.instance->host->reachable;
        bury_retry(bury, bury->stops < BURY_STOPS_MAX ? bury_end_container : bury_inspect);
    } else {
        bury_inspect(bury);
    }
}

static void
bury_inspect(struct bury *bury)
{
    bury->op = (struct lane_op){ .call = { .verb = DOCKER_INSPECT, .name = bury->name } };
    bury_call(bury, LANE_LIGHT, bury_on_inspected);
}

/* Its exit code and whether memory was the reason. */
static void
bury_observe_end(struct bury *bury, const struct docker_container *container)
{
    struct engine *engine = bury->work.engine;
    struct instance *instance = bury->work.instance;

    instance->exit_code = container->exit_code;
    if (container->oom_killed && !instance->oom_told)
        bury_oom_seen(engine, instance);
    observe_exit_text(instance, container, &bury->why);
    bury->told = true;
    if (!bury->stopping && instance->state == INSTANCE_RUNNING)
        model_instance_reason_set(engine->model, instance, bury->why.text);
    model_instance_touch(engine->model, instance);
}

static void
bury_on_dead(struct bury *bury, const struct docker_container *container)
{
    if (!bury->stopping && bury->waits < BURY_WAITS_MAX &&
        observe_may_be_told_more(bury->work.instance, container)) {
        bury->waits++;
        bury_retry(bury, bury_inspect);
        return;
    }
    bury_observe_end(bury, container);
    bury_keep_log(bury);
}

static void
bury_on_inspected(struct lane_op *op, const struct fault *fault)
{
    struct bury *bury = bury_called(op);
    const struct docker_container *container = &op->call.out.container;

    if (!bury)
        return;
    if (fault && fault->kind != FAULT_ENGINE_MISSING) {
        /* A look that cannot be taken now is taken at the next comparison. */
        if (bury->work.instance->state == INSTANCE_RUNNING && !bury->moving) {
            bury_settle(bury);
        } else {
            bury_retry(bury, bury_inspect);
        }
        return;
    }
    if (fault) {
        bury->gone = true;
        bury_settle(bury);
        return;
    }
    if (!observe_is_alive(container)) {
        bury_on_dead(bury, container);
    } else if (!bury->stopping) {
        observe_container(bury->work.engine, bury->work.instance, container);
        bury_settle(bury);
    } else if (bury->stops < BURY_STOPS_MAX) {
        bury_retry(bury, bury_end_container);
    } else {
        bury_keep_log(bury);
    }
}

static void
bury_keep_log(struct bury *bury)
{
    bury->calling = true;
    bury->keep.done = bury_on_kept;
    keep_start(&bury->keep, &bury->op, bury->work.engine, bury->work.instance);
}

static void
bury_on_kept(struct keep *keep)
{
    struct bury *bury = CONTAINER_OF(keep, struct bury, keep);

    bury->calling = false;
    if (bury->work.abandoned) {
        bury_free(bury);
    } else {
        bury_wait(bury, bury_on_kept_durable);
    }
}

static void
bury_on_kept_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct bury *bury = CONTAINER_OF(wait, struct bury, wait);

    bury->waiting = false;
    if (fault || bury->work.abandoned) {
        bury_free(bury);
    } else {
        bury_remove(bury);
    }
}

static void
bury_remove(struct bury *bury)
{
    bury->op = (struct lane_op){ .call = { .verb = DOCKER_REMOVE, .name = bury->name } };
    bury_call(bury, LANE_HEAVY, bury_on_removed);
}

static void
bury_on_removed(struct lane_op *op, const struct fault *fault)
{
    struct bury *bury = bury_called(op);

    if (!bury)
        return;
    bury->gone = true;
    if (fault && fault->kind != FAULT_ENGINE_MISSING) {
        bury_retry(bury, bury_remove);
    } else {
        bury_settle(bury);
    }
}

/* It ended although nobody asked it to. */
static void
bury_settle_crashed(struct engine *engine, struct instance *instance, const char *why)
{
    int64_t now_ms = state_now_ms(engine);

    if (restart_is_due(instance, now_ms)) {
        restart_start(engine, instance, why);
    } else if (instance->exit_code == 0) {
        model_instance_move(engine->model, instance, INSTANCE_EV_ENDED, why, now_ms);
    } else {
        model_instance_move(engine->model, instance, INSTANCE_EV_FAILED, why, now_ms);
    }
}

/* Nobody asked for its end, and it had hardly begun. */
static void
bury_note_vanished(const struct bury *bury)
{
    const struct instance *instance = bury->work.instance;

    if (bury->gone && !bury->stopping && instance->state == INSTANCE_RUNNING &&
        state_now_ms(bury->work.engine) - instance->moved_at_ms < BURY_FRESH_MS)
        trust_vanished(instance->host->lane, bury->name);
}

static void
bury_settle(struct bury *bury)
{
    struct engine *engine = bury->work.engine;
    struct instance *instance = bury->work.instance;
    int64_t now_ms = state_now_ms(engine);
    struct fault why = bury->why;
    bool stopping = bury->stopping;
    bool moving = bury->moving;
    bool gone = bury->gone;

    /* A burial that a crash interrupted knew how it ended. */
    if (!bury->told && instance->exit_code != INSTANCE_NO_EXIT_CODE && instance->reason) {
        fault_set(&why, FAULT_EXITED, "bury", "%s", instance->reason);
    } else if (!bury->told) {
        fault_set(&why, FAULT_EXITED, "bury", "its container has disappeared from its host");
        bury_note_vanished(bury);
    }
    bury_free(bury);
    state_sweep(engine);
    if (instance->state == INSTANCE_STOPPING && gone) {
        model_instance_move(engine->model, instance, INSTANCE_EV_ENDED, NULL, now_ms);
    } else if (instance->state == INSTANCE_STOPPING) {
        bury_start(engine, instance);
    } else if (!gone) {
        return;
    } else if (moving || (stopping && instance->desired == INSTANCE_RUNNING)) {
        model_instance_move(engine->model, instance, INSTANCE_EV_RETRY, "moved to another host",
                            now_ms);
    } else {
        bury_settle_crashed(engine, instance, why.text);
    }
}

static void
bury_on_timer(struct clock_timer *timer)
{
    struct bury *bury = CONTAINER_OF(timer, struct bury, timer);

    bury->again(bury);
}

static void
bury_retry(struct bury *bury, void (*again)(struct bury *bury))
{
    bury->again = again;
    bury->timer.fire = bury_on_timer;
    state_timer_set(bury->work.engine, &bury->timer, bury->delay_ms);
    bury->delay_ms =
        bury->delay_ms * 2 > BURY_DELAY_MAX_MS ? BURY_DELAY_MAX_MS : bury->delay_ms * 2;
}

void
bury_oom_count(struct engine *engine, struct instance *instance)
{
    instance->oom_kills++;
    instance->oom_told = true;
    instance->rev++;
    engine->meter.oom_kills++;
}

void
bury_oom_seen(struct engine *engine, struct instance *instance)
{
    char size[24];

    bury_oom_count(engine, instance);
    state_event(engine, "instance.oom", instance->host, instance,
                "the kernel ended a process in it that needed more than the limit of %s",
                text_size((uint64_t)instance->blueprint->spec.memory_bytes, size));
    model_instance_touch(engine->model, instance);
}

void
bury_abandon(struct bury *bury)
{
    bury->work.abandoned = true;
    if (bury->calling) {
        lane_cancel(&bury->op);
    } else if (bury->timer.at_mono_ms != 0) {
        bury_free(bury);
    }
}
