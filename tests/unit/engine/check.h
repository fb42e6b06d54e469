#pragma once

/*
 * What must hold in a world at all times, checked after every turn and at every
 * call to an engine; and what must hold once faults have stopped.
 */

#include "world.h"

/* Something that was asked for; once its commit is done it must never be forgotten. */
struct check_promise {
    struct engine_wait wait;
    struct list_node node;
    const struct engine *engine; /* that was asked; a dead one does not answer any more */
    int64_t instance_id;
    bool stop; /* it was asked to stop; else: to run */
    bool kept; /* the commit is done */
    bool failed;
};

struct check {
    struct world *world;
    struct list promises;
    struct list
        guilty; /* struct check_guilty: machines whose faults may raise their host's score */
    struct fault refusal; /* of the last launch that was refused */
    bool overfull; /* reservations may exceed capacities: it shrank, or hosts were restored */
    bool loose;    /* containers may be there that nobody asked for: a removed host's, ... */
};

/** check_init() - from now on @world is checked. */
void check_init(struct check *check, struct world *world);
/** check_fini() - before world_fini(). */
void check_fini(struct check *check);

/** check_launch() - ask for an instance of @blueprint, and remember that it was promised. Return: its
 * id, or 0 when it was refused. */
int64_t check_launch(struct check *check, const char *blueprint, const char *owner);
/** check_stop() - the same for the end of @id. Return: whether it was accepted. */
bool check_stop(struct check *check, int64_t id);
/** check_blame() - from now on @machine's host may get a score. */
void check_blame(struct check *check, const struct fake_machine *machine);

/** check_settled() - faults have stopped long enough ago: nothing is under way, memory, disk and
 * machines agree, the doctor is content. */
void check_settled(struct check *check);
/** check_containers() - how many of our containers there are on @machine; @running: only such. */
size_t check_containers(struct check *check, const struct fake_machine *machine, bool running);
