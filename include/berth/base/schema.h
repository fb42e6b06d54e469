#pragma once

/*
 * Structs as data: a table of fields says for each its JSON name, type, range
 * and meaning.  The same table decodes requests (with errors that name the
 * field), encodes answers and rows, describes itself for OpenAPI and the
 * manual, and frees what was decoded.
 *
 * JSON null, or a missing field, leaves the field's default in place: callers
 * decode into a struct that schema_defaults() has filled.
 *
 * Limits: min = max = 0 means none for a number, and 4096 bytes or 1024 entries for a string, list
 * or map whose max is 0.  A number's default is accepted even out of its range ("none"), so that
 * what was encoded can be decoded.  Problems never repeat the text of a string: it may be a secret.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/base/json.h"

enum schema_type {
    SCHEMA_BOOL,       /* bool */
    SCHEMA_INT,        /* int64_t, min..max */
    SCHEMA_MILLI,      /* int64_t thousandths; a JSON number with up to 3 decimals; min..max too
                           in thousandths */
    SCHEMA_MICRO,      /* the same with millionths: up to 6 decimals */
    SCHEMA_STRING,     /* char *, owned; min..max bytes; check may refuse it */
    SCHEMA_ENUM,       /* int32_t: index into names */
    SCHEMA_STRINGS,    /* struct schema_strings: array of strings; max is the count,
                           item_max the bytes of each */
    SCHEMA_MAP,        /* struct schema_map: object with string values; the same limits */
    SCHEMA_OBJECT,     /* an embedded struct, described by sub */
    SCHEMA_OBJECTS,    /* struct schema_array of structs described by sub; max is the count */
    SCHEMA_OBJECT_MAP, /* struct schema_array of structs described by sub, which has a field
                           "name" that takes the JSON key; max is the count */
};

enum schema_flags {
    SCHEMA_REQUIRED = 1 << 0,
    SCHEMA_READ_ONLY = 1 << 1,  /* encoded; refused in requests */
    SCHEMA_OMIT_EMPTY = 1 << 2, /* not encoded when NULL, zero or empty */
    SCHEMA_WRITE_ONLY = 1 << 3, /* decoded; never encoded (secrets) */
    SCHEMA_INLINE = 1 << 4, /* OBJECT: its fields stand among ours, and none of them is required;
                                   for what is only decoded */
};

struct schema_strings {
    char **at; /* owned, each owned */
    size_t count;
};

struct schema_pair {
    char *key;   /* owned */
    char *value; /* owned */
};

struct schema_map {
    struct schema_pair *at; /* owned, sorted by key, keys are unique */
    size_t count;
};

struct schema_array {
    void *at; /* owned: [count] structs */
    size_t count;
};

/* NULL when @text is good, else what is wrong with it: "must be ...". Static. */
typedef const char *(*schema_check_fn)(const char *text);

struct schema;

struct schema_field {
    const char *name;
    enum schema_type type;
    unsigned flags;
    size_t offset;
    int64_t min;
    int64_t max;
    int64_t fallback;         /* default of BOOL, INT, MILLI, MICRO, ENUM */
    size_t item_max;          /* bytes of one string of STRINGS, MAP (0: 4096) */
    const char *const *names; /* ENUM: NULL-terminated */
    schema_check_fn check;    /* STRING, and each item or key of STRINGS, MAP */
    const struct schema *sub;
    const char *doc; /* one sentence, with the unit */
};

struct schema {
    const char *name; /* "Blueprint": the name in OpenAPI */
    const char *doc;
    size_t size; /* sizeof the struct */
    const struct schema_field *fields;
    size_t field_count;
};

/* One thing that is wrong with a request. */
struct problem {
    char pointer[160]; /* RFC 6901, "" for the whole document */
    const char *code;  /* static: unknown_field required type range format duplicate */
    char detail[200];
};

enum { PROBLEMS_MAX = 16 };

struct problems {
    size_t count; /* of those kept; more are counted in @dropped */
    size_t dropped;
    struct problem at[PROBLEMS_MAX];
};

/** problems_add() - one more; beyond PROBLEMS_MAX it is only counted. */
void problems_add(struct problems *problems, const char *pointer, const char *code,
                  const char *format, ...) PRINTF_LIKE(4, 5);

/** schema_defaults() - zero @out and set the defaults of its fields, also of embedded objects. */
void schema_defaults(const struct schema *schema, void *out);

/**
 * schema_decode() - fill @out from @json
 * @out:      filled by schema_defaults(); what is decoded replaces (and frees) what is there
 * @pointer:  JSON pointer of @json in its document, "" for the root
 * @problems: gets one entry for each wrong, missing, unknown or read-only field
 *
 * Return: 0, or -1 when @problems got an entry (@out is consistent and can be freed).
 */
int schema_decode(const struct schema *schema, const json_t *json, void *out, const char *pointer,
                  struct problems *problems);

/** schema_encode() - @in as a JSON object, fields in the table's order. */
void schema_encode(const struct schema *schema, const void *in, struct json_out *out);

/** schema_encode_fields() - the same without the braces, into an object that is open. */
void schema_encode_fields(const struct schema *schema, const void *in, struct json_out *out);

/** schema_free() - free all that the fields own and zero them; not @in itself. */
void schema_free(const struct schema *schema, void *in);

/** schema_copy() - a deep copy into @out, which is overwritten without being freed.  What the table
 * does not name is copied byte by byte. */
void schema_copy(const struct schema *schema, const void *in, void *out);

/** schema_describe() - the JSON Schema (2020-12, as OpenAPI 3.1 uses it) of @schema; sub-schemas are
 * inlined. @request: leave out read-only fields; otherwise leave out write-only ones. */
void schema_describe(const struct schema *schema, bool request, struct json_out *out);
