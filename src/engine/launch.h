#pragma once

/*
 * Launch: from a reservation on a host to a container that is ready.
 *
 * Every step is safe to repeat, because the container's name says which
 * instance and generation it is: a launch that was interrupted by a crash is
 * simply started again.
 */

#include "keep.h"
#include "lane.h"
#include "work.h"

enum {
    LAUNCH_LOOKS_MAX = 3,    /* looks and repeats after answers that got lost, in one launch */
    LAUNCH_WANT_MS = 600000, /* for an archive, then the image is looked for again */
};

struct launch {
    struct list_node spare; /* in engine->spare_launches when it has ended */
    struct work work;
    struct flow flow;
    struct engine_wait wait;
    struct clock_timer timer;
    struct lane_op op;
    struct keep keep; /* uses op */

    char name[INSTANCE_CONTAINER_NAME_SIZE];
    char id_text[ID_TEXT_SIZE];
    char **words; /* owned: command, entrypoint and environment, expanded */
    size_t word_count;

    bool waiting;  /* for the commit */
    bool calling;  /* op is with the lane */
    bool pulled;   /* the image was pulled in this launch */
    bool died;     /* the engine hinted that the container ended */
    bool began;    /* the container was asked to start */
    bool overlong; /* a word of the command or the environment, when it was expanded */
    bool found;    /* it was there already, and had been started */
    bool wanting;  /* the timer runs while archives are on their way: its image may be among them */
    uint32_t looks;
    int64_t pull_tenths; /* of its download, as told last */
    int64_t began_mono_ms;
    int64_t step_mono_ms;
    int64_t ready_by_mono_ms;
    int64_t ready_delay_ms;
    uint32_t ready_waits; /* for the engine's word about its end */
};

/** launch_spares_free() - at the very end. */
void launch_spares_free(struct engine *engine);

/** launch_start() - @instance is starting and has no work; waits for the commit first. */
void launch_start(struct engine *engine, struct instance *instance);
/** launch_stop() - its instance is to be stopped: undo, then it is stopped. */
void launch_stop(struct launch *launch);
/** launch_evict() - its host is to be empty: what takes long fails, and is tried on another host. */
void launch_evict(struct launch *launch);
/** launch_image_came() - an archive has reached @host, or will not: launches that wait for one go on. */
void launch_image_came(struct engine *engine, const struct host *host);
/** launch_abandon() - see struct work. */
void launch_abandon(struct launch *launch);

/* For the other files of a launch. */

/** launch_call() - submit @launch->op, whose call is set; @done first calls launch_called(). */
void launch_call(struct launch *launch, enum lane_share share,
                 void (*done)(struct lane_op *op, const struct fault *fault));
/** launch_called() - the launch of @op; its time counts for @step (METER_STEP_COUNT: for none). */
struct launch *launch_called(struct lane_op *op, enum meter_step step);
/** launch_is_over() - nobody wants it any more: the step was ended, return. */
bool launch_is_over(struct launch *launch);
/** launch_look() - inspect the container. */
void launch_look(struct launch *launch,
                 void (*done)(struct lane_op *op, const struct fault *fault));
