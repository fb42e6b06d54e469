#include "berth/base/suggest.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    SUGGEST_LEN_MAX = 48,
    SUGGEST_STEM_DISTANCE = 2, /* of a word without its unit */
};

static size_t
suggest_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
static size_t
suggest_distance(const char *lhs, const char *rhs)
{
    size_t rows[3][SUGGEST_LEN_MAX + 1];
    size_t lhs_len = strlen(lhs);
    size_t rhs_len = strlen(rhs);

    if (lhs_len > SUGGEST_LEN_MAX || rhs_len > SUGGEST_LEN_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= rhs_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= lhs_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= rhs_len; j++) {
            size_t step = suggest_least(above[j], row[j - 1]) + 1;

            row[j] = suggest_least(above[j - 1] + (lhs[i - 1] != rhs[j - 1]), step);
            if (i > 1 && j > 1 && lhs[i - 1] == rhs[j - 2] && lhs[i - 2] == rhs[j - 1])
                row[j] = suggest_least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[lhs_len % 3][rhs_len];
}

void
suggest_init(struct suggest *suggest, const char *word)
{
    *suggest = (struct suggest){ .word = word, .distance = SIZE_MAX };
}

/* "memory" for "memory_bytes". */
static bool
suggest_is_stem(const char *word, const char *candidate)
{
    size_t len = strlen(word);

    return len > 0 && strncmp(candidate, word, len) == 0 && candidate[len] == '_';
}

void
suggest_offer(struct suggest *suggest, const char *candidate)
{
    size_t slips = strlen(candidate) / 3;
    size_t distance = suggest_distance(suggest->word, candidate);

    if (suggest_is_stem(suggest->word, candidate)) {
        distance = SUGGEST_STEM_DISTANCE;
    } else if (distance > (slips ? slips : 1)) {
        return;
    }
    if (distance >= suggest->distance)
        return;
    suggest->best = candidate;
    suggest->distance = distance;
}
