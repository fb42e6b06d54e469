/* Which field somebody may have meant. */

#include "schema_suggest.h"

#include <string.h>

#include "schema_field.h"

enum {
    SUGGEST_NAME_MAX = 48,
    SUGGEST_DISTANCE_MAX = 2,
};

static size_t
schema_suggest_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be inserted, removed, replaced or swapped with their neighbour to make @b of
 * @a (optimal string alignment); SIZE_MAX when one of them is too long to be compared. */
static size_t
schema_suggest_distance(const char *a, const char *b)
{
    size_t rows[3][SUGGEST_NAME_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > SUGGEST_NAME_MAX || b_len > SUGGEST_NAME_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *above_that = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = schema_suggest_min(above[j - 1] + (a[i - 1] != b[j - 1]),
                                        schema_suggest_min(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = schema_suggest_min(row[j], above_that[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

/* "memory" for "memory_bytes": the unit was forgotten. */
static bool
schema_suggest_is_stem(const char *text, const char *name)
{
    size_t len = strlen(text);

    return len > 0 && strncmp(name, text, len) == 0 && name[len] == '_';
}

const char *
schema_suggest(const struct schema *schema, const char *text)
{
    const char *nearest = NULL;
    size_t least = SUGGEST_DISTANCE_MAX + 1;

    for (size_t i = 0; i < schema->field_count; i++) {
        const char *name = schema->fields[i].name;
        size_t distance = schema_suggest_is_stem(text, name) ? SUGGEST_DISTANCE_MAX
                                                             : schema_suggest_distance(text, name);

        /* Two letters of a word of three are not a slip but another word. */
        if (schema->fields[i].flags & SCHEMA_READ_ONLY || 2 * distance > strlen(text) ||
            distance >= least)
            continue;
        nearest = name;
        least = distance;
    }
    return nearest;
}
