/*
 * Placement: single rules, and why the others were not chosen.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "placement_world.h"

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

/* Ten hosts, of which each but the last three has another reason not to be taken. */
static void
why_world(struct world *world)
{
    world_init(world, 1);
    for (int i = 0; i < 10; i++)
        host_make(world, world->pools[0], 1024 * MIB);
    world->blueprints[0] = rows_blueprint_new("a", "busybox", 512 * MIB);
    world->blueprints[0]->spec.cpus_milli = 1000;
    world->blueprints[1] = rows_blueprint_new("b", "busybox", 512 * MIB);
    rows_label_add(&world->blueprints[0]->spec.host_labels, "zone", "a");
    rows_label_add(&world->blueprints[1]->spec.host_labels, "gpu", "yes");
    rows_label_add(&world->hosts[8]->labels, "gpu", "yes");
    for (int i = 1; i < 10; i++)
        rows_label_add(&world->hosts[i]->labels, "zone", "a");
    fix_port(world->blueprints[0], 8080);
    fix_port(world->blueprints[1], 8080);
    placement_note_instance(world->placement, world->hosts[9], world->blueprints[1], "bob", 1);
    world->hosts[1]->state = HOST_INACTIVE;
    world->hosts[2]->reachable = false;
    world->hosts[3]->total.memory_bytes = 500 * MIB;
    world->hosts[4]->total.cpus_milli = 500;
    world->hosts[5]->total.slots = 4;
    world->hosts[5]->reserved.slots = 4;
    world->pools[0]->policy.anti_affinity = 1;
    world->blueprints[2] = rows_blueprint_new("c", "busybox", 512 * MIB);
    placement_note_instance(world->placement, world->hosts[6], world->blueprints[2], "ann", 1);
    for (size_t i = 0; i < world->host_count; i++) {
        host_capacity_update(world->hosts[i]);
        placement_host_update(world->placement, world->hosts[i], NOW_MS);
    }
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
    why_world(&world);
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
    world_fini(&world);
}

static void
test_why_names_the_nearest_miss(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;
    struct placement_why why;
    const struct blueprint *leave;

    (void)state;
    why_world(&world);
    ask = ask_for(&world, world.blueprints[0]);
    leave = world.blueprints[1];
    ask.leave = &leave;
    ask.leave_count = 1;
    ask.amount.memory_bytes = 2000 * MIB;
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_NO_ROOM);
    assert_int_equal(why.nearest->id, 5);
    assert_int_equal(why.nearest_lacks.memory_bytes, 976 * MIB);
    assert_int_equal(why.counts[PLACEMENT_MEMORY], 5);
    assert_true(placement_has_host(world.placement, &ask));
    for (size_t i = 1; i < world.host_count; i++) {
        world.hosts[i]->reachable = false;
        placement_host_update(world.placement, world.hosts[i], NOW_MS);
    }
    assert_false(placement_has_host(world.placement, &ask));
    world_fini(&world);
}

/* What lacks, and how much, when it is not the memory. */
static void
test_why_tells_what_lacks(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;
    struct placement_why why;

    (void)state;
    world_init(&world, 1);
    host_make(&world, world.pools[0], 4096 * MIB);
    world.hosts[0]->total.slots = 3;
    host_capacity_update(world.hosts[0]);
    world.hosts[0]->reserved = (struct host_amount){ 0, 7500, 2 };
    placement_host_update(world.placement, world.hosts[0], NOW_MS);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 512 * MIB);
    ask = ask_for(&world, world.blueprints[0]);
    ask.amount.slots = 3;
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_NO_ROOM);
    assert_int_equal(why.nearest_filter, PLACEMENT_SLOTS);
    assert_int_equal(why.nearest_lacks.memory_bytes, 0);
    assert_int_equal(why.nearest_lacks.cpus_milli, 0);
    assert_int_equal(why.nearest_lacks.slots, 2);
    ask.amount.cpus_milli = 2000;
    assert_int_equal(placement_pick(world.placement, &ask, &host, &why), PLACEMENT_NO_ROOM);
    assert_int_equal(why.nearest_filter, PLACEMENT_CPUS);
    assert_int_equal(why.nearest_lacks.cpus_milli, 1500);
    assert_int_equal(why.nearest_lacks.slots, 2);
    world_fini(&world);
}

/* A fixed host port is free again when its instance is gone; another protocol is another port. */
static void
test_fixed_ports(void **state)
{
    struct world world;
    struct host *host = NULL;
    struct placement_ask ask;

    (void)state;
    world_init(&world, 1);
    for (int i = 0; i < 20; i++)
        host_make(&world, world.pools[0], 4096 * MIB);
    world.blueprints[0] = rows_blueprint_new("a", "busybox", 64 * MIB);
    world.blueprints[1] = rows_blueprint_new("b", "busybox", 64 * MIB);
    fix_port(world.blueprints[0], 8080);
    fix_port(world.blueprints[1], 8080);
    ask = ask_for(&world, world.blueprints[0]);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
        placement_note_instance(world.placement, host, world.blueprints[1], "bob", 1);
    }
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_NO_ROOM);
    ((struct blueprint_port *)world.blueprints[0]->spec.ports.at)->protocol = PROTOCOL_UDP;
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    ((struct blueprint_port *)world.blueprints[0]->spec.ports.at)->protocol = PROTOCOL_TCP;
    placement_note_instance(world.placement, world.hosts[13], world.blueprints[1], "bob", -1);
    assert_int_equal(placement_pick(world.placement, &ask, &host, NULL), PLACEMENT_OK);
    assert_int_equal(host->id, 14);
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_fit_takes_the_lowest_bucket),
        cmocka_unit_test(test_image_and_replicas_decide_among_equals),
        cmocka_unit_test(test_why_tells_what_lacks),
        cmocka_unit_test(test_fixed_ports),
        cmocka_unit_test(test_why_counts_first_failed_filters),
        cmocka_unit_test(test_why_names_the_nearest_miss),
        cmocka_unit_test(test_avoided_only_while_there_is_another),
        cmocka_unit_test(test_could_ever_looks_at_whole_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
