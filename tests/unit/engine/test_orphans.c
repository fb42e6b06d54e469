/*
 * Machines with our tag that no host is on, as people see them: what a fresh
 * listing tells, and how they are ended by a person's word.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

struct listing {
    struct engine_listing listing;
    bool done;
    enum fault_kind kind;
};

static void
on_listed(struct engine_listing *listing, const struct fault *fault)
{
    struct listing *mine = CONTAINER_OF(listing, struct listing, listing);

    assert_false(mine->done);
    mine->done = true;
    mine->kind = fault ? fault->kind : FAULT_NONE;
}

static enum fault_kind
list(struct rented *rented)
{
    struct listing listing = { .listing.done = on_listed };
    struct fault fault;

    assert_int_equal(
        engine_pool_list_start(rented->world.engine, rented_pool(rented), &listing.listing, &fault),
        0);
    assert_false(listing.done);
    while (!listing.done)
        assert_true(world_turn(&rented->world, INT64_MAX));
    return listing.kind;
}

/* How many are told with @verdict. */
static size_t
told_with(struct rented *rented, const char *verdict)
{
    json_t *json = rented_told(rented, engine_pool_orphans);
    const json_t *item;
    size_t count = 0;
    size_t i;

    json_array_foreach(json_object_get(json, "items"), i, item)
    {
        count += strcmp(json_in_string(item, "verdict", ""), verdict) == 0;
    }
    json_decref(json);
    return count;
}

static int
end_some(struct rented *rented, size_t count, const char *more, struct fault *fault)
{
    struct schema_strings ids = { mem_new0((count + 1) * sizeof(char *)), 0 };
    json_t *json = rented_told(rented, engine_pool_orphans);
    int result;

    for (; ids.count < count; ids.count++) {
        ids.at[ids.count] = mem_strdup(json_in_string(
            json_array_get(json_object_get(json, "items"), ids.count), "id", "no such machine"));
    }
    if (more)
        ids.at[ids.count++] = mem_strdup(more);
    result = engine_pool_orphans_end(rented->world.engine, rented_pool(rented), &ids, "ann", fault);
    while (ids.count > 0)
        mem_free(ids.at[--ids.count]);
    mem_free(ids.at);
    json_decref(json);
    return result;
}

/* What is told of a machine is what the provider told, at once. */
static void
test_a_fresh_listing(void **state)
{
    struct rented rented;
    const json_t *item;
    json_t *json;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)fake_cloud_alien_add(rented.world.cloud);
    rented_strays_launch(&rented, 2);
    world_run(&rented.world, 10000);
    assert_int_equal(list(&rented), FAULT_NONE);
    json = rented_told(&rented, engine_pool_orphans);
    assert_true(json_in_bool(json, "complete", false));
    assert_int_equal(json_in_int(json, "machines", 0), 3);
    assert_int_equal(json_in_int(json, "stopped", -1), 0);
    assert_int_equal(json_in_int(json, "most", 0), 5);
    assert_non_null(json_in_string(json, "listed_at", NULL));
    assert_int_equal(json_array_size(json_object_get(json, "items")), 2);
    item = json_array_get(json_object_get(json, "items"), 0);
    assert_string_equal(json_in_string(item, "machine_type", ""), "small");
    assert_string_equal(json_in_string(item, "verdict", ""), "young");
    assert_non_null(json_in_string(item, "launched_at", NULL));
    json_decref(json);
    rented_end(&rented);
}

static void
test_what_a_listing_may_lack(void **state)
{
    struct fake_cloud_rule half = { .verb = CLOUD_LIST };
    struct rented rented;
    json_t *json;

    (void)state;
    half.fate = fake_cloud_fate_usual();
    half.fate.incomplete = true;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rented_strays_launch(&rented, 4);
    world_run(&rented.world, 10000);
    fake_cloud_rule_add(rented.world.cloud, &half);
    assert_int_equal(list(&rented), FAULT_NONE);
    json = rented_told(&rented, engine_pool_orphans);
    assert_false(json_in_bool(json, "complete", true));
    json_decref(json);
    rented_end(&rented);
}

/* A provider that fails, is silent, or is not asked at all because the daemon stops. */
static void
test_no_listing(void **state)
{
    struct fake_cloud_rule fails = { .verb = CLOUD_LIST };
    struct listing listing = { .listing.done = on_listed };
    struct rented rented;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    fails.fate = fake_cloud_fate_usual();
    fails.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_DENIED, FAKE_NOTHING, 0 };
    fake_cloud_rule_add(rented.world.cloud, &fails);
    assert_int_equal(list(&rented), FAULT_CLOUD_DENIED);
    /* Asked again, it does not wait for the end of the pause that this brought. */
    assert_int_equal(list(&rented), FAULT_CLOUD_DENIED);
    fake_cloud_rules_clear(rented.world.cloud);
    fails.fate.how = (struct fake_fate){ 3600000, FAULT_NONE, FAKE_DONE, 0 };
    fake_cloud_rule_add(rented.world.cloud, &fails);
    assert_int_equal(list(&rented), FAULT_TIMEOUT);
    assert_int_equal(
        engine_pool_list_start(rented.world.engine, rented_pool(&rented), &listing.listing, &fault),
        0);
    world_stop(&rented.world);
    assert_true(listing.done);
    assert_int_equal(listing.kind, FAULT_SHUTTING_DOWN);
    fake_cloud_rules_clear(rented.world.cloud);
    world_start(&rented.world);
    rented_end(&rented);
}

static void
test_a_pool_that_rents_nothing(void **state)
{
    struct listing listing = { .listing.done = on_listed };
    struct rented rented;
    struct pool *pool;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 0);
    pool = world_pool(&rented.world, "own");
    assert_int_equal(engine_pool_list_start(rented.world.engine, pool, &listing.listing, &fault),
                     -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_string_equal(fault.text, "pool own rents no machines: its provider is static");
    rented_end(&rented);
}

static bool
is_only_hosts(struct world *world)
{
    return fake_cloud_alive(world->cloud) == rented_count(world->cookie, HOST_ACTIVE);
}

/* Beyond the cap nothing goes by itself, and all that a person names goes, asked for until it has gone. */
static void
test_a_person_ends_what_the_cap_has_stopped(void **state)
{
    struct fake_cloud_rule lost = { .verb = CLOUD_TERMINATE, .nth = 1 };
    struct rented rented;
    struct fault fault;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)fake_cloud_alien_add(rented.world.cloud);
    rented_strays_launch(&rented, 8);
    world_run(&rented.world, 300000);
    assert_int_equal(list(&rented), FAULT_NONE);
    assert_int_equal(told_with(&rented, "stopped"), 8);
    lost.fate = fake_cloud_fate_usual();
    lost.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_FAILED, FAKE_NOTHING, 0 };
    fake_cloud_rule_add(rented.world.cloud, &lost);
    assert_int_equal(end_some(&rented, 8, NULL, &fault), 0);
    assert_int_equal(told_with(&rented, "ending"), 8);
    assert_true(world_run_until(&rented.world, is_only_hosts, 120000));
    assert_int_equal(rented_events(&rented, "pool.sweep_resumed"), 1);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 1);
    assert_int_equal(fake_cloud_aliens_touched(rented.world.cloud), 0);
    rented_end(&rented);
}

/* One that is wrong spoils all: nothing is ended by mistake. */
static void
test_what_may_not_be_ended(void **state)
{
    struct rented rented;
    struct fault fault;
    const char *own;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rented_strays_launch(&rented, 8);
    world_run(&rented.world, 20000);
    assert_int_equal(end_some(&rented, 1, NULL, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    world_run(&rented.world, 300000);
    own = rented_first(&rented)->machine->id;
    assert_int_equal(end_some(&rented, 8, own, &fault), -1);
    assert_int_equal(fault.kind, FAULT_NOT_FOUND);
    assert_non_null(strstr(fault.text, own));
    world_run(&rented.world, 60000);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 9);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_TERMINATE), 0);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fresh_listing),
        cmocka_unit_test(test_what_a_listing_may_lack),
        cmocka_unit_test(test_no_listing),
        cmocka_unit_test(test_a_pool_that_rents_nothing),
        cmocka_unit_test(test_a_person_ends_what_the_cap_has_stopped),
        cmocka_unit_test(test_what_may_not_be_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
