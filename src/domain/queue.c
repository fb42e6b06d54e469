/*
 * Each owner has a line for each class of hosts that it waits for, in the order
 * of ids; the lines of a pool stand in a ring of turns.  A sweep walks the ring
 * once with a cursor that lives in the pool's queue, and each line with a
 * cursor of its own, so that nobody is looked at twice.
 */

#include <assert.h>

#include "queue_lines.h"

enum {
    QUEUE_HOLD_STEPS_MAX = 40,
    QUEUE_CLASSES_KEPT = 64, /* of a pool, though nobody waits for them: for their rates */
};

struct queue *
queue_new(void)
{
    return mem_new0(sizeof(struct queue));
}

static void
queue_pool_free(struct queue_pool *pool)
{
    void *row;
    size_t at = 0;

    while ((row = rowtable_step(&pool->lines, &at)))
        mem_free(row);
    at = 0;
    while ((row = rowtable_step(&pool->classes, &at)))
        mem_free(row);
    rowtable_fini(&pool->lines);
    rowtable_fini(&pool->classes);
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
queue_is_class(const struct rowtable_key *key, const void *row)
{
    return ((const struct queue_class *)row)->key == key->hash;
}

static uint64_t
queue_line_hash(const char *owner, uint64_t class_key)
{
    return queue_hash(owner) ^ class_key;
}

static bool
queue_is_line(const struct rowtable_key *key, const void *row)
{
    const struct queue_line *line = row;
    const struct instance *instance = key->what;

    return line->owner == instance->owner && line->class->key == instance->blueprint->hosts_key;
}

struct queue_pool *
queue_pool_find(const struct queue *queue, const struct pool *pool)
{
    const struct rowtable_key key = { queue_hash(pool), queue_is_pool, pool };

    return rowtable_find(&queue->pools, &key);
}

struct queue_line *
queue_line_find(const struct queue_pool *pool, const struct instance *instance)
{
    const struct rowtable_key key = {
        queue_line_hash(instance->owner, instance->blueprint->hosts_key), queue_is_line, instance
    };

    return rowtable_find(&pool->lines, &key);
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

static struct queue_class *
queue_class_get(struct queue_pool *pool, uint64_t key)
{
    struct queue_class *found =
        rowtable_find(&pool->classes, &(struct rowtable_key){ key, queue_is_class, NULL });

    if (found)
        return found;
    found = mem_new0(sizeof(*found));
    found->key = key;
    rowtable_insert(&pool->classes, key, found);
    return found;
}

static struct queue_line *
queue_line_get(struct queue_pool *pool, const struct instance *instance)
{
    struct queue_line *found = queue_line_find(pool, instance);

    if (found)
        return found;
    found = mem_new0(sizeof(*found));
    found->owner = instance->owner;
    found->class = queue_class_get(pool, instance->blueprint->hosts_key);
    found->class->lines++;
    list_init(&found->waiting);
    rowtable_insert(&pool->lines, queue_line_hash(found->owner, found->class->key), found);
    list_push(&pool->turns, &found->turn);
    return found;
}

void
queue_add(struct queue *queue, struct instance *instance)
{
    struct queue_pool *pool = queue_pool_get(queue, instance->pool);
    struct queue_line *line = queue_line_get(pool, instance);
    struct list_node *at = &line->waiting.head;

    /* New ones go to the end.  One that comes back is older than most: look from the front. */
    if (line->waiting.count > 0 && queue_instance_of(at->prev)->id > instance->id) {
        line->known = NULL;
        at = at->next;
        while (queue_instance_of(at)->id < instance->id)
            at = at->next;
    }
    list_insert_before(&line->waiting, at, &instance->node);
    pool->length++;
}

static void
queue_line_remove(struct queue_pool *pool, struct queue_line *line)
{
    struct queue_class *class = line->class;

    if (pool->turn_next == &line->turn)
        pool->turn_next = list_next(&pool->turns, &line->turn);
    list_remove(&pool->turns, &line->turn);
    rowtable_remove(&pool->lines, queue_line_hash(line->owner, class->key), line);
    mem_free(line);
    if (--class->lines == 0 && pool->classes.live > QUEUE_CLASSES_KEPT) {
        rowtable_remove(&pool->classes, class->key, class);
        mem_free(class);
    }
}

void
queue_remove(struct queue *queue, struct instance *instance)
{
    struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    struct queue_line *line = queue_line_find(pool, instance);

    if (line->next == &instance->node)
        line->next = list_next(&line->waiting, &instance->node);
    line->known = NULL;
    list_remove(&line->waiting, &instance->node);
    pool->length--;
    if (line->waiting.count == 0)
        queue_line_remove(pool, line);
}

uint32_t
queue_length(const struct queue *queue, const struct pool *pool)
{
    const struct queue_pool *found = queue_pool_find(queue, pool);

    return found ? found->length : 0;
}

/* The first of @line that may be tried at @now_ms and that this sweep has not looked at. */
static struct instance *
queue_line_next(struct queue_line *line, const struct queue_sweep *sweep, int64_t now_ms)
{
    if (line->round != sweep->round) {
        line->round = sweep->round;
        line->next = list_first(&line->waiting);
    }
    if (line->class->aside_round == sweep->round)
        return NULL;
    while (line->next) {
        struct instance *instance = queue_instance_of(line->next);

        if (instance->retry_at_ms <= now_ms && !instance->blueprint->held)
            return instance;
        line->next = list_next(&line->waiting, line->next);
    }
    return NULL;
}

static bool
queue_is_held_by(const struct queue_hold *hold, const struct instance *instance)
{
    return instance->id > hold->id && instance->blueprint->spec.memory_bytes >= hold->bytes;
}

/* By one that the same hosts can take: there is nowhere else to go. */
static bool
queue_is_held(const struct queue_sweep *sweep, const struct instance *instance)
{
    for (size_t i = 0; i < sweep->hold_count; i++) {
        if (sweep->holds[i].blueprint->hosts_key == instance->blueprint->hosts_key)
            return queue_is_held_by(&sweep->holds[i], instance);
    }
    return false;
}

size_t
queue_leave(const struct queue_sweep *sweep, const struct instance *instance,
            const struct blueprint *ret_leave[QUEUE_HOLDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < sweep->hold_count; i++) {
        if (queue_is_held_by(&sweep->holds[i], instance))
            ret_leave[count++] = sweep->holds[i].blueprint;
    }
    return count;
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
        struct instance *instance = queue_line_next(queue_line_of(found->turn_next), sweep, now_ms);

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
    struct queue_line *line = queue_line_find(pool, instance);
    struct queue_class *class = line->class;

    class->places_ms[class->places++ % QUEUE_RATE_PLACES] = now_ms;
    if (list_next(&pool->turns, &line->turn)) {
        if (pool->turn_next == &line->turn)
            pool->turn_next = line->turn.next;
        list_remove(&pool->turns, &line->turn);
        list_push(&pool->turns, &line->turn);
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

static void
queue_hold_add(struct queue_sweep *sweep, const struct queue_hold *hold)
{
    struct queue_hold *youngest = NULL;

    for (size_t i = 0; i < sweep->hold_count; i++) {
        struct queue_hold *other = &sweep->holds[i];

        if (other->blueprint->hosts_key == hold->blueprint->hosts_key) {
            if (hold->id < other->id)
                *other = *hold;
            return;
        }
        if (!youngest || other->id > youngest->id)
            youngest = other;
    }
    if (sweep->hold_count < QUEUE_HOLDS_MAX) {
        sweep->holds[sweep->hold_count++] = *hold;
    } else if (hold->id < youngest->id) {
        *youngest = *hold;
    }
}

static struct queue_line *
queue_line_close(struct queue *queue, const struct instance *instance)
{
    struct queue_pool *pool = queue_pool_find(queue, instance->pool);
    struct queue_line *line = queue_line_find(pool, instance);

    assert(pool->turn_next == &line->turn);
    pool->turn_next = list_next(&pool->turns, &line->turn);
    return line;
}

void
queue_passed_over(struct queue *queue, struct instance *instance, struct queue_sweep *sweep,
                  int64_t now_ms)
{
    struct queue_line *line = queue_line_close(queue, instance);
    int64_t waited_ms;

    if (line->head_id != instance->id) {
        line->head_id = instance->id;
        line->head_since_ms = now_ms;
    }
    waited_ms = now_ms - line->head_since_ms;
    if (waited_ms >= QUEUE_OVERTAKE_MS) {
        queue_hold_add(sweep,
                       &(struct queue_hold){ .blueprint = instance->blueprint,
                                             .id = instance->id,
                                             .bytes = queue_hold_bytes(instance, waited_ms) });
    }
}

void
queue_stand_by(struct queue *queue, struct instance *instance)
{
    (void)queue_line_close(queue, instance);
}

void
queue_set_aside(struct queue *queue, struct instance *instance, const struct queue_sweep *sweep)
{
    queue_line_close(queue, instance)->class->aside_round = sweep->round;
}
