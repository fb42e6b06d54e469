/* How things stand, told: counts, ceilings, what is held, what is wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/engine/status.h"

#include "rented.h"

/* What is wrong of @kind; NULL: nothing. Borrowed from @wrongs. */
static const json_t *
find(const json_t *wrongs, const char *kind)
{
    const json_t *wrong;
    size_t i;

    json_array_foreach(wrongs, i, wrong)
    {
        if (strcmp(json_in_string(wrong, "kind", ""), kind) == 0)
            return wrong;
    }
    return NULL;
}

static int64_t
number(const json_t *json, const char *object, const char *key)
{
    return json_in_int(json_object_get(json, object), key, -1);
}

static void
test_hosts_room_and_what_was_done(void **state)
{
    struct rented rented;
    const struct status_pool *status;
    json_t *told;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    told = rented_told(&rented, engine_status_tell);
    assert_int_equal(number(told, "hosts", "active"), 2);
    assert_int_equal(number(told, "hosts", "spawned"), 0);
    assert_int_equal(number(told, "queue", "length"), 0);
    assert_int_equal(json_in_int(told, "launches_last_hour", -1), 2);
    assert_true(number(told, "capacity", "memory_bytes") > 0);
    assert_int_equal(json_array_size(json_object_get(told, "held")), 0);
    json_decref(told);
    status = engine_status_pool(rented.world.engine, rented_pool(&rented));
    assert_int_equal(status->begun[POLICY_SPAWN], 2);
    assert_int_equal(status->begun[POLICY_PREPARE], 2);
    assert_int_equal(status->begun[POLICY_DRAIN], 0);
    told = rented_wrongs(&rented);
    assert_int_equal(json_array_size(told), 0);
    json_decref(told);
    rented_end(&rented);
}

static bool
is_held(struct world *world)
{
    struct rented *rented = CONTAINER_OF(world, struct rented, world);

    return engine_status_pool(world->engine, rented_pool(rented))->plan.held_count > 0;
}

static void
test_what_holds_back_growth(void **state)
{
    struct rented rented;
    json_t *told;
    const json_t *held;

    (void)state;
    rented_begin(&rented, 0);
    rented_rule_set(&rented, (struct rented_rules){ .min_hosts = 3, .max_hosts = 3 });
    rented_until_active(&rented, 3, 180000);
    (void)world_blueprint(&rented.world, "{\"name\":\"web\",\"pool\":\"rent\",\"image\":\"img\","
                                         "\"memory_bytes\":1073741824}");
    for (int i = 0; i < 40; i++)
        (void)world_launch(&rented.world, "web", "ann");
    assert_true(world_run_until(&rented.world, is_held, 60000));
    told = rented_told(&rented, engine_status_tell);
    held = json_array_get(json_object_get(told, "held"), 0);
    assert_string_equal(json_in_string(held, "hold", ""), "max_hosts");
    assert_true(strlen(json_in_string(held, "text", "")) > 0);
    assert_true(number(told, "queue", "length") > 0);
    assert_true(number(told, "queue", "oldest_s") >= 0);
    assert_non_null(json_in_string(json_object_get(told, "queue"), "oldest", NULL));
    json_decref(told);
    rented_end(&rented);
}

static bool
is_unreachable(struct world *world)
{
    struct rented *rented = CONTAINER_OF(world, struct rented, world);

    return !rented_first(rented)->reachable;
}

static void
test_what_is_wrong_is_told_by_name(void **state)
{
    struct rented rented;
    struct fake_machine *machine;
    const json_t *wrong;
    json_t *told;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    machine = fake_docker_machine_of(rented.world.docker, rented_first(&rented)->id);
    machine->unreachable = true;
    assert_true(world_run_until(&rented.world, is_unreachable, 60000));
    told = rented_wrongs(&rented);
    wrong = find(told, "host_unreachable");
    assert_non_null(wrong);
    assert_int_equal(json_in_int(wrong, "count", 0), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(wrong, "names"), 0)),
                        rented_first(&rented)->name);
    json_decref(told);
    machine->unreachable = false;
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_room_and_what_was_done),
        cmocka_unit_test(test_what_holds_back_growth),
        cmocka_unit_test(test_what_is_wrong_is_told_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
