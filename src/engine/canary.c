#include "canary.h"

#include <assert.h>
#include <string.h>

#include "canary_image.h"
#include "trust.h"

enum {
    CANARY_STEP_MS = 20000, /* for each call, */
    CANARY_LOAD_MS = 60000, /* but for its image, which the engine writes to its disk */
    CANARY_RUN_MS = 20000,
    CANARY_LOOK_MIN_MS = 20,
    CANARY_LOOK_MAX_MS = 1000,
    CANARY_MEMORY_BYTES = 16 * 1024 * 1024,
    CANARY_PIDS = 16,
    CANARY_ARCHIVE_MAX = 64 * 1024,
};

struct canary {
    struct lane *lane;
    struct flow flow;
    struct lane_op op;
    struct engine_wait wait;
    struct clock_timer timer;
    struct blueprint_spec blueprint;
    struct buf archive;
    char image[sizeof(CANARY_IMAGE)];
    char name[DOCKER_NAME_SIZE];
    char architecture[16];
    int64_t by_mono_ms; /* it must have ended */
    int64_t look_ms;
    bool waiting; /* for the commit */
    bool calling;
    bool cleared; /* a container that had its name was removed */
    bool loaded;  /* its image was */
};

/* In the order in which they run. */
static void canary_commit(struct flow *flow);
static void canary_on_durable(struct engine_wait *wait, const struct fault *fault);
static void canary_info(struct flow *flow);
static void canary_on_info(struct lane_op *op, const struct fault *fault);
static void canary_create(struct flow *flow);
static void canary_on_created(struct lane_op *op, const struct fault *fault);
static void canary_load(struct canary *canary);
static void canary_clear(struct canary *canary);
static void canary_on_again(struct lane_op *op, const struct fault *fault);
static void canary_begin(struct flow *flow);
static void canary_await(struct flow *flow);
static void canary_look(struct canary *canary);
static void canary_on_looked(struct lane_op *op, const struct fault *fault);
static void canary_on_timer(struct clock_timer *timer);
static void canary_remove(struct flow *flow);
static void canary_on_done(struct lane_op *op, const struct fault *fault);
static void canary_finished(struct flow *flow, const struct fault *fault);

/* clang-format off */
static const struct flow_step canary_steps[] = {
    /* name      start          undo          */
    { "commit",  canary_commit, NULL          },
    { "info",    canary_info,   NULL          },
    { "create",  canary_create, canary_remove },
    { "start",   canary_begin,  NULL          },
    { "wait",    canary_await,  NULL          },
    { "remove",  canary_remove, NULL          },
};
/* clang-format on */

struct canary *
canary_new(struct lane *lane, uint32_t number)
{
    struct canary *canary = mem_new0(sizeof(*canary));
    char host[ID_TEXT_SIZE];
    struct buf name = { .data = canary->name,
                        .cap = sizeof(canary->name),
                        .limit = sizeof(canary->name) - 1 };

    canary->lane = lane;
    canary->look_ms = CANARY_LOOK_MIN_MS;
    buf_init(&canary->archive, CANARY_ARCHIVE_MAX);
    (void)id_encode(ID_HOST, lane->host->id, host);
    buf_printf(&name, "berth-canary-%s-%u", host, number);
    memcpy(canary->image, CANARY_IMAGE, sizeof(CANARY_IMAGE));
    canary->blueprint = (struct blueprint_spec){
        .image = canary->image,
        .memory_bytes = CANARY_MEMORY_BYTES,
        .pids = CANARY_PIDS,
        .read_only = true,
    };
    flow_start(&canary->flow, canary_steps, ARRAY_LEN(canary_steps), canary_finished);
    return canary;
}

void
canary_free(struct canary *canary)
{
    if (!canary)
        return;
    assert(!canary->calling && !canary->waiting);
    state_timer_clear(canary->lane->engine, &canary->timer);
    buf_fini(&canary->archive);
    free(canary);
}

bool
canary_is(const struct canary *canary, const struct docker_container *container)
{
    return canary && strcmp(canary->name, container->name) == 0;
}

/* Nobody wants to know any more, and nothing is to be asked for. */
static bool
canary_is_over(const struct canary *canary)
{
    const struct engine *engine = canary->lane->engine;

    return engine->reloading || engine->health == ENGINE_STOPPING;
}

void
canary_cancel(struct canary *canary)
{
    struct fault fault;

    if (canary->waiting)
        return; /* the next step sees it */
    if (canary->calling) {
        lane_cancel(&canary->op);
        return;
    }
    state_timer_clear(canary->lane->engine, &canary->timer);
    fault_set(&fault, FAULT_CANCELLED, "canary", "not wanted any more");
    flow_step_done(&canary->flow, &fault);
}

static void
canary_call(struct canary *canary, struct docker_call call, enum lane_share share,
            void (*done)(struct lane_op *, const struct fault *))
{
    canary->op = (struct lane_op){ .call = call, .share = share, .done = done };
    if (canary->op.call.deadline_ms == 0)
        canary->op.call.deadline_ms = CANARY_STEP_MS;
    canary->calling = true;
    lane_submit(canary->lane, &canary->op);
}

/* First line of each callback. */
static struct canary *
canary_called(struct lane_op *op)
{
    struct canary *canary = CONTAINER_OF(op, struct canary, op);

    canary->calling = false;
    return canary;
}

/* That the host is suspended is on the disk before a container is made because of it. */
static void
canary_commit(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);

    canary->waiting = true;
    canary->wait.done = canary_on_durable;
    engine_wait_durable(canary->lane->engine, &canary->wait);
}

static void
canary_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct canary *canary = CONTAINER_OF(wait, struct canary, wait);
    struct fault over;

    canary->waiting = false;
    if (!fault && (canary_is_over(canary) || !canary->lane->host->trial)) {
        fault_set(&over, FAULT_CANCELLED, "canary", "not wanted any more");
        fault = &over;
    }
    flow_step_done(&canary->flow, fault);
}

static void
canary_info(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);

    canary_call(canary, (struct docker_call){ .verb = DOCKER_INFO }, LANE_LIGHT, canary_on_info);
}

static void
canary_on_info(struct lane_op *op, const struct fault *fault)
{
    struct canary *canary = canary_called(op);

    if (!fault) {
        memcpy(canary->architecture, op->call.out.info.architecture, sizeof(canary->architecture));
    }
    flow_step_done(&canary->flow, fault);
}

static void
canary_create(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);
    struct docker_call call = { .verb = DOCKER_CREATE, .name = canary->name };

    call.in.create = (struct docker_spec){
        .blueprint = &canary->blueprint,
        .cluster_id = canary->lane->engine->info.cluster_id,
        .canary = true,
        .instance_id = canary->name,
    };
    canary_call(canary, call, LANE_HEAVY, canary_on_created);
}

static void
canary_on_created(struct lane_op *op, const struct fault *fault)
{
    struct canary *canary = canary_called(op);
    bool again = fault && !canary_is_over(canary);

    if (again && fault->kind == FAULT_ENGINE_MISSING && !canary->loaded) {
        canary_load(canary);
    } else if (again && fault->kind == FAULT_ENGINE_CONFLICT && !canary->cleared) {
        canary_clear(canary);
    } else {
        flow_step_done(&canary->flow, fault);
    }
}

static void
canary_load(struct canary *canary)
{
    struct docker_call call = { .verb = DOCKER_LOAD,
                                .name = canary->image,
                                .deadline_ms = CANARY_LOAD_MS };

    canary->loaded = true;
    canary_image_encode(canary->architecture, &canary->archive);
    call.in.load.data = canary->archive.data;
    call.in.load.size = canary->archive.len;
    canary_call(canary, call, LANE_BULK, canary_on_again);
}

/* One of before a crash, which no comparison has seen yet. */
static void
canary_clear(struct canary *canary)
{
    const struct docker_call call = { .verb = DOCKER_REMOVE, .name = canary->name };

    canary->cleared = true;
    canary_call(canary, call, LANE_HEAVY, canary_on_again);
}

static void
canary_on_again(struct lane_op *op, const struct fault *fault)
{
    struct canary *canary = canary_called(op);

    if (fault || canary_is_over(canary)) {
        flow_step_done(&canary->flow, fault);
    } else {
        canary_create(&canary->flow);
    }
}

static void
canary_begin(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);
    const struct docker_call call = { .verb = DOCKER_START, .name = canary->name };

    if (!canary_image_runs(canary->architecture) || canary_is_over(canary)) {
        flow_step_done(flow, NULL);
        return;
    }
    canary_call(canary, call, LANE_HEAVY, canary_on_done);
}

static void
canary_await(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);

    if (!canary_image_runs(canary->architecture) || canary_is_over(canary)) {
        flow_step_done(flow, NULL);
        return;
    }
    canary->by_mono_ms = state_mono_ms(canary->lane->engine) + CANARY_RUN_MS;
    canary_look(canary);
}

static void
canary_look(struct canary *canary)
{
    const struct docker_call call = { .verb = DOCKER_INSPECT, .name = canary->name };

    canary_call(canary, call, LANE_LIGHT, canary_on_looked);
}

/* How it ended, when it did not end as it should. */
static void
canary_verdict(const struct docker_container *container, struct fault *ret_fault)
{
    if (container->state == DOCKER_CREATED) {
        fault_set(ret_fault, FAULT_INCONSISTENT, "canary",
                  "the engine says that it was started, and that it was not");
    } else if (container->state != DOCKER_EXITED) {
        fault_set(ret_fault, FAULT_TIMEOUT, "canary", "it did not end in %d s",
                  CANARY_RUN_MS / 1000);
    } else {
        fault_set(ret_fault, FAULT_EXITED, "canary", "ended with exit code %d, not 0: %s",
                  container->exit_code, container->error);
    }
}

static void
canary_on_looked(struct lane_op *op, const struct fault *fault)
{
    struct canary *canary = canary_called(op);
    const struct docker_container *container = &op->call.out.container;
    struct engine *engine = canary->lane->engine;
    struct fault why;

    if (fault || canary_is_over(canary) ||
        (container->state == DOCKER_EXITED && container->exit_code == 0)) {
        flow_step_done(&canary->flow, fault);
        return;
    }
    if ((container->state == DOCKER_RUNNING || container->state == DOCKER_CREATED) &&
        state_mono_ms(engine) < canary->by_mono_ms) {
        canary->timer.fire = canary_on_timer;
        state_timer_set(engine, &canary->timer, canary->look_ms);
        canary->look_ms =
            canary->look_ms * 2 < CANARY_LOOK_MAX_MS ? canary->look_ms * 2 : CANARY_LOOK_MAX_MS;
        return;
    }
    canary_verdict(container, &why);
    flow_step_done(&canary->flow, &why);
}

static void
canary_on_timer(struct clock_timer *timer)
{
    canary_look(CONTAINER_OF(timer, struct canary, timer));
}

/* The last step, and the undo of what was created. */
static void
canary_remove(struct flow *flow)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);
    const struct docker_call call = { .verb = DOCKER_REMOVE, .name = canary->name };

    if (canary_is_over(canary)) {
        flow_step_done(flow, NULL);
        return;
    }
    canary_call(canary, call, LANE_HEAVY, canary_on_done);
}

static void
canary_on_done(struct lane_op *op, const struct fault *fault)
{
    struct canary *canary = canary_called(op);

    flow_step_done(&canary->flow, fault);
}

static void
canary_finished(struct flow *flow, const struct fault *fault)
{
    struct canary *canary = CONTAINER_OF(flow, struct canary, flow);
    struct lane *lane = canary->lane;
    struct fault why;

    if (fault)
        why = *fault; /* it lies in the canary, which ends here */
    canary_free(canary);
    trust_canary_ended(lane, fault ? &why : NULL);
}
