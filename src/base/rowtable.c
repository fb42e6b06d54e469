#include "berth/base/rowtable.h"

#include <assert.h>

#include "berth/base/mem.h"

enum { ROWTABLE_FIRST_CAP = 16 };

/* Stands where a row was removed, so that those behind it are found. */
static char rowtable_gone;

void
rowtable_fini(struct rowtable *table)
{
    mem_free(table->at);
    *table = (struct rowtable){ 0 };
}

static void
rowtable_put(struct rowtable *table, uint64_t hash, void *row)
{
    size_t at = hash & (table->cap - 1);

    while (table->at[at].row)
        at = (at + 1) & (table->cap - 1);
    table->at[at] = (struct rowtable_place){ .hash = hash, .row = row };
    table->used++;
}

/* At most three quarters are in use; what was removed is left behind. */
static void
rowtable_make_room(struct rowtable *table)
{
    struct rowtable old = *table;

    if (table->cap > 0 && (table->used + 1) * 4 <= table->cap * 3)
        return;
    table->cap = ROWTABLE_FIRST_CAP;
    while ((old.live + 1) * 2 > table->cap)
        table->cap *= 2;
    table->at = mem_new0(table->cap * sizeof(*table->at));
    table->used = 0;
    for (size_t i = 0; i < old.cap; i++) {
        if (old.at[i].row && old.at[i].row != &rowtable_gone)
            rowtable_put(table, old.at[i].hash, old.at[i].row);
    }
    assert(table->used == table->live);
    mem_free(old.at);
}

void
rowtable_insert(struct rowtable *table, uint64_t hash, void *row)
{
    assert(row);
    rowtable_make_room(table);
    rowtable_put(table, hash, row);
    table->live++;
}

void *
rowtable_find(const struct rowtable *table, const struct rowtable_key *key)
{
    size_t at = key->hash & (table->cap - 1);

    if (table->cap == 0)
        return NULL;
    for (; table->at[at].row; at = (at + 1) & (table->cap - 1)) {
        if (table->at[at].hash == key->hash && table->at[at].row != &rowtable_gone &&
            key->is(key, table->at[at].row))
            return table->at[at].row;
    }
    return NULL;
}

void
rowtable_remove(struct rowtable *table, uint64_t hash, const void *row)
{
    size_t at = hash & (table->cap - 1);

    if (table->cap == 0)
        return;
    for (; table->at[at].row; at = (at + 1) & (table->cap - 1)) {
        if (table->at[at].row != row)
            continue;
        table->at[at].row = &rowtable_gone;
        table->live--;
        return;
    }
}

void *
rowtable_step(const struct rowtable *table, size_t *at)
{
    while (*at < table->cap) {
        void *row = table->at[(*at)++].row;

        if (row && row != &rowtable_gone)
            return row;
    }
    return NULL;
}
