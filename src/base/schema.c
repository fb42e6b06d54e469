/*
 * The life of a struct that a schema describes: defaults, copy, free.
 *
 * Recursion in the schema_* files goes from a schema to its sub-schemas.  These are static tables,
 * so its depth is that of what a programmer has nested.
 */
#include "berth/base/schema.h"

#include <assert.h>
#include <string.h>

#include "schema_field.h"

/* NOLINTBEGIN(misc-no-recursion) */

void
schema_defaults(const struct schema *schema, void *out)
{
    memset(out, 0, schema->size);
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        void *slot = schema_slot(field, out);

        assert(field->offset < schema->size);

        switch (field->type) {
        case SCHEMA_BOOL:
            *(bool *)slot = field->fallback != 0;
            break;
        case SCHEMA_INT:
        case SCHEMA_MILLI:
        case SCHEMA_MICRO:
            *(int64_t *)slot = field->fallback;
            break;
        case SCHEMA_ENUM:
            *(int32_t *)slot = (int32_t)field->fallback;
            break;
        case SCHEMA_OBJECT:
            schema_defaults(field->sub, slot);
            break;
        default:
            break;
        }
    }
}

static void
schema_free_strings(struct schema_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        mem_free(strings->at[i]);
    mem_free(strings->at);
    *strings = (struct schema_strings){ 0 };
}

static void
schema_free_map(struct schema_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        mem_free(map->at[i].key);
        mem_free(map->at[i].value);
    }
    mem_free(map->at);
    *map = (struct schema_map){ 0 };
}

static void
schema_free_array(const struct schema *sub, struct schema_array *array)
{
    for (size_t i = 0; i < array->count; i++)
        schema_free(sub, schema_item(sub, array, i));
    mem_free(array->at);
    *array = (struct schema_array){ 0 };
}

void
schema_free_slot(const struct schema_field *field, void *slot)
{
    switch (field->type) {
    case SCHEMA_STRING:
        mem_free(STEAL(*(char **)slot));
        break;
    case SCHEMA_STRINGS:
        schema_free_strings(slot);
        break;
    case SCHEMA_MAP:
        schema_free_map(slot);
        break;
    case SCHEMA_OBJECT:
        schema_free(field->sub, slot);
        break;
    case SCHEMA_OBJECTS:
    case SCHEMA_OBJECT_MAP:
        schema_free_array(field->sub, slot);
        break;
    default:
        break;
    }
}

void
schema_free(const struct schema *schema, void *in)
{
    for (size_t i = 0; i < schema->field_count; i++)
        schema_free_slot(&schema->fields[i], schema_slot(&schema->fields[i], in));
}

static void
schema_own_strings(struct schema_strings *strings)
{
    strings->at = mem_dup(strings->at, strings->count * sizeof(*strings->at));
    for (size_t i = 0; i < strings->count; i++)
        strings->at[i] = mem_strdup(strings->at[i]);
}

static void
schema_own_map(struct schema_map *map)
{
    map->at = mem_dup(map->at, map->count * sizeof(*map->at));
    for (size_t i = 0; i < map->count; i++) {
        map->at[i].key = mem_strdup(map->at[i].key);
        map->at[i].value = mem_strdup(map->at[i].value);
    }
}

/* Replaces the pointers of a byte-wise copy by copies of what they point to. */
static void
schema_own(const struct schema *schema, void *in)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        void *slot = schema_slot(field, in);
        struct schema_array *array = slot;

        switch (field->type) {
        case SCHEMA_STRING:
            *(char **)slot = mem_strdup(*(char **)slot);
            break;
        case SCHEMA_STRINGS:
            schema_own_strings(slot);
            break;
        case SCHEMA_MAP:
            schema_own_map(slot);
            break;
        case SCHEMA_OBJECT:
            schema_own(field->sub, slot);
            break;
        case SCHEMA_OBJECTS:
        case SCHEMA_OBJECT_MAP:
            array->at = mem_dup(array->at, array->count * field->sub->size);
            for (size_t item = 0; item < array->count; item++)
                schema_own(field->sub, schema_item(field->sub, array, item));
            break;
        default:
            break;
        }
    }
}

void
schema_copy(const struct schema *schema, const void *in, void *out)
{
    assert(in != out);
    memcpy(out, in, schema->size);
    schema_own(schema, out);
}

/* NOLINTEND(misc-no-recursion) */
