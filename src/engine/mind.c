#include "mind.h"

#include "berth/base/text.h"

#include "forget.h"
#include "inventory.h"

enum {
    MIND_DELAY_MIN_MS = 5000,
    MIND_DELAY_MAX_MS = 300000,
    MIND_UNANSWERED = 3,     /* launches in a row that are told */
    MIND_PROVEN_MS = 300000, /* in service for so long, it is a success even when nobody needs it */
};

struct mind *
mind_of(struct engine *engine, struct pool *pool)
{
    struct mind *mind = idmap_find(&engine->minds, pool->id);

    if (mind)
        return mind;
    mind = mem_new0(sizeof(*mind));
    mind->engine = engine;
    mind->pool = pool;
    list_init(&mind->launches);
    idmap_insert(&engine->minds, pool->id, mind);
    return mind;
}

/* Once for each reason. */
static void
mind_tell_refused(struct mind *mind, const struct fault *fault)
{
    if (mind->held_kind == (int32_t)fault->kind)
        return;
    mind->held_kind = (int32_t)fault->kind;
    state_pool_event(mind->engine, "pool.refused", mind->pool,
                     "the provider launches nothing now: %s", fault->text);
}

void
mind_refused(struct mind *mind, const struct fault *fault)
{
    struct engine *engine = mind->engine;
    int64_t delay_ms = mind->held_delay_ms * 2;

    (void)refusal_note(mind, CLOUD_LAUNCH, fault);
    if (mind->held_until_mono_ms > state_mono_ms(engine))
        return; /* several hosts were refused at once */
    if (delay_ms < MIND_DELAY_MIN_MS)
        delay_ms = MIND_DELAY_MIN_MS;
    mind->held_delay_ms = delay_ms < MIND_DELAY_MAX_MS ? delay_ms : MIND_DELAY_MAX_MS;
    delay_ms = mind->held_delay_ms;
    /* Jitter comes after the cap: clamped, it would make a herd. */
    delay_ms += (int64_t)(random_u32(engine->ports.random) % (uint64_t)(delay_ms / 4));
    mind->held_until_mono_ms = state_mono_ms(engine) + delay_ms;
    mind_tell_refused(mind, fault);
}

void
mind_unanswered(struct mind *mind, const struct fault *fault)
{
    if (refusal_note(mind, CLOUD_LAUNCH, fault) >= MIND_UNANSWERED)
        mind_tell_refused(mind, &mind->refusals[CLOUD_LAUNCH].last);
}

void
mind_accepted(struct mind *mind)
{
    int64_t lasted_ms = refusal_end(mind, CLOUD_LAUNCH);
    char lasted[32];

    if (mind->held_kind != FAULT_NONE) {
        state_pool_event(mind->engine, "pool.refused_ended", mind->pool,
                         "the provider launches again, after %s", text_duration(lasted_ms, lasted));
    }
    mind->held_until_mono_ms = 0;
    mind->held_delay_ms = 0;
    mind->held_kind = FAULT_NONE;
}

int64_t
mind_held_ms(const struct mind *mind)
{
    int64_t left_ms = mind->held_until_mono_ms - state_mono_ms(mind->engine);

    return left_ms > 0 ? left_ms : 0;
}

void
mind_host_failed(struct mind *mind, const struct host *host, const char *why)
{
    setback_add(&mind->pool->setback, host->created_at_ms, why, state_now_ms(mind->engine));
    model_pool_save(mind->engine->model, mind->pool);
}

static bool
mind_host_is_proven(const struct mind *mind, const struct host *host)
{
    int64_t served_ms = state_now_ms(mind->engine) - host->active_at_ms;

    return host->pool == mind->pool && host->state == HOST_ACTIVE && !host->trial &&
           host->active_at_ms >= mind->pool->setback.last_at_ms &&
           (host->uses > 0 || served_ms >= MIND_PROVEN_MS);
}

void
mind_hosts_check(struct mind *mind)
{
    struct pool *pool = mind->pool;

    if (pool->setback.hosts == 0)
        return;
    IDMAP_EACH(&mind->engine->model->hosts, struct host, host)
    {
        if (mind_host_is_proven(mind, host)) {
            setback_clear(&pool->setback);
            model_pool_save(mind->engine->model, pool);
            return;
        }
    }
}

void
mind_launch_add(struct mind *mind, int64_t age_ms)
{
    struct mind_launch *launch = mem_new0(sizeof(*launch));
    struct list_node *after = list_first(&mind->launches);

    launch->mono_ms = state_mono_ms(mind->engine) - age_ms;
    while (after && CONTAINER_OF(after, struct mind_launch, node)->mono_ms <= launch->mono_ms)
        after = list_next(&mind->launches, after);
    list_insert_before(&mind->launches, after ? after : &mind->launches.head, &launch->node);
}

uint32_t
mind_launches(struct mind *mind, int64_t *ret_free_in_ms)
{
    int64_t hour_ago_ms = state_mono_ms(mind->engine) - MIND_HOUR_MS;
    struct list_node *node;

    while ((node = list_first(&mind->launches)) &&
           CONTAINER_OF(node, struct mind_launch, node)->mono_ms <= hour_ago_ms)
        mem_free(CONTAINER_OF(list_pop(&mind->launches), struct mind_launch, node));
    *ret_free_in_ms =
        node ? CONTAINER_OF(node, struct mind_launch, node)->mono_ms - hour_ago_ms : 0;
    return (uint32_t)mind->launches.count;
}

void
mind_fini(struct engine *engine)
{
    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        struct list_node *node;

        inventory_free(mind->inventory);
        forget_free(mind->forget);
        while ((node = list_pop(&mind->launches)))
            mem_free(CONTAINER_OF(node, struct mind_launch, node));
        mem_free(mind);
    }
    idmap_fini(&engine->minds);
}
