#pragma once

/*
 * Rows by id, in the order of their ids.  Made for ids that rise: an insert at
 * the end is a push, a lookup a binary search, a removal leaves a gap that is
 * closed when a quarter of the entries are gaps.  16 bytes an entry.
 */

#include <stddef.h>
#include <stdint.h>

struct idmap_entry {
    int64_t id;
    void *row; /* NULL: a gap */
};

struct idmap {
    struct idmap_entry *at;
    size_t count; /* entries, with gaps */
    size_t live;  /* entries without gaps */
    size_t cap;
};

/** idmap_fini() - free the map, not the rows. */
void idmap_fini(struct idmap *map);
/** idmap_insert() - @id must not be there; @row is borrowed and not NULL. */
void idmap_insert(struct idmap *map, int64_t id, void *row);
/** idmap_find() - the row, or NULL. */
void *idmap_find(const struct idmap *map, int64_t id);
/** idmap_remove() - take the row out; NULL when it was not there. */
void *idmap_remove(struct idmap *map, int64_t id);

/** idmap_after() - the row with the lowest id > @id, or NULL.  @id 0: the first. A cursor of this
 * form stays right while rows come and go. */
void *idmap_after(const struct idmap *map, int64_t id, int64_t *ret_id);
/** idmap_before() - the row with the highest id < @id, or NULL.  INT64_MAX: the last. */
void *idmap_before(const struct idmap *map, int64_t id, int64_t *ret_id);

/* Each live row, in rising order; the body must not insert or remove. */
#define IDMAP_EACH(map, type, var)                                                                 \
    for (size_t var##_at_ = 0, *var##_once_ = &var##_at_; var##_once_; var##_once_ = NULL)         \
        for (type *var = idmap_step(map, &var##_at_); (var); var = idmap_step(map, &var##_at_))

/** idmap_place() - the index of the first entry with an id > @id, for idmap_step(). */
size_t idmap_place(const struct idmap *map, int64_t id);
/** idmap_step() - the row at or after index *@at, which moves past it; NULL at the end. */
void *idmap_step(const struct idmap *map, size_t *at);
