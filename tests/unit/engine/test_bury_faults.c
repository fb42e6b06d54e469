/*
 * Burials: each step and each fault, of an instance that is to stop and of one
 * whose container has ended.  Whatever goes wrong, in the end there is no
 * container, and how it ended is known.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "faults.h"

enum { CRASH_TURNS = 8, EXIT_CODE = 3 };

static const char plain[] = "{\"name\":\"web\",\"image\":\"img\",\"memory_bytes\":1073741824,"
                            "\"ports\":[{\"container\":80}]}";
static const char always[] = "{\"name\":\"web\",\"image\":\"img\",\"memory_bytes\":1073741824,"
                             "\"ports\":[{\"container\":80}],\"restart\":{\"policy\":\"always\"}}";

static const int64_t disks_ms[] = { 0, 3 };

static bool
is_running(struct world *world)
{
    const struct fault_case *fc = world->cookie;

    return world_instance(world, fc->id)->state == INSTANCE_RUNNING;
}

static void
run_one(struct fault_case *fc, const char *json)
{
    faults_begin(fc, json);
    fc->id = check_launch(&fc->check, "web", "ann");
    assert_true(world_run_until(&fc->world, is_running, 10000));
    world_run(&fc->world, 1000);
    faults_inject(fc);
}

static struct fake_machine *
machine_of(struct fault_case *fc)
{
    return fake_docker_machine_of(fc->world.docker, world_instance(&fc->world, fc->id)->host->id);
}

/* It is asked to stop. */
static void
play_stop(struct fault_case *fc)
{
    run_one(fc, plain);
    assert_true(check_stop(&fc->check, fc->id));
    faults_play(fc);
    faults_settle(fc, OUTCOME_STOPPED);
}

static void
end_container(struct fault_case *fc)
{
    struct fake_machine *machine = machine_of(fc);
    char name[INSTANCE_CONTAINER_NAME_SIZE];

    (void)instance_container_name(world_instance(&fc->world, fc->id), name);
    fake_docker_crash(fc->world.docker, machine, fake_machine_find(machine, name), EXIT_CODE,
                      false);
}

/* Its container ends, and nobody is to start it again. */
static void
play_end(struct fault_case *fc)
{
    const struct instance *instance;

    run_one(fc, plain);
    end_container(fc);
    faults_play(fc);
    world_run(&fc->world, 240000);
    instance = world_instance(&fc->world, fc->id);
    assert_int_equal(instance->exit_code, EXIT_CODE);
    if (fc->row->action == ACTION_STOP) {
        assert_true(instance_state_is_final((enum instance_state)instance->state));
    } else {
        assert_int_equal(instance->state, INSTANCE_FAILED);
        assert_string_equal(instance->reason, "ended with exit code 3");
    }
    faults_settle(fc, fc->row->action == ACTION_STOP ? OUTCOME_FINAL : OUTCOME_FAILED);
}

/* Its container ends, and is to be started again. */
static void
play_restart(struct fault_case *fc)
{
    const struct instance *instance;

    run_one(fc, always);
    end_container(fc);
    faults_play(fc);
    world_run(&fc->world, 240000);
    instance = world_instance(&fc->world, fc->id);
    if (fc->row->action != ACTION_STOP) {
        assert_int_equal(instance->generation, 2);
        assert_int_equal(instance->restarts, 1);
    }
    faults_settle(fc, fc->row->action == ACTION_STOP ? OUTCOME_FINAL : OUTCOME_RUNNING);
}

static void
play_crashes(const struct fault_case *base, void (*play)(struct fault_case *fc))
{
    for (uint64_t turns = 0; turns < CRASH_TURNS; turns++) {
        for (size_t durable = 0; durable < 2; durable++) {
            struct fault_case fc = *base;

            fc.turns = turns;
            fc.durable = durable;
            play(&fc);
        }
    }
}

static void
play_step(enum docker_verb step, void (*play)(struct fault_case *fc))
{
    for (size_t i = 0; i < fault_row_count; i++) {
        for (size_t disk = 0; disk < ARRAY_LEN(disks_ms); disk++) {
            struct fault_case base = { .row = &fault_rows[i], .step = step };
            struct fault_case once;
            struct fault_case awhile;

            base.disk_ms = disks_ms[disk];
            if (base.row->action == ACTION_CRASH) {
                play_crashes(&base, play);
                continue;
            }
            once = base;
            play(&once);
            if (!base.row->repeats)
                continue;
            awhile = base;
            awhile.awhile = true;
            play(&awhile);
        }
    }
}

static void
test_stop(void **state)
{
    (void)state;
    play_step(DOCKER_STOP, play_stop);
    play_step(DOCKER_INSPECT, play_stop);
    play_step(DOCKER_LOGS, play_stop);
    play_step(DOCKER_REMOVE, play_stop);
}

static void
test_end(void **state)
{
    (void)state;
    play_step(DOCKER_INSPECT, play_end);
    play_step(DOCKER_LOGS, play_end);
    play_step(DOCKER_REMOVE, play_end);
}

static void
test_restart(void **state)
{
    (void)state;
    play_step(DOCKER_INSPECT, play_restart);
    play_step(DOCKER_LOGS, play_restart);
    play_step(DOCKER_REMOVE, play_restart);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_stop, faults_teardown),
        cmocka_unit_test_teardown(test_end, faults_teardown),
        cmocka_unit_test_teardown(test_restart, faults_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
