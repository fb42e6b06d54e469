#pragma once

/*
 * Which host takes the next container.  Hosts that take work stand in buckets
 * by free memory, in one set of buckets for each pool and set of labels, so
 * that the cost of a decision does not grow with the number of hosts.
 *
 * Filters, in this order: state, error score, labels, left to others, fixed
 * host ports, memory, cpus, slots, anti-affinity.  What passes is decided by integers, and depends on the rows
 * alone, not on the order in which they came to be so:
 *
 * 1. Hosts stand in buckets by free memory: 64 MiB wide up to 512 MiB, from
 *    there eight to each power of two.  Best fit: buckets are looked at from
 *    that of the ask upwards, so that hosts can empty.
 * 2. Of each bucket the PLACEMENT_LOOK oldest hosts (lowest ids) with the
 *    ask's labels and a free slot (and some cpu, when the ask has cpus) are
 *    looked at.  The first bucket where one of these fits
 *    decides.
 * 3. Among these: PLACEMENT_IMAGE_BONUS for a host that has the image, minus
 *    one for each instance of the same blueprint there (replicas spread).
 *    Highest first; among equals the older host.
 * 4. When no such host fits: the oldest that fits, of the lowest bucket.
 *
 * Hosts that are near their end (host->low) are decided among in the same way,
 * once no other host fits.
 *
 * Each container takes one slot at least; a host whose capacity has 0 slots
 * does not count them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/domain/blueprint.h"
#include "berth/domain/host.h"

struct placement;

enum { PLACEMENT_LOOK = 4, PLACEMENT_IMAGE_BONUS = 4 };

enum placement_filter {
    PLACEMENT_FITS,
    PLACEMENT_STATE,  /* not active, draining */
    PLACEMENT_ERRORS, /* unreachable or beyond the error threshold */
    PLACEMENT_LABELS,
    PLACEMENT_LEFT,  /* left to a request that has waited too long */
    PLACEMENT_PORTS, /* a fixed host port is taken there by another instance */
    PLACEMENT_MEMORY,
    PLACEMENT_CPUS,
    PLACEMENT_SLOTS,
    PLACEMENT_OWNER, /* anti-affinity: enough of this owner there */
    PLACEMENT_FILTER_COUNT,
};

/** placement_filter_name() - "memory", ...; placement_filter_text(): in plain words, of a host. */
const char *placement_filter_name(enum placement_filter filter);
const char *placement_filter_text(enum placement_filter filter);

struct placement_ask {
    struct pool *pool;
    const struct blueprint *blueprint; /* for labels, images, spread */
    struct host_amount amount;
    const char *owner;        /* interned */
    const struct host *avoid; /* not this one if there is another; NULL: none */
    /* Hosts with the labels that one of these asks for are left to it: [leave_count]. */
    const struct blueprint *const *leave;
    size_t leave_count;
};

/* Why one host won: the terms of its score. */
struct placement_terms {
    int64_t free_after_bytes; /* best fit: less is better */
    bool has_image;
    uint32_t replicas; /* instances of the same blueprint there */
};

/* Why the others did not, kept small: exact counts, and the host that came nearest. */
struct placement_why {
    struct placement_terms terms;            /* of the winner */
    uint32_t counts[PLACEMENT_FILTER_COUNT]; /* hosts of the pool by first failed filter;
                                                   PLACEMENT_FITS: with room, not chosen.
                                                   A host to avoid counts as the others */
    const struct host *nearest; /* when nothing fits: the host that lacks the least; NULL: none */
    enum placement_filter nearest_filter; /* the first that it fails */
    struct host_amount nearest_lacks;     /* 0: enough */
};

enum placement_outcome { PLACEMENT_OK, PLACEMENT_NO_ROOM };

/** placement_labels_match() - @labels has all of @wanted; both sorted by key. */
bool placement_labels_match(const struct schema_map *labels, const struct schema_map *wanted);

struct placement *placement_new(void);
void placement_free(struct placement *placement);

/** placement_host_update() - put @host where it belongs after any change of state, score, labels,
 * capacity or reservations.  O(1) but for a host that is not the youngest of those with its labels
 * and comes to them.  A removed host is forgotten. */
void placement_host_update(struct placement *placement, struct host *host, int64_t now_ms);
/** placement_host_reserved() - the same after a change of its reservations alone: cheaper. */
void placement_host_reserved(struct placement *placement, struct host *host);
/** placement_host_forget() - before a host is freed. */
void placement_host_forget(struct placement *placement, struct host *host);
/** placement_pool_forget() - before a pool is freed; its hosts are forgotten already. */
void placement_pool_forget(struct placement *placement, struct pool *pool);

/** placement_image_set() - @host has, or no longer has, @image (a reference, "busybox:1.36"). @host was
 * updated once before and is not removed. */
void placement_image_set(struct placement *placement, struct host *host, const char *image,
                         bool there);
bool placement_image_has(const struct placement *placement, const struct host *host,
                         const char *image);

/**
 * placement_pick() - choose a host
 * @ret_host: set on PLACEMENT_OK
 * @ret_why:  may be NULL; filled either way.  Costs a look at each host of those buckets where some
 *            pass a filter and others don't; at all hosts when the pool has an anti-affinity or the
 *            blueprint fixed host ports
 *
 * Return: PLACEMENT_OK or PLACEMENT_NO_ROOM.
 */
int placement_pick(struct placement *placement, const struct placement_ask *ask,
                   struct host **ret_host, struct placement_why *ret_why);

/** placement_pick_linear() - the same decision by looking at each of @hosts [count], all of them in the
 * order of their ids; the reference for tests and the peer of the benchmark. */
int placement_pick_linear(struct placement *placement, const struct placement_ask *ask,
                          struct host *const *hosts, size_t count, struct host **ret_host);

/** placement_verdict() - the first filter that @host fails for @ask, for `explain`. */
enum placement_filter placement_verdict(const struct placement *placement,
                                        const struct placement_ask *ask, const struct host *host,
                                        int64_t now_ms);

/** placement_could_ever() - some host of the pool that is not removed, were it empty and healthy, would
 * have room.  A host whose size is not known yet is taken for large enough. */
bool placement_could_ever(const struct placement *placement, const struct placement_ask *ask);

/** placement_has_host() - some host of the pool that carries the labels takes work now, whether or not
 * it has room.  Without a blueprint in @ask: whatever its labels. */
bool placement_has_host(const struct placement *placement, const struct placement_ask *ask);

/** placement_note_instance() - @delta (+1, -1) instances of @blueprint and @owner on @host, for
 * spread, anti-affinity and fixed host ports. @owner is interned. */
void placement_note_instance(struct placement *placement, struct host *host,
                             const struct blueprint *blueprint, const char *owner, int delta);
