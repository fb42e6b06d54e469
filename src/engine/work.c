#include "work.h"

#include <assert.h>

#include "bury.h"
#include "launch.h"

void
work_begin(struct work *work, enum work_kind kind, struct engine *engine, struct instance *instance)
{
    assert(!instance->work);
    work->kind = kind;
    work->engine = engine;
    work->instance = instance;
    instance->work = work;
    engine->works++;
}

void
work_end(struct work *work)
{
    assert(work->instance->work == work && work->engine->works > 0);
    work->instance->work = NULL;
    work->engine->works--;
}

void
work_abandon_all(struct engine *engine)
{
    IDMAP_EACH(&engine->model->instances, struct instance, instance)
    {
        struct work *work = instance->work;

        if (!work || work->abandoned)
            continue;
        if (work->kind == WORK_LAUNCH) {
            launch_abandon(CONTAINER_OF(work, struct launch, work));
        } else {
            bury_abandon(CONTAINER_OF(work, struct bury, work));
        }
    }
}
