#include "berth/port/shell.h"

#include <assert.h>

static const char *const shell_end_names[SHELL_END_COUNT] = {
    [SHELL_OK] = "ok",
    [SHELL_CHANGED] = "changed",
    [SHELL_SKIPPED] = "skipped",
    [SHELL_FAILED] = "failed",
};

const char *
shell_end_name(enum shell_end end)
{
    assert((int)end >= 0 && end < SHELL_END_COUNT);
    return shell_end_names[end];
}
