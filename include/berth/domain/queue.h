#pragma once

/*
 * Instances that wait for room, one queue for each pool.  A class is all that
 * the same hosts can take (blueprint.hosts_key: labels and fixed host ports).
 * First come first served within an owner and a class, owners in turn within a
 * class, and nothing overtakes for ever; who waits for a class that is full
 * holds back nobody's requests for another.
 *
 * An instance that has waited longer than QUEUE_OVERTAKE_MS at the head of its
 * line holds back all younger ones that ask for as much memory or more; twice
 * as long, those that ask for half of it or more; and so on, so that its room
 * comes together in the end.  Those of its class wait; those of other classes
 * may go where it could not go (queue_leave()).
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/domain/instance.h"

enum {
    QUEUE_OVERTAKE_MS = 30000,
    QUEUE_HOLDS_MAX = 16, /* the oldest of each class; of more classes than that, the oldest */
};

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *queue);

/** queue_add() - @instance waits, in the order of its id among its owner's and class's. */
void queue_add(struct queue *queue, struct instance *instance);
/** queue_remove() - it does not wait any more; costs the others nothing. */
void queue_remove(struct queue *queue, struct instance *instance);
/** queue_waiting_next() - all that wait for @pool, one after the other, in no order that means anything.
 * @cursor: start with { 0 }; nothing may come or go meanwhile.  Return: NULL at the end. */
struct queue_cursor {
    bool begun;
    struct list_node *turn;    /* of the line of the next; NULL: none is left */
    struct list_node *waiting; /* the next */
};
const struct instance *queue_waiting_next(const struct queue *queue, const struct pool *pool,
                                          struct queue_cursor *cursor);
uint32_t queue_length(const struct queue *queue, const struct pool *pool);

/**
 * queue_next() - the instance of @pool to try next in this sweep
 * @sweep: start with { 0 }; remembers who was tried
 *
 * Lines (of an owner and a class) in turn: the one that was served longest ago first.  An instance
 * that does not fit (queue_passed_over(), queue_stand_by()) closes its line for this sweep; one that is
 * to be retried later, or whose blueprint is held back, is left out, and all of a class that no host takes (queue_set_aside()).  Each
 * instance that was returned must be served, passed over, told to stand by, set aside or removed before
 * the next call.  A sweep costs the lines, not the instances, but for those that are to be retried
 * later; one sweep of a pool at a time: an older one ends.
 *
 * Return: an instance, still in the queue, or NULL at the end of the sweep.
 */
struct queue_hold {
    const struct blueprint *blueprint; /* borrowed from who waits */
    int64_t id;                        /* of who waits */
    int64_t bytes;                     /* leave it room: younger ones may not ask for as much */
};
struct queue_sweep {
    uint64_t round;
    uint32_t tried;
    size_t hold_count;
    struct queue_hold holds[QUEUE_HOLDS_MAX]; /* of different classes */
};
struct instance *queue_next(struct queue *queue, const struct pool *pool, struct queue_sweep *sweep,
                            int64_t now_ms);
/** queue_leave() - whose hosts @instance, just returned, must leave alone in this sweep: older ones
 * wait too long already.  Return: how many in @ret_leave, borrowed. */
size_t queue_leave(const struct queue_sweep *sweep, const struct instance *instance,
                   const struct blueprint *ret_leave[QUEUE_HOLDS_MAX]);
/** queue_served() - @instance got a place: remove it and put its line last. */
void queue_served(struct queue *queue, struct instance *instance, int64_t now_ms);
/** queue_passed_over() - @instance did not fit: there was no room. */
void queue_passed_over(struct queue *queue, struct instance *instance, struct queue_sweep *sweep,
                       int64_t now_ms);
/** queue_stand_by() - @instance did not fit for want of something that is not room, such as a fixed
 * host port: others have nothing to leave to it. */
void queue_stand_by(struct queue *queue, struct instance *instance);
/** queue_set_aside() - no host that @instance's class could use takes work: others have nothing to
 * leave to it, and all of its class are left out of this sweep. */
void queue_set_aside(struct queue *queue, struct instance *instance,
                     const struct queue_sweep *sweep);

/** queue_position() - among those of its class: 1: the next to be tried, were there room for all of
 * them; 0: not in the queue. */
uint32_t queue_position(const struct queue *queue, const struct instance *instance);

/** queue_eta_ms() - estimated wait for this position from the recent rate of places of its
 * class; -1: unknown. */
int64_t queue_eta_ms(const struct queue *queue, const struct instance *instance, int64_t now_ms);
