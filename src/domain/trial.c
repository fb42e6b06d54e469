#include "berth/domain/trial.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"

static const char *const trial_state_names[TRIAL_STATE_COUNT + 1] = {
    [TRIAL_SUSPENDED] = "suspended",
    [TRIAL_PROBATION] = "probation",
};

/* clang-format off */
static const struct schema_field trial_fields[] = {
    { .name = "since_ms", .type = SCHEMA_INT, .offset = offsetof(struct trial, since_ms),
      .doc = "Suspended since, Unix milliseconds." },
    { .name = "canary_at_ms", .type = SCHEMA_INT, .offset = offsetof(struct trial, canary_at_ms),
      .doc = "When the next canary runs, Unix milliseconds." },
    { .name = "canaries_failed", .type = SCHEMA_INT, .offset = offsetof(struct trial, canaries_failed),
      .doc = "Canaries that failed in a row." },
    { .name = "placements_left", .type = SCHEMA_INT, .offset = offsetof(struct trial, placements_left),
      .doc = "Placements that must still go well." },
    { .name = "state", .type = SCHEMA_ENUM, .offset = offsetof(struct trial, state),
      .names = trial_state_names,
      .doc = "How far it is." },
};
/* clang-format on */

const struct schema trial_schema = {
    .name = "Trial",
    .doc = "What a host that failed too often has to pass.",
    .size = sizeof(struct trial),
    .fields = trial_fields,
    .field_count = ARRAY_LEN(trial_fields),
};

const char *
trial_state_name(int32_t state)
{
    assert(state >= 0 && state < TRIAL_STATE_COUNT);
    return trial_state_names[state];
}
