/* How things stand with the pools, as the API shows it. */

#include <string.h>

#include "berth/base/id.h"
#include "berth/engine/status.h"

#include "inventory.h"
#include "mind.h"
#include "state.h"
#include "tell.h"

enum { ENGINE_STATUS_BLUEPRINTS_MAX = 20 };

/* Who waits. */
struct status_queue {
    const struct instance *oldest;                   /* NULL: nobody */
    uint32_t misfits;                                /* no host of the pool could ever hold them */
    const struct blueprint *first[STATUS_NAMES_MAX]; /* of those, each once */
    uint32_t blueprints;
};

static void
engine_status_misfit(struct status_queue *queue, const struct blueprint *blueprint)
{
    queue->misfits++;
    for (uint32_t i = 0; i < queue->blueprints; i++) {
        if (queue->first[i] == blueprint)
            return;
    }
    if (queue->blueprints < STATUS_NAMES_MAX)
        queue->first[queue->blueprints++] = blueprint;
}

static struct status_queue
engine_status_queue(const struct engine *engine, const struct pool *pool)
{
    struct status_queue queue = { 0 };
    struct queue_cursor cursor = { 0 };
    const struct instance *instance;

    while ((instance = queue_waiting_next(engine->model->queue, pool, &cursor))) {
        if (!queue.oldest || instance->moved_at_ms < queue.oldest->moved_at_ms)
            queue.oldest = instance;
        if (instance->blueprint->misfit == pool)
            engine_status_misfit(&queue, instance->blueprint);
    }
    return queue;
}

static void
engine_status_tell_queue(const struct engine *engine, const struct pool *pool, struct json_out *out)
{
    struct status_queue queue = engine_status_queue(engine, pool);
    char id[ID_TEXT_SIZE];

    json_out_key(out, "queue");
    json_out_object(out);
    json_out_kv_uint(out, "length", queue_length(engine->model->queue, pool));
    json_out_key(out, "oldest_s");
    if (queue.oldest) {
        int64_t waited_ms = state_now_ms(engine) - queue.oldest->moved_at_ms;

        json_out_int(out, waited_ms > 0 ? waited_ms / 1000 : 0);
    } else {
        json_out_null(out);
    }
    json_out_kv_string(out, "oldest",
                       queue.oldest ? id_encode(ID_INSTANCE, queue.oldest->id, id) : NULL);
    json_out_object_end(out);
}

static void
engine_status_tell_hosts(const struct status_pool *status, struct json_out *out)
{
    json_out_key(out, "hosts");
    json_out_object(out);
    for (int state = 0; state < HOST_STATE_COUNT; state++) {
        if (state != HOST_REMOVED)
            json_out_kv_uint(out, host_state_name((enum host_state)state), status->hosts[state]);
    }
    for (int state = 0; state < TRIAL_STATE_COUNT; state++)
        json_out_kv_uint(out, trial_state_name(state), status->trials[state]);
    json_out_object_end(out);
}

void
engine_status_tell(struct engine *engine, struct pool *pool, struct json_out *out)
{
    const struct status_pool *status = engine_status_pool(engine, pool);
    const struct status_plan *plan = &status->plan;

    json_out_object(out);
    json_out_kv_string(out, "name", pool->name);
    json_out_kv_string(out, "provider", pool_provider_name(pool->provider));
    engine_status_tell_hosts(status, out);
    json_out_kv_uint(out, "instances", status->instances);
    tell_amount(out, "capacity", &status->capacity);
    tell_amount(out, "reserved", &status->reserved);
    json_out_kv_int(out, "largest_free_bytes", status->largest_free_bytes);
    tell_amount(out, "headroom", &plan->headroom);
    tell_amount(out, "wanted", &plan->wanted);
    engine_status_tell_queue(engine, pool, out);
    tell_money(out, pool, plan->spent_micro, plan->committed_micro);
    tell_launches(out, pool, plan->launches);
    tell_held(out, plan->held, plan->held_count);
    refusal_tell(mind_of(engine, pool), out);
    json_out_kv_time(out, "planned_at", plan->at_ms);
    json_out_kv_time(out, "next_at", plan->next_at_ms);
    json_out_object_end(out);
}

/* Those that come without anybody's doing: what is kept warm does not. */
static uint32_t
engine_status_coming(const struct engine *engine, const struct pool *pool)
{
    uint32_t coming = 0;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        int32_t stage = host->machine ? host->machine->stage : MACHINE_STAGE_COUNT;

        coming += host->pool == pool && host->state == HOST_SPAWNED && stage != MACHINE_WARM &&
                  stage != MACHINE_PARKING;
    }
    return coming;
}

void
engine_status_growth(struct engine *engine, struct pool *pool, struct json_out *out)
{
    const struct status_plan *plan = &engine_status_pool(engine, pool)->plan;

    json_out_object(out);
    json_out_kv_string(out, "pool", pool->name);
    json_out_kv_uint(out, "coming", engine_status_coming(engine, pool));
    tell_held(out, plan->held, plan->held_count);
    refusal_tell(mind_of(engine, pool), out);
    json_out_object_end(out);
}

/* --- What is wrong ---------------------------------------------------------------------------------- */

static void
engine_status_wrong_begin(struct json_out *out, const char *kind, const struct pool *pool,
                          uint32_t count)
{
    json_out_object(out);
    json_out_kv_string(out, "kind", kind);
    json_out_kv_string(out, "pool", pool ? pool->name : NULL);
    json_out_kv_uint(out, "count", count);
    json_out_key(out, "names");
    json_out_array(out);
}

static void
engine_status_wrong_end(struct json_out *out, const char *text)
{
    json_out_array_end(out);
    json_out_kv_string(out, "text", text);
    json_out_object_end(out);
}

/* What there is to say of the first of them. */
static const char *
engine_status_why(enum status_wrong wrong, const struct host *host)
{
    switch (wrong) {
    case WRONG_SUSPENDED:
    case WRONG_PROBATION:
        return host->score.last_at_ms > 0
                   ? fault_rule((enum fault_kind)host->score.last_kind)->title
                   : NULL;
    case WRONG_WAITING:
    case WRONG_PREPARATION:
        return host->waiting_for ? host->waiting_for : host->reason;
    case WRONG_OTHER_ENGINE:
    case WRONG_OUT:
        return host->reason;
    case WRONG_CERTIFICATE:
    case WRONG_UNREACHABLE:
    case WRONG_MISSING:
    case WRONG_COUNT:
        break;
    }
    return NULL;
}

static void
engine_status_strays(struct engine *engine, struct pool *pool, struct json_out *out)
{
    size_t count = inventory_stopped(mind_of(engine, pool));
    CLEANUP(mem_freep) char *text = NULL;

    if (count == 0)
        return;
    text = mem_printf("%zu of them", count);
    engine_status_wrong_begin(out, "machine_stray", pool, (uint32_t)count);
    engine_status_wrong_end(out, text);
}

void
engine_status_wrongs(struct engine *engine, struct pool *pool, struct json_out *out)
{
    const struct status_pool *status = engine_status_pool(engine, pool);
    struct status_queue queue = engine_status_queue(engine, pool);
    bool by_hand = !pool_provider_rents(pool->provider);

    for (int kind = 0; kind < WRONG_COUNT; kind++) {
        const struct status_hosts *hosts = &status->wrong[kind];

        if (hosts->count == 0)
            continue;
        engine_status_wrong_begin(out, engine_status_wrong_name((enum status_wrong)kind), pool,
                                  hosts->count);
        for (uint32_t i = 0; i < hosts->count && i < STATUS_NAMES_MAX; i++)
            json_out_string(out, hosts->first[i]->name);
        engine_status_wrong_end(out, engine_status_why((enum status_wrong)kind, hosts->first[0]));
    }
    if (queue.misfits > 0) {
        engine_status_wrong_begin(out, "queue_misfit", pool, queue.misfits);
        for (uint32_t i = 0; i < queue.blueprints; i++)
            json_out_string(out, queue.first[i]->spec.name);
        engine_status_wrong_end(out, NULL);
    }
    engine_status_strays(engine, pool, out);
    if (pool->left && pool->hosts > 0) {
        engine_status_wrong_begin(out, "pool_left", pool, 0);
        engine_status_wrong_end(out, NULL);
    }
    if (by_hand && pool->hosts == 0) {
        engine_status_wrong_begin(out, "no_host", pool, 0);
        engine_status_wrong_end(out, NULL);
    }
}

void
engine_status_blueprints(const struct engine *engine,
                         bool (*sees)(const void *cookie, const struct blueprint *blueprint),
                         const void *cookie, struct json_out *out)
{
    int told = 0;

    IDMAP_EACH(&engine->model->blueprints, struct blueprint, blueprint)
    {
        const struct breaker *breaker = blueprint->breaker;

        if (!breaker || breaker->state == BREAKER_CLOSED || !sees(cookie, blueprint) ||
            told++ >= ENGINE_STATUS_BLUEPRINTS_MAX)
            continue;
        engine_status_wrong_begin(out, "blueprint_held", NULL, 1);
        json_out_string(out, blueprint->spec.name);
        engine_status_wrong_end(out, fault_rule((enum fault_kind)breaker->score.last_kind)->title);
    }
}
