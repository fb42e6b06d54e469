/*
 * Placement: the buckets decide as the rule says, which the linear scan states
 * plainly; and the reasons are counted exactly.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/placement.h"

#include "rows.h"

enum { HOSTS = 300, BLUEPRINTS = 24, OWNERS = 5, LOADS = 2000, ROUNDS = 20000, NOW_MS = 1000 };

struct load {
    struct host *host;
    const struct blueprint *blueprint;
    const char *owner;
};

struct world {
    struct placement *placement;
    struct pool *pools[2];
    struct host *hosts[HOSTS];
    size_t host_count;
    struct blueprint *blueprints[BLUEPRINTS];
    struct load loads[LOADS];
    size_t load_count;
    uint64_t random;
    bool coarse;
};

static const char *const owners[OWNERS] = { "ann", "bob", "cid", "dee", "eve" };
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

static struct host *
host_make(struct world *world, struct pool *pool, int64_t memory_bytes)
{
    struct host *host = host_new(pool, "h");

    host->id = (int64_t)world->host_count + 1;
    host->state = HOST_ACTIVE;
    host->reachable = true;
    host->total = (struct host_amount){ memory_bytes, 8000, 0 };
    host_capacity_update(host);
    world->hosts[world->host_count++] = host;
    placement_host_update(world->placement, host, NOW_MS);
    return host;
}

static void
world_init(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->random = seed;
    world->placement = placement_new();
    for (size_t i = 0; i < ARRAY_LEN(world->pools); i++) {
        world->pools[i] = pool_new(i == 0 ? "default" : "other", PROVIDER_STATIC);
        world->pools[i]->policy.reserve.memory_bytes = 0;
    }
}

static void
world_fini(struct world *world)
{
    placement_free(world->placement);
    for (size_t i = 0; i < world->host_count; i++)
        host_free(world->hosts[i]);
    for (size_t i = 0; i < BLUEPRINTS; i++)
        blueprint_free(world->blueprints[i]);
    for (size_t i = 0; i < ARRAY_LEN(world->pools); i++)
        pool_free(world->pools[i]);
}

static struct placement_ask
ask_for(struct world *world, const struct blueprint *blueprint)
{
    return (struct placement_ask){
        .pool = world->pools[0],
        .blueprint = blueprint,
        .amount = { blueprint->spec.memory_bytes, blueprint->spec.cpus_milli,
                    blueprint->spec.slots },
        .owner = owners[0],
    };
}

static void
reserve(struct world *world, struct host *host, const struct blueprint *blueprint,
        const char *owner, int sign)
{
    host->reserved.memory_bytes += sign * blueprint->spec.memory_bytes;
    host->reserved.cpus_milli += sign * blueprint->spec.cpus_milli;
    host->reserved.slots += sign * blueprint->spec.slots;
    placement_note_instance(world->placement, host, blueprint, owner, sign);
    placement_host_reserved(world->placement, host);
}

/* --- Single rules ----------------------------------------------------------------------------- */

static void
test_best_fit_takes_the_lowest_bucket(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;

    (void)state;
    world_init(&world, 1);
    host_make(&world, world.pools[0], 4096 * MIB);
    host_make(&world, world.pools[0], 1024 * MIB);
    host_make(&world, world.pools[0], 2048 * MIB);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 1000 * MIB);
    ask = ask_for(&world, world.blueprints[0]);
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 2);
    reserve(&world, host, world.blueprints[0], "ann", 1);
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 3);
    world_fini(&world);
}

static void
test_image_and_replicas_decide_among_equals(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;
    struct placement_why why;

    (void)state;
    world_init(&world, 1);
    for (int i = 0; i < 3; i++)
        host_make(&world, world.pools[0], 65536 * MIB);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 16 * MIB);
    ask = ask_for(&world, world.blueprints[0]);
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 1);

    placement_image_set(world.placement, world.hosts[1], "docker.io/library/busybox:latest", true);
    assert_true(placement_image_has(world.placement, world.hosts[1], "busybox"));
    for (int i = 0; i < PLACEMENT_IMAGE_BONUS; i++) {
        assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_OK);
        assert_int_equal(host->id, 2);
        assert_true(why.terms.has_image);
        assert_int_equal(why.terms.replicas, i);
        /* Only the count: the bucket must stay the same. */
        placement_note_instance(world.placement, host, world.blueprints[0], "ann", 1);
    }
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_OK);
    assert_int_equal(host->id, 1);
    placement_image_set(world.placement, world.hosts[1], "busybox", false);
    assert_false(placement_image_has(world.placement, world.hosts[1], "busybox"));
    world_fini(&world);
}

static void
test_why_counts_first_failed_filters(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;
    struct placement_why why;
    const struct blueprint *leave;

    (void)state;
    world_init(&world, 1);
    for (int i = 0; i < 9; i++)
        host_make(&world, world.pools[0], 1024 * MIB);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 512 * MIB);
    world.blueprints[0]->spec.cpus_milli = 1000;
    world.blueprints[1] = rows_blueprint_new("b", "busybox", 512 * MIB);
    rows_label_add(&world.blueprints[0]->spec.host_labels, "zone", "a");
    rows_label_add(&world.blueprints[1]->spec.host_labels, "gpu", "yes");
    rows_label_add(&world.hosts[8]->labels, "gpu", "yes");
    for (int i = 1; i < 9; i++)
        rows_label_add(&world.hosts[i]->labels, "zone", "a");
    world.hosts[1]->state = HOST_INACTIVE;
    world.hosts[2]->reachable = false;
    world.hosts[3]->total.memory_bytes = 500 * MIB;
    world.hosts[4]->total.cpus_milli = 500;
    world.hosts[5]->total.slots = 4;
    world.hosts[5]->reserved.slots = 4;
    world.pools[0]->policy.anti_affinity = 1;
    placement_note_instance(world.placement, world.hosts[6], world.blueprints[0], "ann", 1);
    for (size_t i = 0; i < world.host_count; i++) {
        host_capacity_update(world.hosts[i]);
        placement_host_update(world.placement, world.hosts[i], NOW_MS);
    }
    ask = ask_for(&world, world.blueprints[0]);
    leave = world.blueprints[1];
    ask.leave = &leave;
    ask.leave_count = 1;
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_OK);
    assert_int_equal(host->id, 8);
    assert_int_equal(placement_verdict(world.placement, &ask, world.hosts[8], NOW_MS),
                     PLACEMENT_LEFT);
    assert_int_equal(why.counts[PLACEMENT_FITS], 0);
    for (int filter = PLACEMENT_STATE; filter < PLACEMENT_FILTER_COUNT; filter++)
        assert_int_equal(why.counts[filter], 1);
    assert_int_equal(why.terms.free_after_bytes, 512 * MIB);

    ask.amount.memory_bytes = 2000 * MIB;
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_NO_ROOM);
    assert_int_equal(why.nearest->id, 5);
    assert_int_equal(why.nearest_lacks_bytes, 976 * MIB);
    assert_int_equal(why.counts[PLACEMENT_MEMORY], 5);
    assert_true(placement_has_host(world.placement, &ask));
    for (size_t i = 1; i < world.host_count; i++) {
        world.hosts[i]->reachable = false;
        placement_host_update(world.placement, world.hosts[i], NOW_MS);
    }
    assert_false(placement_has_host(world.placement, &ask));
    world_fini(&world);
}

static void
test_avoided_only_while_there_is_another(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;

    (void)state;
    world_init(&world, 1);
    host_make(&world, world.pools[0], 1024 * MIB);
    host_make(&world, world.pools[0], 4096 * MIB);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 512 * MIB);
    ask = ask_for(&world, world.blueprints[0]);
    ask.avoid = world.hosts[0];
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 2);
    world.hosts[1]->state = HOST_INACTIVE;
    placement_host_update(world.placement, world.hosts[1], NOW_MS);
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 1);
    world_fini(&world);
}

static void
test_could_ever_looks_at_whole_hosts(void **state)
{
    struct world world;
    struct placement_ask ask;

    (void)state;
    world_init(&world, 1);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 512 * MIB);
    ask = ask_for(&world, world.blueprints[0]);
    assert_false(placement_could_ever(world.placement, &ask));
    host_make(&world, world.pools[0], 512 * MIB);
    world.hosts[0]->reserved.memory_bytes = 512 * MIB;
    world.hosts[0]->state = HOST_INACTIVE;
    placement_host_update(world.placement, world.hosts[0], NOW_MS);
    assert_true(placement_could_ever(world.placement, &ask));
    ask.amount.memory_bytes++;
    assert_false(placement_could_ever(world.placement, &ask));
    ask.amount.memory_bytes = MIB;
    ask.amount.cpus_milli = 8001;
    assert_false(placement_could_ever(world.placement, &ask));
    world.hosts[0]->total.memory_bytes = 0; /* not known yet */
    placement_host_update(world.placement, world.hosts[0], NOW_MS);
    assert_true(placement_could_ever(world.placement, &ask));
    world.hosts[0]->state = HOST_REMOVED;
    placement_host_update(world.placement, world.hosts[0], NOW_MS);
    assert_false(placement_could_ever(world.placement, &ask));
    world_fini(&world);
}

/* --- The property ----------------------------------------------------------------------------- */

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
        world->blueprints[i] = blueprint;
    }
}

static void
host_add_random(struct world *world)
{
    struct host *host = host_make(world, world->pools[draw(world, 8) == 0],
                                  (world->coarse ? 4 : 1 + draw(world, 12)) * 1024 * MIB);

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

    switch (draw(world, 6)) {
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
        if ((filter == PLACEMENT_FITS || filter >= PLACEMENT_MEMORY) &&
            host->capacity.memory_bytes - host->reserved.memory_bytes > most)
            most = host->capacity.memory_bytes - host->reserved.memory_bytes;
    }
    for (int filter = 0; filter < PLACEMENT_FILTER_COUNT; filter++)
        assert_int_equal(why->counts[filter], counts[filter]);
    if (winner)
        return;
    assert_int_equal(why->nearest != NULL, most != INT64_MIN);
    if (why->nearest && most < ask->amount.memory_bytes)
        assert_int_equal(why->nearest_lacks_bytes, ask->amount.memory_bytes - most);
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
        cmocka_unit_test(test_best_fit_takes_the_lowest_bucket),
        cmocka_unit_test(test_image_and_replicas_decide_among_equals),
        cmocka_unit_test(test_why_counts_first_failed_filters),
        cmocka_unit_test(test_avoided_only_while_there_is_another),
        cmocka_unit_test(test_could_ever_looks_at_whole_hosts),
        cmocka_unit_test(test_buckets_decide_as_the_linear_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
