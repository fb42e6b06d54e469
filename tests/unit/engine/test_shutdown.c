/*
 * A pool that a person shuts down: emptied by the deadline, its machines given
 * back, and the proof that the account holds none any more.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { LONG_MS = 3600000 };

static struct operation *
shut_down(struct rented *rented, int64_t deadline_ms)
{
    struct operation *operation;
    struct fault fault;
    const struct pool_shutdown wanted = { "rent", deadline_ms, "ann" };

    assert_int_equal(engine_pool_shutdown(rented->world.engine, &wanted, &operation, &fault), 0);
    return operation;
}

static const struct operation *
the_operation(const struct world *world)
{
    IDMAP_EACH(&engine_model(world->engine)->operations, struct operation, operation)
    {
        if (operation->kind == OPERATION_POOL_SHUTDOWN)
            return operation;
    }
    fail_msg("there is no operation");
    abort();
}

static bool
is_over(struct world *world)
{
    return the_operation(world)->state != OPERATION_RUNNING;
}

static bool
is_running(struct world *world)
{
    return engine_model(world->engine)->instance_counts[INSTANCE_RUNNING] == 2;
}

/* One instance that is moved when its host goes, one that is not; both run. */
static void
two_run(struct rented *rented, int64_t ret_ids[2])
{
    (void)world_blueprint(&rented->world,
                          "{\"name\":\"web\",\"image\":\"web:1\",\"memory_bytes\":67108864,"
                          "\"pool\":\"rent\",\"restart\":{\"policy\":\"always\"}}");
    (void)world_blueprint(&rented->world,
                          "{\"name\":\"job\",\"image\":\"job:1\",\"memory_bytes\":67108864,"
                          "\"pool\":\"rent\"}");
    ret_ids[0] = world_launch(&rented->world, "web", "ann");
    ret_ids[1] = world_launch(&rented->world, "job", "bob");
    assert_true(world_run_until(&rented->world, is_running, 60000));
}

static void
assert_proven(struct rented *rented, size_t machines)
{
    const struct operation *operation = the_operation(&rented->world);
    CLEANUP(mem_freep) char *given = mem_printf("machines given back: %zu;", machines);

    assert_int_equal(operation->state, OPERATION_DONE);
    assert_int_equal(operation->progress, operation->total);
    assert_non_null(strstr(operation->text, "proof: the account lists 0 machines of pool rent"));
    assert_non_null(strstr(operation->text, engine_cluster_id(rented->world.engine)));
    assert_non_null(strstr(operation->text, given));
    assert_non_null(strstr(operation->text, "; deleted: security group sg-1"));
    assert_int_equal(fake_cloud_alive(rented->world.cloud), 0);
    assert_false(fake_cloud_has_group(rented->world.cloud, rented_pool(rented)));
    world_run(&rented->world, 1000);
    assert_int_equal(rented_events(rented, "pool.shutdown_done"), 1);
}

/* What runs goes on until the deadline, then it is stopped and says why; nothing new is launched. */
static void
test_it_is_emptied_and_proven(void **state)
{
    struct rented rented;
    int64_t ids[2];
    uint64_t lists;

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    two_run(&rented, ids);
    (void)shut_down(&rented, 600000);
    world_run(&rented.world, 590000);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 2);
    assert_int_equal(rented_count(&rented, HOST_ACTIVE), 0);
    assert_false(is_over(&rented.world));
    assert_non_null(strstr(the_operation(&rented.world)->text, "2 instances on"));
    lists = fake_cloud_calls(rented.world.cloud, CLOUD_LIST);
    assert_true(world_run_until(&rented.world, is_over, LONG_MS));
    assert_true(fake_cloud_calls(rented.world.cloud, CLOUD_LIST) >= lists + 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(world_instance(&rented.world, ids[i])->state, INSTANCE_STOPPED);
        assert_string_equal(world_instance(&rented.world, ids[i])->reason,
                            "its pool was shut down");
    }
    assert_proven(&rented, 2);
    world_run(&rented.world, LONG_MS);
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_LAUNCH), 2);
    rented_end(&rented);
}

/* A machine that is on its way is given back, too; and what no row knows counts. */
static void
test_nothing_is_forgotten(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    rented_policy_set(&rented, 3, false);
    world_run(&rented.world, 20000);
    assert_int_equal(rented_count(&rented, HOST_SPAWNED), 2);
    rented_strays_launch(&rented, 8);
    (void)shut_down(&rented, 0);
    world_run(&rented.world, 600000);
    assert_false(is_over(&rented.world));
    assert_non_null(strstr(the_operation(&rented.world)->text, "still lists 8 machines"));
    for (int i = 0; i < 8; i++) {
        struct fake_vm *vm = fake_vm_next(fake_cloud_vms(rented.world.cloud), NULL);

        while (vm && !(fake_vm_is_alive(vm) && strcmp(vm->name, "stray") == 0))
            vm = fake_vm_next(fake_cloud_vms(rented.world.cloud), vm);
        assert_non_null(vm);
        fake_vm_vanish(vm);
    }
    assert_true(world_run_until(&rented.world, is_over, 60000));
    assert_proven(&rented, 3);
    rented_end(&rented);
}

/* Listings that are not complete, or that fail, prove nothing. */
static void
test_half_a_listing_proves_nothing(void **state)
{
    struct fake_cloud_rule half = { .verb = CLOUD_LIST };
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    (void)shut_down(&rented, 0);
    world_run(&rented.world, 10000);
    half.fate = fake_cloud_fate_usual();
    half.fate.incomplete = true;
    fake_cloud_rule_add(rented.world.cloud, &half);
    world_run(&rented.world, 600000);
    assert_false(is_over(&rented.world));
    fake_cloud_rules_clear(rented.world.cloud);
    assert_true(world_run_until(&rented.world, is_over, 120000));
    assert_int_equal(fake_cloud_alive(rented.world.cloud), 0);
    rented_end(&rented);
}

static void
forgetting_fails(struct rented *rented, enum fault_kind kind, int nth)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_FORGET, .nth = nth };

    rule.fate = fake_cloud_fate_usual();
    rule.fate.how.kind = kind;
    fake_cloud_rule_add(rented->world.cloud, &rule);
}

static bool
is_forgetting(struct world *world)
{
    return fake_cloud_calls(world->cloud, CLOUD_FORGET) > 0;
}

/* What was made for the pool is still in use for a while: it is tried again. */
static void
test_what_was_made_is_deleted_in_the_end(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    assert_true(fake_cloud_has_group(rented.world.cloud, rented_pool(&rented)));
    forgetting_fails(&rented, FAULT_CLOUD_FAILED, 1);
    forgetting_fails(&rented, FAULT_CLOUD_UNSURE, 1);
    forgetting_fails(&rented, FAULT_CLOUD_THROTTLED, 1);
    (void)shut_down(&rented, 0);
    assert_true(world_run_until(&rented.world, is_forgetting, LONG_MS));
    world_run(&rented.world, 3000);
    assert_false(is_over(&rented.world));
    assert_non_null(strstr(the_operation(&rented.world)->text, "is being deleted, but: made up"));
    assert_true(world_run_until(&rented.world, is_over, 60000));
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_FORGET), 4);
    assert_proven(&rented, 1);
    rented_end(&rented);
}

/* It cannot be deleted: that the machines are gone is proven all the same, soon or in bounded time. */
static void
test_what_cannot_be_deleted_hides_no_proof(void **state)
{
    static const enum fault_kind kinds[] = { FAULT_CLOUD_DENIED, FAULT_CLOUD_FAILED };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct operation *operation;
        struct rented rented;

        rented_begin(&rented, 1);
        rented_until_active(&rented, 1, 180000);
        forgetting_fails(&rented, kinds[i], 0);
        (void)shut_down(&rented, 0);
        assert_true(world_run_until(&rented.world, is_forgetting, LONG_MS));
        assert_true(world_run_until(&rented.world, is_over, i == 0 ? 1000 : 310000));
        operation = the_operation(&rented.world);
        assert_int_equal(operation->state, OPERATION_DONE);
        assert_non_null(strstr(operation->text, "proof: the account lists 0 machines"));
        assert_non_null(strstr(operation->text, "; not deleted, "));
        assert_non_null(strstr(operation->text, "made up (once more: berth pool shutdown)"));
        /* Said once more, it is done. */
        fake_cloud_rules_clear(rented.world.cloud);
        (void)shut_down(&rented, 0);
        world_run(&rented.world, 30000);
        assert_false(fake_cloud_has_group(rented.world.cloud, rented_pool(&rented)));
        rented_end(&rented);
    }
}

/* The pool is set back to work while that is under way: it goes on with what it makes anew. */
static void
test_it_is_set_back_while_it_is_forgotten(void **state)
{
    struct rented rented;

    (void)state;
    rented_begin(&rented, 1);
    rented_until_active(&rented, 1, 180000);
    forgetting_fails(&rented, FAULT_CLOUD_FAILED, 0);
    (void)shut_down(&rented, 0);
    assert_true(world_run_until(&rented.world, is_forgetting, LONG_MS));
    rented_policy_set(&rented, 1, false);
    assert_int_equal(the_operation(&rented.world)->state, OPERATION_CANCELLED);
    rented_until_active(&rented, 1, 180000);
    world_run(&rented.world, LONG_MS);
    assert_true(fake_cloud_has_group(rented.world.cloud, rented_pool(&rented)));
    assert_int_equal(fake_cloud_calls(rented.world.cloud, CLOUD_FORGET), 1);
    rented_end(&rented);
}

/* Killed at any moment, it goes on. */
static void
test_it_survives_a_crash(void **state)
{
    (void)state;
    for (int64_t after_ms = 500; after_ms < 200000; after_ms += 17000) {
        struct rented rented;
        int64_t ids[2];

        rented_begin(&rented, 2);
        rented_until_active(&rented, 2, 180000);
        two_run(&rented, ids);
        (void)shut_down(&rented, 60000);
        world_run(&rented.world, after_ms);
        world_crash(&rented.world, 0);
        world_start(&rented.world);
        assert_true(world_run_until(&rented.world, is_over, LONG_MS));
        assert_proven(&rented, 2);
        assert_true(rented_pool(&rented)->shut_down);
        rented_end(&rented);
    }
}

static void
test_it_is_cancelled(void **state)
{
    struct rented rented;
    struct operation *operation;
    struct fault fault;
    int64_t ids[2];

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    two_run(&rented, ids);
    operation = shut_down(&rented, LONG_MS);
    world_run(&rented.world, 5000);
    assert_int_equal(engine_operation_cancel(rented.world.engine, operation, &fault), 0);
    assert_int_equal(operation->state, OPERATION_CANCELLED);
    assert_false(rented_pool(&rented)->policy.shutdown);
    assert_false(rented_pool(&rented)->shut_down);
    assert_int_equal(engine_operation_cancel(rented.world.engine, operation, &fault), -1);
    rented_until_active(&rented, 2, 180000);
    world_run(&rented.world, LONG_MS + 60000);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 2);
    assert_int_equal(rented_events(&rented, "pool.shutdown_cancelled"), 1);
    rented_end(&rented);
}

/* The same by the pool's policy; and what a person shut down stays so when anything else is set. */
static void
test_the_pool_is_set_back(void **state)
{
    struct rented rented;
    int64_t ids[2];

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    two_run(&rented, ids);
    (void)shut_down(&rented, LONG_MS);
    world_run(&rented.world, 5000);
    rented_policy_set(&rented, 2, true);
    assert_true(rented_pool(&rented)->shut_down);
    assert_false(is_over(&rented.world));
    rented_policy_set(&rented, 2, false);
    assert_int_equal(the_operation(&rented.world)->state, OPERATION_CANCELLED);
    rented_until_active(&rented, 2, 180000);
    assert_int_equal(engine_model(rented.world.engine)->instance_counts[INSTANCE_RUNNING], 2);
    rented_end(&rented);
}

/* Asked for once more, it takes the new deadline. */
static void
test_another_deadline(void **state)
{
    struct rented rented;
    const struct operation *first;
    int64_t ids[2];

    (void)state;
    rented_begin(&rented, 2);
    rented_until_active(&rented, 2, 180000);
    two_run(&rented, ids);
    first = shut_down(&rented, 20 * (int64_t)LONG_MS);
    world_run(&rented.world, 5000);
    assert_ptr_equal(shut_down(&rented, 0), first);
    assert_true(world_run_until(&rented.world, is_over, 600000));
    assert_proven(&rented, 2);
    rented_end(&rented);
}

/* Machines that are not Berth's stay: it is over when nothing runs there. */
static void
test_a_pool_of_given_machines(void **state)
{
    const struct pool_shutdown wanted = { "own", 0, "ann" };
    struct operation *operation;
    struct fault fault;
    struct rented rented;
    struct host *host;

    (void)state;
    rented_begin(&rented, 0);
    (void)world_pool(&rented.world, "own");
    host = world_host(&rented.world, "own", "rack1", INT64_C(1) << 30, 2);
    world_run(&rented.world, 5000);
    assert_int_equal(host->state, HOST_ACTIVE);
    assert_int_equal(engine_pool_shutdown(rented.world.engine, &wanted, &operation, &fault), 0);
    assert_int_equal(operation->state, OPERATION_DONE);
    assert_int_equal(host->state, HOST_INACTIVE);
    assert_non_null(strstr(operation->text, "are not Berth's to end"));
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_emptied_and_proven),
        cmocka_unit_test(test_nothing_is_forgotten),
        cmocka_unit_test(test_half_a_listing_proves_nothing),
        cmocka_unit_test(test_what_was_made_is_deleted_in_the_end),
        cmocka_unit_test(test_what_cannot_be_deleted_hides_no_proof),
        cmocka_unit_test(test_it_is_set_back_while_it_is_forgotten),
        cmocka_unit_test(test_it_survives_a_crash),
        cmocka_unit_test(test_it_is_cancelled),
        cmocka_unit_test(test_the_pool_is_set_back),
        cmocka_unit_test(test_another_deadline),
        cmocka_unit_test(test_a_pool_of_given_machines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
