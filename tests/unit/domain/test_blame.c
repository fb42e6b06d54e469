/* Whose fault it is: bad images, bad hosts, both at once, and what is not enough to tell. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/blame.h"
#include "berth/domain/breaker.h"

enum { HOST = 100, WINDOW = BLAME_WINDOW_MS };

struct court {
    struct blame blame;
    struct blame_wins hosts[10]; /* by number */
    struct blame_wins blueprints[300];
    int64_t mono_ms;
};

static struct court *
court_new(void)
{
    struct court *court = mem_new0(sizeof(*court));

    court->mono_ms = 1;
    return court;
}

static uint64_t
host_key(int host)
{
    return (uint64_t)HOST + (uint64_t)host;
}

static void
well(struct court *court, int host, int blueprint)
{
    blame_wins_add(&court->hosts[host], (uint64_t)blueprint, court->mono_ms);
    blame_wins_add(&court->blueprints[blueprint], host_key(host), court->mono_ms);
    blame_went_well(&court->blame, &(struct blame_pair){ .host_id = HOST + host,
                                                         .blueprint_id = blueprint,
                                                         .image = (uint64_t)blueprint });
}

static enum blame_verdict
fail_as(struct court *court, int host, int blueprint, enum fault_kind kind)
{
    const struct blame_failure failure = {
        .host_id = HOST + host,
        .blueprint_id = blueprint,
        .image = (uint64_t)blueprint,
        .at_mono_ms = court->mono_ms,
        .milli = 1000,
        .kind = (int32_t)kind,
        .on_host = fault_rule(kind)->blame == BLAME_HOST,
        .host_well = blame_wins_beside(&court->hosts[host], (uint64_t)blueprint, court->mono_ms),
        .runs_elsewhere =
            blame_wins_beside(&court->blueprints[blueprint], host_key(host), court->mono_ms),
    };

    assert_true(blame_kind_is_ambiguous(kind));
    blame_add(&court->blame, &failure);
    return blame_judge(&court->blame, &failure);
}

static enum blame_verdict
exits(struct court *court, int host, int blueprint)
{
    return fail_as(court, host, blueprint, FAULT_EXITED);
}

static size_t
moved(struct court *court, enum blame_verdict verdict, int64_t id)
{
    struct blame_failure failure;
    size_t count = 0;

    while (blame_move_next(&court->blame, verdict, id, &failure))
        count++;
    return count;
}

static void
test_a_bad_image(void **state)
{
    struct court *court = court_new();

    (void)state;
    assert_int_equal(fail_as(court, 1, 7, FAULT_ENGINE), BLAME_OPEN);
    assert_int_equal(fail_as(court, 1, 7, FAULT_ENGINE), BLAME_OPEN); /* the same host */
    assert_int_equal(fail_as(court, 2, 7, FAULT_ENGINE), BLAME_OPEN);
    assert_int_equal(fail_as(court, 3, 7, FAULT_ENGINE), BLAME_THE_BLUEPRINT);
    assert_int_equal(moved(court, BLAME_THE_BLUEPRINT, 7), 4);
    assert_int_equal(court->blame.count, 0);
    mem_free(court);
}

/* Hosts that fail with something else as well do not speak against an image. */
static void
test_bad_hosts_accuse_nobody(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int host = 1; host <= 4; host++) {
        assert_int_equal(exits(court, host, 10 + host), BLAME_OPEN);
        assert_int_equal(exits(court, host, 7), BLAME_OPEN);
    }
    mem_free(court);
}

static void
test_a_bad_host(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int blueprint = 1; blueprint <= 5; blueprint++)
        well(court, 2, blueprint);
    assert_int_equal(exits(court, 1, 1), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 1), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 2), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 3), BLAME_THE_HOST);
    assert_int_equal(moved(court, BLAME_THE_HOST, HOST + 1), 4);
    assert_int_equal(moved(court, BLAME_THE_HOST, HOST + 1), 0);
    assert_int_equal(exits(court, 1, 4), BLAME_THE_HOST); /* from now on at once */
    assert_int_equal(moved(court, BLAME_THE_HOST, HOST + 1), 1);
    mem_free(court);
}

/* Images that ran nowhere yet may all be bad: a pool of one host cannot tell. */
static void
test_one_host_is_not_enough(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int blueprint = 1; blueprint <= 5; blueprint++)
        assert_int_equal(exits(court, 1, blueprint), BLAME_OPEN);
    /* That it runs elsewhere is learnt later, too. */
    for (int blueprint = 1; blueprint <= 3; blueprint++)
        well(court, 2, blueprint);
    assert_int_equal(exits(court, 1, 4), BLAME_THE_HOST);
    mem_free(court);
}

static void
test_both_at_once(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int blueprint = 1; blueprint <= 3; blueprint++)
        well(court, 2, blueprint);
    well(court, 3, 1);
    well(court, 4, 1);
    /* Host 1 is bad, blueprint 9 is bad. */
    assert_int_equal(exits(court, 1, 9), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 1), BLAME_OPEN);
    assert_int_equal(exits(court, 2, 9), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 2), BLAME_OPEN);
    assert_int_equal(exits(court, 3, 9), BLAME_OPEN);
    assert_int_equal(exits(court, 1, 3), BLAME_THE_HOST);
    assert_int_equal(moved(court, BLAME_THE_HOST, HOST + 1), 3);
    assert_int_equal(exits(court, 4, 9), BLAME_THE_BLUEPRINT);
    assert_int_equal(moved(court, BLAME_THE_BLUEPRINT, 9), 4);
    mem_free(court);
}

/* What went well since, and what is long ago, is no evidence. */
static void
test_evidence_ends(void **state)
{
    struct court *court = court_new();

    (void)state;
    assert_int_equal(exits(court, 1, 7), BLAME_OPEN);
    assert_int_equal(exits(court, 2, 7), BLAME_OPEN);
    well(court, 1, 7);
    assert_int_equal(exits(court, 3, 7), BLAME_OPEN);
    court->mono_ms += WINDOW + 1;
    assert_int_equal(exits(court, 4, 7), BLAME_OPEN);
    assert_int_equal(exits(court, 5, 7), BLAME_OPEN);
    assert_int_equal(exits(court, 6, 7), BLAME_THE_BLUEPRINT);
    mem_free(court);
}

static void
test_a_canary_tells(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int i = 0; i < BLAME_SEVERAL; i++) {
        assert_int_equal(blame_judge_canary(&court->blame, HOST + 1), 0);
        assert_int_equal(fail_as(court, 1, 7, FAULT_ENGINE), BLAME_OPEN);
    }
    assert_int_equal(blame_judge_canary(&court->blame, HOST + 1), 7);
    assert_int_equal(exits(court, 1, 8), BLAME_OPEN);
    assert_int_equal(blame_judge_canary(&court->blame, HOST + 1), 0);
    mem_free(court);
}

/* Memory is bounded, however much fails. */
static void
test_many(void **state)
{
    struct court *court = court_new();

    (void)state;
    for (int i = 0; i < 3 * BLAME_FAILURES_MAX; i++)
        assert_int_equal(exits(court, 1, 1 + i % 290), BLAME_OPEN);
    assert_int_equal(court->blame.count, BLAME_FAILURES_MAX);
    mem_free(court);
}

static void
test_breaker(void **state)
{
    struct breaker breaker = { 0 };

    (void)state;
    breaker_open(&breaker, 1000);
    assert_false(breaker_pass(&breaker, 15999));
    assert_true(breaker_pass(&breaker, 16000));
    assert_false(breaker_pass(&breaker, 16000));
    breaker_open(&breaker, 16000); /* the one launch failed */
    assert_int_equal(breaker.pause_ms, 30000);
    assert_true(breaker_pass(&breaker, 46000));
    breaker_close(&breaker);
    breaker_open(&breaker, 50000);
    assert_int_equal(breaker.pause_ms, 15000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_image),    cmocka_unit_test(test_bad_hosts_accuse_nobody),
        cmocka_unit_test(test_a_bad_host),     cmocka_unit_test(test_one_host_is_not_enough),
        cmocka_unit_test(test_both_at_once),   cmocka_unit_test(test_evidence_ends),
        cmocka_unit_test(test_a_canary_tells), cmocka_unit_test(test_many),
        cmocka_unit_test(test_breaker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
