#pragma once

/*
 * The shapes of answers, written down once in a short notation and spelled out
 * as JSON Schema for OpenAPI.  What is written by hand for speed (wire/row.h)
 * is held against them by tests.
 *
 *   {a:s,b:i?}  object with all of these members; "b~:i": b may be missing
 *   {*:s}       object with any members of one type
 *   [i]         list
 *   s i n b t   string, integer, number, boolean, time (RFC 3339)
 *   (x|y)       one of these words
 *   @Name       another shape or schema
 *   <A|B>       one of these shapes
 *   j           any JSON
 *   ...?        or null
 */

#include <stddef.h>

#include "berth/base/json.h"

struct wire_shape {
    const char *name; /* as OpenAPI calls it: "Instance" */
    const char *doc;
    const char *text; /* in the notation above */
};

extern const struct wire_shape wire_shapes[];
extern const size_t wire_shape_count;

/** wire_shape_describe() - @text, which must be well formed (assert), as JSON Schema.
 * @doc: its description; NULL: none */
void wire_shape_describe(struct json_out *out, const char *text, const char *doc);
