#pragma once

/*
 * Which word somebody may have meant.
 */

#include <stddef.h>

struct suggest {
    const char *word; /* what was written; borrowed */
    const char *best; /* NULL: nothing is near; borrowed */
    size_t distance;
};

/** suggest_init() - nothing was offered yet. */
void suggest_init(struct suggest *suggest, const char *word);

/** suggest_offer() - @candidate is kept when it is the nearest so far and near enough: one slip for
 * each three letters, at the least one; or the word lacks only its unit ("memory" for
 * "memory_bytes"). */
void suggest_offer(struct suggest *suggest, const char *candidate);
