#pragma once

/*
 * Bytes that must not be seen: wiped when freed.  There is no function that
 * prints one, and none should be added.
 */

#include <stddef.h>

#include "berth/base/mem.h"

struct secret;

/** secret_new() - copies @len bytes and wipes the caller's. */
struct secret *secret_new(char *data, size_t len) MUST_USE;
/** secret_free() - wipe and free; NULL is fine. */
void secret_free(struct secret *secret);
MEM_DEFINE_FREEP(struct secret, secret_free);

/** secret_bytes() - borrowed, NUL-terminated; for the one call that needs it. */
const char *secret_bytes(const struct secret *secret);
size_t secret_len(const struct secret *secret);

/** secret_block_free() / secret_block_resize() - free() and realloc() of memory from malloc() that leave no
 * bytes behind, for libraries that take an allocator. */
void secret_block_free(void *ptr);
void *secret_block_resize(void *ptr, size_t size);

/** secret_wipe() - overwrite @len bytes; not optimised away. */
void secret_wipe(void *data, size_t len);
