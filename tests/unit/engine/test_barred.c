/*
 * Instances that wait though a host has room for them: its labels, a fixed port
 * or others of their owner bar them.  A pool that rents grows for them where a
 * new host would help, and only there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { MINUTE_MS = 60000 };

static void
begin(struct rented *rented, int64_t anti_affinity)
{
    struct pool_policy policy;

    rented_begin(rented, 1);
    schema_defaults(&pool_policy_schema, &policy);
    policy.reserve.memory_bytes = 0;
    policy.min_hosts = 1;
    policy.max_hosts = 8;
    policy.consolidate = false;
    policy.anti_affinity = anti_affinity;
    (void)world_pool_rented(&rented->world, "rent", &policy);
    rented_until_active(rented, 1, INT64_C(3) * MINUTE_MS);
}

static size_t
running(struct rented *rented)
{
    return engine_model(rented->world.engine)->instance_counts[INSTANCE_RUNNING];
}

static void
test_fixed_ports(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented, 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":67108864,"
                                         "\"ports\":[{\"container\":80,\"host\":8080}]}");
    for (int i = 0; i < 3; i++)
        (void)world_launch(&rented.world, "web", "ann");
    world_run(&rented.world, INT64_C(5) * MINUTE_MS);
    assert_int_equal(running(&rented), 3);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 3);
    world_run(&rented.world, INT64_C(30) * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "pool.spawn"), 3);
    rented_end(&rented);
}

static void
test_anti_affinity(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented, 2);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":67108864}");
    for (int i = 0; i < 6; i++)
        (void)world_launch(&rented.world, "web", "ann");
    (void)world_launch(&rented.world, "web", "bob");
    world_run(&rented.world, INT64_C(5) * MINUTE_MS);
    assert_int_equal(running(&rented), 7);
    world_run(&rented.world, INT64_C(30) * MINUTE_MS);
    assert_int_equal(rented_events(&rented, "pool.spawn"), 3);
    rented_end(&rented);
}

/* Only a host that was labelled by hand takes them. */
static void
test_labels_that_no_new_host_has(void **state)
{
    struct rented rented;
    struct schema_pair pair = { mem_unconst("disk"), mem_unconst("fast") };
    const struct schema_map labels = { .at = &pair, .count = 1 };
    struct fault fault;

    (void)state;
    begin(&rented, 0);
    assert_int_equal(
        engine_host_labels_set(rented.world.engine, rented_first(&rented), &labels, &fault), 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824,"
                                         "\"host_labels\":{\"disk\":\"fast\"}}");
    for (int i = 0; i < 3; i++)
        (void)world_launch(&rented.world, "web", "ann");
    world_run(&rented.world, INT64_C(10) * MINUTE_MS);
    assert_true(running(&rented) < 3);
    assert_int_equal(rented_events(&rented, "pool.spawn"), 1);
    assert_true(rented_events(&rented, "pool.held") > 0);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_ports),
        cmocka_unit_test(test_anti_affinity),
        cmocka_unit_test(test_labels_that_no_new_host_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
