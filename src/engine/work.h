#pragma once

/*
 * Work in progress on an instance: one launch or one burial at a time.
 */

#include "state.h"

enum work_kind { WORK_LAUNCH, WORK_BURY };

struct work {
    enum work_kind kind;
    struct engine *engine;
    struct instance *instance;
    /* The model is about to be thrown away: end as soon as possible, touch no row. */
    bool abandoned;
};

/** work_begin() / work_end() - hang it on its instance, and off. */
void work_begin(struct work *work, enum work_kind kind, struct engine *engine,
                struct instance *instance);
void work_end(struct work *work);
/** work_abandon_all() - every work on every instance. */
void work_abandon_all(struct engine *engine);
