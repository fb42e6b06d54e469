#pragma once

/*
 * Keeping what a container wrote last, before it is removed.
 */

#include "lane.h"

struct keep {
    void (*done)(struct keep *keep); /* once, last touch; a log that cannot be had is none */
    struct engine *engine;
    struct instance *instance;
    struct buf tail;
    struct lane_op *op;
    char name[INSTANCE_CONTAINER_NAME_SIZE];
};

/** keep_start() - @op is lent until done. */
void keep_start(struct keep *keep, struct lane_op *op, struct engine *engine,
                struct instance *instance);
