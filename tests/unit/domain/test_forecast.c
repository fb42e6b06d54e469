/* The coming rounds: each as if the one before had gone well. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "berth/domain/forecast.h"

#include "yard.h"

enum { ROUND_MS = 15000 };

static struct yard yard;
static struct policy_plan plan;

static void
begin(int64_t min_hosts)
{
    yard_init(&yard, PROVIDER_EC2);
    yard.pool->policy.min_hosts = min_hosts;
    yard_machine_add(&yard, "small", (struct host_amount){ .memory_bytes = INT64_C(4) << 30 },
                     50000);
}

/* The plan of the round after @forecast's. Return: how long until then. */
static int64_t
next(struct forecast *forecast)
{
    int64_t step_ms = forecast_step_ms(forecast, &plan, ROUND_MS);

    if (step_ms > 0) {
        forecast_step(forecast, &plan, step_ms);
        policy_plan_make(&forecast->view, &plan);
    }
    return step_ms;
}

static void
test_a_host_is_launched_prepared_and_serves(void **state)
{
    struct policy_view view;
    struct forecast forecast;

    (void)state;
    begin(1);
    view = yard_view(&yard);
    policy_plan_make(&view, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].kind, POLICY_SPAWN);
    forecast_init(&forecast, &view);
    assert_int_equal(next(&forecast), ROUND_MS);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].kind, POLICY_PREPARE);
    assert_int_equal(forecast.view.launches, view.launches + 1);
    assert_int_equal(next(&forecast), ROUND_MS);
    assert_int_equal(plan.count, 0);
    assert_int_equal(forecast.hosts[0].state, HOST_ACTIVE);
    assert_int_equal(plan.headroom.memory_bytes, forecast.hosts[0].capacity.memory_bytes);
    forecast_fini(&forecast);
    yard_fini(&yard);
}

static void
test_the_view_stays_as_it_is(void **state)
{
    struct policy_view view;
    struct forecast forecast;
    int64_t grown_at_ms;

    (void)state;
    begin(1);
    (void)yard_host_add(&yard, 0);
    yard.pool->policy.shutdown = true;
    view = yard_view(&yard);
    grown_at_ms = yard.pool->grown_at_ms;
    policy_plan_make(&view, &plan);
    forecast_init(&forecast, &view);
    for (int i = 0; i < 5; i++)
        (void)next(&forecast);
    assert_int_equal(forecast.view.host_count, 0);
    assert_int_equal(view.host_count, 1);
    assert_int_equal(yard.hosts[0].state, HOST_ACTIVE);
    assert_int_equal(yard.pool->grown_at_ms, grown_at_ms);
    forecast_fini(&forecast);
    yard_fini(&yard);
}

/* With nothing under way the next round of interest is when time alone changes the plan. */
static void
test_it_goes_to_the_end_of_a_life(void **state)
{
    struct policy_view view;
    struct policy_host *host;
    struct forecast forecast;

    (void)state;
    begin(1);
    yard.pool->policy.host_lifetime_ms = INT64_C(240) * YARD_MINUTE_MS;
    yard.pool->policy.host_lifetime_low_ms = INT64_C(5) * YARD_MINUTE_MS;
    host = yard_host_add(&yard, 0);
    host->first_used_at_ms = yard.now_ms;
    view = yard_view(&yard);
    policy_plan_make(&view, &plan);
    assert_int_equal(plan.count, 0);
    forecast_init(&forecast, &view);
    assert_int_equal(next(&forecast), INT64_C(235) * YARD_MINUTE_MS);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.actions[0].kind, POLICY_SPAWN);
    forecast_fini(&forecast);
    yard_fini(&yard);
}

static void
test_nothing_to_come_is_said(void **state)
{
    struct policy_view view;
    struct forecast forecast;

    (void)state;
    begin(0);
    view = yard_view(&yard);
    policy_plan_make(&view, &plan);
    forecast_init(&forecast, &view);
    assert_int_equal(next(&forecast), 0);
    forecast_fini(&forecast);
    yard_fini(&yard);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_host_is_launched_prepared_and_serves),
        cmocka_unit_test(test_the_view_stays_as_it_is),
        cmocka_unit_test(test_it_goes_to_the_end_of_a_life),
        cmocka_unit_test(test_nothing_to_come_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
