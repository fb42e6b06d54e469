#pragma once

#include "berth/base/schema.h"

/* One value on its way in. */
struct schema_value {
    const struct schema_field *field;
    const json_t *json;  /* not null */
    void *slot;          /* where it goes; left alone when it is wrong */
    const char *pointer; /* of json in its document */
    struct problems *problems;
};

/* Decoders of single values: into the slot, or a problem. */
void schema_value_bool(const struct schema_value *value);
void schema_value_int(const struct schema_value *value);
void schema_value_decimal(const struct schema_value *value);
void schema_value_string(const struct schema_value *value);
void schema_value_enum(const struct schema_value *value);

/** schema_value_problems() - how many there are by now. */
size_t schema_value_problems(const struct schema_value *value);

/** schema_value_wrong_type() - the problem that it is not @wanted ("a list"). */
void schema_value_wrong_type(const struct schema_value *value, const char *wanted);

/** schema_value_is_string() - whether it is a string of @min to @max bytes that the field's check
 * accepts; a problem otherwise.  Problems never repeat the text: it may be a secret. */
bool schema_value_is_string(const struct schema_value *value, int64_t min, size_t max);
