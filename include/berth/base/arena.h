#pragma once

/*
 * Copies of texts that all go at once: what is noted in one turn and written
 * at its end.  A copy costs a few instructions and is not freed by itself.
 */

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first; owned */
    size_t used;                /* of the newest */
};

/** arena_fini() - free all copies; the arena is as new. */
void arena_fini(struct arena *arena);
/** arena_clear() - the same, but memory for the next ones is kept. */
void arena_clear(struct arena *arena);
/** arena_text() - a copy of @text, which stays where it is until arena_clear() or _fini(); NULL of
 * NULL. */
const char *arena_text(struct arena *arena, const char *text);
