#include "idle.h"

#include "lane.h"

enum {
    IDLE_NETWORK_BYTES = 2048, /* a minute; less is background noise */
    IDLE_MINUTE_MS = 60000,
    IDLE_ROUND_MAX = 1000, /* questions a round; of more instances each is asked more seldom */
    IDLE_CPU_MILLI = 20,   /* of one processor */
};

struct idle_watch {
    struct lane_op op;
    struct engine *engine;
    int64_t instance_id;
    int64_t sampled_mono_ms; /* 0: not yet */
    int64_t network_bytes;
    int64_t cpu_ns;
    int64_t active_mono_ms;
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    uint32_t generation;
    bool asking;
    bool announced;
};

static void
idle_judge(struct idle_watch *watch, struct instance *instance, int64_t mono_ms)
{
    const struct blueprint_spec *spec = &instance->blueprint->spec;
    struct engine *engine = watch->engine;
    int64_t idle_ms = mono_ms - watch->active_mono_ms;
    char span[32];
    struct fault fault;
    CLEANUP(mem_freep) char *reason = NULL;

    if (idle_ms < spec->idle_timeout_ms) {
        watch->announced = false;
        return;
    }
    if (!watch->announced) {
        state_event(engine, "instance.ending", instance->host, instance,
                    "idle for %s; it is stopped soon unless it is used",
                    text_duration(idle_ms, span));
    }
    watch->announced = true;
    if (idle_ms < spec->idle_timeout_ms + spec->end_grace_ms)
        return;
    reason = mem_printf("idle for %s", text_duration(idle_ms, span));
    (void)engine_instance_stop(engine, instance, reason, &fault);
}

static int64_t
idle_noise_bytes(int64_t took_ms)
{
    return IDLE_NETWORK_BYTES * ((took_ms + IDLE_MINUTE_MS - 1) / IDLE_MINUTE_MS);
}

static void
idle_on_stats(struct lane_op *op, const struct fault *fault)
{
    struct idle_watch *watch = CONTAINER_OF(op, struct idle_watch, op);
    struct engine *engine = watch->engine;
    struct instance *instance = idmap_find(&engine->model->instances, watch->instance_id);
    const struct docker_stats *stats = &op->call.out.stats;
    int64_t network = stats->network_in_bytes + stats->network_out_bytes;
    int64_t mono_ms = state_mono_ms(engine);
    int64_t took_ms = mono_ms - watch->sampled_mono_ms;

    watch->asking = false;
    if (fault || engine->reloading || !instance || instance->state != INSTANCE_RUNNING)
        return;
    if (watch->sampled_mono_ms == 0 || network - watch->network_bytes > idle_noise_bytes(took_ms) ||
        (stats->cpu_ns - watch->cpu_ns) / 1000 > took_ms * IDLE_CPU_MILLI)
        watch->active_mono_ms = mono_ms;
    watch->sampled_mono_ms = mono_ms;
    watch->network_bytes = network;
    watch->cpu_ns = stats->cpu_ns;
    idle_judge(watch, instance, mono_ms);
}

static void
idle_ask(struct engine *engine, struct instance *instance)
{
    struct idle_watch *watch = idmap_find(&engine->idles, instance->id);

    if (!watch) {
        watch = mem_new0(sizeof(*watch));
        watch->engine = engine;
        watch->instance_id = instance->id;
        idmap_insert(&engine->idles, instance->id, watch);
    }
    if (watch->asking || !instance->host->lane || instance->host->lane->state != LANE_OPEN)
        return;
    if (watch->generation != instance->generation)
        watch->sampled_mono_ms = 0;
    watch->generation = instance->generation;
    watch->asking = true;
    instance_container_name(instance, watch->name);
    watch->op = (struct lane_op){
        .call = { .verb = DOCKER_STATS, .name = watch->name },
        .done = idle_on_stats,
    };
    lane_submit(instance->host->lane, &watch->op);
}

/* Watches whose instance does not run any more. */
static void
idle_prune(struct engine *engine, bool all)
{
    struct idle_watch *watch;
    int64_t id = 0;

    while ((watch = idmap_after(&engine->idles, id, &id))) {
        const struct instance *instance = idmap_find(&engine->model->instances, id);

        if (watch->asking || (!all && instance && instance->state == INSTANCE_RUNNING))
            continue;
        (void)idmap_remove(&engine->idles, id);
        free(watch);
    }
}

void
idle_check(struct engine *engine)
{
    const struct idmap *instances = &engine->model->instances;
    size_t left = instances->live;
    int64_t id = engine->idle_after;
    uint32_t asked = 0;

    idle_prune(engine, false);
    for (; left > 0 && asked < IDLE_ROUND_MAX; left--) {
        struct instance *instance = idmap_after(instances, id, &id);

        if (!instance)
            instance = idmap_after(instances, 0, &id);
        if (instance->state == INSTANCE_RUNNING && !instance->work &&
            instance->blueprint->spec.idle_timeout_ms > 0) {
            idle_ask(engine, instance);
            asked++;
        }
    }
    engine->idle_after = id;
}

void
idle_fini(struct engine *engine)
{
    idle_prune(engine, true);
    idmap_fini(&engine->idles);
}
