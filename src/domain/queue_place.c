/* Who waits, and in which place. */

#include "queue_lines.h"

static void
queue_cursor_to(struct queue_cursor *cursor, struct list_node *turn)
{
    cursor->turn = turn;
    cursor->waiting = turn ? list_first(&queue_line_of(turn)->waiting) : NULL;
}

const struct instance *
queue_waiting_next(const struct queue *queue, const struct pool *pool, struct queue_cursor *cursor)
{
    const struct queue_pool *found = queue_pool_find(queue, pool);
    const struct instance *instance;

    if (!found)
        return NULL;
    if (!cursor->begun)
        queue_cursor_to(cursor, list_first(&found->turns));
    cursor->begun = true;
    if (!cursor->turn)
        return NULL;
    instance = queue_instance_of(cursor->waiting);
    cursor->waiting = list_next(&queue_line_of(cursor->turn)->waiting, cursor->waiting);
    if (!cursor->waiting)
        queue_cursor_to(cursor, list_next(&found->turns, cursor->turn));
    return instance;
}

/* How many stand before @instance in its own line.  A list of all asks for one after the other. */
static uint32_t
queue_line_index(struct queue_line *line, const struct instance *instance)
{
    const struct list_node *node = &instance->node;
    uint32_t index = 0;

    while (node != line->known && node->prev != &line->waiting.head) {
        node = node->prev;
        index++;
    }
    if (node == line->known)
        index += line->known_index;
    line->known = &instance->node;
    line->known_index = index;
    return index;
}

uint32_t
queue_position(const struct queue *queue, const struct instance *instance)
{
    const struct queue_pool *pool;
    struct queue_line *own;
    uint32_t index;
    uint32_t before;
    bool ahead = true;

    if (instance->host || !list_is_in(&instance->node))
        return 0;
    pool = queue_pool_find(queue, instance->pool);
    own = queue_line_find(pool, instance);
    index = queue_line_index(own, instance);
    before = index;
    /* Each round gives every line one place; those ahead in the ring have had one more. */
    for (struct list_node *node = list_first(&pool->turns); node;
         node = list_next(&pool->turns, node)) {
        const struct queue_line *other = queue_line_of(node);
        size_t rounds = index + (ahead ? 1U : 0U);

        if (other == own) {
            ahead = false;
        } else if (other->class == own->class) {
            before += (uint32_t)(other->waiting.count < rounds ? other->waiting.count : rounds);
        }
    }
    return before + 1;
}

int64_t
queue_eta_ms(const struct queue *queue, const struct instance *instance, int64_t now_ms)
{
    uint32_t position = queue_position(queue, instance);
    const struct queue_class *class;
    uint32_t known;
    int64_t since_ms;

    if (position == 0)
        return -1;
    class = queue_line_find(queue_pool_find(queue, instance->pool), instance)->class;
    known = class->places < QUEUE_RATE_PLACES ? class->places : QUEUE_RATE_PLACES;
    if (known == 0)
        return -1;
    since_ms = now_ms - class->places_ms[(class->places - known) % QUEUE_RATE_PLACES];
    return since_ms > 0 ? since_ms * position / known : 0;
}
