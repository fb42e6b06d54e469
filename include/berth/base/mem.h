#pragma once

/*
 * Ownership helpers.  CLEANUP() frees a local when it leaves scope; STEAL()
 * hands it to somebody else and leaves NULL behind.  Memory that cannot be had
 * aborts the process: a start is always a recovery.
 */

#include <stddef.h>
#include <stdlib.h>

#define CLEANUP(fn)            __attribute__((cleanup(fn)))
#define MUST_USE               __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The object that embeds @member, from a pointer to the member. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define STEAL(ptr)                                                                                 \
    ({                                                                                             \
        __typeof__(ptr) *steal_slot_ = &(ptr);                                                     \
        __typeof__(ptr) steal_value_ = *steal_slot_;                                               \
        *steal_slot_ = NULL;                                                                       \
        steal_value_;                                                                              \
    })

/* Makes fn##p(), for CLEANUP(), of a destructor fn() that accepts NULL. */
#define MEM_DEFINE_FREEP(type, fn)                                                                 \
    static inline void fn##p(type **slot)                                                          \
    {                                                                                              \
        fn(*slot);                                                                                 \
    }                                                                                              \
    _Static_assert(1, "swallow the semicolon")

/** mem_new0() - zeroed memory of @size bytes, > 0. */
void *mem_new0(size_t size) __attribute__((malloc, returns_nonnull, warn_unused_result));

/** mem_resize() - @ptr (NULL: a new block) with room for @count items of @size bytes; count × size
 * must not overflow and be > 0.  New bytes are not zeroed. */
void *mem_resize(void *ptr, size_t count, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));

/** mem_dup() - a copy of @size bytes at @data; NULL when @size is 0. */
void *mem_dup(const void *data, size_t size) MUST_USE;

/** mem_strdup() - a copy of @text; NULL of NULL. */
char *mem_strdup(const char *text) MUST_USE;

/** mem_printf() - an owned string. */
char *mem_printf(const char *format, ...) MUST_USE PRINTF_LIKE(1, 2);

/** mem_unconst() - @ptr without its const: for interfaces that lack it though they change nothing, and
 * for what is ours though a shared struct calls it const. */
static inline void *
mem_unconst(const void *ptr)
{
    union {
        const void *from;
        void *to;
    } view = { ptr };

    return view.to;
}

/** mem_free() - free(), for CLEANUP(mem_freep) of plain blocks. */
void mem_free(void *ptr);

static inline void
mem_freep(void *slot)
{
    void **ptr = slot;

    mem_free(*ptr);
}
