#include "launch_ready.h"

#include <string.h>

#include "bury.h"
#include "observe.h"
#include "trust.h"

enum {
    READY_DELAY_MIN_MS = 4,
    READY_DELAY_MAX_MS = 1000,
    READY_TOLD_MS = 250, /* for the engine's word about its end, */
    READY_TOLD_MAX = 3,  /* so often */
    EXIT_NOT_EXECUTABLE = 126,
    EXIT_NO_SUCH_COMMAND = 127,
};

/* In the order in which they run. */
static void launch_ready_on_looked(struct lane_op *op, const struct fault *fault);
static void launch_ready_on_dead(struct launch *launch, const struct docker_container *container);
static void launch_ready_on_wait(struct clock_timer *timer);
static void launch_ready_ask(struct launch *launch);
static void launch_ready_on_asked(struct lane_op *op, const struct fault *fault);
static void launch_ready_on_timer(struct clock_timer *timer);

static const struct blueprint_spec *
launch_ready_spec(const struct launch *launch)
{
    return &launch->work.instance->blueprint->spec;
}

void
launch_ready_start(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);

    if (launch_is_over(launch))
        return;
    launch->ready_delay_ms = READY_DELAY_MIN_MS;
    launch->ready_by_mono_ms =
        state_mono_ms(launch->work.engine) + launch_ready_spec(launch)->ready.timeout_ms;
    launch_look(launch, launch_ready_on_looked);
}

/* Which host port stands for the container's port to ask; 0: there is none. */
static uint16_t
launch_ready_port(const struct launch *launch)
{
    const struct instance *instance = launch->work.instance;
    int64_t wanted = launch_ready_spec(launch)->ready.port;

    if (launch_ready_spec(launch)->ready.kind == READY_NONE)
        return 0;
    for (size_t i = 0; i < instance->port_count; i++) {
        const struct instance_port *port = &instance->ports[i];

        if (port->protocol == PROTOCOL_TCP && (wanted == 0 || wanted == port->container))
            return port->host;
    }
    return 0;
}

/* A shell's words for a command that cannot be run; with restarts, it may be there the next time. */
static void
launch_ready_exited(const struct instance *instance, const struct docker_container *container,
                    struct fault *ret_fault)
{
    bool no_command =
        container->exit_code == EXIT_NOT_EXECUTABLE || container->exit_code == EXIT_NO_SUCH_COMMAND;

    observe_exit_text(instance, container, ret_fault);
    if (no_command && instance->blueprint->spec.restart.policy == RESTART_NO)
        ret_fault->kind = FAULT_COMMAND;
}

static void
launch_ready_on_dead(struct launch *launch, const struct docker_container *container)
{
    struct instance *instance = launch->work.instance;
    struct fault exited;

    if (launch->ready_waits < READY_TOLD_MAX && observe_may_be_told_more(instance, container)) {
        launch->ready_waits++;
        launch->timer.fire = launch_ready_on_wait;
        state_timer_set(launch->work.engine, &launch->timer, READY_TOLD_MS);
        return;
    }
    instance->exit_code = container->exit_code;
    if (container->oom_killed && !instance->oom_told)
        bury_oom_seen(launch->work.engine, instance);
    launch_ready_exited(instance, container, &exited);
    flow_step_done(&launch->flow, &exited);
}

static void
launch_ready_on_wait(struct clock_timer *timer)
{
    struct launch *launch = CONTAINER_OF(timer, struct launch, timer);

    if (!launch_is_over(launch))
        launch_look(launch, launch_ready_on_looked);
}

/* The engine said that it was started: then it has ended at the worst, it is not gone and did not
 * fail to begin. */
static bool
launch_ready_is_lie(const struct launch *launch, const struct lane_op *op,
                    const struct fault *fault, struct fault *ret_lie)
{
    bool gone = fault && fault->kind == FAULT_ENGINE_MISSING;

    if (!gone && (fault || op->call.out.container.state != DOCKER_CREATED))
        return false;
    fault_set(ret_lie, FAULT_INCONSISTENT, "launch.ready",
              "the engine said that %s was started, and now that %s", launch->name,
              gone ? "there is no such container" : "it never was");
    launch->work.engine->meter.faults[ret_lie->kind]++;
    return !launch->work.abandoned;
}

static void
launch_ready_on_looked(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_STEP_COUNT);

    struct fault lie;

    if (launch_ready_is_lie(launch, op, fault, &lie)) {
        trust_fault(op->lane, "start", &lie);
        fault = &lie;
    }
    if (fault) {
        flow_step_done(&launch->flow, fault);
        return;
    }
    if (launch_is_over(launch))
        return;
    observe_container(launch->work.engine, launch->work.instance, &op->call.out.container);
    if (!observe_is_alive(&op->call.out.container)) {
        launch_ready_on_dead(launch, &op->call.out.container);
        return;
    }
    if (launch_ready_port(launch) == 0) {
        flow_step_done(&launch->flow, NULL);
    } else if (launch->ready_delay_ms == READY_DELAY_MIN_MS) {
        launch_ready_ask(launch);
    } else {
        launch->timer.fire = launch_ready_on_timer;
        state_timer_set(launch->work.engine, &launch->timer, launch->ready_delay_ms);
    }
}

static void
launch_ready_ask(struct launch *launch)
{
    const struct blueprint_ready *ready = &launch_ready_spec(launch)->ready;

    launch->op = (struct lane_op){ .call = { .verb = DOCKER_READY, .name = launch->name } };
    launch->op.call.in.ready.host_port = launch_ready_port(launch);
    launch->op.call.in.ready.path = ready->kind == READY_HTTP ? ready->path : NULL;
    launch_call(launch, LANE_FREE, launch_ready_on_asked);
}

static void
launch_ready_on_asked(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_STEP_COUNT);
    struct fault late;

    if (!fault) {
        flow_step_done(&launch->flow, NULL);
        return;
    }
    if (launch_is_over(launch))
        return;
    if (fault->kind != FAULT_NOT_READY) {
        flow_step_done(&launch->flow, fault);
        return;
    }
    if (state_mono_ms(launch->work.engine) >= launch->ready_by_mono_ms) {
        fault_set(&late, FAULT_NOT_READY, "launch.ready", "not ready after %lld s: %s",
                  (long long)(launch_ready_spec(launch)->ready.timeout_ms / 1000), fault->text);
        flow_step_done(&launch->flow, &late);
        return;
    }
    /* Perhaps it has ended: that would never get ready. */
    launch->ready_delay_ms = launch->ready_delay_ms * 3 / 2 > READY_DELAY_MAX_MS
                                 ? READY_DELAY_MAX_MS
                                 : launch->ready_delay_ms * 3 / 2;
    launch_look(launch, launch_ready_on_looked);
}

static void
launch_ready_on_timer(struct clock_timer *timer)
{
    struct launch *launch = CONTAINER_OF(timer, struct launch, timer);

    if (!launch_is_over(launch))
        launch_ready_ask(launch);
}
