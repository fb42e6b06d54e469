#include "berth/domain/trial.h"

#include <assert.h>
#include <stddef.h>

#include "berth/base/mem.h"

/* clang-format off */
const struct trial_edge trial_edges[] = {
    { TRIAL_SUSPENDED, TRIAL_EV_CANARY_RAN,    TRIAL_PROBATION },
    { TRIAL_SUSPENDED, TRIAL_EV_CANARY_FAILED, TRIAL_SUSPENDED },
    { TRIAL_SUSPENDED, TRIAL_EV_VOUCHED,       TRIAL_TRUSTED   },
    { TRIAL_PROBATION, TRIAL_EV_PLACED,        TRIAL_PROBATION },
    { TRIAL_PROBATION, TRIAL_EV_PROVEN,        TRIAL_TRUSTED   },
    { TRIAL_PROBATION, TRIAL_EV_FAULT,         TRIAL_SUSPENDED },
    { TRIAL_PROBATION, TRIAL_EV_VOUCHED,       TRIAL_TRUSTED   },
};
/* clang-format on */
const size_t trial_edge_count = ARRAY_LEN(trial_edges);

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
    { .name = "relapses", .type = SCHEMA_INT, .offset = offsetof(struct trial, relapses),
      .doc = "How often it failed on probation." },
    { .name = "waited_ms", .type = SCHEMA_INT, .offset = offsetof(struct trial, waited_ms),
      .doc = "Sum of the pauses that have passed." },
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

int
trial_next(enum trial_state from, enum trial_event event, enum trial_state *ret_state)
{
    for (size_t i = 0; i < trial_edge_count; i++) {
        if (trial_edges[i].from == from && trial_edges[i].on == event) {
            *ret_state = trial_edges[i].to;
            return TRIAL_OK;
        }
    }
    return TRIAL_NO_SUCH_EDGE;
}

const char *
trial_state_name(int32_t state)
{
    assert(state >= 0 && state < TRIAL_STATE_COUNT);
    return trial_state_names[state];
}

struct trial *
trial_new(int64_t now_ms)
{
    struct trial *trial = mem_new0(sizeof(*trial));

    trial->state = TRIAL_SUSPENDED;
    trial->since_ms = now_ms;
    trial->canary_at_ms = now_ms + TRIAL_PAUSE_MIN_MS;
    return trial;
}

int64_t
trial_pause_of(int64_t failures)
{
    int64_t pause_ms = TRIAL_PAUSE_MIN_MS;

    for (int64_t i = 0; i < failures && pause_ms < TRIAL_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    return pause_ms < TRIAL_PAUSE_MAX_MS ? pause_ms : TRIAL_PAUSE_MAX_MS;
}

int64_t
trial_pause_ms(const struct trial *trial)
{
    return trial_pause_of(trial->canaries_failed + trial->relapses);
}

int64_t
trial_wait_ms(const struct trial *trial, int64_t now_ms)
{
    int64_t pause_ms = trial_pause_ms(trial);

    if (trial->canary_at_ms <= now_ms)
        return 0;
    return trial->canary_at_ms - now_ms < pause_ms ? trial->canary_at_ms - now_ms : pause_ms;
}

/* The one mover. */
static enum trial_state
trial_move(struct trial *trial, enum trial_event event)
{
    enum trial_state to = (enum trial_state)trial->state;
    int outcome = trial_next(to, event, &to);

    assert(outcome == TRIAL_OK);
    (void)outcome;
    if (to != TRIAL_TRUSTED)
        trial->state = (int32_t)to;
    return to;
}

void
trial_canary_ran(struct trial *trial, int64_t probation)
{
    (void)trial_move(trial, TRIAL_EV_CANARY_RAN);
    trial->waited_ms += trial_pause_ms(trial);
    trial->canaries_failed = 0;
    trial->placements_left = probation > TRIAL_PROBATION_MIN ? probation : TRIAL_PROBATION_MIN;
}

void
trial_canary_failed(struct trial *trial, int64_t now_ms)
{
    (void)trial_move(trial, TRIAL_EV_CANARY_FAILED);
    trial->waited_ms += trial_pause_ms(trial);
    trial->canaries_failed++;
    trial->canary_at_ms = now_ms + trial_pause_ms(trial);
}

void
trial_canary_missed(struct trial *trial, int64_t now_ms)
{
    assert(trial->state == TRIAL_SUSPENDED);
    trial->waited_ms += trial_pause_ms(trial);
    trial->canary_at_ms = now_ms + trial_pause_ms(trial);
}

enum trial_state
trial_placed(struct trial *trial)
{
    assert(trial->placements_left > 0);
    trial->placements_left--;
    return trial_move(trial, trial->placements_left > 0 ? TRIAL_EV_PLACED : TRIAL_EV_PROVEN);
}

void
trial_relapsed(struct trial *trial, int64_t now_ms)
{
    (void)trial_move(trial, TRIAL_EV_FAULT);
    trial->relapses++;
    trial->placements_left = 0;
    trial->canary_at_ms = now_ms + trial_pause_ms(trial);
}

bool
trial_is_untrusted(const struct trial *trial, int64_t most_ms)
{
    return trial->state == TRIAL_SUSPENDED && most_ms > 0 && trial->waited_ms >= most_ms;
}
