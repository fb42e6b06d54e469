/*
 * The scenarios of the reference, by the whole engine in the simulation (scenario.h says what of them
 * is compared).  The same by the policy alone: unit.domain.policy_reference; the defects of the
 * reference: unit.engine.reference_defects.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario.h"

enum { SEEDS = 5, PREPARED_S = 60 + SCENARIO_ROUND_S };

#define EXPECT(steps) scenario_expect(run, (struct scenario_span){ 0, 0 }, steps, ARRAY_LEN(steps))

/* One host, as the first rounds make it. */
#define ONE_HOST SCENARIO_AT(0, "cpu-1 spawned small"), SCENARIO_BY(60, "cpu-1 active")

static uint64_t seed;
static struct scenario *run;

static int
setup(void **state)
{
    (void)state;
    run = scenario_begin(seed);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    scenario_drop(run);
    return 0;
}

static const char *
state_of(int64_t id)
{
    return instance_state_name((enum instance_state)scenario_instance(run, id)->state);
}

/* --- Hosts come and go -------------------------------------------------------------------------- */

static void
test_spawn_one_host(void **state)
{
    static const struct scenario_expected steps[] = { ONE_HOST };

    (void)state;
    scenario_until(run, SCENARIO_ROUND_S);
    assert_string_equal(scenario_states(run, "cpu"), "spawned");
    scenario_until(run, PREPARED_S);
    assert_string_equal(scenario_states(run, "cpu"), "active");
    scenario_after_round(run);
    EXPECT(steps);
    scenario_end(run);
}

static void
test_an_unused_host_does_not_age(void **state)
{
    static const struct scenario_expected steps[] = { ONE_HOST };

    (void)state;
    scenario_until(run, PREPARED_S + SCENARIO_LIFETIME_S + SCENARIO_MINUTE_S);
    for (int i = 0; i < 5; i++)
        scenario_after_round(run);
    EXPECT(steps);
    scenario_end(run);
}

/* {active, spawned}, {active, active}, {inactive, active}, {active}. */
static void
test_the_replacement_comes_first(void **state)
{
    static const struct scenario_expected steps[] = {
        ONE_HOST,
        SCENARIO_AT(720, "cpu-2 spawned small"),
        SCENARIO_BY(780, "cpu-2 active"),
        SCENARIO_AT(1020, "cpu-1 inactive"),
        SCENARIO_BY(1080, "cpu-1 leaves"),
    };

    (void)state;
    scenario_until(run, 110);
    scenario_stop(run, scenario_run_one(run, "cpu"));
    scenario_until(run, 1080 + SCENARIO_ROUND_S);
    EXPECT(steps);
    scenario_end(run);
    assert_string_equal(scenario_states(run, "cpu"), "active");
    assert_int_equal(fake_cloud_alive(run->sim.cloud), 1);
}

/* --- Instances ---------------------------------------------------------------------------------- */

static void
test_provision_and_deprovision(void **state)
{
    const struct host *host;
    int64_t id;

    (void)state;
    scenario_until(run, PREPARED_S);
    id = scenario_run_one(run, "cpu");
    host = scenario_host(run, "cpu-1");
    assert_ptr_equal(scenario_instance(run, id)->host, host);
    assert_int_equal(host->reserved.slots, 1);
    assert_int_equal(scenario_engine(run, "cpu-1")->containers.count, 1);
    scenario_stop(run, id);
    scenario_pass(run, 30);
    assert_string_equal(state_of(id), "stopped");
    assert_int_equal(host->reserved.slots, 0);
    assert_int_equal(scenario_engine(run, "cpu-1")->containers.count, 0);
    scenario_end(run);
}

static void
test_deprovision_twice(void **state)
{
    int64_t id;

    (void)state;
    scenario_until(run, PREPARED_S);
    id = scenario_run_one(run, "cpu");
    scenario_stop(run, id);
    scenario_stop(run, id);
    scenario_pass(run, 30);
    scenario_stop(run, id);
    scenario_pass(run, 30);
    assert_string_equal(state_of(id), "stopped");
    assert_int_equal(scenario_host(run, "cpu-1")->score.milli, 0);
    scenario_end(run);
}

/* Somebody removed the container: its engine says 404. */
static void
test_deprovision_what_is_not_there(void **state)
{
    struct fake_machine *machine;
    int64_t id;

    (void)state;
    scenario_until(run, PREPARED_S);
    id = scenario_run_one(run, "cpu");
    machine = scenario_engine(run, "cpu-1");
    mem_free(CONTAINER_OF(list_pop(&machine->containers), struct fake_container, node));
    sim_blame(&run->sim, machine);
    scenario_stop(run, id);
    scenario_pass(run, 30);
    assert_string_equal(state_of(id), "stopped");
    assert_int_equal(scenario_host(run, "cpu-1")->reserved.slots, 0);
    scenario_end(run);
}

/* --- Up and down -------------------------------------------------------------------------------- */

/* So many instances with a round after each run; one more waits, and it is said why. */
static void
scale_up(const char *pool, int64_t instances)
{
    int64_t id;

    for (int64_t i = 0; i < instances; i++) {
        id = scenario_launch(run, pool);
        scenario_after_round(run);
        assert_string_equal(state_of(id), "running");
    }
    id = scenario_launch(run, pool);
    scenario_after_round(run);
    assert_string_equal(state_of(id), "queued");
    assert_true(scenario_is_explained(run, id, "\"lacks_slots\":1"));
    assert_true(scenario_is_full(run, pool));
    assert_true(scenario_events(run, "pool.held") > 0);
}

/* All leave; the rounds go on. */
static void
scale_down(const char *pool, int64_t max_hosts)
{
    scenario_stop_all(run);
    scenario_pass(run, SCENARIO_LIFETIME_S);
    for (int64_t i = 0; i < 3 * max_hosts; i++)
        scenario_after_round(run);
    assert_string_equal(scenario_states(run, pool), "active");
}

static void
test_up_to_the_limit_and_down(void **state)
{
    (void)state;
    scenario_until(run, PREPARED_S);
    scale_up("cpu", SCENARIO_SMALL + SCENARIO_LARGE * (SCENARIO_MAX_HOSTS - 1));
    assert_string_equal(scenario_states(run, "cpu"), "active active active active");
    scale_down("cpu", SCENARIO_MAX_HOSTS);
    scenario_end(run);
}

static void
test_the_second_pool_up_to_the_limit_and_down(void **state)
{
    (void)state;
    scenario_second(run);
    scenario_until(run, PREPARED_S);
    scale_up("gpu", SCENARIO_SECOND_SLOTS * (int64_t)SCENARIO_SECOND_MAX_HOSTS);
    assert_string_equal(scenario_states(run, "gpu"), "active active");
    scale_down("gpu", SCENARIO_SECOND_MAX_HOSTS);
    scenario_end(run);
}

static void
test_shutdown(void **state)
{
    static const struct scenario_expected steps[] = {
        ONE_HOST,
        SCENARIO_BY(120 + SCENARIO_ROUND_S, "cpu-1 inactive"),
        SCENARIO_BY(180 + SCENARIO_ROUND_S, "cpu-1 leaves"),
    };

    (void)state;
    scenario_until(run, PREPARED_S);
    scenario_shutdown(run, "cpu");
    scenario_after_round(run);
    scenario_after_round(run);
    scenario_after_round(run);
    EXPECT(steps);
    assert_string_equal(scenario_states(run, "cpu"), "");
    assert_int_equal(fake_cloud_alive(run->sim.cloud), 0);
    scenario_end(run);
}

static void
test_shutdown_of_one_pool_only(void **state)
{
    (void)state;
    scenario_second(run);
    scenario_until(run, PREPARED_S);
    scenario_shutdown(run, "cpu");
    for (int i = 0; i < 3; i++)
        scenario_after_round(run);
    assert_string_equal(scenario_states(run, "cpu"), "");
    assert_string_equal(scenario_states(run, "gpu"), "active");
    scenario_end(run);
}

/* --- What goes wrong ---------------------------------------------------------------------------- */

/* Its engine is away for a moment, and an instance is to start there, again and again; and its canaries
 * fail. */
static void
distrust(const char *name)
{
    struct fake_machine *machine = scenario_engine(run, name);

    machine->canary_code = 1;
    for (int i = 0; i < 20 && !scenario_host(run, name)->trial; i++) {
        int64_t id;

        machine->unreachable = true;
        id = scenario_launch(run, "cpu");
        scenario_pass(run, 2);
        scenario_stop(run, id);
        machine->unreachable = false;
        scenario_pass(run, 10);
    }
    assert_non_null(scenario_host(run, name)->trial);
}

/* It is no capacity as soon as it is not trusted, so here the second host comes before it is inactive,
 * which is when it had its 120 s to recover.  What runs there goes on. */
static void
test_an_inactive_host_with_instances_stays(void **state)
{
    static const struct scenario_expected steps[] = {
        ONE_HOST,
        SCENARIO_BY(360, "cpu-2 spawned large"),
        SCENARIO_BY(420, "cpu-2 active"),
        SCENARIO_BY(480, "cpu-1 inactive"),
        { "cpu-1 leaves", 500, 560 },
    };
    int64_t id;

    (void)state;
    scenario_until(run, PREPARED_S);
    id = scenario_run_one(run, "cpu");
    distrust("cpu-1");
    scenario_until(run, 500);
    assert_string_equal(scenario_states(run, "cpu"), "inactive active");
    assert_string_equal(state_of(id), "running");
    scenario_stop(run, id);
    scenario_until(run, 580);
    EXPECT(steps);
    assert_string_equal(scenario_states(run, "cpu"), "active");
    scenario_end(run);
}

static void
test_preparation_fails_once(void **state)
{
    static const struct fake_shell_rule fails = { "cpu-1", 1, { 100, 2, FAULT_PREPARE, false } };
    static const struct scenario_expected steps[] = {
        SCENARIO_AT(0, "cpu-1 spawned small"),
        SCENARIO_BY(120, "cpu-1 active"),
    };

    (void)state;
    fake_shell_rule_add(run->sim.shell, &fails);
    scenario_until(run, 240);
    EXPECT(steps);
    assert_int_equal(scenario_events(run, "host.prepare_failed"), 1);
    assert_int_equal(fake_shell_runs(run->sim.shell), 2);
    scenario_end(run);
}

/* Given up after the sixth time, gone, and a new one is active. */
static void
test_preparation_fails_for_ever(void **state)
{
    static const struct fake_shell_rule fails = { "cpu-1", 0, { 100, 2, FAULT_PREPARE, false } };

    (void)state;
    fake_shell_rule_add(run->sim.shell, &fails);
    scenario_until(run, 540 + SCENARIO_ROUND_S);
    assert_int_equal(scenario_events(run, "host.prepare_failed"), 6);
    assert_int_equal(scenario_host(run, "cpu-1")->state, HOST_REMOVED);
    assert_string_equal(scenario_states(run, "cpu"), "active");
    assert_int_equal(fake_cloud_alive(run->sim.cloud), 1);
    scenario_end(run);
}

/* What waits meanwhile may get a machine of its own; nothing starts on the silent one until it answers. */
static void
test_docker_does_not_answer(void **state)
{
    struct fake_machine *machine;
    int64_t id;

    (void)state;
    scenario_until(run, PREPARED_S);
    machine = scenario_engine(run, "cpu-1");
    machine->unreachable = true;
    id = scenario_launch(run, "cpu");
    scenario_pass(run, 3);
    assert_string_not_equal(state_of(id), "running");
    scenario_pass(run, 17);
    assert_int_equal(machine->containers.count, 0);
    machine->unreachable = false;
    scenario_pass(run, 60);
    assert_string_equal(state_of(id), "running");
    for (int i = 0; i < SCENARIO_LARGE && machine->containers.count == 0; i++)
        (void)scenario_run_one(run, "cpu");
    assert_true(machine->containers.count > 0);
    scenario_end(run);
}

static void
test_a_machine_deleted_outside_stalls_nothing(void **state)
{
    static const char *const hosts[] = { "cpu-1", "gpu-1" };
    const struct host *host;
    int64_t id;

    (void)state;
    scenario_second(run);
    scenario_until(run, PREPARED_S);
    id = scenario_run_one(run, "cpu");
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        host = scenario_host(run, hosts[i]);
        fake_vm_vanish(fake_vm_by_id(fake_cloud_vms(run->sim.cloud), host->machine->id));
    }
    for (int i = 0; i < 5; i++)
        scenario_after_round(run);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        assert_int_equal(scenario_host(run, hosts[i])->state, HOST_REMOVED);
    assert_string_equal(state_of(id), "failed");
    assert_string_equal(scenario_states(run, "cpu"), "active");
    assert_string_equal(scenario_states(run, "gpu"), "active");
    (void)scenario_run_one(run, "cpu");
    (void)scenario_run_one(run, "gpu");
    scenario_end(run);
}

/* In each of the turns in which the machine is on its way, with none, one or two of the commits under
 * way on the disk. */
static void
test_a_crash_after_the_spawn_orphans_nothing(void **state)
{
    (void)state;
    for (uint64_t turn = 0; turn < 40; turn++) {
        for (uint64_t i = 0; i < turn; i++)
            (void)sim_turn(&run->sim, INT64_MAX);
        sim_crash(&run->sim, turn % 3);
        if (engine_model(run->sim.engine)->pools.live == 0) {
            /* It was never asked for: the pool's own row was not on the disk. */
            scenario_drop(run);
            run = scenario_begin(seed);
            continue;
        }
        scenario_pass(run, 3 * (int64_t)SCENARIO_MINUTE_S);
        assert_string_equal(scenario_states(run, "cpu"), "active");
        assert_string_equal(scenario_host(run, "cpu-1")->name, "cpu-1");
        assert_int_equal(fake_cloud_alive(run->sim.cloud), 1);
        assert_int_equal(scenario_events(run, "pool.orphan"), 0);
        scenario_end(run);
        scenario_drop(run);
        run = scenario_begin(seed);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_spawn_one_host),
        TEST(test_an_unused_host_does_not_age),
        TEST(test_the_replacement_comes_first),
        TEST(test_provision_and_deprovision),
        TEST(test_deprovision_twice),
        TEST(test_deprovision_what_is_not_there),
        TEST(test_up_to_the_limit_and_down),
        TEST(test_shutdown),
        TEST(test_shutdown_of_one_pool_only),
        TEST(test_an_inactive_host_with_instances_stays),
        TEST(test_preparation_fails_once),
        TEST(test_preparation_fails_for_ever),
        TEST(test_docker_does_not_answer),
        TEST(test_a_machine_deleted_outside_stalls_nothing),
        TEST(test_a_crash_after_the_spawn_orphans_nothing),
    };
    /* A day's work: one seed is enough. */
    const struct CMUnitTest large[] = { TEST(test_the_second_pool_up_to_the_limit_and_down) };
    int failed;

    seed = 1;
    failed = cmocka_run_group_tests_name("large scenarios", large, NULL, NULL);
    for (seed = 1; seed <= SEEDS; seed++)
        failed += cmocka_run_group_tests_name("scenarios", tests, NULL, NULL);
    return failed;
}
