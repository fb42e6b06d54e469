#include "berth/domain/pool_place.h"

#include <stddef.h>
#include <string.h>

#include "berth/base/mem.h"

/* clang-format off */
static const struct schema_field pool_place_fields[] = {
    { .name = "region", .type = SCHEMA_STRING, .offset = offsetof(struct pool_place, region), .max = 64,
      .doc = "Region." },
    { .name = "endpoint", .type = SCHEMA_STRING, .offset = offsetof(struct pool_place, endpoint), .max = 1024,
      .doc = "URL of a service that is not AWS." },
    { .name = "account", .type = SCHEMA_STRING, .offset = offsetof(struct pool_place, account), .max = 64,
      .doc = "Number of the account." },
};
/* clang-format on */

const struct schema pool_place_schema = {
    .name = "PoolPlace",
    .doc = "Where the machines of a pool are.",
    .size = sizeof(struct pool_place),
    .fields = pool_place_fields,
    .field_count = ARRAY_LEN(pool_place_fields),
};

void
pool_place_clear(struct pool_place *place)
{
    schema_free(&pool_place_schema, place);
}

void
pool_place_set(struct pool_place *place, const struct pool_place *from)
{
    pool_place_clear(place);
    schema_copy(&pool_place_schema, from, place);
}

static bool
pool_place_is_same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

const char *
pool_place_differs(const struct pool_place *a, const struct pool_place *b)
{
    if (!a->region || !b->region)
        return NULL;
    if (!pool_place_is_same(a->endpoint, b->endpoint))
        return "endpoint";
    return pool_place_is_same(a->region, b->region) ? NULL : "region";
}

char *
pool_place_text(const struct pool_place *place)
{
    return mem_printf("%s%s%s", place->region ? place->region : "?", place->endpoint ? " of " : "",
                      place->endpoint ? place->endpoint : "");
}
