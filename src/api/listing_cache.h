#pragma once

/*
 * The blocks of the last long list, for a while: whoever shows ten thousand
 * hosts asks again and again, and meanwhile few of them change.  A block is
 * sent again when the stamps of its rows say that it would be rendered the
 * same; the others are rendered anew.
 */

#include <stddef.h>
#include <stdint.h>

enum {
    LISTING_BLOCKS_MAX = 512,
    LISTING_CACHE_MS = 10000, /* kept after the last use */
};

struct listing_block {
    uint32_t holders; /* lists that send it, and the cache */
    int64_t after;    /* its rows have ids above this */
    int64_t last;     /* and up to this */
    int64_t rows;     /* how many */
    uint64_t stamp;   /* of all of them */
    size_t len;
    char *data; /* owned */
};

struct listing_cache {
    char *key;                                        /* owned; NULL: it is empty */
    uint64_t turn;                                    /* which key this is, counted */
    struct listing_block *blocks[LISTING_BLOCKS_MAX]; /* [count], held */
    unsigned count;
    int64_t used_mono_ms;
};

/** listing_block_new() - held once, by the caller; @data: taken. */
struct listing_block *listing_block_new(char *data, size_t len);
struct listing_block *listing_block_hold(struct listing_block *block);
/** listing_block_release() - NULL is fine. */
void listing_block_release(struct listing_block *block);

/** listing_cache_open() - for the list that @key names; another list's blocks go.
 * Return: the turn that the calls below ask for. */
uint64_t listing_cache_open(struct listing_cache *cache, const char *key, int64_t now_mono_ms);
/** listing_cache_find() - the block at place @at if its rows come after @after; borrowed.  NULL: none,
 * or the cache belongs to another list by now. */
struct listing_block *listing_cache_find(const struct listing_cache *cache, uint64_t turn,
                                         unsigned at, int64_t after);
/** listing_cache_put() - @block takes place @at, at most one behind the others. */
void listing_cache_put(struct listing_cache *cache, uint64_t turn, unsigned at,
                       struct listing_block *block);
/** listing_cache_expire() - forget what was not used for LISTING_CACHE_MS. */
void listing_cache_expire(struct listing_cache *cache, int64_t now_mono_ms);
void listing_cache_drop(struct listing_cache *cache);
