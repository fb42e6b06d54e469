/*
 * Launches: each step and each fault.  Once the fault has passed, the instance
 * runs exactly once, or has ended with a reason, and nothing is left over.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faults.h"

enum { CRASH_TURNS = 8 };

static const char web[] = "{\"name\":\"web\",\"image\":\"img\",\"memory_bytes\":1073741824,"
                          "\"pull\":\"always\",\"ports\":[{\"container\":80}]}";

static const int64_t disks_ms[] = { 0, 3 };

static enum fault_outcome
outcome_of(const struct fault_case *fc)
{
    /* Who fails often enough gives up; everything else was only for the first call. */
    return fc->awhile ? OUTCOME_ENDED : fc->row->outcome;
}

static void
play(struct fault_case *fc)
{
    faults_begin(fc, web);
    faults_inject(fc);
    fc->id = check_launch(&fc->check, "web", "ann");
    assert_true(fc->id > 0);
    faults_play(fc);
    faults_settle(fc, outcome_of(fc));
}

static void
play_crashes(const struct fault_case *base)
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
play_step(enum docker_verb step)
{
    for (size_t i = 0; i < fault_row_count; i++) {
        for (size_t disk = 0; disk < ARRAY_LEN(disks_ms); disk++) {
            struct fault_case base = { .row = &fault_rows[i], .step = step };
            struct fault_case once;
            struct fault_case awhile;

            base.disk_ms = disks_ms[disk];
            if (base.row->action == ACTION_CRASH) {
                play_crashes(&base);
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
test_pull(void **state)
{
    (void)state;
    play_step(DOCKER_PULL);
}

static void
test_create(void **state)
{
    (void)state;
    play_step(DOCKER_CREATE);
}

static void
test_start(void **state)
{
    (void)state;
    play_step(DOCKER_START);
}

static void
test_inspect(void **state)
{
    (void)state;
    play_step(DOCKER_INSPECT);
}

static void
test_ready(void **state)
{
    (void)state;
    play_step(DOCKER_READY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pull, faults_teardown),
        cmocka_unit_test_teardown(test_create, faults_teardown),
        cmocka_unit_test_teardown(test_start, faults_teardown),
        cmocka_unit_test_teardown(test_inspect, faults_teardown),
        cmocka_unit_test_teardown(test_ready, faults_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
