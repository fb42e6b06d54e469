#pragma once

/*
 * The error score of a host or a blueprint: thousandths of an error, halved
 * every half-life.  Each fault that blames it adds its weight (fault_rule()).
 * Beyond its threshold the owner takes no new work.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"

enum { SCORE_HALF_LIFE_MS = 600000 };

struct error_score {
    int64_t milli;      /* at at_ms */
    int64_t at_ms;      /* wall clock of milli */
    int64_t last_at_ms; /* of the last fault; 0: none yet */
    int32_t last_kind;  /* enum fault_kind */
};

/** score_at() - the score at @now_ms; a clock that went back counts as no time. */
int64_t score_at(const struct error_score *score, int64_t now_ms);

/** score_add() - a fault of @kind happened at @now_ms. */
void score_add(struct error_score *score, enum fault_kind kind, int64_t now_ms);

/** score_clear() - somebody vouches for it; the last fault stays readable. */
void score_clear(struct error_score *score, int64_t now_ms);

/** score_take_back() - @part, what one fault added and when, was another's fault: what is left of it
 * by @now_ms is taken away. */
void score_take_back(struct error_score *score, const struct error_score *part, int64_t now_ms);

/** score_below_at() - when the score falls to @threshold_milli or below; @now_ms when it is. */
int64_t score_below_at(const struct error_score *score, int64_t threshold_milli, int64_t now_ms);
