#include <stdint.h>
#include <string.h>

#include "berth/cli/suggest.h"

enum { SUGGEST_LEN_MAX = 40 };

static size_t
cli_suggest_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
static size_t
cli_suggest_distance(const char *a, const char *b)
{
    size_t rows[3][SUGGEST_LEN_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > SUGGEST_LEN_MAX || b_len > SUGGEST_LEN_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t step = cli_suggest_least(above[j], row[j - 1]) + 1;

            row[j] = cli_suggest_least(above[j - 1] + (a[i - 1] != b[j - 1]), step);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = cli_suggest_least(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void
cli_suggest_init(struct cli_suggest *suggest, const char *word)
{
    *suggest = (struct cli_suggest){ .word = word, .distance = SIZE_MAX };
}

void
cli_suggest_offer(struct cli_suggest *suggest, const char *candidate)
{
    size_t distance = cli_suggest_distance(suggest->word, candidate);
    size_t slips = strlen(candidate) / 3;

    if (distance > (slips ? slips : 1) || distance >= suggest->distance)
        return;
    suggest->best = candidate;
    suggest->distance = distance;
}
