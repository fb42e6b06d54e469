#pragma once

/*
 * What the files of schema_* share: where a field's value is, and its limits
 * with what 0 stands for.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "berth/base/schema.h"

enum {
    SCHEMA_BYTES_DEFAULT = 4096, /* of a string whose table says 0 */
    SCHEMA_COUNT_DEFAULT = 1024, /* of a list or map whose table says 0 */
};

/** schema_slot() - the field's value in the struct at @in. */
static inline void *
schema_slot(const struct schema_field *field, void *in)
{
    return (char *)in + field->offset;
}

static inline const void *
schema_slot_const(const struct schema_field *field, const void *in)
{
    return (const char *)in + field->offset;
}

/** schema_item() - the struct at index @i of an array of @sub. */
static inline void *
schema_item(const struct schema *sub, const struct schema_array *array, size_t i)
{
    return (char *)array->at + i * sub->size;
}

/** schema_has_range() - whether a number has limits. */
static inline bool
schema_has_range(const struct schema_field *field)
{
    return field->min != 0 || field->max != 0;
}

static inline size_t
schema_string_max(const struct schema_field *field)
{
    return field->max > 0 ? (size_t)field->max : SCHEMA_BYTES_DEFAULT;
}

static inline size_t
schema_item_max(const struct schema_field *field)
{
    return field->item_max > 0 ? field->item_max : SCHEMA_BYTES_DEFAULT;
}

static inline size_t
schema_count_max(const struct schema_field *field)
{
    return field->max > 0 ? (size_t)field->max : SCHEMA_COUNT_DEFAULT;
}

/** schema_field_find() - the field of that name, or NULL. */
static inline const struct schema_field *
schema_field_find(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    }
    return NULL;
}

/** schema_free_slot() - free what one field owns and zero it. */
void schema_free_slot(const struct schema_field *field, void *slot);
