#pragma once

/*
 * What may happen in a random walk: requests, faults, crashes, jumps of the clock.
 */

#include "scene.h"

enum { WALK_HOSTS = 3 };

struct walk {
    struct scene scene;
    uint64_t random;
    uint64_t faults;   /* of a thousand calls */
    int names;         /* of hosts that were added */
    struct list calls; /* struct walk_call */
};

/** walk_random() - below @below. */
uint64_t walk_random(struct walk *walk, uint64_t below);
/** walk_fate() - what becomes of a call; a hook whose cookie is the walk. */
struct fake_fate walk_fate(void *cookie, const struct docker_call *call);
/** walk_step() - something happens. */
void walk_step(struct walk *walk);
/** walk_calls_free() - at the end. */
void walk_calls_free(struct walk *walk);
