#include "berth/base/arena.h"

#include <stddef.h>
#include <string.h>

#include "berth/base/mem.h"

enum { ARENA_BLOCK = 16 << 10 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    char data[];
};

/* All blocks behind @block. */
static void
arena_free_rest(struct arena_block *block)
{
    struct arena_block *next;

    for (struct arena_block *at = STEAL(block->next); at; at = next) {
        next = at->next;
        mem_free(at);
    }
}

void
arena_fini(struct arena *arena)
{
    if (arena->blocks)
        arena_free_rest(arena->blocks);
    mem_free(arena->blocks);
    *arena = (struct arena){ 0 };
}

void
arena_clear(struct arena *arena)
{
    if (!arena->blocks)
        return;
    if (arena->blocks->size > ARENA_BLOCK) {
        arena_fini(arena);
        return;
    }
    arena_free_rest(arena->blocks);
    arena->used = 0;
}

static void
arena_grow(struct arena *arena, size_t least)
{
    size_t size = least > ARENA_BLOCK ? least : ARENA_BLOCK;
    struct arena_block *block = mem_resize(NULL, 1, offsetof(struct arena_block, data) + size);

    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used = 0;
}

const char *
arena_text(struct arena *arena, const char *text)
{
    size_t size;
    char *copy;

    if (!text)
        return NULL;
    size = strlen(text) + 1;
    if (!arena->blocks || arena->blocks->size - arena->used < size)
        arena_grow(arena, size);
    copy = arena->blocks->data + arena->used;
    arena->used += size;
    return memcpy(copy, text, size);
}
