#include "berth/base/idmap.h"

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

enum {
    IDMAP_FIRST_CAP = 16,
    IDMAP_GAPS_MIN = 16, /* fewer are not worth a pass over the entries */
};

void
idmap_fini(struct idmap *map)
{
    mem_free(map->at);
    *map = (struct idmap){ 0 };
}

/* The index of the first entry, live or gap, whose id is @id or higher. */
static size_t
idmap_lower(const struct idmap *map, int64_t id)
{
    size_t low = 0;
    size_t high = map->count;

    if (high > 0 && map->at[high - 1].id < id)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (map->at[middle].id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void
idmap_insert(struct idmap *map, int64_t id, void *row)
{
    size_t at = idmap_lower(map, id);

    assert(row && id > 0);
    map->live++;
    if (at < map->count && map->at[at].id == id) {
        assert(!map->at[at].row);
        map->at[at].row = row;
        return;
    }
    if (map->count == map->cap) {
        map->cap = map->cap ? map->cap + map->cap / 2 : IDMAP_FIRST_CAP;
        map->at = mem_resize(map->at, map->cap, sizeof(*map->at));
    }
    memmove(&map->at[at + 1], &map->at[at], (map->count - at) * sizeof(*map->at));
    map->at[at] = (struct idmap_entry){ .id = id, .row = row };
    map->count++;
}

void *
idmap_find(const struct idmap *map, int64_t id)
{
    size_t at = idmap_lower(map, id);

    return at < map->count && map->at[at].id == id ? map->at[at].row : NULL;
}

static void
idmap_close_gaps(struct idmap *map)
{
    size_t to = 0;

    for (size_t from = 0; from < map->count; from++) {
        if (map->at[from].row)
            map->at[to++] = map->at[from];
    }
    assert(to == map->live);
    map->count = to;
}

void *
idmap_remove(struct idmap *map, int64_t id)
{
    size_t at = idmap_lower(map, id);
    size_t gaps;
    void *row;

    if (at == map->count || map->at[at].id != id || !map->at[at].row)
        return NULL;
    row = map->at[at].row;
    map->at[at].row = NULL;
    map->live--;
    gaps = map->count - map->live;
    if (map->live == 0 || (gaps >= IDMAP_GAPS_MIN && gaps * 4 >= map->count))
        idmap_close_gaps(map);
    return row;
}

void *
idmap_after(const struct idmap *map, int64_t id, int64_t *ret_id)
{
    if (id == INT64_MAX)
        return NULL;
    for (size_t at = idmap_lower(map, id + 1); at < map->count; at++) {
        if (map->at[at].row) {
            *ret_id = map->at[at].id;
            return map->at[at].row;
        }
    }
    return NULL;
}

void *
idmap_before(const struct idmap *map, int64_t id, int64_t *ret_id)
{
    for (size_t at = idmap_lower(map, id); at > 0; at--) {
        if (map->at[at - 1].row) {
            *ret_id = map->at[at - 1].id;
            return map->at[at - 1].row;
        }
    }
    return NULL;
}

size_t
idmap_place(const struct idmap *map, int64_t id)
{
    return id == INT64_MAX ? map->count : idmap_lower(map, id + 1);
}

void *
idmap_step(const struct idmap *map, size_t *at)
{
    while (*at < map->count) {
        void *row = map->at[(*at)++].row;

        if (row)
            return row;
    }
    return NULL;
}
