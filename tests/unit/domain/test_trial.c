/* The trial of a host: its edges, its pauses, and that no clock can shorten or prolong it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/trial.h"

#define NOW_MS  INT64_C(1700000000000)
#define YEAR_MS (INT64_C(365) * 86400 * 1000)

/* No edge leads anywhere twice, and only those of the table are there. */
static void
test_edges(void **state)
{
    size_t found = 0;

    (void)state;
    for (int from = 0; from < TRIAL_STATE_COUNT; from++) {
        for (int event = 0; event < TRIAL_EVENT_COUNT; event++) {
            enum trial_state to = TRIAL_STATE_COUNT;

            found += trial_next((enum trial_state)from, (enum trial_event)event, &to) == TRIAL_OK;
        }
    }
    assert_int_equal(found, trial_edge_count);
}

static void
test_pauses_grow(void **state)
{
    const int64_t pauses_ms[] = { 15000, 30000, 60000, 120000, 240000, 480000, 600000, 600000 };
    struct trial *trial = trial_new(NOW_MS);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pauses_ms); i++) {
        assert_int_equal(trial_pause_ms(trial), pauses_ms[i]);
        assert_int_equal(trial->canary_at_ms, NOW_MS + pauses_ms[i]);
        trial_canary_failed(trial, NOW_MS);
    }
    assert_int_equal(trial_pause_of(INT64_MAX), TRIAL_PAUSE_MAX_MS);
    mem_free(trial);
}

static void
test_the_way_back(void **state)
{
    struct trial *trial = trial_new(NOW_MS);

    (void)state;
    trial_canary_failed(trial, NOW_MS);
    trial_canary_ran(trial, 2);
    assert_int_equal(trial->state, TRIAL_PROBATION);
    assert_int_equal(trial->canaries_failed, 0);
    assert_int_equal(trial_placed(trial), TRIAL_PROBATION);
    assert_int_equal(trial_placed(trial), TRIAL_TRUSTED);
    mem_free(trial);
}

/* A pool that wants no probation gets one placement all the same. */
static void
test_probation_of_nothing(void **state)
{
    struct trial *trial = trial_new(NOW_MS);

    (void)state;
    trial_canary_ran(trial, 0);
    assert_int_equal(trial_placed(trial), TRIAL_TRUSTED);
    mem_free(trial);
}

static void
test_a_relapse_waits_longer(void **state)
{
    struct trial *trial = trial_new(NOW_MS);
    int64_t before_ms = 0;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(trial_pause_ms(trial) > before_ms);
        before_ms = trial_pause_ms(trial);
        trial_canary_ran(trial, 3);
        (void)trial_placed(trial);
        trial_relapsed(trial, NOW_MS);
        assert_int_equal(trial->state, TRIAL_SUSPENDED);
        assert_int_equal(trial->since_ms, NOW_MS); /* all of it is one trial */
    }
    mem_free(trial);
}

/* What is left of a pause after a restart is no more than the pause, and no less than nothing. */
static void
test_clocks(void **state)
{
    struct trial *trial = trial_new(NOW_MS);

    (void)state;
    assert_int_equal(trial_wait_ms(trial, NOW_MS + 5000), 10000);
    assert_int_equal(trial_wait_ms(trial, NOW_MS + 10 * YEAR_MS), 0);
    assert_int_equal(trial_wait_ms(trial, NOW_MS - 10 * YEAR_MS), 15000);
    /* Years that only a clock has seen make nobody untrusted, */
    trial_canary_failed(trial, NOW_MS + 10 * YEAR_MS);
    assert_false(trial_is_untrusted(trial, 60000));
    /* pauses do. */
    trial_canary_failed(trial, NOW_MS - 10 * YEAR_MS);
    assert_false(trial_is_untrusted(trial, 60000));
    trial_canary_missed(trial, NOW_MS);
    assert_int_equal(trial->canaries_failed, 2);
    assert_true(trial_is_untrusted(trial, 60000));
    assert_false(trial_is_untrusted(trial, 0));
    trial_canary_ran(trial, 1);
    assert_false(trial_is_untrusted(trial, 60000));
    mem_free(trial);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_pauses_grow),
        cmocka_unit_test(test_the_way_back),
        cmocka_unit_test(test_probation_of_nothing),
        cmocka_unit_test(test_a_relapse_waits_longer),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
