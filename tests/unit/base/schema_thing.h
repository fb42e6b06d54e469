#pragma once

/* A struct with a field of each type, for the tests of the schema; after cmocka.h. */

#include "berth/base/schema.h"
#include "berth/base/text.h"

struct part {
    char *name;
    int64_t size_bytes;
};

struct limits {
    int64_t pids;
    bool strict;
};

struct thing {
    char *name;
    bool on;
    int64_t memory_bytes;
    int64_t cpus_milli;
    int64_t price_micro;
    int64_t lifetime_ms;
    int64_t any_number;
    int32_t color;
    struct schema_strings command;
    struct schema_map labels;
    struct limits limits;
    struct schema_array parts;   /* struct part */
    struct schema_array volumes; /* struct part */
    char *password;
    int64_t id;
    char *note;
    int not_in_the_table;
};

static inline const char *
check_name(const char *text)
{
    return text_is_name(text) ? NULL : "must be a name";
}

static const char *const colors[] = { "red", "green", "blue", NULL };

static const struct schema_field part_fields[] = {
    { .name = "name",
      .type = SCHEMA_STRING,
      .offset = offsetof(struct part, name),
      .flags = SCHEMA_REQUIRED,
      .min = 1,
      .max = 10,
      .doc = "What it is called." },
    { .name = "size_bytes",
      .type = SCHEMA_INT,
      .offset = offsetof(struct part, size_bytes),
      .min = 1,
      .max = 1000,
      .fallback = 5,
      .doc = "How large it is." },
};
static const struct schema part_schema = { "Part", "A part.", sizeof(struct part), part_fields,
                                           ARRAY_LEN(part_fields) };

static const struct schema_field limits_fields[] = {
    { .name = "pids",
      .type = SCHEMA_INT,
      .offset = offsetof(struct limits, pids),
      .min = 1,
      .max = 4096,
      .fallback = 256,
      .doc = "Most processes." },
    { .name = "strict",
      .type = SCHEMA_BOOL,
      .offset = offsetof(struct limits, strict),
      .fallback = 1,
      .doc = "Whether they are kept." },
};
static const struct schema limits_schema = { "Limits", "Limits.", sizeof(struct limits),
                                             limits_fields, ARRAY_LEN(limits_fields) };

#define AT(member) .offset = offsetof(struct thing, member)

static const struct schema_field thing_fields[] = {
    { "name", SCHEMA_STRING, AT(name), .flags = SCHEMA_REQUIRED, .min = 1, .max = 63,
      .check = check_name, .doc = "The thing's name." },
    { "on", SCHEMA_BOOL, AT(on), .doc = "Whether it is on." },
    { "memory_bytes", SCHEMA_INT, AT(memory_bytes), .min = 4194304, .max = 1 << 30,
      .doc = "Memory." },
    { "cpus", SCHEMA_MILLI, AT(cpus_milli), .min = 10, .max = 64000, .fallback = 500,
      .doc = "Processors." },
    { "price", SCHEMA_MICRO, AT(price_micro), .min = 0, .max = 5000000, .fallback = 83200,
      .doc = "Price of an hour." },
    { "lifetime_s", SCHEMA_MILLI, AT(lifetime_ms), .min = 1000, .max = 86400000, .doc = "Life." },
    { "any_number", SCHEMA_INT, AT(any_number), .doc = "No limits." },
    { "color", SCHEMA_ENUM, AT(color), .names = colors, .fallback = 2, .doc = "Color." },
    { "command", SCHEMA_STRINGS, AT(command), .max = 3, .item_max = 5, .doc = "Command." },
    { "labels", SCHEMA_MAP, AT(labels), .max = 3, .item_max = 8, .check = check_name,
      .doc = "Labels." },
    { "limits", SCHEMA_OBJECT, AT(limits), .sub = &limits_schema, .doc = "Its limits." },
    { "parts", SCHEMA_OBJECTS, AT(parts), .max = 4, .sub = &part_schema, .doc = "Parts." },
    { "volumes", SCHEMA_OBJECT_MAP, AT(volumes), .max = 4, .sub = &part_schema, .doc = "Volumes." },
    { "password", SCHEMA_STRING, AT(password), .flags = SCHEMA_WRITE_ONLY, .max = 8,
      .doc = "Secret." },
    { "id", SCHEMA_INT, AT(id), .flags = SCHEMA_READ_ONLY, .doc = "Chosen by us." },
    { "note", SCHEMA_STRING, AT(note), .flags = SCHEMA_OMIT_EMPTY, .doc = "A note." },
};
static const struct schema thing_schema = { "Thing", "A thing.", sizeof(struct thing), thing_fields,
                                            ARRAY_LEN(thing_fields) };

/* Decode @text into defaults at "/body". */
static inline int
thing_decode(const char *text, struct thing *thing, struct problems *problems)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct fault fault = { 0 };

    *problems = (struct problems){ 0 };
    schema_defaults(&thing_schema, thing);
    if (json_in_parse(text, strlen(text), &json, &fault) != 0)
        fail_msg("%s", fault.text);
    return schema_decode(&thing_schema, json, thing, "/body", problems);
}

static inline char *
thing_encode(const struct thing *thing)
{
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    schema_encode(&thing_schema, thing, &out);
    return buf_take(&buf);
}
