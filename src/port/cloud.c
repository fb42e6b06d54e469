#include "berth/port/cloud.h"

#include <assert.h>

static const char *const cloud_verb_names[CLOUD_VERB_COUNT] = {
    [CLOUD_LAUNCH] = "launch",   [CLOUD_LIST] = "list", [CLOUD_TERMINATE] = "terminate",
    [CLOUD_CONSOLE] = "console", [CLOUD_STOP] = "stop", [CLOUD_START] = "start",
    [CLOUD_FORGET] = "forget",
};

const char *
cloud_verb_name(enum cloud_verb verb)
{
    assert((int)verb >= 0 && verb < CLOUD_VERB_COUNT);
    return cloud_verb_names[verb];
}
