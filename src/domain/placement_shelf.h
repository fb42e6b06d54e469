#pragma once

/*
 * Inside the placement index: hosts of one set of labels, in buckets by free
 * memory.  Each host of a class has a slot number; slots rise with ids.  A
 * bucket is a set of slots: bits in three levels, where a bit of a higher level
 * says that its word of the level below is not empty, so that the oldest host
 * is found in a few steps, however many there are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/domain/host.h"
#include "berth/domain/placement.h"

enum {
    SHELF_LEVELS = 3,
    SHELF_BUCKET_WORDS = 3, /* of the map of buckets that are not empty */
    SHELF_BUCKETS = 64 * SHELF_BUCKET_WORDS,
    SHELF_UNIT_BITS = 26, /* 64 MiB */
    SHELF_STEPS_BITS = 3, /* eight buckets to a power of two */
    SHELF_STEPS = 1 << SHELF_STEPS_BITS,
};

struct placement_class;
struct placement_notes;

/* What the index knows of a host: one cache line. */
struct placement_host {
    struct host *host;
    struct placement_class *class;
    int64_t id;
    int64_t free_memory_bytes;
    int32_t free_cpus_milli; /* these two cut off at INT32_MAX */
    int32_t free_slots;
    uint32_t slot;
    uint8_t bucket;
    uint8_t shelf;                 /* enum placement_shelf_kind */
    uint8_t filter;                /* PLACEMENT_FITS, PLACEMENT_STATE or PLACEMENT_ERRORS */
    uint32_t image_bits;           /* one bit for each image there: a quick no */
    uint32_t replica_bits;         /* the same for blueprints */
    struct placement_notes *notes; /* owned; NULL: nothing to note */
};

/* Bounds may be wider than what is there: they are exact after placement_shelf_bounds_begin() and a
 * _widen() for each member. */
struct placement_bucket {
    uint64_t *words; /* owned: all levels */
    struct placement_host
        *oldest[PLACEMENT_LOOK]; /* as many as there are; what most asks look at */
    uint32_t count;
    int32_t cpus_most;
    int32_t cpus_least;
    int32_t slots_most;
    int32_t slots_least;
    int64_t memory_most;
    int64_t memory_least;
};

struct placement_shelf {
    uint64_t used[SHELF_BUCKET_WORDS];          /* buckets that are not empty */
    struct placement_bucket *at[SHELF_BUCKETS]; /* owned; NULL: never used */
};

/* Hosts that take work, by what they have none left of; SHELF_NONE: in no shelf. */
enum placement_shelf_kind { SHELF_OPEN, SHELF_NO_CPUS, SHELF_NO_SLOTS, SHELF_COUNT, SHELF_NONE };

/* Hosts of a pool with the same labels. */
struct placement_class {
    struct placement_class *next;
    struct schema_map labels;        /* owned */
    bool low;                        /* of hosts near their end: the last choice */
    struct placement_host **members; /* [used], by slot; NULL: a gap */
    size_t used;
    size_t live;
    size_t cap; /* a multiple of 64: the slots that the buckets' bits have room for */
    size_t level_words[SHELF_LEVELS]; /* of each bucket */
    uint32_t idle[3]; /* hosts without work, by filter; [PLACEMENT_FITS]: the others */
    struct host_amount capacity_most; /* upper bounds; a host of unknown size has no bound */
    struct placement_host *roomy; /* a host that had room for the last one asked about, or NULL */
    struct placement_shelf *shelves[SHELF_COUNT]; /* owned; NULL: empty */
};

static inline unsigned
placement_bucket_of(int64_t free_bytes)
{
    uint64_t units = free_bytes > 0 ? (uint64_t)free_bytes >> SHELF_UNIT_BITS : 0;
    unsigned power;
    unsigned bucket;

    if (units < SHELF_STEPS)
        return (unsigned)units;
    power = 63U - (unsigned)__builtin_clzll(units) - SHELF_STEPS_BITS;
    bucket = SHELF_STEPS + power * SHELF_STEPS + (unsigned)((units >> power) & (SHELF_STEPS - 1));
    return bucket < SHELF_BUCKETS ? bucket : SHELF_BUCKETS - 1;
}

/** placement_shelf_used_next() - the first bucket >= @from in the map @used, or SHELF_BUCKETS. */
unsigned placement_shelf_used_next(const uint64_t used[SHELF_BUCKET_WORDS], unsigned from);
/** placement_shelf_used_before() - the last bucket <= @from, or SHELF_BUCKETS. */
unsigned placement_shelf_used_before(const uint64_t used[SHELF_BUCKET_WORDS], unsigned from);

/** placement_shelf_join() - @host becomes a member of @class; in no shelf yet. */
void placement_shelf_join(struct placement_class *class, struct placement_host *host);
/** placement_shelf_leave() - its opposite, also out of its shelf. */
void placement_shelf_leave(struct placement_host *host);
/** placement_shelf_move() - to the shelf @kind and the bucket of its free memory. */
void placement_shelf_move(struct placement_host *host, enum placement_shelf_kind kind);
void placement_shelf_class_free(struct placement_class *class);

/** placement_shelf_next() - the first member of @bucket whose slot is >= @slot; NULL: none. */
struct placement_host *placement_shelf_next(const struct placement_class *class,
                                            const struct placement_bucket *bucket, size_t slot);

void placement_shelf_bounds_begin(struct placement_bucket *bucket);
void placement_shelf_bounds_widen(struct placement_bucket *bucket,
                                  const struct placement_host *host);
/** placement_shelf_bounds_set() - @bucket gets the bounds of @exact. */
void placement_shelf_bounds_set(struct placement_bucket *bucket,
                                const struct placement_bucket *exact);
