#include "berth/base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MEM_CACHED = 1032 }; /* bytes of the largest block that is cached */

static void *
mem_must(void *ptr)
{
    if (!ptr) {
        (void)fputs("berth: out of memory\n", stderr);
        abort();
    }
    return ptr;
}

void *
mem_new0(size_t size)
{
    assert(size > 0);
    /* The allocator's calloc() passes by its cache of small blocks (glibc before 2.41). */
    if (size <= MEM_CACHED)
        return memset(mem_must(malloc(size)), 0, size);
    return mem_must(calloc(1, size));
}

void *
mem_resize(void *ptr, size_t count, size_t size)
{
    assert(count > 0 && size > 0);
    return mem_must(reallocarray(ptr, count, size));
}

void *
mem_dup(const void *data, size_t size)
{
    if (size == 0)
        return NULL;
    return memcpy(mem_must(malloc(size)), data, size);
}

char *
mem_strdup(const char *text)
{
    return text ? mem_must(strdup(text)) : NULL;
}

char *
mem_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL; /* undefined by then, says vasprintf(3) */
    va_end(args);
    return mem_must(text);
}

void
mem_free(void *ptr)
{
    free(ptr);
}
