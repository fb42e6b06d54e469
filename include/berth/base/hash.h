#pragma once

/* A hash of texts. */

#include <stddef.h>
#include <stdint.h>

#define HASH_TEXT_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/; @hash: HASH_TEXT_START or what to go on from. */
static inline uint64_t
hash_text(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}
