#include "berth/base/intern.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/hash.h"
#include "berth/base/mem.h"
#include "berth/base/rowtable.h"

struct intern_entry {
    uint32_t uses;
    char text[];
};

struct intern {
    struct rowtable entries;
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
    size_t at = 0;

    if (!intern)
        return;
    while ((entry = rowtable_step(&intern->entries, &at)))
        mem_free(entry);
    rowtable_fini(&intern->entries);
    mem_free(intern);
}

static uint64_t
intern_hash(const char *text)
{
    return hash_text(HASH_TEXT_START, text, strlen(text));
}

static bool
intern_is(const struct rowtable_key *key, const void *row)
{
    const struct intern_entry *entry = row;

    return strcmp(entry->text, key->what) == 0;
}

static struct intern_entry *
intern_lookup(const struct intern *intern, const char *text)
{
    const struct rowtable_key key = { intern_hash(text), intern_is, text };

    return rowtable_find(&intern->entries, &key);
}

const char *
intern_get(struct intern *intern, const char *text)
{
    struct intern_entry *entry;

    if (!text)
        return NULL;
    entry = intern_lookup(intern, text);
    if (!entry) {
        size_t len = strlen(text);

        entry = mem_new0(sizeof(*entry) + len + 1);
        memcpy(entry->text, text, len);
        rowtable_insert(&intern->entries, intern_hash(text), entry);
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
    entry = intern_lookup(intern, text);
    assert(entry && entry->text == text && entry->uses > 0);
    if (--entry->uses > 0)
        return;
    rowtable_remove(&intern->entries, intern_hash(text), entry);
    mem_free(entry);
}

const char *
intern_find(const struct intern *intern, const char *text)
{
    const struct intern_entry *entry = text ? intern_lookup(intern, text) : NULL;

    return entry ? entry->text : NULL;
}
