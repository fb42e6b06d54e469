#pragma once

/*
 * Which word somebody may have meant.
 */

#include <stddef.h>

struct cli_suggest {
    const char *word; /* what was written; borrowed */
    const char *best; /* NULL: nothing is near; borrowed */
    size_t distance;
};

/** cli_suggest_init() - nothing was offered yet. */
void cli_suggest_init(struct cli_suggest *suggest, const char *word);

/** cli_suggest_offer() - @candidate is kept when it is the nearest so far and near enough: one slip
 * for each three letters, at the least one. */
void cli_suggest_offer(struct cli_suggest *suggest, const char *candidate);
