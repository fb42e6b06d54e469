/*
 * The index itself: which class, shelf and bucket each host stands in.  What it
 * means for a decision is in placement_pick.c.
 */

#include "berth/domain/placement.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "berth/base/mem.h"

#include "placement_index.h"

/* clang-format off */
static const struct {
    const char *name;
    const char *text;
} placement_filters[PLACEMENT_FILTER_COUNT] = {
    [PLACEMENT_FITS]   = { "fits",   "it has room" },
    [PLACEMENT_STATE]  = { "state",  "it is not active" },
    [PLACEMENT_ERRORS] = { "errors", "it cannot be reached or had too many errors" },
    [PLACEMENT_LABELS] = { "labels", "it does not carry the labels" },
    [PLACEMENT_LEFT]   = { "left",   "it is left to an older request that waits for room there" },
    [PLACEMENT_PORTS]  = { "ports",  "another instance there has one of its fixed host ports" },
    [PLACEMENT_MEMORY] = { "memory", "it has not enough memory left" },
    [PLACEMENT_CPUS]   = { "cpus",   "it has not enough cpus left" },
    [PLACEMENT_SLOTS]  = { "slots",  "it has not enough slots left" },
    [PLACEMENT_OWNER]  = { "owner",  "it has enough instances of this owner" },
};
/* clang-format on */

const char *
placement_filter_name(enum placement_filter filter)
{
    assert((int)filter >= 0 && filter < PLACEMENT_FILTER_COUNT);
    return placement_filters[filter].name;
}

const char *
placement_filter_text(enum placement_filter filter)
{
    assert((int)filter >= 0 && filter < PLACEMENT_FILTER_COUNT);
    return placement_filters[filter].text;
}

struct placement *
placement_new(void)
{
    return mem_new0(sizeof(struct placement));
}

static void
placement_host_free(struct placement_host *placed)
{
    placed->host->placement = NULL;
    placement_notes_free(placed->notes);
    mem_free(placed);
}

static void
placement_pool_free(struct placement_pool *pool)
{
    struct placement_class *class;

    while ((class = pool->classes)) {
        pool->classes = class->next;
        for (size_t i = 0; i < class->used; i++) {
            if (class->members[i])
                placement_host_free(class->members[i]);
        }
        placement_shelf_class_free(class);
    }
    pool->pool->placement = NULL;
    mem_free(pool->sources);
    mem_free(pool);
}

void
placement_free(struct placement *placement)
{
    struct placement_pool *pool;

    if (!placement)
        return;
    while ((pool = placement->pools)) {
        placement->pools = pool->next;
        placement_pool_free(pool);
    }
    mem_free(placement);
}

void
placement_pool_forget(struct placement *placement, struct pool *pool)
{
    struct placement_pool **at = &placement->pools;

    if (!pool->placement)
        return;
    assert(!pool->placement->classes);
    while (*at != pool->placement)
        at = &(*at)->next;
    *at = (*at)->next;
    placement_pool_free(pool->placement);
}

static struct placement_pool *
placement_pool_get(struct placement *placement, struct pool *pool)
{
    struct placement_pool *made;

    if (pool->placement)
        return pool->placement;
    made = mem_new0(sizeof(*made));
    made->pool = pool;
    made->next = placement->pools;
    placement->pools = made;
    pool->placement = made;
    return made;
}

bool
placement_labels_match(const struct schema_map *labels, const struct schema_map *wanted)
{
    size_t at = 0;

    for (size_t i = 0; i < wanted->count; i++) {
        while (at < labels->count && strcmp(labels->at[at].key, wanted->at[i].key) < 0)
            at++;
        if (at == labels->count || strcmp(labels->at[at].key, wanted->at[i].key) != 0 ||
            strcmp(labels->at[at].value, wanted->at[i].value) != 0)
            return false;
    }
    return true;
}

enum placement_filter
placement_labels_verdict(const struct placement_ask *ask, const struct schema_map *labels)
{
    if (!placement_labels_match(labels, &ask->blueprint->spec.host_labels))
        return PLACEMENT_LABELS;
    for (size_t i = 0; i < ask->leave_count; i++) {
        if (placement_labels_match(labels, &ask->leave[i]->spec.host_labels))
            return PLACEMENT_LEFT;
    }
    return PLACEMENT_FITS;
}

static struct placement_class *
placement_class_get(struct placement_pool *pool, const struct schema_map *labels, bool low)
{
    struct placement_class *class = pool->classes;

    while (class && (class->low != low || class->labels.count != labels->count ||
                     !placement_labels_match(&class->labels, labels)))
        class = class->next;
    if (class)
        return class;
    class = mem_new0(sizeof(*class));
    if (labels->count > 0)
        class->labels.at = mem_resize(NULL, labels->count, sizeof(*class->labels.at));
    for (size_t i = 0; i < labels->count; i++) {
        class->labels.at[i] = (struct schema_pair){ .key = mem_strdup(labels->at[i].key),
                                                    .value = mem_strdup(labels->at[i].value) };
    }
    class->labels.count = labels->count;
    class->low = low;
    class->next = pool->classes;
    pool->classes = class;
    return class;
}

static void
placement_class_leave(struct placement_host *placed)
{
    struct placement_class *class = placed->class;
    struct placement_class **at = &placed->host->pool->placement->classes;

    class->idle[placed->filter]--;
    placement_shelf_leave(placed);
    if (class->live > 0)
        return;
    while (*at && *at != class)
        at = &(*at)->next;
    assert(*at);
    *at = class->next;
    placement_shelf_class_free(class);
}

static int64_t
placement_slots_of(int64_t slots)
{
    return slots > 0 ? slots : INT64_MAX;
}

/* Hosts of a size that is not known yet are as large as one likes. */
static struct host_amount
placement_capacity_of(const struct host *host)
{
    if (host->total.memory_bytes == 0)
        return (struct host_amount){ INT64_MAX, INT64_MAX, INT64_MAX };
    return (struct host_amount){
        .memory_bytes = host->capacity.memory_bytes,
        .cpus_milli = host->capacity.cpus_milli,
        .slots = placement_slots_of(host->capacity.slots),
    };
}

static bool
placement_amount_holds(const struct host_amount *have, const struct host_amount *want)
{
    return have->memory_bytes >= want->memory_bytes && have->cpus_milli >= want->cpus_milli &&
           have->slots >= want->slots;
}

static void
placement_amount_widen(struct host_amount *most, const struct host_amount *amount)
{
    if (amount->memory_bytes > most->memory_bytes)
        most->memory_bytes = amount->memory_bytes;
    if (amount->cpus_milli > most->cpus_milli)
        most->cpus_milli = amount->cpus_milli;
    if (amount->slots > most->slots)
        most->slots = amount->slots;
}

struct host_amount
placement_free_of(const struct host *host)
{
    int64_t cpus = host->capacity.cpus_milli - host->reserved.cpus_milli;
    int64_t slots =
        host->capacity.slots > 0 ? host->capacity.slots - host->reserved.slots : INT32_MAX;

    return (struct host_amount){
        .memory_bytes = host->capacity.memory_bytes - host->reserved.memory_bytes,
        .cpus_milli = cpus < INT32_MAX ? cpus : INT32_MAX,
        .slots = slots < INT32_MAX ? slots : INT32_MAX,
    };
}

static enum placement_shelf_kind
placement_shelf_kind_of(const struct placement_host *placed)
{
    if (placed->filter != PLACEMENT_FITS)
        return SHELF_NONE;
    if (placed->free_slots <= 0)
        return SHELF_NO_SLOTS;
    return placed->free_cpus_milli > 0 ? SHELF_OPEN : SHELF_NO_CPUS;
}

void
placement_host_reserved(struct placement *placement, struct host *host)
{
    struct placement_host *placed = host->placement;
    struct host_amount left = placement_free_of(host);

    (void)placement;
    assert(placed);
    placed->free_memory_bytes = left.memory_bytes;
    placed->free_cpus_milli = (int32_t)left.cpus_milli;
    placed->free_slots = (int32_t)left.slots;
    placement_shelf_move(placed, placement_shelf_kind_of(placed));
}

static enum placement_filter
placement_host_filter(const struct host *host, int64_t now_ms)
{
    if (host->state != HOST_ACTIVE)
        return PLACEMENT_STATE;
    return host_takes_work(host, now_ms) ? PLACEMENT_FITS : PLACEMENT_ERRORS;
}

static struct placement_host *
placement_host_get(struct host *host)
{
    if (!host->placement) {
        host->placement = mem_new0(sizeof(*host->placement));
        host->placement->host = host;
        host->placement->id = host->id;
        host->placement->shelf = SHELF_NONE;
    }
    return host->placement;
}

void
placement_host_update(struct placement *placement, struct host *host, int64_t now_ms)
{
    struct placement_host *placed;
    struct placement_class *class;
    struct host_amount capacity;

    if (host->state == HOST_REMOVED) {
        placement_host_forget(placement, host);
        return;
    }
    class =
        placement_class_get(placement_pool_get(placement, host->pool), &host->labels, host->low);
    placed = placement_host_get(host);
    if (placed->class && placed->class != class)
        placement_class_leave(placed);
    if (!placed->class) {
        placement_shelf_join(class, placed);
    } else {
        class->idle[placed->filter]--;
    }
    placed->filter = (uint8_t)placement_host_filter(host, now_ms);
    class->idle[placed->filter]++;
    capacity = placement_capacity_of(host);
    placement_amount_widen(&class->capacity_most, &capacity);
    placement_host_reserved(placement, host);
}

void
placement_host_forget(struct placement *placement, struct host *host)
{
    (void)placement;
    if (!host->placement)
        return;
    placement_class_leave(host->placement);
    placement_host_free(host->placement);
}

struct placement_need
placement_need_of(const struct placement_ask *ask)
{
    const struct host_amount *amount = &ask->amount;
    struct placement_need need = {
        .memory_bytes = amount->memory_bytes,
        .cpus_milli = (int32_t)(amount->cpus_milli < INT32_MAX ? amount->cpus_milli : INT32_MAX),
        .slots = (int32_t)(amount->slots < INT32_MAX ? amount->slots : INT32_MAX),
        .owner_most = ask->owner ? ask->pool->policy.anti_affinity : 0,
        .replica_key = ask->blueprint->name_key,
        .image_key = ask->blueprint->image_key,
        .ported = ask->blueprint->fixed_ports > 0 ? ask->blueprint : NULL,
    };

    if (need.slots < 1)
        need.slots = 1;
    if (need.owner_most > 0)
        need.owner_key = placement_notes_owner_key(ask->owner);
    return need;
}

enum placement_filter
placement_verdict(const struct placement *placement, const struct placement_ask *ask,
                  const struct host *host, int64_t now_ms)
{
    struct placement_need need = placement_need_of(ask);
    struct placement_host view = { 0 };
    enum placement_filter filter = placement_host_filter(host, now_ms);
    struct host_amount left = placement_free_of(host);

    (void)placement;
    if (host->pool != ask->pool)
        return PLACEMENT_STATE;
    if (filter != PLACEMENT_FITS)
        return filter;
    filter = placement_labels_verdict(ask, &host->labels);
    if (filter != PLACEMENT_FITS)
        return filter;
    view.free_memory_bytes = left.memory_bytes;
    view.free_cpus_milli = (int32_t)left.cpus_milli;
    view.free_slots = (int32_t)left.slots;
    view.notes = host->placement ? host->placement->notes : NULL;
    return placement_fails(&view, &need);
}

static bool
placement_class_could_ever(struct placement_class *class, const struct host_amount *want)
{
    struct host_amount most = { 0 };
    struct host_amount have;

    if (!placement_amount_holds(&class->capacity_most, want))
        return false;
    if (class->roomy) {
        have = placement_capacity_of(class->roomy->host);
        if (placement_amount_holds(&have, want))
            return true;
    }
    for (size_t i = 0; i < class->used; i++) {
        if (!class->members[i])
            continue;
        have = placement_capacity_of(class->members[i]->host);
        if (placement_amount_holds(&have, want)) {
            class->roomy = class->members[i];
            return true;
        }
        placement_amount_widen(&most, &have);
    }
    class->capacity_most = most;
    return false;
}

bool
placement_could_ever(const struct placement *placement, const struct placement_ask *ask)
{
    struct host_amount want = ask->amount;
    struct placement_class *class = ask->pool->placement ? ask->pool->placement->classes : NULL;

    (void)placement;
    if (want.slots < 1)
        want.slots = 1;
    for (; class; class = class->next) {
        if (placement_labels_match(&class->labels, &ask->blueprint->spec.host_labels) &&
            placement_class_could_ever(class, &want))
            return true;
    }
    return false;
}

bool
placement_has_host(const struct placement *placement, const struct placement_ask *ask)
{
    struct placement_class *class = ask->pool->placement ? ask->pool->placement->classes : NULL;

    (void)placement;
    for (; class; class = class->next) {
        if (class->idle[PLACEMENT_FITS] > 0 &&
            (!ask->blueprint ||
             placement_labels_match(&class->labels, &ask->blueprint->spec.host_labels)))
            return true;
    }
    return false;
}
