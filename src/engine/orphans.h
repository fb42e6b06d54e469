#pragma once

/*
 * Machines with our tag that no host is on: how long a pool's listings have shown
 * them, and how they are given back.  By themselves only when they are old enough
 * and few enough; by a person's word when they are too many.
 */

#include "mind.h"

enum {
    ORPHANS_MAX = 1000,         /* that are kept in mind; more are looked at later */
    ORPHANS_BLAST_MIN = 5,      /* that are given back in one round ... */
    ORPHANS_BLAST_PERCENT = 20, /* ... or this share of what is listed */
    ORPHANS_YOUNG_MS = 60000,   /* one is left alone for so long */
    ORPHANS_STRIKES = 2,        /* listings that must have shown it */
};

struct orphans;

struct orphans *orphans_new(struct mind *mind);
/** orphans_free() - nothing may be under way. */
void orphans_free(struct orphans *orphans);

/** orphans_seen() - a listing shows @seen, which no row claims. */
void orphans_seen(struct orphans *orphans, const struct cloud_machine *seen,
                  int64_t listing_began_mono_ms);
/** orphans_sweep() - a complete listing of @listed machines was read: forget what it lacks, and give
 * back what is due, unless that is too many. */
void orphans_sweep(struct orphans *orphans, size_t listed, int64_t listing_began_mono_ms);

/** orphans_late() - how many are still there after ten minutes. */
size_t orphans_late(const struct orphans *orphans);
/** orphans_stopped() - so many are due that none is given back by itself; 0: that is not so. */
size_t orphans_stopped(const struct orphans *orphans);
/** orphans_tell() - "stopped","most","items":[...] of the API's PoolOrphans. */
void orphans_tell(const struct orphans *orphans, struct json_out *out);

/** orphans_condemn() - give back these [count], however many they are, as @owner asked.  -1: one of them
 * is not there, too young, or the rows are of a backup that was not compared yet; nothing is done. */
int orphans_condemn(struct orphans *orphans, const struct schema_strings *ids, const char *owner,
                    struct fault *fault);

/** orphans_cancel_all() - calls that are under way; orphans_is_quiet() tells when they have ended. */
void orphans_cancel_all(struct orphans *orphans);
