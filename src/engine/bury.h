#pragma once

/*
 * Burial: from a container that ended, or is to end, to nothing but its row and
 * the last lines it wrote.
 *
 *   [stop] -> look -> keep the log -> commit -> remove -> stopped | failed | started again | queued
 *
 * What fails is tried again until it succeeds or the host is gone; what cannot be stopped is removed
 * by force.  How it ended is on the disk before the container, which alone knew it, is removed.
 */

#include "keep.h"
#include "lane.h"
#include "work.h"

struct bury {
    struct work work;
    struct engine_wait wait;
    struct clock_timer timer;
    struct lane_op op;
    struct keep keep; /* uses op */
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    bool stopping;                    /* the container is to be stopped, if it runs */
    bool moving;                      /* ... and started again elsewhere */
    bool calling;                     /* op is with the lane */
    bool waiting;                     /* for the commit */
    bool gone;                        /* there was no container */
    bool told;                        /* how it ended is known: in why */
    void (*again)(struct bury *bury); /* what the timer repeats */
    int64_t delay_ms;
    uint32_t stops; /* that failed */
    uint32_t waits; /* for the engine's word about its end */
    struct fault why;
};

/** bury_stop() - @instance is not wanted any more (desired is set): whatever state it is in. */
void bury_stop(struct engine *engine, struct instance *instance);
/** bury_start() - @instance is stopping and has no work. */
void bury_start(struct engine *engine, struct instance *instance);
/** bury_look() - @instance is running and has no work; its container may have ended. */
void bury_look(struct engine *engine, struct instance *instance);
/** bury_move() - @instance is running and has no work: stop it here, queue it for elsewhere. */
void bury_move(struct engine *engine, struct instance *instance);
/** bury_oom_count() - the same, neither told nor written at once: the next change of @instance does. */
void bury_oom_count(struct engine *engine, struct instance *instance);
/** bury_oom_seen() - the engine told of an out-of-memory kill. */
void bury_oom_seen(struct engine *engine, struct instance *instance);
/** bury_abandon() - see struct work. */
void bury_abandon(struct bury *bury);
