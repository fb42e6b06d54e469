#include "berth/domain/blame.h"

#include <assert.h>
#include <string.h>

void
blame_wins_add(struct blame_wins *wins, uint64_t who, int64_t mono_ms)
{
    if (wins->last[0].at_mono_ms != 0 && wins->last[0].who != who)
        wins->last[1] = wins->last[0];
    wins->last[0].who = who;
    wins->last[0].at_mono_ms = mono_ms;
}

bool
blame_wins_beside(const struct blame_wins *wins, uint64_t who, int64_t mono_ms)
{
    for (int i = 0; i < 2; i++) {
        if (wins->last[i].at_mono_ms != 0 && wins->last[i].who != who &&
            mono_ms - wins->last[i].at_mono_ms <= BLAME_WINDOW_MS)
            return true;
    }
    return false;
}

bool
blame_kind_is_ambiguous(enum fault_kind kind)
{
    return kind == FAULT_ENGINE || kind == FAULT_COMMAND || kind == FAULT_EXITED ||
           kind == FAULT_NOT_READY;
}

static void
blame_drop(struct blame *blame, size_t at)
{
    blame->count--;
    memmove(&blame->failures[at], &blame->failures[at + 1],
            (blame->count - at) * sizeof(blame->failures[0]));
}

void
blame_add(struct blame *blame, const struct blame_failure *failure)
{
    while (blame->count > 0 &&
           (blame->count == BLAME_FAILURES_MAX ||
            failure->at_mono_ms - blame->failures[0].at_mono_ms > BLAME_WINDOW_MS))
        blame_drop(blame, 0);
    blame->failures[blame->count++] = *failure;
}

void
blame_went_well(struct blame *blame, const struct blame_pair *pair)
{
    for (size_t i = blame->count; i-- > 0;) {
        struct blame_failure *failure = &blame->failures[i];
        bool same_host = failure->host_id == pair->host_id;
        bool same_blueprint = failure->blueprint_id == pair->blueprint_id;

        if (same_host && same_blueprint) {
            blame_drop(blame, i); /* so it was neither's nature */
        } else if (same_host) {
            failure->host_well |= failure->image != pair->image;
        } else {
            failure->runs_elsewhere |= same_blueprint;
        }
    }
}

/* Whether only failures of this very image are known of the host. */
static bool
blame_fails_alone(const struct blame *blame, const struct blame_failure *failure)
{
    for (size_t i = 0; i < blame->count; i++) {
        if (blame->failures[i].host_id == failure->host_id &&
            blame->failures[i].image != failure->image)
            return false;
    }
    return true;
}

/* Whether an earlier failure tells the same of its blueprint: the host is counted already. */
static bool
blame_host_is_counted(const struct blame *blame, size_t at)
{
    const struct blame_failure *failure = &blame->failures[at];

    for (size_t i = 0; i < at; i++) {
        if (blame->failures[i].host_id == failure->host_id &&
            blame->failures[i].blueprint_id == failure->blueprint_id)
            return true;
    }
    return false;
}

static bool
blame_image_is_counted(const struct blame *blame, size_t at)
{
    const struct blame_failure *failure = &blame->failures[at];

    for (size_t i = 0; i < at; i++) {
        if (blame->failures[i].host_id == failure->host_id &&
            blame->failures[i].image == failure->image && blame->failures[i].runs_elsewhere)
            return true;
    }
    return false;
}

/* Hosts that fail with the blueprint, though nothing else speaks against them. */
static size_t
blame_hosts(const struct blame *blame, int64_t blueprint_id)
{
    size_t count = 0;

    for (size_t i = 0; i < blame->count; i++) {
        const struct blame_failure *failure = &blame->failures[i];

        if (failure->blueprint_id == blueprint_id && !blame_host_is_counted(blame, i) &&
            (failure->host_well || blame_fails_alone(blame, failure)))
            count++;
    }
    return count;
}

/* Images that fail on the host, and run on others. */
static size_t
blame_images(const struct blame *blame, int64_t host_id)
{
    size_t count = 0;

    for (size_t i = 0; i < blame->count; i++) {
        const struct blame_failure *failure = &blame->failures[i];

        if (failure->host_id == host_id && failure->runs_elsewhere &&
            !blame_image_is_counted(blame, i))
            count++;
    }
    return count;
}

static bool
blame_is_moved(const struct blame_failure *failure, enum blame_verdict verdict, int64_t id)
{
    if (verdict == BLAME_THE_BLUEPRINT)
        return failure->blueprint_id == id;
    return failure->host_id == id && failure->runs_elsewhere && !failure->on_host;
}

static bool
blame_moves_any(const struct blame *blame, enum blame_verdict verdict, int64_t id)
{
    for (size_t i = 0; i < blame->count; i++) {
        if (blame_is_moved(&blame->failures[i], verdict, id))
            return true;
    }
    return false;
}

enum blame_verdict
blame_judge(const struct blame *blame, const struct blame_failure *failure)
{
    if (blame_hosts(blame, failure->blueprint_id) >= BLAME_SEVERAL)
        return BLAME_THE_BLUEPRINT;
    if (blame_images(blame, failure->host_id) >= BLAME_SEVERAL &&
        blame_moves_any(blame, BLAME_THE_HOST, failure->host_id))
        return BLAME_THE_HOST;
    return BLAME_OPEN;
}

int64_t
blame_judge_canary(struct blame *blame, int64_t host_id)
{
    const struct blame_failure *first = NULL;
    size_t count = 0;
    bool alone = true;

    for (size_t i = 0; i < blame->count; i++) {
        struct blame_failure *failure = &blame->failures[i];

        if (failure->host_id != host_id)
            continue;
        failure->host_well = true;
        if (!first)
            first = failure;
        alone = alone && failure->blueprint_id == first->blueprint_id && !failure->runs_elsewhere;
        count++;
    }
    return first && alone && count >= BLAME_SEVERAL ? first->blueprint_id : 0;
}

bool
blame_move_next(struct blame *blame, enum blame_verdict verdict, int64_t id,
                struct blame_failure *ret_failure)
{
    assert(verdict != BLAME_OPEN);
    for (size_t i = 0; i < blame->count; i++) {
        struct blame_failure *failure = &blame->failures[i];

        if (!blame_is_moved(failure, verdict, id))
            continue;
        *ret_failure = *failure;
        if (verdict == BLAME_THE_HOST) {
            failure->on_host = true;
        } else {
            blame_drop(blame, i);
        }
        return true;
    }
    return false;
}
