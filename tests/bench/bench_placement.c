/*
 * What a placement decision costs, in one process: by buckets and by a linear
 * scan over the same hosts, with labels, error counts and reservations in play.
 * Prints `figure value` lines: nanoseconds, median of the rounds.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "berth/base/mem.h"
#include "berth/domain/placement.h"

#define MIB (INT64_C(1) << 20)

enum { ROUNDS = 31, DECISIONS = 2000, LINEAR_LOOKS = 400000, BLUEPRINTS = 16, ZONES = 4 };

struct bench {
    struct placement *placement;
    struct pool *pool;
    struct host **hosts;
    size_t host_count;
    struct blueprint *blueprints[BLUEPRINTS];
    uint64_t random;
};

static const char *const zones[ZONES] = { "a", "b", "c", "d" };

static uint32_t
draw(struct bench *bench, uint32_t below)
{
    bench->random = bench->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((bench->random >> 33) % below);
}

static int64_t
clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void
zone_set(struct schema_map *map, const char *zone)
{
    map->at = mem_new0(sizeof(*map->at));
    map->at[0] = (struct schema_pair){ mem_strdup("zone"), mem_strdup(zone) };
    map->count = 1;
}

static void
bench_blueprints_fill(struct bench *bench)
{
    for (size_t i = 0; i < BLUEPRINTS; i++) {
        struct blueprint_spec spec;

        schema_defaults(&blueprint_schema, &spec);
        spec.name = mem_printf("b%zu", i);
        spec.image = mem_printf("image%zu:1", i % 4);
        spec.memory_bytes = (128 + (int64_t)i * 64) * MIB;
        if (i % 2)
            zone_set(&spec.host_labels, zones[i / 2 % ZONES]);
        bench->blueprints[i] = blueprint_new(&spec);
    }
}

static void
bench_reserve(struct bench *bench, struct host *host, const struct blueprint *blueprint, int sign)
{
    host->reserved.memory_bytes += sign * blueprint->spec.memory_bytes;
    host->reserved.slots += sign * blueprint->spec.slots;
    placement_note_instance(bench->placement, host, blueprint, "ann", sign);
    placement_host_reserved(bench->placement, host);
}

static struct host *
bench_host_new(struct bench *bench, size_t at)
{
    struct host *host = host_new(bench->pool, "h");

    host->id = (int64_t)at + 1;
    host->state = draw(bench, 50) ? HOST_ACTIVE : HOST_INACTIVE;
    host->reachable = true;
    host->total = (struct host_amount){ (4096 << draw(bench, 4)) * MIB, 8000, 0 };
    host->score.milli = draw(bench, 20) ? draw(bench, 2000) : 5000;
    zone_set(&host->labels, zones[draw(bench, ZONES)]);
    host_capacity_update(host);
    placement_host_update(bench->placement, host, 0);
    if (draw(bench, 2))
        placement_image_set(bench->placement, host, "image0:1", true);
    for (uint32_t more = draw(bench, 12); more > 0; more--) {
        const struct blueprint *blueprint = bench->blueprints[draw(bench, BLUEPRINTS)];

        if (host->reserved.memory_bytes + blueprint->spec.memory_bytes <=
            host->capacity.memory_bytes)
            bench_reserve(bench, host, blueprint, 1);
    }
    return host;
}

static void
bench_init(struct bench *bench, size_t host_count)
{
    *bench = (struct bench){ .random = 1, .host_count = host_count };
    bench->placement = placement_new();
    bench->pool = pool_new("default", PROVIDER_STATIC);
    bench_blueprints_fill(bench);
    bench->hosts = mem_new0(host_count * sizeof(struct host *));
    for (size_t i = 0; i < host_count; i++)
        bench->hosts[i] = bench_host_new(bench, i);
}

static void
bench_fini(struct bench *bench)
{
    placement_free(bench->placement);
    for (size_t i = 0; i < bench->host_count; i++)
        host_free(bench->hosts[i]);
    for (size_t i = 0; i < BLUEPRINTS; i++)
        blueprint_free(bench->blueprints[i]);
    mem_free(bench->hosts);
    pool_free(bench->pool);
}

static struct placement_ask
bench_ask(const struct bench *bench, size_t i)
{
    const struct blueprint *blueprint = bench->blueprints[i % BLUEPRINTS];

    return (struct placement_ask){
        .pool = bench->pool,
        .blueprint = blueprint,
        .amount = { blueprint->spec.memory_bytes, 0, blueprint->spec.slots },
        .owner = "ann",
    };
}

/* One round of each measurement: @count decisions. */
typedef void (*bench_round_fn)(struct bench *bench, size_t count);

static void
must_be_placed(int outcome)
{
    if (outcome == PLACEMENT_OK)
        return;
    (void)fputs("bench_placement: no room\n", stderr);
    abort();
}

static void
round_decide(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct placement_ask ask = bench_ask(bench, i);
        struct host *host = NULL;

        must_be_placed(placement_pick(bench->placement, &ask, &host, NULL));
    }
}

static void
round_explain(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct placement_ask ask = bench_ask(bench, i);
        struct placement_why why;
        struct host *host = NULL;

        must_be_placed(placement_pick(bench->placement, &ask, &host, &why));
    }
}

static void
round_place(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct placement_ask ask = bench_ask(bench, i);
        struct host *host = NULL;

        must_be_placed(placement_pick(bench->placement, &ask, &host, NULL));
        bench_reserve(bench, host, ask.blueprint, 1);
        bench_reserve(bench, host, ask.blueprint, -1);
    }
}

static void
round_linear(struct bench *bench, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct placement_ask ask = bench_ask(bench, i);
        struct host *host = NULL;

        must_be_placed(
            placement_pick_linear(bench->placement, &ask, bench->hosts, bench->host_count, &host));
    }
}

static int
by_value(const void *lhs, const void *rhs)
{
    double left = *(const double *)lhs;
    double right = *(const double *)rhs;

    return (left > right) - (left < right);
}

static double
bench_median_ns(struct bench *bench, bench_round_fn round, size_t count)
{
    double took[ROUNDS];

    round(bench, count);
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t begin = clock_ns();

        round(bench, count);
        took[i] = (double)(clock_ns() - begin) / (double)count;
    }
    qsort(took, ROUNDS, sizeof(took[0]), by_value);
    return took[ROUNDS / 2];
}

int
main(void)
{
    static const size_t sizes[] = { 1000, 10000, 100000 };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t linear_count = LINEAR_LOOKS / sizes[i] > 16 ? LINEAR_LOOKS / sizes[i] : 16;
        struct bench bench;

        bench_init(&bench, sizes[i]);
        (void)printf("placement_decision_%zu_ns %.1f\n", sizes[i],
                     bench_median_ns(&bench, round_decide, DECISIONS));
        (void)printf("placement_decision_and_why_%zu_ns %.1f\n", sizes[i],
                     bench_median_ns(&bench, round_explain, DECISIONS));
        (void)printf("placement_reserve_release_%zu_ns %.1f\n", sizes[i],
                     bench_median_ns(&bench, round_place, DECISIONS));
        (void)printf("placement_linear_%zu_ns %.1f\n", sizes[i],
                     bench_median_ns(&bench, round_linear, linear_count));
        bench_fini(&bench);
    }
    return 0;
}
