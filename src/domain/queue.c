/*
 * Owners of a pool stand in a ring of turns; each has a line of instances in
 * the order of their ids.  A sweep walks the ring once with a cursor that
 * lives in the pool's queue, and each line with a cursor of its own, so that
 * nobody is looked at twice.
 */

#include "berth/domain/queue.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"
#include "berth/base/rowtable.h"

enum { QUEUE_RATE_PLACES = 32, QUEUE_HOLD_STEPS_MAX = 40 };

struct queue_owner {
    const char *name;            /* interned: its address is what counts */
    struct list_node turn;       /* in queue_pool.turns */
    struct list line;            /* struct instance, node */
    uint64_t round;              /* of the sweep that line_next belongs to */
    struct list_node *line_next; /* first that this sweep has not looked at; NULL: the line's end */
    int64_t head_id;             /* who was passed over last as the first of the line; 0: nobody */
    int64_t head_since_ms;       /* when that happened first */
    const struct list_node *known; /* whose place in the line was asked for last; NULL: nobody's */
    uint32_t known_index;
};

struct queue_pool {
    const struct pool *pool;
    struct rowtable owners; /* struct queue_owner, by name */
    struct list turns;      /* struct queue_owner, longest without a place first */
    uint32_t length;
    uint64_t round;                       /* of the sweep that turn_next belongs to */
    struct list_node *turn_next;          /* owner to try next; NULL: the sweep has ended */
    int64_t places_ms[QUEUE_RATE_PLACES]; /* when the last places were given, a ring */
    uint32_t places;                      /* ever given */
};

struct queue {
    struct rowtable pools; /* struct queue_pool, by pool */
    uint64_t round;        /* of the last sweep */
};

struct queue *
queue_new(void)
{
    return mem_new0(sizeof(struct queue));
}

static void
queue_pool_free(struct queue_pool *pool)
{
    struct queue_owner *owner;
    size_t at = 0;

    while ((owner = rowtable_step(&pool->owners, &at)))
        mem_free(owner);
    rowtable_fini(&pool->owners);
    mem_free(pool);
}

void
queue_free(struct queue *queue)
{
    struct queue_pool *pool;
    size_t at = 0;

    if (!queue)
        return;
    while ((pool = rowtable_step(&queue->pools, &at)))
        queue_pool_free(pool);
    rowtable_fini(&queue->pools);
    mem_free(queue);
}

/* The low bits of an address say little. */
static uint64_t
queue_hash(const void *address)
{
    return ((uint64_t)(uintptr_t)address * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

static bool
queue_is_pool(const struct rowtable_key *key, const void *row)
{
    return ((const struct queue_pool *)row)->pool == key->what;
}

static bool
queue_is_owner(const struct rowtable_key *key, const void *row)
{
    return ((const struct queue_owner *)row)->name == key->what;
}

static struct queue_pool *
queue_pool_find(const struct queue *queue, const struct pool *pool)
{
    const struct rowtable_key key = { queue_hash(pool), queue_is_pool, pool };

    return rowtable_find(&queue->pools, &key);
}

static struct queue_owner *
queue_owner_find(const struct queue_pool *pool, const char *name)
{
    const struct rowtable_key key = { queue_hash(name), queue_is_owner, name };

    return rowtable_find(&pool->owners, &key);
}

static struct queue_pool *
queue_pool_get(struct queue *queue, const struct pool *pool)
{
    struct queue_pool *found = queue_pool_find(queue, pool);

    if (found)
        return found;
    found = mem_new0(sizeof(*found));
    found->pool = pool;
    list_init(&found->turns);
    rowtable_insert(&queue->pools, queue_hash(pool), found);
    return found;
}

static struct queue_owner *
queue_owner_get(struct queue_pool *pool, const char *name)
{
    struct queue_owner *found = queue_owner_find(pool, name);

    if (found)
        return found;
    found = mem_new0(sizeof(*found));
    found->name = name;
    list_init(&found->line);
    rowtable_insert(&pool->owners, queue_hash(name), found);
    list_push(&pool->turns, &found->turn);
    return found;
}

static struct instance *
queue_instance_of(struct list_node *node)
{
    return node ? CONTAINER_OF(node, struct instance, node) : NULL;
}

static struct queue_owner *
queue_owner_of(struct list_node *node)
{
    return node ? CONTAINER_OF(node, struct queue_owner, turn) : NULL;
}

void
queue_add(struct queue *queue, struct instance *instance)
{
    struct queue_pool *pool = queue_pool_get(queue, instance->pool);
    struct queue_owner *owner = queue_owner_get(pool, instance->owner);
    struct list_node *at = &owner->line.head;

    /* New ones go to the end.  One that comes back is older than most: look from the front. */
    if (owner->line.count > 0 && CONTAINER_OF(at->prev, struct instance, node)->id > instance->id) {
        owner->known = NULL;
        at = at->next;
        while (CONTAINER_OF(at, struct instance, node)->id < instance->id)
            at = at->next;
    }
    list_insert_before(&owner->line, at, &instance->node);
    pool->length++;
}

static void
queue_owner_remove(struct queue_pool *pool, struct queue_owner *owner)
{
    if (pool->turn_next == &owner->turn)
        pool->turn_next = list_next(&pool->turns, &owner->turn);
    list_remove(&pool->turns, &owner->turn);
    rowtable_remove(&pool->owners, queue_hash(owner->name), owner);
    mem_free(owner);
}

void
queue_remove(struct queue *queue, struct instance *instance)
{
    struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    struct queue_owner *owner = queue_owner_find(pool, instance->owner);

    if (owner->line_next == &instance->node)
        owner->line_next = list_next(&owner->line, &instance->node);
    owner->known = NULL;
    list_remove(&owner->line, &instance->node);
    pool->length--;
    if (owner->line.count == 0)
        queue_owner_remove(pool, owner);
}

uint32_t
queue_length(const struct queue *queue, const struct pool *pool)
{
    const struct queue_pool *found = queue_pool_find(queue, pool);

    return found ? found->length : 0;
}

/* The first of @owner's line that may be tried at @now_ms and that this sweep has not looked at. */
static struct instance *
queue_line_next(struct queue_owner *owner, const struct queue_sweep *sweep, int64_t now_ms)
{
    if (owner->round != sweep->round) {
        owner->round = sweep->round;
        owner->line_next = list_first(&owner->line);
    }
    while (owner->line_next) {
        struct instance *instance = queue_instance_of(owner->line_next);

        if (instance->retry_at_ms <= now_ms && instance->blueprint->aside_round != sweep->round)
            return instance;
        owner->line_next = list_next(&owner->line, owner->line_next);
    }
    return NULL;
}

static bool
queue_is_held(const struct queue_sweep *sweep, const struct instance *instance)
{
    return sweep->blocked_bytes > 0 && instance->id > sweep->blocked_id &&
           instance->blueprint->spec.memory_bytes >= sweep->blocked_bytes;
}

struct instance *
queue_next(struct queue *queue, const struct pool *pool, struct queue_sweep *sweep, int64_t now_ms)
{
    struct queue_pool *found = queue_pool_find(queue, pool);

    if (!found)
        return NULL;
    if (sweep->round == 0) {
        sweep->round = found->round = ++queue->round;
        found->turn_next = list_first(&found->turns);
    }
    while (sweep->round == found->round && found->turn_next) {
        struct instance *instance =
            queue_line_next(queue_owner_of(found->turn_next), sweep, now_ms);

        if (instance && !queue_is_held(sweep, instance)) {
            sweep->tried++;
            return instance;
        }
        found->turn_next = list_next(&found->turns, found->turn_next);
    }
    return NULL;
}

void
queue_served(struct queue *queue, struct instance *instance, int64_t now_ms)
{
    struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    struct queue_owner *owner = queue_owner_find(pool, instance->owner);

    pool->places_ms[pool->places++ % QUEUE_RATE_PLACES] = now_ms;
    if (owner->turn.next != &pool->turns.head) {
        if (pool->turn_next == &owner->turn)
            pool->turn_next = owner->turn.next;
        list_remove(&pool->turns, &owner->turn);
        list_push(&pool->turns, &owner->turn);
    }
    queue_remove(queue, instance);
}

/*
 * What younger ones may not ask for while @instance waits: as much as it does at first, and half of
 * the rest for each further time that it was overtaken so long.  In the end nothing passes, so that
 * its room comes together as others end.
 */
static int64_t
queue_hold_bytes(const struct instance *instance, int64_t waited_ms)
{
    int64_t steps = waited_ms / QUEUE_OVERTAKE_MS - 1;
    int64_t bytes = instance->blueprint->spec.memory_bytes >>
                    (steps < QUEUE_HOLD_STEPS_MAX ? steps : QUEUE_HOLD_STEPS_MAX);

    return bytes > 0 ? bytes : 1;
}

void
queue_passed_over(struct queue *queue, struct instance *instance, struct queue_sweep *sweep,
                  int64_t now_ms)
{
    struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    struct queue_owner *owner = queue_owner_find(pool, instance->owner);
    int64_t waited_ms;

    if (pool->turn_next == &owner->turn)
        pool->turn_next = list_next(&pool->turns, &owner->turn);
    if (owner->head_id != instance->id) {
        owner->head_id = instance->id;
        owner->head_since_ms = now_ms;
    }
    waited_ms = now_ms - owner->head_since_ms;
    if (waited_ms < QUEUE_OVERTAKE_MS)
        return;
    if (sweep->blocked_bytes == 0 || instance->id < sweep->blocked_id) {
        sweep->blocked_id = instance->id;
        sweep->blocked_bytes = queue_hold_bytes(instance, waited_ms);
    }
}

void
queue_set_aside(struct queue *queue, struct instance *instance, const struct queue_sweep *sweep)
{
    struct queue_owner *owner =
        queue_owner_find(queue_pool_find(queue, instance->pool), instance->owner);

    instance->blueprint->aside_round = sweep->round;
    if (owner->line_next == &instance->node)
        owner->line_next = list_next(&owner->line, &instance->node);
}

/* How many stand before @instance in its own line.  A list of all asks for one after the other. */
static uint32_t
queue_line_index(struct queue_owner *owner, const struct instance *instance)
{
    const struct list_node *node = &instance->node;
    uint32_t index = 0;

    while (node != owner->known && node->prev != &owner->line.head) {
        node = node->prev;
        index++;
    }
    if (node == owner->known)
        index += owner->known_index;
    owner->known = &instance->node;
    owner->known_index = index;
    return index;
}

uint32_t
queue_position(const struct queue *queue, const struct instance *instance)
{
    const struct queue_pool *pool;
    struct queue_owner *own;
    uint32_t index;
    uint32_t before;
    bool ahead = true;

    if (instance->host || !list_is_in(&instance->node))
        return 0;
    pool = queue_pool_find(queue, instance->pool);
    own = queue_owner_find(pool, instance->owner);
    index = queue_line_index(own, instance);
    before = index;
    /* Each round gives every owner one place; those ahead in the ring have had one more. */
    for (struct list_node *node = list_first(&pool->turns); node;
         node = list_next(&pool->turns, node)) {
        const struct queue_owner *other = queue_owner_of(node);
        size_t rounds = index + (ahead ? 1U : 0U);

        if (other == own) {
            ahead = false;
        } else {
            before += (uint32_t)(other->line.count < rounds ? other->line.count : rounds);
        }
    }
    return before + 1;
}

int64_t
queue_eta_ms(const struct queue *queue, const struct instance *instance, int64_t now_ms)
{
    const struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    uint32_t position = queue_position(queue, instance);
    uint32_t known;
    int64_t since_ms;

    if (!pool || position == 0 || pool->places == 0)
        return -1;
    known = pool->places < QUEUE_RATE_PLACES ? pool->places : QUEUE_RATE_PLACES;
    since_ms = now_ms - pool->places_ms[(pool->places - known) % QUEUE_RATE_PLACES];
    return since_ms > 0 ? since_ms * position / known : 0;
}
