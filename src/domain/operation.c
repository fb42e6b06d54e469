#include "berth/domain/operation.h"

#include <assert.h>

#include "berth/base/mem.h"

static const char *const operation_kind_names[OPERATION_KIND_COUNT] = {
    [OPERATION_IMAGE_LOAD] = "image_load",     [OPERATION_IMAGE_PULL] = "image_pull",
    [OPERATION_HOST_DRAIN] = "host_drain",     [OPERATION_HOST_REMOVE] = "host_remove",
    [OPERATION_HOUSEKEEPING] = "housekeeping", [OPERATION_POOL_SHUTDOWN] = "pool_shutdown",
};

static const char *const operation_state_names[OPERATION_STATE_COUNT] = {
    [OPERATION_RUNNING] = "running",
    [OPERATION_DONE] = "done",
    [OPERATION_FAILED] = "failed",
    [OPERATION_CANCELLED] = "cancelled",
};

const char *
operation_kind_name(int32_t kind)
{
    assert(kind >= 0 && kind < OPERATION_KIND_COUNT);
    return operation_kind_names[kind];
}

const char *
operation_state_name(int32_t state)
{
    assert(state >= 0 && state < OPERATION_STATE_COUNT);
    return operation_state_names[state];
}

struct operation *
operation_new(int64_t id, int32_t kind)
{
    struct operation *operation = mem_new0(sizeof(*operation));

    operation->id = id;
    operation->kind = kind;
    return operation;
}

void
operation_free(struct operation *operation)
{
    if (!operation)
        return;
    assert(!operation->work);
    mem_free(operation->owner);
    mem_free(operation->pool);
    mem_free(operation->subject);
    mem_free(operation->text);
    mem_free(operation);
}
