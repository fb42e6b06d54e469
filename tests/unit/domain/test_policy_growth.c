/*
 * What makes a pool grow, what holds it back and is said; the reference's defects as far as they are
 * matters of growth.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/cost.h"

#include "policy_pool.h"
#include "zone_bytes.h"

/* --- Growth ---------------------------------------------------------------------------------------- */

static void
test_nothing_wanted_nothing_done(void **state)
{
    (void)state;
    assert_string_equal(plan_text(), "");
    assert_int_equal(yard.plan.next_at_ms, 0);
}

static void
test_free_memory(void **state)
{
    (void)state;
    policy->free_memory_bytes = 10 * GIB;
    /* Two of 8 GiB cost more than one of 16. */
    assert_string_equal(plan_text(), "spawn m16");
    assert_string_equal(yard.plan.actions[0].reason, "0 B free, 10 GiB wanted: one m16 (16 GiB)");
    (void)host(4 * GIB, 2);
    assert_string_equal(plan_text(), "spawn m8");
    assert_string_equal(yard.plan.actions[0].reason, "4 GiB free, 10 GiB wanted: one m8 (8 GiB)");
}

static void
test_free_share(void **state)
{
    (void)state;
    policy->free_share_milli = 250;
    (void)host(7 * GIB, 7);
    assert_string_equal(plan_text(), "spawn m8"); /* 1.75 GiB of 7, and 1 is free */
    yard.hosts[0].reserved.memory_bytes = 6 * GIB;
    assert_string_equal(plan_text(), "");
}

static void
test_min_hosts(void **state)
{
    (void)state;
    policy->min_hosts = 3;
    (void)host(0, 0);
    assert_string_equal(plan_text(), "spawn m8, spawn m8");
    assert_string_equal(yard.plan.actions[0].reason,
                        "1 in service or on the way, 3 hosts wanted: one m8 (8 GiB)");
}

/* Defect 9: growth knows how many wait and how large the largest is. */
static void
test_queue_and_its_largest(void **state)
{
    (void)state;
    (void)host(2 * GIB, 1); /* 6 GiB are free, and 12 would not fit there */
    wait_for(12 * GIB, 1);
    assert_string_equal(plan_text(), "spawn m16");
    assert_string_equal(yard.plan.actions[0].reason, "1 waiting for 12 GiB: one m16 (16 GiB)");
    yard.demand = (struct policy_demand){ 0 };
    wait_for(5 * GIB, 10); /* one on the host; 16 GiB hold three: the same in pieces */
    assert_string_equal(plan_text(), "spawn m16, spawn m16, spawn m16");
}

static void
test_no_type_is_said_and_not_grown_for(void **state)
{
    (void)state;
    wait_for(20 * GIB, 2);
    assert_string_equal(plan_text(), "; held: no_type");
    assert_string_equal(yard.plan.held[0].text,
                        "2 waiting for up to 20 GiB of memory and 0 slots: more than any machine "
                        "type of the pool has");
    wait_for(1 * GIB, 1);
    assert_string_equal(plan_text(), "spawn m8; held: no_type");
}

/* A type that turns out to be smaller than it was said to be is not launched again and again. */
static void
test_promises_that_were_not_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct policy_host *small = yard_host_add(&yard, i);

        small->capacity.memory_bytes = 7 * GIB;
    }
    wait_for(8 * GIB, 1);
    assert_string_equal(plan_text(), "; held: no_type");
}

/* Defect 5: hosts on their way are headroom to come, and one that is slow blocks nothing. */
static void
test_spawned_hosts_count(void **state)
{
    struct policy_host *booting;

    (void)state;
    policy->min_hosts = 2;
    booting = yard_host_add(&yard, 0);
    booting->state = HOST_SPAWNED;
    booting->stage = MACHINE_BOOTING;
    booting->busy = true;
    assert_string_equal(plan_text(), "spawn m8");
    (void)yard_round(&yard);
    yard.hosts[1].stage = MACHINE_UP;
    (void)host(0, 0);
    yard.hosts[2].untrusted = true;
    assert_string_equal(plan_text(), "prepare h2");
}

static void
test_hosts_that_do_not_count(void **state)
{
    (void)state;
    policy->min_hosts = 1;
    (void)host(0, 0);
    yard.hosts[0].takes_work = false;
    assert_string_equal(plan_text(), "spawn m8");
    yard.hosts[0].takes_work = true;
    assert_string_equal(plan_text(), "");
    yard.hosts[0].untrusted = true;
    assert_string_equal(plan_text(), "spawn m8");
    yard.hosts[0].untrusted = false;
    policy->host_uses = 5;
    yard.hosts[0].uses = 5;
    assert_string_equal(plan_text(), "spawn m8");
}

static void
test_schedule(void **state)
{
    struct pool_schedule *schedule = mem_new0(sizeof(*schedule));
    struct zone *zone = zone_of_rule("EET-2EEST,M3.5.0/3,M10.5.0/4");
    const struct zone *zones[] = { zone };
    struct policy_view view;

    (void)state;
    *schedule = (struct pool_schedule){ .cron = mem_strdup("30 7 * * mon-fri"),
                                        .time_zone = mem_strdup("Europe/Helsinki"),
                                        .duration_ms = 2 * HOUR,
                                        .min_hosts = 2 };
    policy->schedules = (struct schema_array){ schedule, 1 };
    yard.now_ms = 1795411799000; /* Monday, 2026-11-23, 07:29:59 in Helsinki */
    view = yard_view(&yard);
    view.zones = zones;
    policy_plan_make(&view, &yard.plan);
    assert_int_equal(yard.plan.count, 0);
    assert_int_equal(yard.plan.next_at_ms, 1795411800000);
    view.now_ms = 1795411800000;
    policy_plan_make(&view, &yard.plan);
    assert_int_equal(yard.plan.count, 2);
    assert_string_equal(yard.plan.actions[0].reason,
                        "0 in service or on the way, 2 hosts wanted by schedule: one m8 (8 GiB)");
    assert_int_equal(yard.plan.next_at_ms, 1795411800000 + 2 * HOUR);
    view.now_ms = 1795411800000 + 2 * HOUR;
    policy_plan_make(&view, &yard.plan);
    assert_int_equal(yard.plan.count, 0);
    zone_free(zone);
}

/* --- What more room would not help ---------------------------------------------------------------- */

/* There is room, but not for them: new hosts are wanted, as many as they need, and no more. */
static void
test_barred_from_those_there(void **state)
{
    const struct host_amount request = { .memory_bytes = GIB };

    (void)state;
    (void)host(GIB, 1);
    wait_for(GIB, 3);
    assert_string_equal(plan_text(), "");
    for (int64_t i = 1; i <= 3; i++)
        policy_demand_bar(&yard.demand, &request, i < 3 ? 1 : 2);
    assert_string_equal(plan_text(), "spawn m8, spawn m8");
    assert_string_equal(yard.plan.actions[0].reason,
                        "3 waiting that no host takes for its labels, a fixed port, or others of "
                        "their owner: one m8 (8 GiB)");
    (void)yard_round(&yard);
    assert_string_equal(plan_text(), "prepare h2, prepare h3"); /* they are on their way */
    policy->max_hosts = 3;
    yard.demand.barred.hosts = 3;
    assert_string_equal(plan_text(), "prepare h2, prepare h3; held: max_hosts");
    yard.demand.barred.largest.memory_bytes = 17 * GIB;
    assert_string_equal(plan_text(), "prepare h2, prepare h3"); /* no type could */
}

/* No new host would have the labels: it is said, and not grown for. */
static void
test_labels_of_no_new_host(void **state)
{
    (void)state;
    yard.demand.strangers = 2;
    assert_string_equal(plan_text(), "; held: no_type");
    assert_string_equal(yard.plan.held[0].text,
                        "2 waiting for labels that a new host of the pool would not have");
    yard.pool->provider = PROVIDER_STATIC;
    assert_string_equal(plan_text(), "");
}

/* --- Ceilings ---------------------------------------------------------------------------------------- */

static void
test_max_hosts(void **state)
{
    (void)state;
    policy->max_hosts = 2;
    policy->free_memory_bytes = 100 * GIB;
    assert_string_equal(plan_text(), "spawn m16, spawn m16; held: max_hosts");
    assert_string_equal(yard.plan.held[0].text,
                        "32 GiB free, 100 GiB wanted; the pool has 2 hosts, max_hosts is 2");
}

static void
test_launches_per_hour(void **state)
{
    (void)state;
    policy->launches_per_hour = 2;
    policy->free_memory_bytes = 100 * GIB;
    assert_string_equal(plan_text(), "spawn m16, spawn m16; held: launches");
    (void)yard_round(&yard);
    yard_pass(&yard, 600);
    (void)yard_round(&yard); /* they are prepared */
    assert_string_equal(plan_text(), "; held: launches");
    assert_int_equal(yard.plan.next_at_ms, yard.begin_ms + HOUR);
    assert_string_equal(yard.plan.held[0].text,
                        "32 GiB free, 100 GiB wanted; 2 launches in the last hour, "
                        "launches_per_hour is 2; again at 2023-11-14 23:13 UTC");
    yard_pass(&yard, 3000);
    assert_string_equal(plan_text(), "spawn m16, spawn m16; held: launches");
}

static void
test_budget(void **state)
{
    int64_t left_ms = cost_month_end_ms(yard.now_ms) - yard.now_ms;
    int64_t one = cost_of_micro(160000, left_ms);

    (void)state;
    policy->free_memory_bytes = 100 * GIB;
    policy->budget_per_month_milli = one * 5 / 2 / 1000;
    assert_string_equal(plan_text(), "spawn m16, spawn m16; held: budget");
    assert_string_equal(yard.plan.held[0].text,
                        "32 GiB free, 100 GiB wanted; spent 0.00, committed 123.45, one m16 up to "
                        "61.73, of 154.32 this month; again at 2023-12-01 00:00 UTC");
    assert_int_equal(yard.plan.next_at_ms, cost_month_end_ms(yard.now_ms));
    /* What was spent counts, in its month. */
    yard.pool->spent_month = cost_month(yard.now_ms);
    yard.pool->spent_micro = one;
    assert_string_equal(plan_text(), "spawn m16; held: budget");
    yard.pool->spent_month--;
    assert_string_equal(plan_text(), "spawn m16, spawn m16; held: budget");
    /* A life that ends this month costs less. */
    policy->host_lifetime_ms = HOUR;
    policy->retire_deadline_ms = HOUR;
    policy->life_from = LIFE_FROM_ACTIVATION;
    assert_int_equal(plan()->held_count, 0);
}

static void
test_provider_refused(void **state)
{
    struct policy_view view;

    (void)state;
    policy->min_hosts = 1;
    view = yard_view(&yard);
    view.cloud_held_until_ms = yard.now_ms + 60000;
    policy_plan_make(&view, &yard.plan);
    assert_int_equal(yard.plan.count, 0);
    assert_int_equal(yard.plan.held[0].hold, HOLD_CLOUD);
    assert_int_equal(yard.plan.next_at_ms, yard.now_ms + 60000);
}

/* What never becomes a host is replaced at once the first time, then ever more rarely. */
static void
test_hosts_that_fail(void **state)
{
    /* One until it fails, one until the next round at least. */
    const int64_t minutes[] = { 2, 2, 3, 5, 9, 17, 33, 61, 61 };

    (void)state;
    policy->min_hosts = 1;
    policy->launches_per_hour = 0;
    policy->prepare_attempts = 1;
    yard.prepare_failures = 100;
    (void)yard_round(&yard);
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++) {
        int64_t from_ms = yard.now_ms;

        while (yard.launches == i + 1)
            yard_run(&yard, (yard.now_ms - yard.begin_ms) / YARD_SECOND_MS + 60);
        assert_int_equal((yard.now_ms - from_ms) / YARD_MINUTE_MS, minutes[i]);
    }
    yard.prepare_failures = 0;
    yard_pass(&yard, 60);
    (void)yard_round(&yard);
    assert_string_equal(yard_states(&yard), "active");
    yard.hosts[0].untrusted = true; /* it has succeeded: the next one waits for nothing */
    assert_string_equal(plan_text(), "spawn m8");
}

/* The reason is what people look for: it stands at the end, and is not cut. */
static void
test_why_machines_fail_is_told_whole(void **state)
{
    static const char why[] =
        "its preparation failed 3 times, last in step 7 of 39 (Install the engine): exit status "
        "100: E: Unable to locate package docker.io";

    (void)state;
    policy->min_hosts = 1;
    for (int i = 0; i < 2; i++)
        setback_add(&yard.pool->setback, yard.now_ms + i, why, yard.now_ms + i);
    (void)yard_round(&yard);
    assert_int_equal(yard.plan.held_count, 1);
    assert_int_equal(yard.plan.held[0].hold, HOLD_FAILING);
    assert_non_null(strstr(yard.plan.held[0].text, why));
}

/* The first after a wait is a trial; what failed together counts as one. */
static void
test_one_at_a_time_after_failures(void **state)
{
    (void)state;
    policy->min_hosts = 4;
    policy->prepare_attempts = 1;
    yard.prepare_failures = 4;
    (void)yard_round(&yard);
    assert_int_equal(yard.launches, 4);
    yard_pass(&yard, 60);
    (void)yard_round(&yard);
    yard_pass(&yard, 30);
    assert_string_equal(plan_text(), "remove h1, remove h2, remove h3, remove h4; held: failing");
    assert_string_equal(yard.plan.held[0].text,
                        "0 in service or on the way, 4 hosts wanted; 4 hosts in a row did not come "
                        "into service; again at 2023-11-14 22:15 UTC; the last: no way in");
    assert_int_equal(yard.plan.next_at_ms, yard.now_ms + 30000);
    yard_pass(&yard, 30);
    assert_string_equal(plan_text(), "remove h1, remove h2, remove h3, remove h4, spawn m8; held: "
                                     "failing");
    (void)yard_round(&yard);
    yard_pass(&yard, 60);
    (void)yard_round(&yard);
    assert_string_equal(plan_text(), "spawn m8, spawn m8, spawn m8");
}

static void
test_hosts_by_hand(void **state)
{
    (void)state;
    yard.pool->provider = PROVIDER_STATIC;
    policy->free_memory_bytes = GIB;
    (void)host(8 * GIB, 1);
    (void)host(8 * GIB, 1);
    yard.hosts[0].state = HOST_INACTIVE;
    yard.hosts[0].instances = 0;
    yard.hosts[0].reserved.memory_bytes = 0;
    yard.hosts[1].untrusted = true;
    assert_string_equal(plan_text(), "; held: by_hand");
    assert_string_equal(yard.plan.held[0].text,
                        "0 B free, 1 GiB wanted; hosts are added by hand: berth host add");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_wanted_nothing_done),
        TEST(test_free_memory),
        TEST(test_free_share),
        TEST(test_min_hosts),
        TEST(test_queue_and_its_largest),
        TEST(test_no_type_is_said_and_not_grown_for),
        TEST(test_promises_that_were_not_kept),
        TEST(test_spawned_hosts_count),
        TEST(test_hosts_that_do_not_count),
        TEST(test_schedule),
        TEST(test_barred_from_those_there),
        TEST(test_labels_of_no_new_host),
        TEST(test_max_hosts),
        TEST(test_launches_per_hour),
        TEST(test_budget),
        TEST(test_provider_refused),
        TEST(test_hosts_that_fail),
        TEST(test_why_machines_fail_is_told_whole),
        TEST(test_one_at_a_time_after_failures),
        TEST(test_hosts_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
