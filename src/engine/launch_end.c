#include "launch_end.h"

#include <assert.h>

#include "bury.h"
#include "judge.h"
#include "keep.h"
#include "launch_words.h"
#include "restart.h"
#include "trust.h"

enum {
    RETRY_DELAY_MIN_MS = 200,
    RETRY_DELAY_MAX_MS = 10000,
};

#ifdef __SANITIZE_ADDRESS__
static const size_t launch_spares_max = 0; /* so that a use after the end is seen */
#else
static const size_t launch_spares_max = 64;
#endif

/* In order of time. */
static void launch_end_on_log(struct keep *keep);
static void launch_end_on_removed(struct lane_op *op, const struct fault *fault);
static void launch_end_running(struct launch *launch);
static void launch_end_failed(struct launch *launch, const struct fault *why);
static void launch_end_on_retry(struct clock_timer *timer);

bool
launch_end_is_lost(const struct fault *fault)
{
    return fault->kind == FAULT_TIMEOUT || fault->kind == FAULT_LOST ||
           fault->kind == FAULT_GARBLED;
}

void
launch_end_free(struct launch *launch)
{
    struct engine *engine = launch->work.engine;

    assert(!launch->calling);
    state_timer_clear(engine, &launch->timer);
    work_end(&launch->work);
    launch_words_free(launch);
    if (engine->spare_launches.count < launch_spares_max) {
        list_push(&engine->spare_launches, &launch->spare);
    } else {
        free(launch);
    }
}

/* What is thrown away unread cannot tell why it failed. */
void
launch_end_keep_log(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);

    if (launch->work.abandoned || !launch->began) {
        flow_step_done(flow, NULL);
        return;
    }
    launch->calling = true;
    launch->keep.done = launch_end_on_log;
    keep_start(&launch->keep, &launch->op, launch->work.engine, launch->work.instance);
}

static void
launch_end_on_log(struct keep *keep)
{
    struct launch *launch = CONTAINER_OF(keep, struct launch, keep);

    launch->calling = false;
    flow_step_done(&launch->flow, NULL);
}

void
launch_end_remove(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);

    /* An abandoned launch leaves its container: the launch that follows takes it up again. */
    if (launch->work.abandoned) {
        flow_step_done(flow, NULL);
        return;
    }
    launch->op = (struct lane_op){ .call = { .verb = DOCKER_REMOVE, .name = launch->name } };
    launch_call(launch, LANE_HEAVY, launch_end_on_removed);
}

static void
launch_end_on_removed(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_STEP_COUNT);

    /* If it could not be removed, the next comparison with the host does it. */
    flow_step_done(&launch->flow, fault);
}

void
launch_end_settle(struct launch *launch, const struct fault *fault)
{
    struct engine *engine = launch->work.engine;
    struct instance *instance = launch->work.instance;
    struct host *host = instance->host;

    if (launch->work.abandoned) {
        launch_end_free(launch);
        return;
    }
    if (instance->state == INSTANCE_STOPPING) {
        /* Normally nothing is left of it; should something be, the burial finds it. */
        launch_end_free(launch);
        bury_start(engine, instance);
    } else if (fault) {
        launch_end_failed(launch, fault);
    } else {
        launch_end_running(launch);
    }
    trust_work_changed(engine, host);
}

static void
launch_end_running(struct launch *launch)
{
    struct engine *engine = launch->work.engine;
    struct instance *instance = launch->work.instance;
    int64_t now_ms = state_now_ms(engine);
    bool died = launch->died;

    meter_add(&engine->meter.steps[METER_READY],
              (state_mono_ms(engine) - launch->step_mono_ms) * 1000);
    meter_add(&engine->meter.steps[METER_LAUNCH], (now_ms - instance->created_at_ms) * 1000);
    engine->meter.launches++;
    launch_end_free(launch);
    instance->attempts = 0;
    instance->retry_at_ms = 0;
    instance->exit_code = INSTANCE_NO_EXIT_CODE;
    if (instance->ends_at_ms == 0 && instance->started_at_ms == 0 && instance->lifetime_ms > 0)
        instance->ends_at_ms = now_ms + instance->lifetime_ms;
    if (instance->ends_at_ms > 0 &&
        (engine->next_end_ms == 0 || instance->ends_at_ms < engine->next_end_ms))
        engine->next_end_ms = instance->ends_at_ms;
    model_instance_move(engine->model, instance, INSTANCE_EV_READY, "ready", now_ms);
    judge_launch_went_well(engine, instance);
    if (instance->restarts == 0)
        trust_placed_well(engine, instance->host);
    if (died)
        bury_look(engine, instance);
}

/* Nothing was to answer, and it ended well before anybody looked. */
static bool
launch_end_did_its_work(const struct instance *instance, const struct fault *fault)
{
    const struct blueprint_spec *spec = &instance->blueprint->spec;

    return fault->kind == FAULT_EXITED && instance->exit_code == 0 &&
           (spec->ready.kind == READY_NONE || spec->ports.count == 0);
}

/* It would fail in the same way on any other host. */
static bool
launch_end_is_final(const struct fault *fault)
{
    return fault_rule(fault->kind)->blame == BLAME_BLUEPRINT ||
           fault->kind == FAULT_ENGINE_REFUSED || fault->kind == FAULT_TOO_LARGE ||
           fault->kind == FAULT_BUG;
}

static void
launch_end_failed(struct launch *launch, const struct fault *why)
{
    const struct fault copy = *why; /* it lies in the launch, which ends here */
    const struct fault *fault = &copy;
    struct engine *engine = launch->work.engine;
    struct instance *instance = launch->work.instance;
    const struct fault_rule *rule = fault_rule(fault->kind);
    int64_t delay_ms = RETRY_DELAY_MIN_MS;

    if (launch_end_did_its_work(instance, fault) &&
        !restart_is_due(instance, state_now_ms(engine))) {
        launch_end_free(launch);
        model_instance_move(engine->model, instance, INSTANCE_EV_ENDED, fault->text,
                            state_now_ms(engine));
        state_sweep(engine);
        return;
    }
    engine->meter.launch_failures++;
    state_event(engine, "instance.attempt_failed", instance->host, instance, "%s: %s", rule->code,
                fault->text);
    judge_launch_failed(engine, instance, fault);
    if (fault->kind == FAULT_EXITED && restart_is_due(instance, state_now_ms(engine))) {
        launch_end_free(launch);
        restart_start(engine, instance, fault->text);
        return;
    }
    if (launch_end_is_final(fault) || ++instance->attempts >= LAUNCH_ATTEMPTS_MAX) {
        launch_end_free(launch);
        model_instance_move(engine->model, instance, INSTANCE_EV_FAILED, fault->text,
                            state_now_ms(engine));
        state_sweep(engine);
        return;
    }
    for (uint8_t i = 1; i < instance->attempts; i++)
        delay_ms *= 3;
    launch->timer.fire = launch_end_on_retry;
    state_timer_set(engine, &launch->timer,
                    delay_ms > RETRY_DELAY_MAX_MS ? RETRY_DELAY_MAX_MS : delay_ms);
    model_instance_reason_set(engine->model, instance, fault->text);
    model_instance_touch(engine->model, instance);
}

/* Back to the queue, from where another host is tried if there is one. */
static void
launch_end_on_retry(struct clock_timer *timer)
{
    struct launch *launch = CONTAINER_OF(timer, struct launch, timer);
    struct engine *engine = launch->work.engine;
    struct instance *instance = launch->work.instance;
    struct host *host = instance->host;

    launch_end_free(launch);
    instance->retry_at_ms = 0;
    model_instance_move(engine->model, instance, INSTANCE_EV_RETRY, NULL, state_now_ms(engine));
    trust_work_changed(engine, host);
    state_sweep(engine);
}

/* It waits: for its next attempt, for the time of a restart, or between two questions. */
void
launch_end_now(struct launch *launch)
{
    struct engine *engine = launch->work.engine;
    struct instance *instance = launch->work.instance;
    bool abandoned = launch->work.abandoned;

    state_timer_clear(engine, &launch->timer);
    launch->wanting = false;
    if (launch->flow.in_step) {
        (void)launch_is_over(launch);
        return;
    }
    launch_end_free(launch);
    if (abandoned)
        return;
    trust_work_changed(engine, instance->host);
    bury_start(engine, instance);
}
