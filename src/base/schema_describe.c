#include <assert.h>
#include <string.h>

#include "berth/base/schema.h"

#include "schema_field.h"

/* Recursion: see schema.c.  NOLINTBEGIN(misc-no-recursion) */

/* What is being described. */
struct schema_view {
    bool request;
    const char *skip; /* the name of a field to leave out, or NULL */
    const char *doc;  /* what to say instead of the schema's own words, or NULL */
};

static void schema_describe_object(const struct schema *schema, struct schema_view view,
                                   struct json_out *out);

static bool
schema_describe_has(const struct schema_field *field, struct schema_view view)
{
    unsigned hidden = view.request ? SCHEMA_READ_ONLY : SCHEMA_WRITE_ONLY;

    return !(field->flags & hidden) && !(view.skip && strcmp(view.skip, field->name) == 0);
}

/* An answer always has what may not be left out of it. */
static bool
schema_describe_is_required(const struct schema_field *field, bool request)
{
    return request ? field->flags & SCHEMA_REQUIRED : !(field->flags & SCHEMA_OMIT_EMPTY);
}

/* The limits bind requests only: some defaults are out of range, for "none". */
static void
schema_describe_number(const struct schema_field *field, bool request, struct json_out *out)
{
    bool whole = field->type == SCHEMA_INT;
    void (*put)(struct json_out *, const char *, int64_t) = whole ? json_out_kv_int
                                                            : field->type == SCHEMA_MILLI
                                                                ? json_out_kv_milli
                                                                : json_out_kv_micro;

    json_out_kv_string(out, "type", whole ? "integer" : "number");
    if (whole)
        json_out_kv_string(out, "format", "int64");
    if (!request)
        return;
    if (schema_has_range(field)) {
        put(out, "minimum", field->min);
        if (field->max < INT64_MAX)
            put(out, "maximum", field->max);
    }
    /* A default out of range stands for "none": there is nothing to tell. */
    if (!(field->flags & SCHEMA_REQUIRED) &&
        (!schema_has_range(field) ||
         (field->fallback >= field->min && field->fallback <= field->max)))
        put(out, "default", field->fallback);
}

static void
schema_describe_string(const struct schema_field *field, bool request, struct json_out *out)
{
    if (request) {
        json_out_kv_string(out, "type", "string");
        if (field->min > 0)
            json_out_kv_int(out, "minLength", 1); /* ours are bytes, these are characters */
        json_out_kv_uint(out, "maxLength", schema_string_max(field));
        return;
    }
    if (field->flags & (SCHEMA_REQUIRED | SCHEMA_OMIT_EMPTY)) {
        json_out_kv_string(out, "type", "string");
        return;
    }
    json_out_key(out, "type");
    json_out_array(out);
    json_out_string(out, "string");
    json_out_string(out, "null");
    json_out_array_end(out);
}

static void
schema_describe_enum(const struct schema_field *field, bool request, struct json_out *out)
{
    assert(field->names && field->names[0]);
    json_out_kv_string(out, "type", "string");
    json_out_key(out, "enum");
    json_out_array(out);
    for (const char *const *name = field->names; *name; name++)
        json_out_string(out, *name);
    json_out_array_end(out);
    if (request && !(field->flags & SCHEMA_REQUIRED))
        json_out_kv_string(out, "default", field->names[field->fallback]);
}

/* Lists and maps of strings. */
static void
schema_describe_strings(const struct schema_field *field, bool request, struct json_out *out)
{
    bool list = field->type == SCHEMA_STRINGS;

    json_out_kv_string(out, "type", list ? "array" : "object");
    if (request)
        json_out_kv_uint(out, list ? "maxItems" : "maxProperties", schema_count_max(field));
    json_out_key(out, list ? "items" : "additionalProperties");
    json_out_object(out);
    json_out_kv_string(out, "type", "string");
    if (request)
        json_out_kv_uint(out, "maxLength", schema_item_max(field));
    json_out_object_end(out);
}

static void
schema_describe_objects(const struct schema_field *field, bool request, struct json_out *out)
{
    bool list = field->type == SCHEMA_OBJECTS;
    struct schema_view view = { .request = request, .skip = list ? NULL : "name" };

    json_out_kv_string(out, "type", list ? "array" : "object");
    if (request)
        json_out_kv_uint(out, list ? "maxItems" : "maxProperties", schema_count_max(field));
    json_out_key(out, list ? "items" : "additionalProperties");
    json_out_object(out);
    schema_describe_object(field->sub, view, out);
    json_out_object_end(out);
}

static void
schema_describe_field(const struct schema_field *field, bool request, struct json_out *out)
{
    struct schema_view view = { .request = request, .doc = field->doc };

    json_out_object(out);
    switch (field->type) {
    case SCHEMA_BOOL:
        json_out_kv_string(out, "type", "boolean");
        if (request && !(field->flags & SCHEMA_REQUIRED))
            json_out_kv_bool(out, "default", field->fallback != 0);
        break;
    case SCHEMA_INT:
    case SCHEMA_MILLI:
    case SCHEMA_MICRO:
        schema_describe_number(field, request, out);
        break;
    case SCHEMA_STRING:
        schema_describe_string(field, request, out);
        break;
    case SCHEMA_ENUM:
        schema_describe_enum(field, request, out);
        break;
    case SCHEMA_STRINGS:
    case SCHEMA_MAP:
        schema_describe_strings(field, request, out);
        break;
    case SCHEMA_OBJECT:
        schema_describe_object(field->sub, view, out);
        break;
    case SCHEMA_OBJECTS:
    case SCHEMA_OBJECT_MAP:
        schema_describe_objects(field, request, out);
        break;
    }
    if (field->doc && field->type != SCHEMA_OBJECT)
        json_out_kv_string(out, "description", field->doc);
    json_out_object_end(out);
}

static void
schema_describe_required(const struct schema *schema, struct schema_view view, struct json_out *out)
{
    bool any = false;

    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];

        if (!schema_describe_has(field, view) || !schema_describe_is_required(field, view.request))
            continue;
        if (!any) {
            json_out_key(out, "required");
            json_out_array(out);
        }
        any = true;
        json_out_string(out, field->name);
    }
    if (any)
        json_out_array_end(out);
}

/* The members of the JSON Schema of an object, into one that is open. */
static void
schema_describe_object(const struct schema *schema, struct schema_view view, struct json_out *out)
{
    json_out_kv_string(out, "type", "object");
    if (view.doc || schema->doc)
        json_out_kv_string(out, "description", view.doc ? view.doc : schema->doc);
    json_out_key(out, "properties");
    json_out_object(out);
    for (size_t i = 0; i < schema->field_count; i++) {
        if (!schema_describe_has(&schema->fields[i], view))
            continue;
        json_out_key(out, schema->fields[i].name);
        schema_describe_field(&schema->fields[i], view.request, out);
    }
    json_out_object_end(out);
    schema_describe_required(schema, view, out);
    if (view.request)
        json_out_kv_bool(out, "additionalProperties", false);
}

void
schema_describe(const struct schema *schema, bool request, struct json_out *out)
{
    struct schema_view view = { .request = request };

    json_out_object(out);
    schema_describe_object(schema, view, out);
    json_out_object_end(out);
}

/* NOLINTEND(misc-no-recursion) */
