#include <assert.h>
#include <string.h>

#include "berth/base/schema.h"

#include "schema_field.h"

/* Recursion: see schema.c.  NOLINTBEGIN(misc-no-recursion) */

/* @skip: the name of a field to leave out, or NULL. */
static void schema_encode_object(const struct schema *schema, const void *in, const char *skip,
                                 struct json_out *out);

static bool
schema_encode_is_empty(const struct schema_field *field, const void *slot)
{
    const struct schema *sub = field->sub;

    switch (field->type) {
    case SCHEMA_BOOL:
        return !*(const bool *)slot;
    case SCHEMA_INT:
    case SCHEMA_MILLI:
    case SCHEMA_MICRO:
        return *(const int64_t *)slot == 0;
    case SCHEMA_ENUM:
        return *(const int32_t *)slot == 0;
    case SCHEMA_STRING:
        return !*(char *const *)slot || **(char *const *)slot == '\0';
    case SCHEMA_STRINGS:
        return ((const struct schema_strings *)slot)->count == 0;
    case SCHEMA_MAP:
        return ((const struct schema_map *)slot)->count == 0;
    case SCHEMA_OBJECTS:
    case SCHEMA_OBJECT_MAP:
        return ((const struct schema_array *)slot)->count == 0;
    case SCHEMA_OBJECT:
        for (size_t i = 0; i < sub->field_count; i++) {
            if (!schema_encode_is_empty(&sub->fields[i], schema_slot_const(&sub->fields[i], slot)))
                return false;
        }
        return true;
    }
    return false;
}

static void
schema_encode_enum(const struct schema_field *field, int32_t index, struct json_out *out)
{
    int32_t count = 0;

    while (field->names[count])
        count++;
    assert(index >= 0 && index < count);
    json_out_string(out, field->names[index]);
}

static void
schema_encode_strings(const struct schema_strings *strings, struct json_out *out)
{
    json_out_array(out);
    for (size_t i = 0; i < strings->count; i++)
        json_out_string(out, strings->at[i]);
    json_out_array_end(out);
}

static void
schema_encode_map(const struct schema_map *map, struct json_out *out)
{
    json_out_object(out);
    for (size_t i = 0; i < map->count; i++)
        json_out_kv_string(out, map->at[i].key, map->at[i].value);
    json_out_object_end(out);
}

static void
schema_encode_array(const struct schema *sub, const struct schema_array *array,
                    struct json_out *out)
{
    json_out_array(out);
    for (size_t i = 0; i < array->count; i++)
        schema_encode_object(sub, schema_item(sub, array, i), NULL, out);
    json_out_array_end(out);
}

static void
schema_encode_object_map(const struct schema *sub, const struct schema_array *array,
                         struct json_out *out)
{
    const struct schema_field *name = schema_field_find(sub, "name");

    assert(name && name->type == SCHEMA_STRING);
    json_out_object(out);
    for (size_t i = 0; i < array->count; i++) {
        const void *item = schema_item(sub, array, i);

        json_out_key(out, *(char *const *)schema_slot_const(name, item));
        schema_encode_object(sub, item, "name", out);
    }
    json_out_object_end(out);
}

static void
schema_encode_value(const struct schema_field *field, const void *slot, struct json_out *out)
{
    switch (field->type) {
    case SCHEMA_BOOL:
        json_out_bool(out, *(const bool *)slot);
        break;
    case SCHEMA_INT:
        json_out_int(out, *(const int64_t *)slot);
        break;
    case SCHEMA_MILLI:
        json_out_milli(out, *(const int64_t *)slot);
        break;
    case SCHEMA_MICRO:
        json_out_micro(out, *(const int64_t *)slot);
        break;
    case SCHEMA_STRING:
        json_out_string(out, *(char *const *)slot);
        break;
    case SCHEMA_ENUM:
        schema_encode_enum(field, *(const int32_t *)slot, out);
        break;
    case SCHEMA_STRINGS:
        schema_encode_strings(slot, out);
        break;
    case SCHEMA_MAP:
        schema_encode_map(slot, out);
        break;
    case SCHEMA_OBJECT:
        schema_encode_object(field->sub, slot, NULL, out);
        break;
    case SCHEMA_OBJECTS:
        schema_encode_array(field->sub, slot, out);
        break;
    case SCHEMA_OBJECT_MAP:
        schema_encode_object_map(field->sub, slot, out);
        break;
    }
}

static void
schema_encode_fields_but(const struct schema *schema, const void *in, const char *skip,
                         struct json_out *out)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];
        const void *slot = schema_slot_const(field, in);

        if (field->flags & SCHEMA_WRITE_ONLY || (skip && strcmp(field->name, skip) == 0))
            continue;
        if (field->flags & SCHEMA_OMIT_EMPTY && schema_encode_is_empty(field, slot))
            continue;
        json_out_key(out, field->name);
        schema_encode_value(field, slot, out);
    }
}

static void
schema_encode_object(const struct schema *schema, const void *in, const char *skip,
                     struct json_out *out)
{
    json_out_object(out);
    schema_encode_fields_but(schema, in, skip, out);
    json_out_object_end(out);
}

void
schema_encode(const struct schema *schema, const void *in, struct json_out *out)
{
    schema_encode_object(schema, in, NULL, out);
}

void
schema_encode_fields(const struct schema *schema, const void *in, struct json_out *out)
{
    schema_encode_fields_but(schema, in, NULL, out);
}

/* NOLINTEND(misc-no-recursion) */
