#include "listing_cache.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

struct listing_block *
listing_block_new(char *data, size_t len)
{
    struct listing_block *block = mem_new0(sizeof(*block));

    block->holders = 1;
    block->data = data;
    block->len = len;
    return block;
}

struct listing_block *
listing_block_hold(struct listing_block *block)
{
    block->holders++;
    return block;
}

void
listing_block_release(struct listing_block *block)
{
    if (!block)
        return;
    assert(block->holders > 0);
    if (--block->holders > 0)
        return;
    mem_free(block->data);
    mem_free(block);
}

uint64_t
listing_cache_open(struct listing_cache *cache, const char *key, int64_t now_mono_ms)
{
    if (!cache->key || strcmp(cache->key, key) != 0) {
        listing_cache_drop(cache);
        cache->key = mem_strdup(key);
        cache->turn++;
    }
    cache->used_mono_ms = now_mono_ms;
    return cache->turn;
}

struct listing_block *
listing_cache_find(const struct listing_cache *cache, uint64_t turn, unsigned at, int64_t after)
{
    if (turn != cache->turn || at >= cache->count || cache->blocks[at]->after != after)
        return NULL;
    return cache->blocks[at];
}

void
listing_cache_put(struct listing_cache *cache, uint64_t turn, unsigned at,
                  struct listing_block *block)
{
    if (turn != cache->turn || !cache->key || at > cache->count || at >= LISTING_BLOCKS_MAX)
        return;
    if (at == cache->count) {
        cache->count++;
    } else {
        listing_block_release(cache->blocks[at]);
    }
    cache->blocks[at] = listing_block_hold(block);
}

void
listing_cache_expire(struct listing_cache *cache, int64_t now_mono_ms)
{
    if (cache->key && now_mono_ms - cache->used_mono_ms > LISTING_CACHE_MS)
        listing_cache_drop(cache);
}

void
listing_cache_drop(struct listing_cache *cache)
{
    while (cache->count > 0)
        listing_block_release(cache->blocks[--cache->count]);
    mem_free(STEAL(cache->key));
}
