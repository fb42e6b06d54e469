#pragma once

/*
 * Inside the queue: lines of an owner and a class in a ring of turns.
 */

#include <stddef.h>

#include "berth/base/mem.h"
#include "berth/base/rowtable.h"
#include "berth/domain/queue.h"

enum { QUEUE_RATE_PLACES = 32 };

/* Instances that the same hosts can take. */
struct queue_class {
    uint64_t key;                         /* blueprint.hosts_key */
    uint64_t aside_round;                 /* of the last sweep that has set it aside */
    uint32_t lines;                       /* struct queue_line of it */
    uint32_t places;                      /* ever given */
    int64_t places_ms[QUEUE_RATE_PLACES]; /* when the last places were given, a ring */
};

struct queue_line {
    const char *owner; /* interned: its address is what counts */
    struct queue_class *class;
    struct list_node turn;  /* in queue_pool.turns */
    struct list waiting;    /* struct instance, node; never empty */
    uint64_t round;         /* of the sweep that next belongs to */
    struct list_node *next; /* first that this sweep has not looked at; NULL: the line's end */
    int64_t head_id;        /* who was passed over last as the first of the line; 0: nobody */
    int64_t head_since_ms;  /* when that happened first */
    const struct list_node *known; /* whose place in the line was asked for last; NULL: nobody's */
    uint32_t known_index;
};

struct queue_pool {
    const struct pool *pool;
    struct rowtable lines;   /* struct queue_line, by owner and class */
    struct rowtable classes; /* struct queue_class, by key */
    struct list turns;       /* struct queue_line, longest without a place first */
    uint32_t length;
    uint64_t round;              /* of the sweep that turn_next belongs to */
    struct list_node *turn_next; /* line to try next; NULL: the sweep has ended */
};

struct queue {
    struct rowtable pools; /* struct queue_pool, by pool */
    uint64_t round;        /* of the last sweep */
};

/** queue_pool_find() / queue_line_find() - NULL: nobody ever waited for it; nobody waits in it. */
struct queue_pool *queue_pool_find(const struct queue *queue, const struct pool *pool);
struct queue_line *queue_line_find(const struct queue_pool *pool, const struct instance *instance);

static inline struct instance *
queue_instance_of(struct list_node *node)
{
    return CONTAINER_OF(node, struct instance, node);
}

static inline struct queue_line *
queue_line_of(struct list_node *node)
{
    return CONTAINER_OF(node, struct queue_line, turn);
}
