#pragma once

/*
 * Whose fault it is that a launch failed, learnt from where else the same things fail or go well.
 * Pure, and bounded: the last BLAME_FAILURES_MAX failures of the last BLAME_WINDOW_MS are remembered.
 *
 * A blueprint is to blame when it failed on BLAME_SEVERAL hosts which run other images, or on one that
 * fails with nothing else and has just run a canary.  A host is to blame when BLAME_SEVERAL images
 * failed on it that run on other hosts.  Until either is known, a failure stands where the table of
 * faults puts it (fault_rule()).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"

enum {
    BLAME_SEVERAL = 3,
    BLAME_FAILURES_MAX = 256,
    BLAME_WINDOW_MS = 600000,
};

/* With whom it went well lately: of a host, images; of a blueprint, hosts.  Zeroed: with nobody. */
struct blame_wins {
    struct {
        uint64_t who;
        int64_t at_mono_ms; /* 0: none */
    } last[2];              /* two different ones, the later one first */
};

/** blame_wins_add() - with @who, at @mono_ms > 0. */
void blame_wins_add(struct blame_wins *wins, uint64_t who, int64_t mono_ms);
/** blame_wins_beside() - with somebody else than @who within the window. */
bool blame_wins_beside(const struct blame_wins *wins, uint64_t who, int64_t mono_ms);

/* Who was together. */
struct blame_pair {
    int64_t host_id;
    int64_t blueprint_id;
    uint64_t image; /* blueprint_image_key() */
};

struct blame_failure {
    int64_t host_id;
    int64_t blueprint_id;
    uint64_t image; /* blueprint_image_key() */
    int64_t at_mono_ms;
    int64_t at_ms;       /* wall clock, as its score has it */
    int64_t milli;       /* what it added to a score */
    int32_t kind;        /* enum fault_kind */
    bool on_host;        /* ... to the host's; else to the blueprint's */
    bool host_well;      /* the host ran another image lately */
    bool runs_elsewhere; /* the blueprint ran on another host lately */
};

struct blame {
    struct blame_failure failures[BLAME_FAILURES_MAX]; /* [count], the oldest first */
    size_t count;
};

enum blame_verdict { BLAME_OPEN, BLAME_THE_BLUEPRINT, BLAME_THE_HOST };

/** blame_kind_is_ambiguous() - a launch that ends with @kind may be the host's or the blueprint's
 * fault. */
bool blame_kind_is_ambiguous(enum fault_kind kind);

/** blame_add() - a launch failed with an ambiguous fault. */
void blame_add(struct blame *blame, const struct blame_failure *failure);
/** blame_went_well() - a launch of the blueprint ended well on the host. */
void blame_went_well(struct blame *blame, const struct blame_pair *pair);

/** blame_judge() - who is to blame for @failure, which was added last. A verdict stands until
 * blame_move_next() has told of all failures that it moves. */
enum blame_verdict blame_judge(const struct blame *blame, const struct blame_failure *failure);
/** blame_judge_canary() - a canary ran on the host. Return: the blueprint that alone fails there, and
 * is to blame; 0: none. */
int64_t blame_judge_canary(struct blame *blame, int64_t host_id);

/** blame_move_next() - the next failure that @verdict on the blueprint or the host @id moves from one
 * score to the other; call it until it returns false. */
bool blame_move_next(struct blame *blame, enum blame_verdict verdict, int64_t id,
                     struct blame_failure *ret_failure);
