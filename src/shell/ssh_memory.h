#pragma once

/*
 * The memory of one libssh2 session, with a limit: it keeps every packet that nobody asked for, and the
 * other side decides how many of them it sends.  Wiped when freed: keys and scripts pass through it.
 */

#include <stddef.h>

/* Two full windows of output and what surrounds them are a quarter of it. */
enum { SSH_MEMORY_MAX = 16 << 20 /* bytes */ };

struct ssh_memory {
    size_t used; /* bytes that are not free, with what stands before each block */
};

/** ssh_memory_resize() - as realloc(3); NULL: it would be more than SSH_MEMORY_MAX in all, or there is none.
 * @block: from here, or NULL: a new one */
void *ssh_memory_resize(struct ssh_memory *memory, void *block, size_t size);
/** ssh_memory_free() - NULL is fine. */
void ssh_memory_free(struct ssh_memory *memory, void *block);
