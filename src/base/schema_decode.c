/* Objects, lists and maps of a request; what they hold is schema_value.c's. */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/suggest.h"
#include "berth/base/text.h"

#include "schema_field.h"
#include "schema_value.h"

enum { SCHEMA_POINTER_SIZE = sizeof(((struct problem *)NULL)->pointer) };

typedef void (*schema_decode_fn)(const struct schema_value *value);

static void schema_decode_strings(const struct schema_value *value);
static void schema_decode_map(const struct schema_value *value);
static void schema_decode_object(const struct schema_value *value);
static void schema_decode_objects(const struct schema_value *value);
static void schema_decode_object_map(const struct schema_value *value);

static const schema_decode_fn schema_decoders[] = {
    [SCHEMA_BOOL] = schema_value_bool,
    [SCHEMA_INT] = schema_value_int,
    [SCHEMA_MILLI] = schema_value_decimal,
    [SCHEMA_MICRO] = schema_value_decimal,
    [SCHEMA_STRING] = schema_value_string,
    [SCHEMA_ENUM] = schema_value_enum,
    [SCHEMA_STRINGS] = schema_decode_strings,
    [SCHEMA_MAP] = schema_decode_map,
    [SCHEMA_OBJECT] = schema_decode_object,
    [SCHEMA_OBJECTS] = schema_decode_objects,
    [SCHEMA_OBJECT_MAP] = schema_decode_object_map,
};

/* An object on its way in. */
struct schema_target {
    const struct schema *schema;
    void *out;
    const char *pointer;
    const char *named; /* its key in an OBJECT_MAP, which is its "name"; or NULL */
    struct problems *problems;
};

/* @pointer + "/" + @key, escaped as RFC 6901 says and cut to fit between two characters. */
static void
schema_pointer_key(char ret_pointer[SCHEMA_POINTER_SIZE], const char *pointer, const char *key)
{
    size_t pointer_len = strlen(pointer);
    size_t key_len = strlen(key);
    struct buf buf;

    /* Most are short and plain, and are only asked for should something be wrong. */
    if (pointer_len + key_len + 2 <= SCHEMA_POINTER_SIZE && !key[strcspn(key, "~/")]) {
        memcpy(ret_pointer, pointer, pointer_len);
        ret_pointer[pointer_len] = '/';
        memcpy(ret_pointer + pointer_len + 1, key, key_len + 1);
        return;
    }
    buf_init(&buf, SCHEMA_POINTER_SIZE - 1);
    buf_append_string(&buf, pointer);
    buf_append_char(&buf, '/');
    for (; *key && !buf.overflow; key++) {
        if (*key == '~') {
            buf_append_string(&buf, "~0");
        } else if (*key == '/') {
            buf_append_string(&buf, "~1");
        } else {
            buf_append_char(&buf, *key);
        }
    }
    memcpy(ret_pointer, buf_text(&buf), buf.len + 1);
    ret_pointer[text_utf8_len(ret_pointer, buf.len)] = '\0';
    buf_fini(&buf);
}

static void
schema_pointer_index(char ret_pointer[SCHEMA_POINTER_SIZE], const char *pointer, size_t index)
{
    (void)snprintf(ret_pointer, SCHEMA_POINTER_SIZE, "%s/%zu", pointer, index);
}

/* Put the new content of @size bytes into the slot and free the old, or the other way round when
 * it has brought problems: there were @before. */
static void
schema_replace(const struct schema_value *value, size_t before, void *content, size_t size)
{
    if (schema_value_problems(value) == before) {
        schema_free_slot(value->field, value->slot);
        memcpy(value->slot, content, size);
    } else {
        schema_free_slot(value->field, content);
    }
}

/* Whether a list or map has the right type and not too many entries. */
static bool
schema_is_good_count(const struct schema_value *value, bool wants_list)
{
    size_t max = schema_count_max(value->field);
    size_t count;

    if (wants_list ? !json_is_array(value->json) : !json_is_object(value->json)) {
        schema_value_wrong_type(value, wants_list ? "a list" : "an object");
        return false;
    }
    count = wants_list ? json_array_size(value->json) : json_object_size(value->json);
    if (count <= max)
        return true;
    problems_add(value->problems, value->pointer, "range", "must have at most %zu entries; got %zu",
                 max, count);
    return false;
}

static void
schema_decode_strings(const struct schema_value *value)
{
    struct schema_strings strings = { 0 };
    size_t before = schema_value_problems(value);
    char pointer[SCHEMA_POINTER_SIZE];
    json_t *json;
    size_t i;

    if (!schema_is_good_count(value, true))
        return;
    if (json_array_size(value->json) > 0)
        strings.at = mem_new0(json_array_size(value->json) * sizeof(*strings.at));
    json_array_foreach(value->json, i, json)
    {
        struct schema_value item = *value;

        schema_pointer_index(pointer, value->pointer, i);
        item.json = json;
        item.pointer = pointer;
        assert(strings.at);
        if (schema_value_is_string(&item, 0, schema_item_max(value->field)))
            strings.at[strings.count++] = mem_strdup(json_string_value(json));
    }
    schema_replace(value, before, &strings, sizeof(strings));
}

static int
schema_compare_pairs(const void *lhs, const void *rhs)
{
    const struct schema_pair *left = lhs;
    const struct schema_pair *right = rhs;

    return strcmp(left->key, right->key);
}

/* Whether @key may be one of the map or object map; @value->pointer is the entry's. */
static bool
schema_is_good_key(const struct schema_value *value, const char *key, size_t max)
{
    const char *wrong = value->field->check ? value->field->check(key) : NULL;

    if (*key == '\0') {
        problems_add(value->problems, value->pointer, "format", "the key must not be empty");
    } else if (strlen(key) > max) {
        problems_add(value->problems, value->pointer, "range",
                     "the key must have at most %zu bytes; got %zu", max, strlen(key));
    } else if (wrong) {
        problems_add(value->problems, value->pointer, "format", "the key %s", wrong);
    } else {
        return true;
    }
    return false;
}

static void
schema_decode_map(const struct schema_value *value)
{
    struct schema_field unchecked = *value->field; /* the check is for the keys */
    struct schema_map map = { 0 };
    size_t before = schema_value_problems(value);
    size_t max = schema_item_max(value->field);
    char pointer[SCHEMA_POINTER_SIZE];
    const char *key;
    json_t *json;

    if (!schema_is_good_count(value, false))
        return;
    unchecked.check = NULL;
    if (json_object_size(value->json) > 0)
        map.at = mem_new0(json_object_size(value->json) * sizeof(*map.at));
    json_object_foreach(mem_unconst(value->json), key, json)
    {
        struct schema_value item = *value;

        schema_pointer_key(pointer, value->pointer, key);
        item.json = json;
        item.pointer = pointer;
        if (!schema_is_good_key(&item, key, max))
            continue;
        item.field = &unchecked;
        assert(map.at);
        if (schema_value_is_string(&item, 0, max)) {
            map.at[map.count++] = (struct schema_pair){
                .key = mem_strdup(key),
                .value = mem_strdup(json_string_value(json)),
            };
        }
    }
    if (map.count > 0)
        qsort(map.at, map.count, sizeof(*map.at), schema_compare_pairs);
    schema_replace(value, before, &map, sizeof(map));
}

/* Recursion: see schema.c.  NOLINTBEGIN(misc-no-recursion) */

static void
schema_decode_field(const struct schema_target *target, const struct schema_field *field,
                    const json_t *json)
{
    char pointer[SCHEMA_POINTER_SIZE];
    struct schema_value value = {
        .field = field,
        .json = json,
        .slot = schema_slot(field, target->out),
        .pointer = pointer,
        .problems = target->problems,
    };

    if (json_is_null(json))
        json = NULL;
    schema_pointer_key(pointer, target->pointer, field->name);
    if (json && field->flags & SCHEMA_READ_ONLY) {
        problems_add(target->problems, pointer, "unknown_field", "is read-only: leave it out");
    } else if (json) {
        schema_decoders[field->type](&value);
    } else if (field->flags & SCHEMA_REQUIRED) {
        problems_add(target->problems, pointer, "required", "is missing: %s", field->doc);
    }
}

static void
schema_offer(const struct schema *schema, struct suggest *suggest)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].flags & SCHEMA_INLINE) {
            schema_offer(schema->fields[i].sub, suggest);
        } else if (!(schema->fields[i].flags & SCHEMA_READ_ONLY)) {
            suggest_offer(suggest, schema->fields[i].name);
        }
    }
}

/* The field that may have been meant, or NULL. */
static const char *
schema_suggest(const struct schema *schema, const char *name)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    schema_offer(schema, &suggest);
    return suggest.best;
}

static void
schema_refuse_unknown(const struct schema_target *target, const char *key)
{
    char pointer[SCHEMA_POINTER_SIZE];
    const char *meant = schema_suggest(target->schema, key);

    schema_pointer_key(pointer, target->pointer, key);
    if (target->named && strcmp(key, "name") == 0) {
        problems_add(target->problems, pointer, "unknown_field",
                     "is given by the key already: leave it out");
    } else if (meant) {
        problems_add(target->problems, pointer, "unknown_field",
                     "is not a field of %s; did you mean \"%s\"?", target->schema->name, meant);
    } else {
        problems_add(target->problems, pointer, "unknown_field", "is not a field of %s",
                     target->schema->name);
    }
}

/* Of the struct and of those that stand in it. */
static bool
schema_has_field(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct schema_field *field = &schema->fields[i];

        if (field->flags & SCHEMA_INLINE ? schema_has_field(field->sub, name)
                                         : strcmp(field->name, name) == 0)
            return true;
    }
    return false;
}

static void
schema_decode_inline(const struct schema_target *outer, const struct schema_field *within,
                     const json_t *json)
{
    struct schema_target target = *outer;

    target.schema = within->sub;
    target.out = schema_slot(within, outer->out);
    for (size_t i = 0; i < target.schema->field_count; i++) {
        struct schema_field field = target.schema->fields[i];

        field.flags &= ~(unsigned)SCHEMA_REQUIRED;
        schema_decode_field(&target, &field, json_object_get(json, field.name));
    }
}

static void
schema_decode_target(const struct schema_target *target, const json_t *json)
{
    const struct schema *schema = target->schema;
    const struct schema_field *name = target->named ? schema_field_find(schema, "name") : NULL;
    const char *key;
    json_t *member;

    assert(schema->fields || schema->field_count == 0);
    if (!json_is_object(json)) {
        const struct schema_value value = { .json = json,
                                            .pointer = target->pointer,
                                            .problems = target->problems };

        schema_value_wrong_type(&value, "an object");
        return;
    }
    for (size_t i = 0; i < schema->field_count; i++) {
        if (schema->fields[i].flags & SCHEMA_INLINE) {
            schema_decode_inline(target, &schema->fields[i], json);
        } else if (&schema->fields[i] != name) {
            schema_decode_field(target, &schema->fields[i],
                                json_object_get(json, schema->fields[i].name));
        }
    }
    json_object_foreach(mem_unconst(json), key, member)
    {
        bool given = name && strcmp(key, name->name) == 0;

        if (given || !schema_has_field(schema, key))
            schema_refuse_unknown(target, key);
    }
}

static void
schema_decode_object(const struct schema_value *value)
{
    const struct schema_target target = {
        .schema = value->field->sub,
        .out = value->slot,
        .pointer = value->pointer,
        .problems = value->problems,
    };

    schema_decode_target(&target, value->json);
}

/* An array of defaults, one for each of @count entries. */
static struct schema_array
schema_new_array(const struct schema *sub, size_t count)
{
    struct schema_array array = { .count = count };

    if (count > 0)
        array.at = mem_new0(count * sub->size);
    for (size_t i = 0; i < count; i++)
        schema_defaults(sub, schema_item(sub, &array, i));
    return array;
}

static void
schema_decode_objects(const struct schema_value *value)
{
    const struct schema *sub = value->field->sub;
    size_t before = schema_value_problems(value);
    char pointer[SCHEMA_POINTER_SIZE];
    struct schema_array array;
    json_t *json;
    size_t i;

    if (!schema_is_good_count(value, true))
        return;
    array = schema_new_array(sub, json_array_size(value->json));
    json_array_foreach(value->json, i, json)
    {
        const struct schema_target target = {
            .schema = sub,
            .out = schema_item(sub, &array, i),
            .pointer = pointer,
            .problems = value->problems,
        };

        schema_pointer_index(pointer, value->pointer, i);
        schema_decode_target(&target, json);
    }
    schema_replace(value, before, &array, sizeof(array));
}

/* One entry of an object map: the key is checked and kept as the name. */
static void
schema_decode_named(const struct schema_value *value, const char *key, void *out)
{
    const struct schema_target target = {
        .schema = value->field->sub,
        .out = out,
        .pointer = value->pointer,
        .named = key,
        .problems = value->problems,
    };
    const struct schema_field *name = schema_field_find(target.schema, "name");
    struct schema_value named = *value;

    assert(name && name->type == SCHEMA_STRING);
    named.field = name;
    if (!schema_is_good_key(&named, key, schema_string_max(name)))
        return;
    *(char **)schema_slot(name, out) = mem_strdup(key);
    schema_decode_target(&target, value->json);
}

static void
schema_decode_object_map(const struct schema_value *value)
{
    const struct schema *sub = value->field->sub;
    size_t before = schema_value_problems(value);
    char pointer[SCHEMA_POINTER_SIZE];
    struct schema_array array;
    const char *key;
    json_t *json;
    size_t i = 0;

    if (!schema_is_good_count(value, false))
        return;
    array = schema_new_array(sub, json_object_size(value->json));
    json_object_foreach(mem_unconst(value->json), key, json)
    {
        struct schema_value item = *value;

        schema_pointer_key(pointer, value->pointer, key);
        item.json = json;
        item.pointer = pointer;
        schema_decode_named(&item, key, schema_item(sub, &array, i++));
    }
    schema_replace(value, before, &array, sizeof(array));
}

int
schema_decode(const struct schema *schema, const json_t *json, void *out, const char *pointer,
              struct problems *problems)
{
    const struct schema_target target = {
        .schema = schema,
        .out = out,
        .pointer = pointer,
        .problems = problems,
    };
    size_t before = problems->count + problems->dropped;

    schema_decode_target(&target, json);
    return problems->count + problems->dropped > before ? -1 : 0;
}

/* NOLINTEND(misc-no-recursion) */
