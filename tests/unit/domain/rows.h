#pragma once

/* Rows and random numbers for the tests of the domain. */

#include <stdint.h>

#include "berth/base/mem.h"
#include "berth/domain/blueprint.h"

#define MIB (INT64_C(1) << 20)

/* A number below @below. Knuth's MMIX constants; the high bits are the good ones. */
static inline uint32_t
rows_draw(uint64_t *random, uint32_t below)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*random >> 33) % below);
}

static inline void
rows_label_add(struct schema_map *map, const char *key, const char *value)
{
    map->at = mem_resize(map->at, map->count + 1, sizeof(*map->at));
    map->at[map->count++] = (struct schema_pair){ mem_strdup(key), mem_strdup(value) };
}

static inline struct blueprint *
rows_blueprint_new(const char *name, const char *image, int64_t memory_bytes)
{
    struct blueprint_spec spec;

    schema_defaults(&blueprint_schema, &spec);
    spec.name = mem_strdup(name);
    spec.image = mem_strdup(image);
    spec.memory_bytes = memory_bytes;
    return blueprint_new(&spec);
}
