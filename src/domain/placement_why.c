/*
 * Why the others were not chosen: counts from the buckets, which look at single
 * hosts only where a bucket's bounds leave it open.
 */

#include <string.h>

#include "placement_index.h"

/* The filter that all hosts of @bucket fail alike (or PLACEMENT_FITS); -1 when they differ. */
static int
why_verdict_of_all(const struct placement_bucket *bucket, const struct placement_need *need)
{
    if (need->ported)
        return -1;
    if (bucket->memory_most < need->memory_bytes)
        return PLACEMENT_MEMORY;
    if (bucket->memory_least < need->memory_bytes)
        return -1;
    if (bucket->cpus_most < need->cpus_milli)
        return PLACEMENT_CPUS;
    if (bucket->cpus_least < need->cpus_milli)
        return -1;
    if (bucket->slots_most < need->slots)
        return PLACEMENT_SLOTS;
    if (bucket->slots_least < need->slots || need->owner_most > 0)
        return -1;
    return PLACEMENT_FITS;
}

static void
why_bucket_count(const struct placement_source *source, struct placement_bucket *bucket,
                 const struct placement_need *need, struct placement_why *why)
{
    struct placement_bucket bounds = { 0 };
    struct placement_host *host;
    int all = why_verdict_of_all(bucket, need);

    if (all >= 0) {
        why->counts[all] += bucket->count;
        return;
    }
    placement_shelf_bounds_begin(&bounds);
    for (host = placement_shelf_next(source->class, bucket, 0); host;
         host = placement_shelf_next(source->class, bucket, host->slot + 1U)) {
        why->counts[placement_fails(host, need)]++;
        placement_shelf_bounds_widen(&bounds, host);
    }
    placement_shelf_bounds_set(bucket, &bounds);
}

static void
why_idle_count(const struct placement_ask *ask, struct placement_why *why)
{
    const struct placement_class *class =
        ask->pool->placement ? ask->pool->placement->classes : NULL;

    for (; class; class = class->next) {
        enum placement_filter verdict = placement_labels_verdict(ask, &class->labels);

        why->counts[PLACEMENT_STATE] += class->idle[PLACEMENT_STATE];
        why->counts[PLACEMENT_ERRORS] += class->idle[PLACEMENT_ERRORS];
        if (verdict != PLACEMENT_FITS)
            why->counts[verdict] += class->idle[PLACEMENT_FITS];
    }
}

/* The host with the most free memory in a bucket, the oldest among equals. */
static const struct placement_host *
why_bucket_roomiest(const struct placement_source *source, unsigned at,
                    const struct placement_host *than)
{
    const struct placement_bucket *bucket = source->shelf->at[at];
    struct placement_host *host =
        bucket && bucket->count > 0 ? placement_shelf_next(source->class, bucket, 0) : NULL;

    for (; host; host = placement_shelf_next(source->class, bucket, host->slot + 1U)) {
        if (!than || host->free_memory_bytes > than->free_memory_bytes ||
            (host->free_memory_bytes == than->free_memory_bytes && host->id < than->id))
            than = host;
    }
    return than;
}

static int64_t
why_lacks(int64_t need, int64_t have)
{
    return need > have ? need - have : 0;
}

/* The host with the most free memory of all that carry the labels: when it has enough, something
 * else is missing there. */
static void
why_nearest_find(const struct placement_source *sources, size_t source_count,
                 const struct placement_need *need, struct placement_why *why)
{
    const struct placement_host *nearest = NULL;
    unsigned highest = 0;

    for (size_t i = 0; i < source_count; i++) {
        unsigned at = placement_shelf_used_before(sources[i].shelf->used, SHELF_BUCKETS - 1);

        if (at < SHELF_BUCKETS && at > highest)
            highest = at;
    }
    for (size_t i = 0; i < source_count; i++)
        nearest = why_bucket_roomiest(&sources[i], highest, nearest);
    if (!nearest)
        return;
    why->nearest = nearest->host;
    why->nearest_filter = placement_fails(nearest, need);
    why->nearest_lacks = (struct host_amount){
        .memory_bytes = why_lacks(need->memory_bytes, nearest->free_memory_bytes),
        .cpus_milli = why_lacks(need->cpus_milli, nearest->free_cpus_milli),
        .slots = why_lacks(need->slots, nearest->free_slots),
    };
}

void
placement_why_fill(const struct placement_ask *ask, const struct placement_need *need,
                   const struct placement_host *winner, struct placement_why *ret_why)
{
    size_t count = placement_pick_sources(ask, need, TIER_BOTH);
    const struct placement_source *sources = count > 0 ? ask->pool->placement->sources : NULL;

    memset(ret_why, 0, sizeof(*ret_why));
    why_idle_count(ask, ret_why);
    for (size_t i = 0; i < count; i++) {
        unsigned at = placement_shelf_used_next(sources[i].shelf->used, 0);

        for (; at < SHELF_BUCKETS; at = placement_shelf_used_next(sources[i].shelf->used, at + 1))
            why_bucket_count(&sources[i], sources[i].shelf->at[at], need, ret_why);
    }
    if (winner) {
        ret_why->counts[PLACEMENT_FITS]--;
        ret_why->terms = placement_pick_terms(winner, need);
    } else {
        why_nearest_find(sources, count, need, ret_why);
    }
}
