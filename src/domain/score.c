#include "berth/domain/score.h"

#include <assert.h>

enum {
    SCORE_STEPS = 16,        /* of the table below, for one half-life */
    SCORE_ONE_BITS = 30,     /* 1.0 in the table */
    SCORE_HALVINGS_MAX = 30, /* after so many half-lives the highest score is 0 */
};

/* Scores stay below, so that a product with the table's numbers fits: a million errors. */
static const int64_t score_max_milli = 1000000000;

/* 2^(-i/16) × 2^30, rounded. */
static const int64_t score_decay[SCORE_STEPS + 1] = {
    1073741824, 1028218693, 984625594, 942880699, 902905651, 864625413,
    827968132,  792865000,  759250125, 727060411, 696235434, 666717336,
    638450708,  611382493,  585461881, 560640218, 536870912,
};

int64_t
score_at(const struct error_score *score, int64_t now_ms)
{
    int64_t age_ms = now_ms - score->at_ms;
    int64_t scaled;
    int64_t step;
    int64_t factor;

    if (age_ms <= 0)
        return score->milli;
    if (age_ms / SCORE_HALF_LIFE_MS >= SCORE_HALVINGS_MAX)
        return 0;
    scaled = age_ms % SCORE_HALF_LIFE_MS * SCORE_STEPS;
    step = scaled / SCORE_HALF_LIFE_MS;
    factor = score_decay[step] - (score_decay[step] - score_decay[step + 1]) *
                                     (scaled % SCORE_HALF_LIFE_MS) / SCORE_HALF_LIFE_MS;
    return (score->milli * factor) >> (SCORE_ONE_BITS + age_ms / SCORE_HALF_LIFE_MS);
}

void
score_add(struct error_score *score, enum fault_kind kind, int64_t now_ms)
{
    int64_t weight = fault_rule(kind)->weight;
    int64_t milli;

    assert(weight >= 0);
    if (weight == 0)
        return;
    milli = score_at(score, now_ms) + weight;
    score->milli = milli < score_max_milli ? milli : score_max_milli;
    score->at_ms = now_ms;
    score->last_at_ms = now_ms;
    score->last_kind = kind;
}

void
score_clear(struct error_score *score, int64_t now_ms)
{
    score->milli = 0;
    score->at_ms = now_ms;
}

void
score_take_back(struct error_score *score, const struct error_score *part, int64_t now_ms)
{
    int64_t left = score_at(score, now_ms) - score_at(part, now_ms);

    /* Both were rounded down: what is left of nothing is nothing. */
    score->milli = left > 0 ? left : 0;
    score->at_ms = now_ms;
}

int64_t
score_below_at(const struct error_score *score, int64_t threshold_milli, int64_t now_ms)
{
    int64_t low = now_ms;
    int64_t high;

    if (score_at(score, now_ms) <= threshold_milli)
        return now_ms;
    if (threshold_milli < 0)
        return INT64_MAX;
    if (low < score->at_ms)
        low = score->at_ms;
    high = score->at_ms + (int64_t)SCORE_HALVINGS_MAX * SCORE_HALF_LIFE_MS;
    /* The score never rises by itself, so the first moment below is found by halving. */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (score_at(score, middle) <= threshold_milli) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}
