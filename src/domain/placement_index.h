#pragma once

/*
 * Inside the placement index: what its parts share.
 */

#include "berth/domain/placement.h"

#include "placement_shelf.h"

/* A shelf that an ask may be served from. */
struct placement_source {
    struct placement_class *class;
    struct placement_shelf *shelf;
};

struct placement_pool {
    struct placement_pool *next;
    struct pool *pool;
    struct placement_class *classes;
    struct placement_source *sources; /* owned: scratch of one decision */
    size_t source_cap;
};

struct placement {
    struct placement_pool *pools;
};

/* What a host must have, with the filters' words. */
struct placement_need {
    int64_t memory_bytes;
    int32_t cpus_milli;
    int32_t slots;
    int64_t owner_most; /* 0: no limit */
    uint32_t owner_key;
    uint32_t replica_key;
    uint64_t image_key;
    const struct blueprint *ported; /* with fixed host ports; NULL: has none */
};

struct placement_need placement_need_of(const struct placement_ask *ask);

/** placement_free_of() - what @host has left, as the index compares it. */
struct host_amount placement_free_of(const struct host *host);

/** placement_labels_verdict() - of hosts with @labels: PLACEMENT_LABELS, PLACEMENT_LEFT or
 * PLACEMENT_FITS. */
enum placement_filter placement_labels_verdict(const struct placement_ask *ask,
                                               const struct schema_map *labels);

/* --- placement_notes.c: images and counts of each host --- */

uint32_t placement_notes_owner_key(const char *owner);
uint32_t placement_notes_count(const struct placement_notes *notes, uint32_t key);
bool placement_notes_image_has(const struct placement_host *host, uint64_t image_key);
/** placement_notes_ports_taken() - an instance has one of the fixed host ports of @blueprint. */
bool placement_notes_ports_taken(const struct placement_notes *notes,
                                 const struct blueprint *blueprint);
uint32_t placement_notes_replicas(const struct placement_host *host, uint32_t replica_key);
void placement_notes_free(struct placement_notes *notes);

/* --- placement_pick.c, placement_why.c --- */

enum placement_tier { TIER_FIRST, TIER_LOW, TIER_BOTH };

/** placement_pick_sources() - the shelves of @ask's pool, labels and tier, for hosts with cpus left only
 * if @need asks for cpus; of TIER_BOTH also those where no slots or cpus are left.
 * Return: how many. */
size_t placement_pick_sources(const struct placement_ask *ask, const struct placement_need *need,
                              enum placement_tier tier);
struct placement_terms placement_pick_terms(const struct placement_host *host,
                                            const struct placement_need *need);
void placement_why_fill(const struct placement_ask *ask, const struct placement_need *need,
                        const struct placement_host *winner, struct placement_why *ret_why);

/** placement_fails() - the first filter after the labels that @host, which takes work, fails. */
static inline enum placement_filter
placement_fails(const struct placement_host *host, const struct placement_need *need)
{
    if (need->ported && placement_notes_ports_taken(host->notes, need->ported))
        return PLACEMENT_PORTS;
    if (host->free_memory_bytes < need->memory_bytes)
        return PLACEMENT_MEMORY;
    if (host->free_cpus_milli < need->cpus_milli)
        return PLACEMENT_CPUS;
    if (host->free_slots < need->slots)
        return PLACEMENT_SLOTS;
    if (need->owner_most > 0 &&
        placement_notes_count(host->notes, need->owner_key) >= need->owner_most)
        return PLACEMENT_OWNER;
    return PLACEMENT_FITS;
}
