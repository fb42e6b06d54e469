/* A schema with a field of each type: whatever is decoded can be copied, encoded, decoded again to the
 * same, and freed. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/schema.h"
#include "berth/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz_part {
    char *name;
    int64_t size;
};

struct fuzz_thing {
    bool on;
    int64_t number;
    int64_t cpus_milli;
    char *name;
    int32_t color;
    struct schema_strings list;
    struct schema_map map;
    struct fuzz_part part;
    struct schema_array parts;
    struct schema_array named;
};

static const char *
fuzz_check(const char *text)
{
    return text_is_name(text) ? NULL : "must be a name";
}

static const char *const fuzz_colors[] = { "red", "green", NULL };

/* clang-format off */
#define PART(member) offsetof(struct fuzz_part, member)
#define THING(member) offsetof(struct fuzz_thing, member)

static const struct schema_field fuzz_part_fields[] = {
    { .name = "name", .type = SCHEMA_STRING, .offset = PART(name), .min = 1, .max = 9, .doc = "" },
    { .name = "size", .type = SCHEMA_INT, .offset = PART(size), .min = 1, .max = 9, .doc = "" },
};
static const struct schema fuzz_part_schema = {
    "Part", "", sizeof(struct fuzz_part), fuzz_part_fields, ARRAY_LEN(fuzz_part_fields),
};

static const struct schema_field fuzz_fields[] = {
    { .name = "on", .type = SCHEMA_BOOL, .offset = THING(on), .fallback = 1, .doc = "" },
    { .name = "number", .type = SCHEMA_INT, .offset = THING(number), .doc = "" },
    { .name = "cpus", .type = SCHEMA_MILLI, .offset = THING(cpus_milli), .doc = "" },
    { .name = "name", .type = SCHEMA_STRING, .offset = THING(name), .check = fuzz_check, .doc = "" },
    { .name = "color", .type = SCHEMA_ENUM, .offset = THING(color), .names = fuzz_colors, .doc = "" },
    { .name = "list", .type = SCHEMA_STRINGS, .offset = THING(list), .doc = "" },
    { .name = "map", .type = SCHEMA_MAP, .offset = THING(map), .check = fuzz_check, .doc = "" },
    { .name = "part", .type = SCHEMA_OBJECT, .offset = THING(part), .sub = &fuzz_part_schema, .doc = "" },
    { .name = "parts", .type = SCHEMA_OBJECTS, .offset = THING(parts), .sub = &fuzz_part_schema, .doc = "" },
    { .name = "named", .type = SCHEMA_OBJECT_MAP, .offset = THING(named), .sub = &fuzz_part_schema, .doc = "" },
};
static const struct schema fuzz_schema = {
    "Thing", "", sizeof(struct fuzz_thing), fuzz_fields, ARRAY_LEN(fuzz_fields),
};
/* clang-format on */

static void
fuzz_encode(const struct fuzz_thing *thing, struct buf *buf)
{
    struct json_out out;

    buf_init(buf, 0);
    json_out_init(&out, buf);
    schema_encode(&fuzz_schema, thing, &out);
}

static void
fuzz_round_trip(const struct fuzz_thing *thing)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct fuzz_thing copy;
    struct fuzz_thing again;
    struct problems problems = { 0 };
    struct buf first;
    struct buf second;

    schema_copy(&fuzz_schema, thing, &copy);
    fuzz_encode(&copy, &first);
    schema_free(&fuzz_schema, &copy);
    schema_defaults(&fuzz_schema, &again);
    if (json_in_parse(first.data, first.len, &json, NULL) != 0 ||
        schema_decode(&fuzz_schema, json, &again, "", &problems) != 0)
        abort();
    fuzz_encode(&again, &second);
    schema_free(&fuzz_schema, &again);
    if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
        abort();
    buf_fini(&first);
    buf_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct problems problems = { 0 };
    struct fuzz_thing thing;
    int status;

    if (json_in_parse((const char *)data, size, &json, NULL) != 0)
        return 0;
    schema_defaults(&fuzz_schema, &thing);
    status = schema_decode(&fuzz_schema, json, &thing, "", &problems);
    assert((status == 0) == (problems.count == 0));
    fuzz_round_trip(&thing);
    schema_free(&fuzz_schema, &thing);
    return 0;
}
