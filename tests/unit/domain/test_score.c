/* Error scores: they halve with time, never rise by themselves, and bear a clock that goes back. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/domain/score.h"

enum { HALF = SCORE_HALF_LIFE_MS };

static void
test_halves_every_half_life(void **state)
{
    struct error_score score = { .milli = 8000, .at_ms = 1000 };

    (void)state;
    assert_int_equal(score_at(&score, 1000), 8000);
    assert_int_equal(score_at(&score, 1000 + HALF), 4000);
    assert_int_equal(score_at(&score, 1000 + 3 * HALF), 1000);
    assert_in_range(score_at(&score, 1000 + HALF / 2), 5655, 5658); /* 8000 / √2 */
    assert_int_equal(score_at(&score, 1000 + 100 * (int64_t)HALF), 0);
    assert_int_equal(score_at(&score, 0), 8000);
}

static void
test_never_rises_by_itself(void **state)
{
    struct error_score score = { .milli = 123456789 };
    int64_t before = score.milli;

    (void)state;
    for (int64_t at = 0; at < 5 * (int64_t)HALF; at += 997) {
        int64_t now = score_at(&score, at);

        assert_true(now <= before);
        before = now;
    }
}

static void
test_is_gone_for_good(void **state)
{
    struct error_score score = { .milli = 1000000000 };

    (void)state;
    for (int64_t halves = 30; halves < 120; halves++)
        assert_int_equal(score_at(&score, halves * HALF), 0);
}

static void
test_faults_add_their_weight(void **state)
{
    struct error_score score = { 0 };
    int64_t weight = fault_rule(FAULT_ENGINE)->weight;

    (void)state;
    assert_true(weight > 0);
    score_add(&score, FAULT_ENGINE, 1000);
    assert_int_equal(score.milli, weight);
    score_add(&score, FAULT_TIMEOUT, 1000 + HALF);
    assert_int_equal(score.milli, weight / 2 + fault_rule(FAULT_TIMEOUT)->weight);
    assert_int_equal(score.last_kind, FAULT_TIMEOUT);
    assert_int_equal(score.last_at_ms, 1000 + HALF);
    score_add(&score, FAULT_CANCELLED, 5000000);
    assert_int_equal(score.last_kind, FAULT_TIMEOUT);
    score_clear(&score, 6000000);
    assert_int_equal(score_at(&score, 6000000), 0);
    assert_int_equal(score.last_kind, FAULT_TIMEOUT);
}

static void
test_has_a_highest_value(void **state)
{
    struct error_score score = { .milli = 1000000000 };

    (void)state;
    score_add(&score, FAULT_ENGINE, 0);
    assert_int_equal(score.milli, 1000000000);
    assert_int_equal(score_at(&score, HALF), 500000000);
}

static void
test_below_at_is_the_first_such_moment(void **state)
{
    struct error_score score = { .milli = 5000, .at_ms = 1000 };
    int64_t at = score_below_at(&score, 3000, 2000);

    (void)state;
    assert_true(at > 2000);
    assert_true(score_at(&score, at) <= 3000);
    assert_true(score_at(&score, at - 1) > 3000);
    assert_int_equal(score_below_at(&score, 5000, 2000), 2000);
    assert_int_equal(score_below_at(&score, -1, 2000), INT64_MAX);
    at = score_below_at(&score, 0, 0);
    assert_int_equal(score_at(&score, at), 0);
    assert_true(score_at(&score, at - 1) > 0);
}

/* What another is to blame for is taken back as far as it has not decayed yet. */
static void
test_taken_back(void **state)
{
    const struct error_score first = { .milli = 1000, .at_ms = 1000 };
    const struct error_score later = { .milli = 1000, .at_ms = 1000 + HALF };
    struct error_score score = { 0 };

    (void)state;
    score_add(&score, FAULT_ENGINE, 1000);
    score_add(&score, FAULT_TIMEOUT, 1000 + HALF);
    assert_int_equal(score_at(&score, 1000 + HALF), 1500);
    score_take_back(&score, &first, 1000 + HALF);
    assert_int_equal(score_at(&score, 1000 + HALF), 1000);
    score_take_back(&score, &later, 1000 + 2 * HALF);
    assert_int_equal(score_at(&score, 1000 + 2 * HALF), 0);
    score_take_back(&score, &first, 1000 + 2 * HALF);
    assert_int_equal(score.milli, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halves_every_half_life),
        cmocka_unit_test(test_never_rises_by_itself),
        cmocka_unit_test(test_is_gone_for_good),
        cmocka_unit_test(test_faults_add_their_weight),
        cmocka_unit_test(test_has_a_highest_value),
        cmocka_unit_test(test_below_at_is_the_first_such_moment),
        cmocka_unit_test(test_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
