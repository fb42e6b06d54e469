#include "berth/port/cloud.h"

#include <assert.h>

static const char *const cloud_verb_names[CLOUD_VERB_COUNT] = {
    [CLOUD_LAUNCH] = "launch",
    [CLOUD_LIST] = "list",
    [CLOUD_TERMINATE] = "terminate",
};

const char *
cloud_verb_name(enum cloud_verb verb)
{
    assert((int)verb >= 0 && verb < CLOUD_VERB_COUNT);
    return cloud_verb_names[verb];
}
