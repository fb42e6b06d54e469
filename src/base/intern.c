#include "berth/base/intern.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/mem.h"

/* uthash's default function falls through cases in a way that clang warns of. */
#define HASH_FUNCTION(key, len, hash) HASH_FNV(key, len, hash)
#define uthash_fatal(msg)             abort()
#include <uthash.h>

struct intern_entry {
    UT_hash_handle hh;
    uint32_t uses;
    char text[];
};

struct intern {
    struct intern_entry *table;
};

struct intern *
intern_new(void)
{
    return mem_new0(sizeof(struct intern));
}

void
intern_free(struct intern *intern)
{
    struct intern_entry *entry;
    struct intern_entry *next;

    if (!intern)
        return;
    HASH_ITER(hh, intern->table, entry, next)
    {
        HASH_DEL(intern->table, entry);
        mem_free(entry);
    }
    mem_free(intern);
}

static struct intern_entry *
intern_lookup(const struct intern *intern, const char *text, size_t len)
{
    struct intern_entry *entry;

    HASH_FIND(hh, intern->table, text, len, entry);
    return entry;
}

const char *
intern_get(struct intern *intern, const char *text)
{
    struct intern_entry *entry;
    size_t len;

    if (!text)
        return NULL;
    len = strlen(text);
    entry = intern_lookup(intern, text, len);
    if (!entry) {
        entry = mem_new0(sizeof(*entry) + len + 1);
        memcpy(entry->text, text, len);
        HASH_ADD_KEYPTR(hh, intern->table, entry->text, len, entry);
    }
    entry->uses++;
    return entry->text;
}

void
intern_put(struct intern *intern, const char *text)
{
    struct intern_entry *entry;

    if (!text)
        return;
    entry = intern_lookup(intern, text, strlen(text));
    assert(entry && entry->text == text && entry->uses > 0);
    if (--entry->uses > 0)
        return;
    HASH_DEL(intern->table, entry);
    mem_free(entry);
}

const char *
intern_find(const struct intern *intern, const char *text)
{
    const struct intern_entry *entry = text ? intern_lookup(intern, text, strlen(text)) : NULL;

    return entry ? entry->text : NULL;
}
