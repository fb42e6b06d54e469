#pragma once

/*
 * Instances that wait for room, one queue for each pool: first come first
 * served within an owner, owners in turn, and nothing overtakes for ever: an
 * instance that has waited longer than QUEUE_OVERTAKE_MS at the head of its
 * owner's line holds back all younger ones that ask for as much memory or more;
 * twice as long, those that ask for half of it or more; and so on, so that its
 * room comes together in the end.
 */

#include <stdint.h>

#include "berth/domain/instance.h"

enum { QUEUE_OVERTAKE_MS = 30000 };

struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *queue);

/** queue_add() - @instance waits, in the order of its id among its owner's. */
void queue_add(struct queue *queue, struct instance *instance);
/** queue_remove() - it does not wait any more; costs the others nothing. */
void queue_remove(struct queue *queue, struct instance *instance);
uint32_t queue_length(const struct queue *queue, const struct pool *pool);

/**
 * queue_next() - the instance of @pool to try next in this sweep
 * @sweep: start with { 0 }; remembers who was tried
 *
 * Owners in turn: the one that was served longest ago first.  An instance that does not fit
 * (queue_passed_over()) closes its owner's line for this sweep; one that is to be retried later, or
 * that no host could take whatever its room (queue_set_aside()), is left out.  Each instance that was
 * returned must be served, passed over, set aside or removed before the next call.  A sweep costs the
 * owners, not the instances, but for those that are left out; one sweep of a pool at a time: an older
 * one ends.
 *
 * Return: an instance, still in the queue, or NULL at the end of the sweep.
 */
struct queue_sweep {
    uint64_t round;
    int64_t blocked_id;    /* that old request */
    int64_t blocked_bytes; /* an old request waits for this much: leave it room; 0: nothing */
    uint32_t tried;
};
struct instance *queue_next(struct queue *queue, const struct pool *pool, struct queue_sweep *sweep,
                            int64_t now_ms);
/** queue_served() - @instance got a place: remove it and put its owner last. */
void queue_served(struct queue *queue, struct instance *instance, int64_t now_ms);
/** queue_passed_over() - @instance did not fit. */
void queue_passed_over(struct queue *queue, struct instance *instance, struct queue_sweep *sweep,
                       int64_t now_ms);
/** queue_set_aside() - no host that @instance could use takes work: others have nothing to leave to it.
 * All of its blueprint are left out of this sweep. */
void queue_set_aside(struct queue *queue, struct instance *instance,
                     const struct queue_sweep *sweep);

/** queue_position() - 1: the next to be tried, were there room for all; 0: not in the queue. */
uint32_t queue_position(const struct queue *queue, const struct instance *instance);

/** queue_eta_ms() - estimated wait for this position from the recent rate of places; -1: unknown. */
int64_t queue_eta_ms(const struct queue *queue, const struct instance *instance, int64_t now_ms);
