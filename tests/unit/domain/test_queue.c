/*
 * The queue: first come first served within an owner, owners in turn, and a
 * large old request gets its room in the end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_world.h"

enum { MANY = 10000 };

static void
test_owners_take_turns(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    static const int64_t expected[] = { 1, 101, 2, 102, 3, 103, 4, 5, 6, 0 };

    for (int64_t id = 1; id <= 6; id++)
        waiting(world, id, ann, world->small);
    for (int64_t id = 101; id <= 103; id++)
        waiting(world, id, bob, world->small);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(serve(world, &sweep, 0), expected[i]);
    assert_int_equal(queue_length(world->queue, world->pool), 0);
}

/* One place for each sweep: whoever asks one by one does not get every turn either. */
static void
test_a_flood_and_a_trickle_get_the_same(void **state)
{
    struct world *world = *state;
    int served[2] = { 0 };

    for (int64_t id = 1; id <= 100; id++)
        waiting(world, id, ann, world->small);
    for (int64_t id = 1000; id < 1040; id++) {
        struct queue_sweep sweep = { 0 };

        if (served[1] == 0 || !list_is_in(&world->instances[world->count - 1]->node))
            waiting(world, id, bob, world->small);
        served[serve(world, &sweep, 0) >= 1000]++;
    }
    assert_int_equal(served[0], 20);
    assert_int_equal(served[1], 20);
}

static void
test_passed_over_closes_the_line_for_the_sweep(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct queue_sweep again = { 0 };
    struct instance *first;

    waiting(world, 1, ann, world->large);
    waiting(world, 2, ann, world->small);
    waiting(world, 3, bob, world->small);
    first = next(world, &sweep, 0);
    assert_int_equal(first->id, 1);
    queue_passed_over(world->queue, first, &sweep, 0);
    assert_int_equal(serve(world, &sweep, 0), 3);
    assert_null(next(world, &sweep, 0));
    assert_null(next(world, &sweep, 0));
    assert_int_equal(next(world, &again, 0)->id, 1);
}

static void
test_a_later_retry_does_not_hold_up_its_line(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct queue_sweep later = { 0 };

    waiting(world, 1, ann, world->small)->retry_at_ms = 1000;
    waiting(world, 2, ann, world->small);
    assert_int_equal(serve(world, &sweep, 999), 2);
    assert_int_equal(serve(world, &sweep, 999), 0);
    assert_int_equal(serve(world, &later, 1000), 1);
}

static void
test_who_comes_back_stands_by_its_age(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };

    waiting(world, 10, ann, world->small);
    waiting(world, 30, ann, world->small);
    waiting(world, 20, ann, world->small);
    waiting(world, 5, ann, world->small);
    assert_int_equal(serve(world, &sweep, 0), 5);
    assert_int_equal(serve(world, &sweep, 0), 10);
    assert_int_equal(serve(world, &sweep, 0), 20);
    assert_int_equal(serve(world, &sweep, 0), 30);
}

/* One host of 8 GiB that is full of small ones; each second one of them ends, and new small ones come
 * all the time.  Without the rule the large one would wait for ever. */
static void
test_a_large_old_request_is_not_overtaken_for_ever(void **state)
{
    struct world *world = *state;
    struct instance *large = waiting(world, 1, ann, world->large);
    int64_t free_bytes = 0;
    int64_t now_ms = 0;
    int64_t id = 2;
    int64_t taken = 8;
    int small_after_start = 0;

    for (; now_ms < 20 * (int64_t)QUEUE_OVERTAKE_MS && list_is_in(&large->node); now_ms += 1000) {
        struct queue_sweep sweep = { 0 };
        struct instance *instance;

        waiting(world, id++, bob, world->small);
        if (taken > 0) {
            taken--;
            free_bytes += 1024 * MIB;
        }
        while ((instance = next(world, &sweep, now_ms))) {
            if (instance->blueprint->spec.memory_bytes > free_bytes) {
                queue_passed_over(world->queue, instance, &sweep, now_ms);
                continue;
            }
            free_bytes -= instance->blueprint->spec.memory_bytes;
            queue_served(world->queue, instance, now_ms);
            if (instance != large) {
                taken++;
                small_after_start++;
            }
        }
    }
    assert_false(list_is_in(&large->node));
    /* And small ones did go on while it was young. */
    assert_true(small_after_start >= QUEUE_OVERTAKE_MS / 1000);
}

static void
test_what_is_older_or_smaller_passes_at_first(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct queue_sweep second = { 0 };
    struct instance *large;

    large = waiting(world, 10, ann, world->large);
    assert_ptr_equal(next(world, &sweep, 0), large);
    queue_passed_over(world->queue, large, &sweep, 0);
    waiting(world, 5, bob, world->large);
    waiting(world, 11, cid, world->large);
    waiting(world, 12, "dee", world->small);

    assert_ptr_equal(next(world, &second, QUEUE_OVERTAKE_MS), large);
    queue_passed_over(world->queue, large, &second, QUEUE_OVERTAKE_MS);
    assert_int_equal(serve(world, &second, QUEUE_OVERTAKE_MS), 5);
    assert_int_equal(serve(world, &second, QUEUE_OVERTAKE_MS), 12);
    assert_int_equal(serve(world, &second, QUEUE_OVERTAKE_MS), 0);
}

/* Whoever comes, goes or comes back between two questions, the place in the line is right. */
static void
test_positions_while_others_come_and_go(void **state)
{
    struct world *world = *state;
    uint32_t seed = 7;

    for (int64_t id = 1; id <= 40; id++)
        (void)waiting(world, id, ann, world->small);
    for (int round = 0; round < 2000; round++) {
        struct instance *moved;
        struct instance *asked;
        uint32_t before = 0;

        seed = seed * 1664525 + 1013904223;
        moved = world->instances[(seed >> 8) % world->count];
        asked = world->instances[(seed >> 16) % world->count];
        if (round % 3 == 0 && queue_position(world->queue, moved) > 0) {
            queue_remove(world->queue, moved);
        } else if (round % 3 == 0) {
            queue_add(world->queue, moved);
        }
        for (size_t i = 0; i < world->count; i++)
            before += world->instances[i]->id < asked->id && list_is_in(&world->instances[i]->node);
        assert_int_equal(queue_position(world->queue, asked),
                         list_is_in(&asked->node) ? before + 1 : 0);
    }
}

/* The position is the turn in which it is served when there is room for all. */
static void
test_positions_are_the_order_of_service(void **state)
{
    struct world *world = *state;
    uint32_t positions[64] = { 0 };
    struct queue_sweep sweep = { 0 };
    int64_t id;

    for (id = 1; id <= 7; id++)
        waiting(world, id, ann, world->small);
    for (id = 8; id <= 9; id++)
        waiting(world, id, bob, world->small);
    for (id = 10; id <= 13; id++)
        waiting(world, id, cid, world->small);
    assert_int_equal(serve(world, &sweep, 0), 1);
    for (size_t i = 0; i < world->count; i++)
        positions[world->instances[i]->id] = queue_position(world->queue, world->instances[i]);
    assert_int_equal(positions[1], 0);
    for (uint32_t turn = 1; (id = serve(world, &sweep, 0)); turn++)
        assert_int_equal(positions[id], turn);
}

static void
test_estimates_from_recent_places(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct instance *last;

    for (int64_t id = 1; id <= 10; id++)
        waiting(world, id, ann, world->small);
    last = world->instances[9];
    assert_int_equal(queue_eta_ms(world->queue, last, 0), -1);
    for (int64_t now_ms = 0; now_ms < 4000; now_ms += 1000)
        serve(world, &sweep, now_ms);
    assert_int_equal(queue_eta_ms(world->queue, last, 4000), 6000);
}

/* Anybody may leave in the middle of a sweep, also who is next. */
static void
test_leaving_during_a_sweep(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };

    for (int64_t id = 1; id <= 3; id++)
        waiting(world, id, ann, world->small);
    waiting(world, 4, bob, world->small);
    waiting(world, 5, cid, world->small);
    assert_int_equal(next(world, &sweep, 0)->id, 1);
    queue_remove(world->queue, world->instances[0]);
    queue_remove(world->queue, world->instances[1]);
    assert_int_equal(serve(world, &sweep, 0), 3);
    assert_int_equal(next(world, &sweep, 0)->id, 4);
    queue_remove(world->queue, world->instances[3]);
    assert_int_equal(serve(world, &sweep, 0), 5);
    assert_int_equal(serve(world, &sweep, 0), 0);
    assert_int_equal(queue_length(world->queue, world->pool), 0);
}

/* A sweep looks at each owner once, not at each instance: counted, not timed. */
static void
test_sweeps_cost_owners_not_instances(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct instance *instance;
    size_t served = 0;

    for (int64_t id = 1; id <= MANY; id++)
        waiting(world, id, id % 2 ? ann : bob, world->small);
    while ((instance = next(world, &sweep, 0)))
        queue_passed_over(world->queue, instance, &sweep, 0);
    assert_int_equal(sweep.tried, 2);
    sweep = (struct queue_sweep){ 0 };
    while (serve(world, &sweep, 0))
        served++;
    assert_int_equal(served, MANY);
    assert_int_equal(sweep.tried, MANY);
}

static void
test_pools_have_queues_of_their_own(void **state)
{
    struct world *world = *state;
    struct pool *other = pool_new("other", PROVIDER_STATIC);
    struct queue_sweep sweep = { 0 };

    assert_int_equal(queue_length(world->queue, other), 0);
    assert_null(queue_next(world->queue, other, &sweep, 0));
    waiting(world, 1, ann, world->small);
    assert_int_equal(queue_length(world->queue, world->pool), 1);
    assert_int_equal(queue_length(world->queue, other), 0);
    assert_null(queue_next(world->queue, other, &sweep, 0));
    pool_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_owners_take_turns),
        TEST(test_a_flood_and_a_trickle_get_the_same),
        TEST(test_passed_over_closes_the_line_for_the_sweep),
        TEST(test_a_later_retry_does_not_hold_up_its_line),
        TEST(test_who_comes_back_stands_by_its_age),
        TEST(test_a_large_old_request_is_not_overtaken_for_ever),
        TEST(test_what_is_older_or_smaller_passes_at_first),
        TEST(test_positions_are_the_order_of_service),
        TEST(test_positions_while_others_come_and_go),
        TEST(test_estimates_from_recent_places),
        TEST(test_leaving_during_a_sweep),
        TEST(test_sweeps_cost_owners_not_instances),
        TEST(test_pools_have_queues_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
