#pragma once

/* uthash with Berth's memory (what cannot be had aborts in mem_new0()), and a hash of texts. */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/mem.h"

#define uthash_malloc(size)    mem_new0(size)
#define uthash_free(ptr, size) mem_free(ptr)
#define uthash_fatal(msg)      abort()
#include <uthash.h>

#define HASH_TEXT_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; @hash: HASH_TEXT_START or what to go on from. */
static inline uint64_t
hash_text(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}
