#include "hints.h"

#include <string.h>

#include "bury.h"
#include "join.h"
#include "launch.h"
#include "pulse.h"

enum {
    HINTS_HOSTS_MAX = 256,
    HINTS_STEADY_MS = 5000, /* one that ends sooner is not opened again before the next look */
    HINTS_OOM_MAX = 10,     /* out-of-memory kills of a host that are told one by one in ... */
    HINTS_OOM_MS = 10000,
};

struct hints {
    struct lane_op op;
    int64_t oom_mono_ms; /* when the present span of HINTS_OOM_MS began */
    uint32_t ooms;       /* told in it */
    uint32_t oom_untold; /* since the last that was told */
};

static void hints_on_hint(struct docker_call *call, const char *action,
                          const struct docker_container *container);
static void hints_on_end(struct lane_op *op, const struct fault *fault);

void
hints_open(struct lane *lane)
{
    if (lane->hints || lane->engine->model->hosts.live > HINTS_HOSTS_MAX)
        return;
    lane->hints = mem_new0(sizeof(*lane->hints));
    lane->hints->op = (struct lane_op){
        .call = { .verb = DOCKER_EVENTS, .on_hint = hints_on_hint },
        .share = LANE_FREE,
        .done = hints_on_end,
    };
    lane_submit(lane, &lane->hints->op);
}

/* A launch that is about to say "running" looks once more. */
static void
hints_on_death(struct engine *engine, struct instance *instance)
{
    struct work *work = instance->work;

    if (work && work->kind == WORK_LAUNCH) {
        CONTAINER_OF(work, struct launch, work)->died = true;
    } else if (!work && instance->state == INSTANCE_RUNNING) {
        bury_look(engine, instance);
    }
}

/* A process that dies and comes a thousand times a second must not fill the disk. */
static void
hints_on_oom(struct lane *lane, struct instance *instance)
{
    struct engine *engine = lane->engine;
    struct hints *hints = lane->hints;
    int64_t mono_ms = state_mono_ms(engine);

    if (mono_ms - hints->oom_mono_ms >= HINTS_OOM_MS) {
        hints->oom_mono_ms = mono_ms;
        hints->ooms = 0;
    }
    if (hints->ooms >= HINTS_OOM_MAX) {
        hints->oom_untold++;
        bury_oom_count(engine, instance);
        return;
    }
    if (hints->oom_untold > 0) {
        state_event(engine, "host.oom", lane->host, NULL,
                    "%u out-of-memory kills more than were told: too many in %d s",
                    hints->oom_untold, HINTS_OOM_MS / 1000);
    }
    hints->oom_untold = 0;
    hints->ooms++;
    bury_oom_seen(engine, instance);
}

static void
hints_on_hint(struct docker_call *call, const char *action,
              const struct docker_container *container)
{
    struct lane *lane = CONTAINER_OF(call, struct lane_op, call)->lane;
    struct engine *engine = lane->engine;
    struct instance *instance;
    int64_t id;

    pulse_heard(lane);
    if (engine->reloading || engine->health == ENGINE_STOPPING ||
        !id_decode(ID_INSTANCE, container->label_instance, &id))
        return;
    instance = idmap_find(&engine->model->instances, id);
    if (!instance || instance->host != lane->host ||
        instance->generation != container->label_generation)
        return;
    /* Of its end the look at it may have told already. */
    if (strcmp(action, "oom") == 0 &&
        !(instance->oom_told && instance->exit_code != INSTANCE_NO_EXIT_CODE)) {
        hints_on_oom(lane, instance);
    } else if (strcmp(action, "die") == 0) {
        hints_on_death(engine, instance);
    }
}

/* It also ends when the engine restarts: look at once at what that did. */
static void
hints_on_end(struct lane_op *op, const struct fault *fault)
{
    struct lane *lane = op->lane;
    int64_t lived_ms = state_mono_ms(lane->engine) - op->began_mono_ms;

    (void)fault;
    free(STEAL(lane->hints));
    if (lived_ms >= HINTS_STEADY_MS)
        join_schedule(lane, 0);
}
