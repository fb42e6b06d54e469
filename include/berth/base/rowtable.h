#pragma once

/*
 * Rows by a hash of whatever names them: open addressing, 16 bytes a place.
 * The table knows neither keys nor rows: who asks compares.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rowtable_place {
    uint64_t hash;
    void *row; /* NULL: never used */
};

struct rowtable {
    struct rowtable_place *at;
    size_t cap;  /* a power of two, or 0 */
    size_t used; /* places that are not NULL, with those of removed rows */
    size_t live;
};

/* What is looked for. */
struct rowtable_key {
    uint64_t hash; /* of what was put in with it */
    bool (*is)(const struct rowtable_key *key, const void *row);
    const void *what; /* for is(): a name, or several */
};

void rowtable_fini(struct rowtable *table);
/** rowtable_insert() - @row is borrowed; a row with the same key must not be there. */
void rowtable_insert(struct rowtable *table, uint64_t hash, void *row);
/** rowtable_find() - the row that @key is of, or NULL. */
void *rowtable_find(const struct rowtable *table, const struct rowtable_key *key);
/** rowtable_remove() - @row, put in with @hash; nothing happens when it is not there. */
void rowtable_remove(struct rowtable *table, uint64_t hash, const void *row);
/** rowtable_step() - the row at or after place *@at, which moves past it; NULL at the end. */
void *rowtable_step(const struct rowtable *table, size_t *at);
