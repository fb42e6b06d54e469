#include <assert.h>
#include <limits.h>
#include <string.h>

#include "berth/base/mem.h"

#include "placement_index.h"

/* A decision in progress. */
struct pick {
    const struct placement_source *sources;
    size_t source_count;
    uint64_t used[SHELF_BUCKET_WORDS]; /* buckets where some source has hosts */
    const struct placement_need *need;
    const struct host *avoid;
};

/* The oldest hosts of a bucket, by id. */
struct pick_look {
    struct placement_host *at[PLACEMENT_LOOK];
    size_t count;
};

static struct placement_host *pick_among_oldest(const struct pick *pick);
static struct placement_host *pick_any(const struct pick *pick);

static void
pick_source_add(struct placement_pool *pool, size_t count, struct placement_class *class,
                enum placement_shelf_kind kind)
{
    if (count == pool->source_cap) {
        pool->source_cap = pool->source_cap ? pool->source_cap * 2 : SHELF_COUNT;
        pool->sources = mem_resize(pool->sources, pool->source_cap, sizeof(*pool->sources));
    }
    pool->sources[count] =
        (struct placement_source){ .class = class, .shelf = class->shelves[kind] };
}

size_t
placement_pick_sources(const struct placement_ask *ask, const struct placement_need *need,
                       enum placement_tier tier)
{
    struct placement_pool *pool = ask->pool->placement;
    int last = tier == TIER_BOTH      ? SHELF_NO_SLOTS
               : need->cpus_milli > 0 ? SHELF_OPEN
                                      : SHELF_NO_CPUS;
    size_t count = 0;

    if (!pool)
        return 0;
    for (struct placement_class *class = pool->classes; class; class = class->next) {
        if ((tier != TIER_BOTH && class->low != (tier == TIER_LOW)) ||
            placement_labels_verdict(ask, &class->labels) != PLACEMENT_FITS)
            continue;
        for (int kind = SHELF_OPEN; kind <= last; kind++) {
            if (class->shelves[kind])
                pick_source_add(pool, count++, class, (enum placement_shelf_kind)kind);
        }
    }
    return count;
}

struct placement_terms
placement_pick_terms(const struct placement_host *host, const struct placement_need *need)
{
    return (struct placement_terms){
        .free_after_bytes = host->free_memory_bytes - need->memory_bytes,
        .has_image = placement_notes_image_has(host, need->image_key),
        .replicas = placement_notes_replicas(host, need->replica_key),
    };
}

static int64_t
pick_score(const struct placement_host *host, const struct placement_need *need)
{
    struct placement_terms terms = placement_pick_terms(host, need);

    return (terms.has_image ? PLACEMENT_IMAGE_BONUS : 0) - (int64_t)terms.replicas;
}

/* The host to avoid, when it is the only one that fits. */
static struct placement_host *
pick_avoided(const struct placement_ask *ask, const struct placement_need *need)
{
    struct placement_host *host = ask->avoid ? ask->avoid->placement : NULL;

    if (host && ask->avoid->pool == ask->pool && host->filter == PLACEMENT_FITS &&
        placement_labels_verdict(ask, &host->class->labels) == PLACEMENT_FITS &&
        placement_fails(host, need) == PLACEMENT_FITS)
        return host;
    return NULL;
}

static struct placement_host *
pick_in_tier(const struct placement_ask *ask, const struct placement_need *need,
             enum placement_tier tier)
{
    struct pick pick = { .need = need, .avoid = ask->avoid };
    struct placement_host *winner;

    pick.source_count = placement_pick_sources(ask, need, tier);
    pick.sources = pick.source_count > 0 ? ask->pool->placement->sources : NULL;
    for (size_t i = 0; i < pick.source_count; i++) {
        for (size_t word = 0; word < SHELF_BUCKET_WORDS; word++)
            pick.used[word] |= pick.sources[i].shelf->used[word];
    }
    winner = pick_among_oldest(&pick);
    return winner ? winner : pick_any(&pick);
}

int
placement_pick(struct placement *placement, const struct placement_ask *ask, struct host **ret_host,
               struct placement_why *ret_why)
{
    struct placement_need need = placement_need_of(ask);
    struct placement_host *winner = pick_in_tier(ask, &need, TIER_FIRST);

    (void)placement;
    if (!winner)
        winner = pick_in_tier(ask, &need, TIER_LOW);
    if (!winner)
        winner = pick_avoided(ask, &need);
    if (ret_why)
        placement_why_fill(ask, &need, winner, ret_why);
    if (!winner)
        return PLACEMENT_NO_ROOM;
    *ret_host = winner->host;
    return PLACEMENT_OK;
}

/* The bucket of @source, or NULL when nothing in it can fit. */
static struct placement_bucket *
pick_bucket(const struct placement_source *source, unsigned at, const struct placement_need *need)
{
    struct placement_bucket *bucket = source->shelf->at[at];

    if (!bucket || bucket->count == 0 || bucket->memory_most < need->memory_bytes ||
        bucket->cpus_most < need->cpus_milli || bucket->slots_most < need->slots)
        return NULL;
    return bucket;
}

static bool
pick_is_hopeless(const struct pick *pick, unsigned at)
{
    for (size_t i = 0; i < pick->source_count; i++) {
        if (pick_bucket(&pick->sources[i], at, pick->need))
            return false;
    }
    return true;
}

/* Put @host among the oldest; false when it is younger than all of a full row. */
static bool
pick_look_add(struct pick_look *look, struct placement_host *host)
{
    size_t at = look->count;

    while (at > 0 && look->at[at - 1]->id > host->id)
        at--;
    if (at == PLACEMENT_LOOK)
        return false;
    look->count += look->count < PLACEMENT_LOOK;
    for (size_t last = look->count - 1; last > at; last--)
        look->at[last] = look->at[last - 1];
    look->at[at] = host;
    return true;
}

/* One source's share when the host to avoid may be among its oldest. */
static void
pick_look_walk(const struct placement_class *class, const struct placement_bucket *bucket,
               const struct host *avoid, struct pick_look *look)
{
    struct placement_host *host = placement_shelf_next(class, bucket, 0);

    while (host && (host->host == avoid || pick_look_add(look, host)))
        host = placement_shelf_next(class, bucket, host->slot + 1U);
}

static void
pick_look_fill(const struct pick *pick, unsigned at, struct pick_look *look)
{
    look->count = 0;
    for (size_t i = 0; i < pick->source_count; i++) {
        const struct placement_bucket *bucket = pick->sources[i].shelf->at[at];

        if (!bucket || bucket->count == 0)
            continue;
        if (pick->avoid) {
            pick_look_walk(pick->sources[i].class, bucket, pick->avoid, look);
            continue;
        }
        for (size_t j = 0; j < PLACEMENT_LOOK && bucket->oldest[j]; j++) {
            if (!pick_look_add(look, bucket->oldest[j]))
                break;
        }
    }
}

static struct placement_host *
pick_best(const struct pick_look *look, const struct placement_need *need)
{
    struct placement_host *best = NULL;
    int64_t best_score = 0;

    for (size_t i = 0; i < look->count; i++) {
        int64_t score;

        if (placement_fails(look->at[i], need) != PLACEMENT_FITS)
            continue;
        score = pick_score(look->at[i], need);
        if (!best || score > best_score) {
            best = look->at[i];
            best_score = score;
        }
        if (score == PLACEMENT_IMAGE_BONUS)
            break; /* the younger ones cannot be better */
    }
    return best;
}

static struct placement_host *
pick_among_oldest(const struct pick *pick)
{
    unsigned at = placement_bucket_of(pick->need->memory_bytes);
    struct placement_host *best = NULL;
    struct pick_look look;

    for (at = placement_shelf_used_next(pick->used, at); at < SHELF_BUCKETS && !best;
         at = placement_shelf_used_next(pick->used, at + 1)) {
        if (pick_is_hopeless(pick, at))
            continue;
        pick_look_fill(pick, at, &look);
        best = pick_best(&look, pick->need);
    }
    return best;
}

/* The oldest host of one source's bucket that fits.  When there is none, the bucket's bounds are
 * exact afterwards, so that the next one like this does not have to look. */
static struct placement_host *
pick_any_of(const struct placement_source *source, unsigned at, const struct pick *pick)
{
    struct placement_bucket *bucket = pick_bucket(source, at, pick->need);
    struct placement_bucket bounds = { 0 };
    struct placement_host *host;

    if (!bucket)
        return NULL;
    placement_shelf_bounds_begin(&bounds);
    for (host = placement_shelf_next(source->class, bucket, 0); host;
         host = placement_shelf_next(source->class, bucket, host->slot + 1U)) {
        if (host->host != pick->avoid && placement_fails(host, pick->need) == PLACEMENT_FITS)
            return host;
        placement_shelf_bounds_widen(&bounds, host);
    }
    placement_shelf_bounds_set(bucket, &bounds);
    return NULL;
}

static struct placement_host *
pick_any(const struct pick *pick)
{
    unsigned at = placement_bucket_of(pick->need->memory_bytes);
    struct placement_host *oldest = NULL;

    for (at = placement_shelf_used_next(pick->used, at); at < SHELF_BUCKETS && !oldest;
         at = placement_shelf_used_next(pick->used, at + 1)) {
        for (size_t i = 0; i < pick->source_count; i++) {
            struct placement_host *host = pick_any_of(&pick->sources[i], at, pick);

            if (host && (!oldest || host->id < oldest->id))
                oldest = host;
        }
    }
    return oldest;
}

/* --- The same by looking at each host ------------------------------------------------------- */

struct pick_linear {
    uint8_t looked[SHELF_BUCKETS]; /* how many hosts of each bucket were among the oldest */
    struct host *best;             /* of these */
    unsigned best_bucket;
    int64_t best_score;
    struct host *any; /* of the others */
    unsigned any_bucket;
};

static void
pick_linear_one(struct pick_linear *linear, struct host *host, const struct placement_need *need,
                const struct placement_host *view)
{
    unsigned bucket = placement_bucket_of(view->free_memory_bytes);
    bool fits = placement_fails(view, need) == PLACEMENT_FITS;
    int64_t score;

    if (linear->looked[bucket] == PLACEMENT_LOOK) {
        if (fits && (!linear->any || bucket < linear->any_bucket)) {
            linear->any = host;
            linear->any_bucket = bucket;
        }
        return;
    }
    linear->looked[bucket]++;
    if (!fits || (linear->best && bucket > linear->best_bucket))
        return;
    score = pick_score(view, need);
    if (!linear->best || bucket < linear->best_bucket || score > linear->best_score) {
        linear->best = host;
        linear->best_bucket = bucket;
        linear->best_score = score;
    }
}

static struct host *
pick_linear_tier(const struct placement_ask *ask, const struct placement_need *need,
                 struct host *const *hosts, size_t count, bool low)
{
    struct pick_linear linear = { 0 };

    for (size_t i = 0; i < count; i++) {
        struct host *host = hosts[i];
        struct host_amount left = placement_free_of(host);
        struct placement_host view;

        if (host->low != low || host->pool != ask->pool || host == ask->avoid || !host->placement ||
            host->placement->filter != PLACEMENT_FITS || left.slots <= 0 ||
            (need->cpus_milli > 0 && left.cpus_milli <= 0) ||
            placement_labels_verdict(ask, &host->labels) != PLACEMENT_FITS)
            continue;
        view = *host->placement;
        view.free_memory_bytes = left.memory_bytes;
        view.free_cpus_milli = (int32_t)left.cpus_milli;
        view.free_slots = (int32_t)left.slots;
        pick_linear_one(&linear, host, need, &view);
    }
    return linear.best ? linear.best : linear.any;
}

int
placement_pick_linear(struct placement *placement, const struct placement_ask *ask,
                      struct host *const *hosts, size_t count, struct host **ret_host)
{
    struct placement_need need = placement_need_of(ask);
    struct placement_host *avoided = pick_avoided(ask, &need);
    struct host *best = pick_linear_tier(ask, &need, hosts, count, false);

    (void)placement;
    if (!best)
        best = pick_linear_tier(ask, &need, hosts, count, true);
    if (!best && avoided)
        best = avoided->host;
    if (!best)
        return PLACEMENT_NO_ROOM;
    *ret_host = best;
    return PLACEMENT_OK;
}
