/* Hosts: the life cycle pair by pair, capacity, and who takes work. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/host.h"

#define MIB (INT64_C(1) << 20)

#define NONE HOST_STATE_COUNT

/* clang-format off */
static const enum host_state golden[HOST_STATE_COUNT][HOST_EVENT_COUNT] = {
    /*                    prepared     gave_up        drain          activated    empty         gone */
    [HOST_SPAWNED]  = { HOST_ACTIVE, HOST_INACTIVE, NONE,          NONE,        NONE,         HOST_REMOVED },
    [HOST_ACTIVE]   = { NONE,        HOST_INACTIVE, HOST_INACTIVE, NONE,        NONE,         HOST_REMOVED },
    [HOST_INACTIVE] = { NONE,        NONE,          NONE,          HOST_ACTIVE, HOST_REMOVED, HOST_REMOVED },
    [HOST_REMOVED]  = { NONE,        NONE,          NONE,          NONE,        NONE,         NONE },
};
/* clang-format on */

static void
test_edges_are_those_of_the_drawing(void **state)
{
    (void)state;
    for (int from = 0; from < HOST_STATE_COUNT; from++) {
        for (int event = 0; event < HOST_EVENT_COUNT; event++) {
            enum host_state to = NONE;
            int outcome = host_next((enum host_state)from, (enum host_event)event, &to);

            assert_int_equal(to, golden[from][event]);
            assert_int_equal(outcome, to == NONE ? HOST_NO_SUCH_EDGE : HOST_OK);
        }
    }
}

static void
test_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < HOST_STATE_COUNT; i++)
        assert_int_equal(host_state_from_name(host_state_name((enum host_state)i)), i);
    assert_int_equal(host_state_from_name("nonsense"), -1);
    assert_string_equal(host_event_name(HOST_EV_GAVE_UP), "gave_up");
}

static void
test_capacity_is_what_the_reserve_leaves_times_overcommit(void **state)
{
    struct pool *pool = pool_new("default", PROVIDER_LOCAL);
    struct host *host = host_new(pool, "h");

    (void)state;
    host->total = (struct host_amount){ 1000 * MIB, 4000, 0 };
    pool->policy.reserve = (struct pool_reserve){ 200 * MIB, 500 };
    pool->policy.overcommit = (struct pool_overcommit){ 1500, 2000 };
    pool->policy.slots_per_host = 7;
    host_capacity_update(host);
    assert_int_equal(host->capacity.memory_bytes, 1200 * MIB);
    assert_int_equal(host->capacity.cpus_milli, 7000);
    assert_int_equal(host->capacity.slots, 7);

    host->total = (struct host_amount){ 100 * MIB, 100, 3 };
    host_capacity_update(host);
    assert_int_equal(host->capacity.memory_bytes, 0);
    assert_int_equal(host->capacity.cpus_milli, 0);
    assert_int_equal(host->capacity.slots, 3);
    host_free(host);
    pool_free(pool);
}

static void
test_takes_work_only_when_all_is_well(void **state)
{
    struct pool *pool = pool_new("default", PROVIDER_LOCAL);
    struct host *host = host_new(pool, "h");

    (void)state;
    host->reachable = true;
    assert_false(host_takes_work(host, 0));
    host->state = HOST_ACTIVE;
    assert_true(host_takes_work(host, 0));
    host->breaker_open = true;
    assert_false(host_takes_work(host, 0));
    host->breaker_open = false;
    host->reachable = false;
    assert_false(host_takes_work(host, 0));
    host->reachable = true;
    host->score.milli = pool->policy.error_threshold_milli;
    assert_true(host_takes_work(host, 0));
    host->score.milli++;
    assert_false(host_takes_work(host, 0));
    assert_true(host_takes_work(host, SCORE_HALF_LIFE_MS));
    /* On trial the score decides nothing any more; on probation there is one placement at a time. */
    host->trial = trial_new(0);
    assert_false(host_takes_work(host, SCORE_HALF_LIFE_MS));
    trial_canary_ran(host->trial, 3);
    assert_true(host_takes_work(host, 0));
    assert_false(host_is_trusted(host, SCORE_HALF_LIFE_MS));
    host->proving = true;
    assert_false(host_takes_work(host, 0));
    host->proving = false;
    host->breaker_open = true;
    assert_false(host_takes_work(host, 0));
    host_free(host);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_are_those_of_the_drawing),
        cmocka_unit_test(test_names_go_both_ways),
        cmocka_unit_test(test_capacity_is_what_the_reserve_leaves_times_overcommit),
        cmocka_unit_test(test_takes_work_only_when_all_is_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
