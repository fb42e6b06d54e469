#pragma once

/* A JSON text against a shape: exactly its members. */

#include <string.h>

#include "berth/base/json.h"
#include "berth/wire/shape.h"

static inline const char *
shape_text(const char *name)
{
    for (size_t i = 0; i < wire_shape_count; i++) {
        if (strcmp(wire_shapes[i].name, name) == 0)
            return wire_shapes[i].text;
    }
    fail_msg("there is no shape %s", name);
    return "";
}

/** shape_check() - @text has the members of the shape @name, no more, and of their types. */
static inline void
shape_check(const char *name, const struct buf *text)
{
    struct buf buf = { 0 };
    struct json_out out;
    json_t *schema;
    json_t *row;
    json_t *value;
    const char *key;

    json_out_init(&out, &buf);
    wire_shape_describe(&out, shape_text(name), NULL);
    assert_int_equal(json_in_parse(buf.data, buf.len, &schema, NULL), 0);
    assert_int_equal(json_in_parse(text->data, text->len, &row, NULL), 0);
    assert_int_equal(json_object_size(json_object_get(schema, "properties")),
                     json_object_size(row));
    json_object_foreach(row, key, value)
    {
        json_t *told = json_object_get(json_object_get(schema, "properties"), key);
        json_t *type = json_object_get(told, "type");
        const char *word = json_is_array(type) ? json_string_value(json_array_get(type, 0))
                                               : json_string_value(type);

        if (!told)
            fail_msg("%s has no member %s", name, key);
        if (json_is_null(value) && !json_is_array(type) && word)
            fail_msg("%s.%s must not be null", name, key);
        if (word && strcmp(word, "string") == 0 && !json_is_null(value))
            assert_true(json_is_string(value));
        if (word && strcmp(word, "integer") == 0 && !json_is_null(value))
            assert_true(json_is_integer(value));
    }
    json_decref(row);
    json_decref(schema);
    buf_fini(&buf);
}
