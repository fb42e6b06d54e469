/*
 * Placement: the buckets decide as the rule says, which the linear scan states
 * plainly; and the reasons are counted exactly.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "placement_world.h"

enum { ROUNDS = 20000 };

static const char *const images[] = { "busybox", "web:1", "registry.lan:5000/app@sha256:0", "db" };
static const char *const zones[] = { "a", "b", "c" };

static uint32_t
draw(struct world *world, uint32_t below)
{
    return rows_draw(&world->random, below);
}

static void
labels_clear(struct schema_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        mem_free(map->at[i].key);
        mem_free(map->at[i].value);
    }
    mem_free(map->at);
    *map = (struct schema_map){ 0 };
}

static int64_t
blueprint_bytes(struct world *world)
{
    return (world->coarse ? 128U << draw(world, 5) : 6 + draw(world, 3000)) * MIB;
}

/* Coarse worlds have few sizes, so that buckets are full, and amounts that fit to the last bit. */
static void
world_fill(struct world *world)
{
    world->pools[0]->policy.anti_affinity = draw(world, 3) == 0 ? 2 : 0;
    for (size_t i = 0; i < BLUEPRINTS; i++) {
        char name[2] = { (char)('a' + i), '\0' };
        struct blueprint *blueprint = rows_blueprint_new(
            name, images[draw(world, ARRAY_LEN(images))], blueprint_bytes(world));

        blueprint->spec.cpus_milli = draw(world, 2) ? 0 : draw(world, world->coarse ? 4 : 3000);
        if (world->coarse)
            blueprint->spec.cpus_milli *= 1000;
        blueprint->spec.slots = 1 + draw(world, 2);
        if (draw(world, 2)) {
            rows_label_add(&blueprint->spec.host_labels, "zone",
                           zones[draw(world, ARRAY_LEN(zones))]);
        }
        if (draw(world, 6) == 0)
            fix_port(blueprint, 8000 + draw(world, 3));
        world->blueprints[i] = blueprint;
    }
}

static void
host_add_random(struct world *world)
{
    struct host *host = host_make(world, world->pools[draw(world, 8) == 0],
                                  (int64_t)(world->coarse ? 4 : 1 + draw(world, 12)) * 1024 * MIB);

    host->total.slots = draw(world, 3) == 0 ? 1 + draw(world, 6) : 0;
    host_capacity_update(host);
    rows_label_add(&host->labels, "zone", zones[draw(world, ARRAY_LEN(zones))]);
    placement_host_update(world->placement, host, NOW_MS);
}

/* Any change that may happen to a host. */
static void
host_change_random(struct world *world)
{
    struct host *host = world->hosts[draw(world, (uint32_t)world->host_count)];

    switch (draw(world, 7)) {
    case 5:
        host->low = !host->low;
        break;
    case 0:
        host->state = host->state == HOST_ACTIVE ? HOST_INACTIVE : HOST_ACTIVE;
        break;
    case 1:
        host->reachable = !host->reachable;
        break;
    case 2:
        score_add(&host->score, FAULT_ENGINE, NOW_MS);
        break;
    case 3:
        score_clear(&host->score, NOW_MS);
        break;
    case 4:
        labels_clear(&host->labels);
        rows_label_add(&host->labels, "zone", zones[draw(world, ARRAY_LEN(zones))]);
        break;
    default:
        placement_image_set(world->placement, host, images[draw(world, ARRAY_LEN(images))],
                            draw(world, 2));
        break;
    }
    placement_host_update(world->placement, host, NOW_MS);
}

static void
load_take(struct world *world)
{
    size_t at;

    if (world->load_count == 0)
        return;
    at = draw(world, (uint32_t)world->load_count);
    reserve(world, world->loads[at].host, world->loads[at].blueprint, world->loads[at].owner, -1);
    world->loads[at] = world->loads[--world->load_count];
}

/* Counts and nearest as a look at each host gives them. */
static void
why_check(struct world *world, const struct placement_ask *ask, const struct host *winner,
          const struct placement_why *why)
{
    uint32_t counts[PLACEMENT_FILTER_COUNT] = { 0 };
    int64_t most = INT64_MIN;

    for (size_t i = 0; i < world->host_count; i++) {
        const struct host *host = world->hosts[i];
        enum placement_filter filter;

        if (host->pool != ask->pool)
            continue;
        filter = placement_verdict(world->placement, ask, host, NOW_MS);
        if (host != winner) {
            counts[filter]++;
        } else {
            assert_int_equal(filter, PLACEMENT_FITS);
        }
        if ((filter == PLACEMENT_FITS || filter >= PLACEMENT_PORTS) &&
            host->capacity.memory_bytes - host->reserved.memory_bytes > most)
            most = host->capacity.memory_bytes - host->reserved.memory_bytes;
    }
    for (int filter = 0; filter < PLACEMENT_FILTER_COUNT; filter++)
        assert_int_equal(why->counts[filter], counts[filter]);
    if (winner)
        return;
    assert_int_equal(why->nearest != NULL, most != INT64_MIN);
    if (why->nearest && most < ask->amount.memory_bytes)
        assert_int_equal(why->nearest_lacks.memory_bytes, ask->amount.memory_bytes - most);
}

static int
ask_random(struct world *world)
{
    const struct blueprint *blueprint = world->blueprints[draw(world, BLUEPRINTS)];
    const struct blueprint *leave = world->blueprints[draw(world, BLUEPRINTS)];
    struct placement_ask ask = ask_for(world, blueprint);
    struct host *host = NULL;
    struct host *expected = NULL;
    struct placement_why why;
    bool explain = draw(world, 4) == 0;
    int outcome;

    ask.owner = owners[draw(world, OWNERS)];
    ask.leave = &leave;
    ask.leave_count = draw(world, 8) == 0;
    if (draw(world, 4) == 0)
        ask.avoid = world->hosts[draw(world, (uint32_t)world->host_count)];
    outcome = placement_pick(world->placement, &ask, &host, explain ? &why : NULL);
    assert_int_equal(outcome, placement_pick_linear(world->placement, &ask, world->hosts,
                                                    world->host_count, &expected));
    assert_ptr_equal(host, expected);
    if (explain)
        why_check(world, &ask, host, &why);
    if (!host)
        return outcome;
    if (world->load_count == LOADS)
        load_take(world);
    reserve(world, host, blueprint, ask.owner, 1);
    world->loads[world->load_count++] = (struct load){ host, blueprint, ask.owner };
    return outcome;
}

/* Reservations, releases, errors, drains, labels, images in any order: the buckets and the linear scan
 * name the same host each time, no host is filled beyond its capacity, and both outcomes occur. */
static void
test_buckets_decide_as_the_linear_scan(void **state)
{
    size_t outcomes[2] = { 0 };

    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world world;

        world_init(&world, seed);
        world.coarse = seed % 2;
        world_fill(&world);
        for (int round = 0; round < ROUNDS; round++) {
            uint32_t what = draw(&world, 100);

            if (world.host_count < 2 || (what < 2 && world.host_count < HOSTS)) {
                host_add_random(&world);
            } else if (what < 10) {
                host_change_random(&world);
            } else if (what < 45) {
                load_take(&world);
            } else {
                outcomes[ask_random(&world)]++;
            }
        }
        for (size_t i = 0; i < world.host_count; i++) {
            assert_true(world.hosts[i]->reserved.memory_bytes <=
                        world.hosts[i]->capacity.memory_bytes);
        }
        world_fini(&world);
    }
    assert_true(outcomes[PLACEMENT_OK] > 1000);
    assert_true(outcomes[PLACEMENT_NO_ROOM] > 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buckets_decide_as_the_linear_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
