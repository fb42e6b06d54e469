/* Single values of a request: numbers, strings, names. */

#include "schema_value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "schema_field.h"

enum { SCHEMA_NUMBER_TEXT_SIZE = 32 };

size_t
schema_value_problems(const struct schema_value *value)
{
    return value->problems->count + value->problems->dropped;
}

static const char *
schema_type_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a number with a point";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

void
schema_value_wrong_type(const struct schema_value *value, const char *wanted)
{
    problems_add(value->problems, value->pointer, "type", "must be %s; got %s", wanted,
                 schema_type_name(value->json));
}

void
schema_value_bool(const struct schema_value *value)
{
    if (json_is_boolean(value->json)) {
        *(bool *)value->slot = json_is_true(value->json);
    } else {
        schema_value_wrong_type(value, "true or false");
    }
}

/* " (bytes)": the unit that the field's name ends with, or "". */
static const char *
schema_unit(const struct schema_field *field)
{
    static const char *const units[][2] = {
        { "_bytes", " (bytes)" },
        { "_ms", " (milliseconds)" },
        { "_s", " (seconds)" },
    };
    size_t len = strlen(field->name);

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t unit_len = strlen(units[i][0]);

        if (len > unit_len && strcmp(field->name + len - unit_len, units[i][0]) == 0)
            return units[i][1];
    }
    return "";
}

static int
schema_number_digits(const struct schema_field *field)
{
    return field->type == SCHEMA_MICRO ? 6 : 3;
}

/* How many of the field's units are one. */
static int64_t
schema_number_unit(const struct schema_field *field)
{
    return field->type == SCHEMA_MICRO ? 1000000 : 1000;
}

static const char *
schema_number_text(const struct schema_field *field, int64_t number,
                   char ret_text[SCHEMA_NUMBER_TEXT_SIZE])
{
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint64_t unit = (uint64_t)schema_number_unit(field);
    size_t len;

    if (field->type == SCHEMA_INT) {
        (void)snprintf(ret_text, SCHEMA_NUMBER_TEXT_SIZE, "%" PRId64, number);
        return ret_text;
    }
    len = (size_t)snprintf(ret_text, SCHEMA_NUMBER_TEXT_SIZE, "%s%" PRIu64 ".%0*" PRIu64,
                           number < 0 ? "-" : "", size / unit, schema_number_digits(field),
                           size % unit);
    while (ret_text[len - 1] == '0')
        ret_text[--len] = '\0';
    if (ret_text[len - 1] == '.')
        ret_text[len - 1] = '\0';
    return ret_text;
}

/* The default is always good: some tables use one that is out of range for "none". */
static void
schema_store_number(const struct schema_value *value, int64_t number)
{
    const struct schema_field *field = value->field;
    char limit[SCHEMA_NUMBER_TEXT_SIZE];
    char got[SCHEMA_NUMBER_TEXT_SIZE];
    bool low = number < field->min;

    if (number == field->fallback || !schema_has_range(field) ||
        (number >= field->min && number <= field->max)) {
        *(int64_t *)value->slot = number;
        return;
    }
    problems_add(value->problems, value->pointer, "range", "must be at %s %s%s; got %s",
                 low ? "least" : "most",
                 schema_number_text(field, low ? field->min : field->max, limit),
                 schema_unit(field), schema_number_text(field, number, got));
}

void
schema_value_int(const struct schema_value *value)
{
    if (json_is_integer(value->json)) {
        schema_store_number(value, json_integer_value(value->json));
    } else {
        schema_value_wrong_type(value, "a whole number");
    }
}

static void
schema_decimal_too_large(const struct schema_value *value)
{
    problems_add(value->problems, value->pointer, "range", "is too large a number");
}

/* How far from a whole number of units the rounding of a double may have led. */
static double
schema_decimal_tolerance(double scaled)
{
    double size = scaled < 0 ? -scaled : scaled;

    return size > 1000 ? size * 1e-12 : 1e-9;
}

void
schema_value_decimal(const struct schema_value *value)
{
    /* Below this a double still has its thousandths of a unit. */
    static const double most = 4e12;
    const struct schema_field *field = value->field;
    int64_t unit = schema_number_unit(field);
    int64_t number;
    double scaled;
    double off;

    if (json_is_integer(value->json)) {
        if (__builtin_mul_overflow((int64_t)json_integer_value(value->json), unit, &number)) {
            schema_decimal_too_large(value);
        } else {
            schema_store_number(value, number);
        }
        return;
    }
    if (!json_is_real(value->json)) {
        schema_value_wrong_type(value, "a number");
        return;
    }
    scaled = json_real_value(value->json) * (double)unit;
    if (scaled > most * 1000 || scaled < -most * 1000) {
        schema_decimal_too_large(value);
        return;
    }
    number = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    off = scaled - (double)number;
    if (off * off > schema_decimal_tolerance(scaled) * schema_decimal_tolerance(scaled)) {
        problems_add(value->problems, value->pointer, "format",
                     "must have at most %d digits after the point", schema_number_digits(field));
    } else {
        schema_store_number(value, number);
    }
}

bool
schema_value_is_string(const struct schema_value *value, int64_t min, size_t max)
{
    size_t len = json_string_length(value->json);
    const char *text = json_string_value(value->json);
    size_t before = schema_value_problems(value);
    const char *wrong;

    if (!text) {
        schema_value_wrong_type(value, "a string");
    } else if (strlen(text) != len) {
        problems_add(value->problems, value->pointer, "format", "must not contain NUL");
    } else if (len == 0 && min > 0) {
        problems_add(value->problems, value->pointer, "range", "must not be empty");
    } else if ((int64_t)len < min) {
        problems_add(value->problems, value->pointer, "range",
                     "must have at least %" PRId64 " bytes; got %zu", min, len);
    } else if (len > max) {
        problems_add(value->problems, value->pointer, "range",
                     "must have at most %zu bytes; got %zu", max, len);
    } else if (value->field->check && (wrong = value->field->check(text))) {
        problems_add(value->problems, value->pointer, "format", "%s", wrong);
    }
    return before == schema_value_problems(value);
}

void
schema_value_string(const struct schema_value *value)
{
    char **slot = value->slot;

    if (!schema_value_is_string(value, value->field->min, schema_string_max(value->field)))
        return;
    mem_free(*slot);
    *slot = mem_strdup(json_string_value(value->json));
}

static void
schema_wrong_name(const struct schema_value *value)
{
    struct buf names;

    buf_init(&names, sizeof(((struct problem *)NULL)->detail));
    for (const char *const *name = value->field->names; *name; name++) {
        if (names.len > 0)
            buf_append_string(&names, ", ");
        buf_append_string(&names, *name);
    }
    problems_add(value->problems, value->pointer, "format", "must be one of: %s", buf_text(&names));
    buf_fini(&names);
}

void
schema_value_enum(const struct schema_value *value)
{
    const char *text = json_string_value(value->json);

    assert(value->field->names);
    if (!text) {
        schema_value_wrong_type(value, "a string");
        return;
    }
    for (int32_t i = 0; value->field->names[i]; i++) {
        if (strcmp(value->field->names[i], text) == 0) {
            *(int32_t *)value->slot = i;
            return;
        }
    }
    schema_wrong_name(value);
}
