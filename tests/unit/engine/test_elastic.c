/*
 * A pool that rents its machines: from a plan to a host that takes work, and
 * back to nothing, with what it cost.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rented.h"

static void
test_grows_to_its_minimum(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 2);
    rented_end(&rented);
}

static void
test_grows_for_what_waits(void **state)
{
    struct rented rented;
    int64_t id;

    (void)state;
    rented_begin(&rented, 0);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824}");
    id = world_launch(&rented.world, "web", "ann");
    rented_until_active(&rented, 1, 180000);
    world_run(&rented.world, 30000);
    assert_int_equal(world_instance(&rented.world, id)->state, INSTANCE_RUNNING);
    rented_end(&rented);
}

static void
test_gives_all_back(void **state)
{
    struct rented rented;
    const struct pool *pool;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    world_run(&rented.world, 3600000);
    rented_policy_set(&rented, 0, true);
    world_run(&rented.world, 300000);
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 0);
    pool = model_pool_find(engine_model(rented.world.engine), "rent");
    assert_int_equal(pool->hosts, 0);
    /* Never less than the provider asks for, and hardly more. */
    assert_true(pool->spent_micro + 2 * 60 * 10 >= fake_cloud_cost_micro(rented.world.cloud));
    assert_true(pool->spent_micro <= fake_cloud_cost_micro(rented.world.cloud) + 2000);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_minimum),
        cmocka_unit_test(test_grows_for_what_waits),
        cmocka_unit_test(test_gives_all_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
