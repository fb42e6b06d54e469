#include "launch.h"

#include <assert.h>
#include <string.h>

#include "images.h"
#include "launch_end.h"
#include "launch_ready.h"
#include "launch_words.h"
#include "restart.h"

/* In the order in which they run. */
static void launch_on_due(struct clock_timer *timer);
static void launch_on_durable(struct engine_wait *wait, const struct fault *fault);
static void launch_pull(struct flow *flow);
static void launch_pull_begin(struct launch *launch);
static void launch_on_progress(struct docker_call *call, int64_t done, int64_t total,
                               const char *text);
static void launch_on_pulled(struct lane_op *op, const struct fault *fault);
static void launch_create(struct flow *flow);
static void launch_on_created(struct lane_op *op, const struct fault *fault);
static void launch_on_create_looked(struct lane_op *op, const struct fault *fault);
static void launch_begin(struct flow *flow);
static void launch_on_began(struct lane_op *op, const struct fault *fault);
static void launch_on_begin_looked(struct lane_op *op, const struct fault *fault);
static void launch_finished(struct flow *flow, const struct fault *fault);

/* clang-format off */
static const struct flow_step launch_steps[] = {
    /* name       start               undo                */
    { "pull",     launch_pull,        NULL                },
    { "create",   launch_create,      launch_end_remove   },
    { "start",    launch_begin,       launch_end_keep_log },
    { "ready",    launch_ready_start, NULL                },
};
/* clang-format on */

/* A launch is too large for the allocator's quick ways. */
static struct launch *
launch_new(struct engine *engine)
{
    struct list_node *node = list_pop(&engine->spare_launches);
    struct launch *launch;

    if (!node)
        return mem_new0(sizeof(*launch));
    launch = CONTAINER_OF(node, struct launch, spare);
    *launch = (struct launch){ 0 };
    return launch;
}

void
launch_spares_free(struct engine *engine)
{
    struct list_node *node;

    while ((node = list_pop(&engine->spare_launches)))
        free(CONTAINER_OF(node, struct launch, spare));
}

void
launch_start(struct engine *engine, struct instance *instance)
{
    struct launch *launch = launch_new(engine);
    int64_t wait_ms = instance->retry_at_ms - state_now_ms(engine);

    assert(instance->state == INSTANCE_STARTING && instance->host);
    work_begin(&launch->work, WORK_LAUNCH, engine, instance);
    instance_container_name(instance, launch->name);
    (void)id_encode(ID_INSTANCE, instance->id, launch->id_text);
    launch->began_mono_ms = state_mono_ms(engine);
    if (instance->retry_at_ms > 0 && wait_ms > 0) {
        /* A clock that was put back must not make it wait for years. */
        launch->timer.fire = launch_on_due;
        state_timer_set(engine, &launch->timer,
                        wait_ms < RESTART_DELAY_MAX_MS ? wait_ms : RESTART_DELAY_MAX_MS);
        return;
    }
    launch->wait.done = launch_on_durable;
    launch->waiting = true;
    engine_wait_durable(engine, &launch->wait);
}

static void
launch_on_due(struct clock_timer *timer)
{
    struct launch *launch = CONTAINER_OF(timer, struct launch, timer);

    launch->wait.done = launch_on_durable;
    launch->waiting = true;
    engine_wait_durable(launch->work.engine, &launch->wait);
}

/* The reservation is on the disk: from here on the outside world may change. */
static void
launch_on_durable(struct engine_wait *wait, const struct fault *fault)
{
    struct launch *launch = CONTAINER_OF(wait, struct launch, wait);
    struct engine *engine = launch->work.engine;

    launch->waiting = false;
    if (fault || launch->work.abandoned) {
        launch_end_free(launch);
        return;
    }
    meter_add(&engine->meter.steps[METER_COMMIT],
              (state_mono_ms(engine) - launch->began_mono_ms) * 1000);
    flow_start(&launch->flow, launch_steps, ARRAY_LEN(launch_steps), launch_finished);
}

/* A step's call: through the host's lane, unless somebody wants the launch to end. */
void
launch_call(struct launch *launch, enum lane_share share,
            void (*done)(struct lane_op *, const struct fault *))
{
    struct instance *instance = launch->work.instance;

    assert(!launch->calling);
    launch->calling = true;
    launch->op.share = share;
    launch->op.done = done;
    launch->step_mono_ms = state_mono_ms(launch->work.engine);
    lane_submit(instance->host->lane, &launch->op);
}

/* First line of each callback. */
struct launch *
launch_called(struct lane_op *op, enum meter_step step)
{
    struct launch *launch = CONTAINER_OF(op, struct launch, op);
    struct engine *engine = launch->work.engine;

    launch->calling = false;
    if (step != METER_STEP_COUNT) {
        meter_add(&engine->meter.steps[step], (state_mono_ms(engine) - op->began_mono_ms) * 1000);
        meter_add(&engine->meter.steps[METER_LANE],
                  (op->began_mono_ms - op->submitted_mono_ms) * 1000);
    }
    return launch;
}

/* True when the step ends here because the launch is not wanted any more. */
bool
launch_is_over(struct launch *launch)
{
    struct fault fault;

    if (!launch->work.abandoned && launch->work.instance->desired == INSTANCE_RUNNING)
        return false;
    fault_set(&fault, FAULT_CANCELLED, "launch", "stopped while it was starting");
    flow_step_done(&launch->flow, &fault);
    return true;
}

static const struct blueprint_spec *
launch_spec(const struct launch *launch)
{
    return &launch->work.instance->blueprint->spec;
}

static void
launch_pull(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);

    if (launch_is_over(launch))
        return;
    if (launch_spec(launch)->pull != PULL_ALWAYS || launch->pulled) {
        flow_step_done(flow, NULL);
        return;
    }
    launch_pull_begin(launch);
}

static void
launch_tell(struct launch *launch, const char *reason)
{
    struct instance *instance = launch->work.instance;

    model_instance_reason_set(launch->work.engine->model, instance, reason);
    model_instance_touch(launch->work.engine->model, instance);
}

static void
launch_pull_begin(struct launch *launch)
{
    const char *image = launch_spec(launch)->image;
    CLEANUP(mem_freep) char *told = mem_printf("pulling image %s", image);
    struct instance *instance = launch->work.instance;

    state_event(launch->work.engine, "instance.pull", instance->host, instance, "%s", told);
    launch_tell(launch, told);
    launch->pull_tenths = 0;
    images_pull_prepare(launch->work.engine, image, &launch->op);
    launch->op.call.on_progress = launch_on_progress;
    launch_call(launch, LANE_BULK, launch_on_pulled);
}

/* In tenths: a pull is to cost a few commits, whatever its size. */
static void
launch_on_progress(struct docker_call *call, int64_t done, int64_t total, const char *text)
{
    struct launch *launch =
        CONTAINER_OF(CONTAINER_OF(call, struct lane_op, call), struct launch, op);
    int64_t tenths = total > 0 ? done / (total / 10 + 1) : 0;
    CLEANUP(mem_freep) char *reason = NULL;
    char size[24];

    (void)text;
    if (launch->work.abandoned || launch->work.instance->state != INSTANCE_STARTING ||
        tenths <= launch->pull_tenths || tenths > 9)
        return;
    launch->pull_tenths = tenths;
    reason = mem_printf("pulling the image: %d0 %% of %s", (int)tenths,
                        text_size((uint64_t)total, size));
    launch_tell(launch, reason);
}

static void
launch_on_pulled(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_PULL);

    launch->pulled = true;
    if (!fault) {
        placement_image_set(launch->work.engine->model->placement, launch->work.instance->host,
                            launch_spec(launch)->image, true);
        if (!launch->work.abandoned && launch->work.instance->state == INSTANCE_STARTING)
            launch_tell(launch, "the image was pulled");
    }
    if (fault || launch->flow.at == 0) {
        flow_step_done(&launch->flow, fault);
    } else {
        launch_create(&launch->flow);
    }
}

/* What starts again belongs to its host already. */
static bool
launch_is_new(const struct launch *launch)
{
    return launch->work.instance->retry_at_ms == 0;
}

static void
launch_create(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);
    struct fault fault;

    if (launch_is_over(launch))
        return;
    launch->op = (struct lane_op){ .call = { .verb = DOCKER_CREATE, .name = launch->name },
                                   .new_work = launch_is_new(launch) };
    launch_words_fill(launch, &launch->op.call.in.create);
    if (launch->overlong) {
        /* Cut, it would be another command. */
        fault_set(&fault, FAULT_COMMAND, "launch.create",
                  "a word of its command or environment is too long with its templates filled in");
        flow_step_done(flow, &fault);
        return;
    }
    launch_call(launch, LANE_HEAVY, launch_on_created);
}

static void
launch_created(struct launch *launch, const char *container_id)
{
    struct instance *instance = launch->work.instance;

    placement_image_set(launch->work.engine->model->placement, instance->host,
                        launch_spec(launch)->image, true);
    if (!launch->work.abandoned)
        (void)text_hex_parse(container_id, instance->container_id, INSTANCE_CONTAINER_ID_SIZE);
    flow_step_done(&launch->flow, NULL);
}

static void
launch_on_wanted(struct clock_timer *timer)
{
    struct launch *launch = CONTAINER_OF(timer, struct launch, timer);

    launch->wanting = false;
    launch_create(&launch->flow);
}

/* A host that has just joined is sent the archives of its pool: what they hold needs no registry. */
static void
launch_want(struct launch *launch)
{
    launch_tell(launch, "waiting for an image archive that is on its way to the host");
    launch->wanting = true;
    launch->timer.fire = launch_on_wanted;
    state_timer_set(launch->work.engine, &launch->timer, LAUNCH_WANT_MS);
}

void
launch_image_came(struct engine *engine, const struct host *host)
{
    for (struct list_node *node = list_first(&host->instances); node;
         node = list_next(&host->instances, node)) {
        const struct instance *instance = CONTAINER_OF(node, struct instance, node);
        struct work *work = instance->work;
        struct launch *launch;

        if (!work || work->kind != WORK_LAUNCH)
            continue;
        launch = CONTAINER_OF(work, struct launch, work);
        if (launch->wanting)
            state_timer_set(engine, &launch->timer, 0);
    }
}

static void
launch_on_created(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_CREATE);
    struct fault missing;

    if (!fault) {
        launch_created(launch, op->call.out.container_id);
        return;
    }
    if (fault->kind == FAULT_ENGINE_MISSING && !launch->pulled && !launch->work.abandoned &&
        images_are_coming(launch->work.engine, launch->work.instance->host)) {
        launch_want(launch);
        return;
    }
    if (fault->kind == FAULT_ENGINE_MISSING && !launch->pulled &&
        launch_spec(launch)->pull != PULL_NEVER) {
        launch_pull_begin(launch);
        return;
    }
    if (fault->kind == FAULT_ENGINE_MISSING) {
        fault_set(&missing, FAULT_IMAGE, "launch.create", "image %s is not on the host: %s",
                  launch_spec(launch)->image, fault->text);
        flow_step_done(&launch->flow, &missing);
        return;
    }
    if ((fault->kind == FAULT_ENGINE_CONFLICT || launch_end_is_lost(fault)) &&
        launch->looks++ < LAUNCH_LOOKS_MAX) {
        launch_look(launch, launch_on_create_looked);
        return;
    }
    flow_step_done(&launch->flow, fault);
}

/* An answer that got lost is answered by looking. */
void
launch_look(struct launch *launch, void (*done)(struct lane_op *, const struct fault *))
{
    launch->op = (struct lane_op){ .call = { .verb = DOCKER_INSPECT, .name = launch->name } };
    launch_call(launch, LANE_LIGHT, done);
}

static bool
launch_is_ours(const struct launch *launch, const struct docker_container *container)
{
    return strcmp(container->label_instance, launch->id_text) == 0 &&
           container->label_generation == (int64_t)launch->work.instance->generation;
}

static void
launch_on_create_looked(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_STEP_COUNT);
    struct fault taken;

    if (fault && fault->kind == FAULT_ENGINE_MISSING) {
        launch_create(&launch->flow);
        return;
    }
    if (fault) {
        flow_step_done(&launch->flow, fault);
        return;
    }
    launch->found = op->call.out.container.state != DOCKER_CREATED;
    if (!launch_is_ours(launch, &op->call.out.container)) {
        fault_set(&taken, FAULT_ENGINE_CONFLICT, "launch.create",
                  "a container that is not ours has the name %s", launch->name);
        flow_step_done(&launch->flow, &taken);
        return;
    }
    launch_created(launch, op->call.out.container.id);
}

static void
launch_begin(struct flow *flow)
{
    struct launch *launch = CONTAINER_OF(flow, struct launch, flow);

    if (launch_is_over(launch))
        return;
    launch->began = true;
    if (launch->found) {
        /* It was started before a crash: once more would do its work twice. */
        flow_step_done(flow, NULL);
        return;
    }
    launch->op = (struct lane_op){ .call = { .verb = DOCKER_START, .name = launch->name },
                                   .new_work = launch_is_new(launch) };
    launch_call(launch, LANE_HEAVY, launch_on_began);
}

static bool
launch_has_fixed_port(const struct launch *launch)
{
    const struct blueprint_port *ports = launch_spec(launch)->ports.at;

    for (size_t i = 0; i < launch_spec(launch)->ports.count; i++) {
        if (ports[i].host != 0)
            return true;
    }
    return false;
}

static void
launch_on_began(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_START);

    /* The engine chose a port that somebody else has: the next time it chooses another one. */
    if (fault && fault->kind == FAULT_PORT_TAKEN && !launch_has_fixed_port(launch) &&
        launch->looks++ < LAUNCH_LOOKS_MAX) {
        launch_begin(&launch->flow);
        return;
    }

    if (fault && launch_end_is_lost(fault) && launch->looks++ < LAUNCH_LOOKS_MAX) {
        launch_look(launch, launch_on_begin_looked);
        return;
    }
    flow_step_done(&launch->flow, fault);
}

static void
launch_on_begin_looked(struct lane_op *op, const struct fault *fault)
{
    struct launch *launch = launch_called(op, METER_STEP_COUNT);

    if (!fault && op->call.out.container.state == DOCKER_CREATED) {
        launch_begin(&launch->flow);
    } else {
        flow_step_done(&launch->flow, fault);
    }
}

static void
launch_finished(struct flow *flow, const struct fault *fault)
{
    launch_end_settle(CONTAINER_OF(flow, struct launch, flow), fault);
}

void
launch_stop(struct launch *launch)
{
    struct engine *engine = launch->work.engine;

    if (launch->calling) {
        lane_cancel(&launch->op);
    } else if (launch->timer.at_mono_ms != 0) {
        launch_end_now(launch);
    } else if (launch->waiting) {
        engine->ports.clock->turn_ask(engine->ports.clock->self); /* the first step sees it */
    }
}

void
launch_evict(struct launch *launch)
{
    if (launch->calling && !launch->flow.undoing)
        lane_cancel(&launch->op);
}

void
launch_abandon(struct launch *launch)
{
    launch->work.abandoned = true;
    if (launch->timer.at_mono_ms != 0) {
        launch_end_now(launch);
    } else if (launch->calling) {
        lane_cancel(&launch->op);
    }
}
