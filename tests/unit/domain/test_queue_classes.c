/*
 * The queue's classes of hosts: who waits for one that is full holds back nobody's
 * requests for another, and gets its room all the same.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queue_world.h"

enum { MANY = 10000 };

/* What waits for hosts that take no work stands in nobody's way, however long it waits. */
static void
test_set_aside_holds_up_nobody(void **state)
{
    struct world *world = *state;
    const int64_t now_ms = 10 * (int64_t)QUEUE_OVERTAKE_MS;
    struct queue_sweep sweep = { 0 };

    for (int64_t id = 1; id <= MANY; id++)
        waiting(world, id, ann, world->other);
    waiting(world, MANY + 1, ann, world->small);
    waiting(world, MANY + 2, bob, world->other);
    waiting(world, MANY + 3, bob, world->small);
    queue_set_aside(world->queue, next(world, &sweep, now_ms), &sweep);
    assert_int_equal(sweep.tried, 1);
    assert_int_equal(serve(world, &sweep, now_ms), MANY + 1);
    assert_int_equal(serve(world, &sweep, now_ms), MANY + 3);
    assert_int_equal(serve(world, &sweep, now_ms), 0);
    sweep = (struct queue_sweep){ 0 };
    assert_int_equal(serve(world, &sweep, now_ms), 1);
}

/* Who waits for something that is not room closes its line, and holds back nobody. */
static void
test_standing_by_holds_up_nobody(void **state)
{
    struct world *world = *state;

    waiting(world, 1, ann, world->large);
    waiting(world, 2, bob, world->large);
    for (int64_t now_ms = 0; now_ms < 4 * (int64_t)QUEUE_OVERTAKE_MS; now_ms += 1000) {
        struct queue_sweep sweep = { 0 };

        queue_stand_by(world->queue, next(world, &sweep, now_ms));
        assert_int_equal(next(world, &sweep, now_ms)->id, 2);
        queue_stand_by(world->queue, world->instances[1]);
        assert_null(next(world, &sweep, now_ms));
        assert_int_equal(sweep.hold_count, 0);
    }
}

/* Who waits for a class of hosts that is full does not hold back the same owner's other requests. */
static void
test_a_full_class_holds_up_no_other(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct instance *instance;
    int64_t served[4] = { 0 };
    size_t count = 0;

    waiting(world, 1, ann, world->other);
    waiting(world, 2, ann, world->small);
    waiting(world, 3, ann, world->other);
    waiting(world, 4, ann, world->small);
    waiting(world, 5, bob, world->small);
    while ((instance = next(world, &sweep, 0))) {
        if (instance->blueprint == world->other) {
            queue_passed_over(world->queue, instance, &sweep, 0);
            continue;
        }
        served[count++] = instance->id;
        queue_served(world->queue, instance, 0);
    }
    assert_int_equal(count, 3);
    assert_int_equal(served[0], 2);
    assert_int_equal(served[1], 5);
    assert_int_equal(served[2], 4);
    assert_int_equal(sweep.tried, 4);
    assert_int_equal(queue_length(world->queue, world->pool), 2);
}

/* ... and however long it waits: others go on where it could not go. */
static void
test_a_hold_is_for_its_hosts(void **state)
{
    struct world *world = *state;
    struct queue_sweep sweep = { 0 };
    struct queue_sweep later = { 0 };
    const struct blueprint *leave[QUEUE_HOLDS_MAX];
    struct instance *old = waiting(world, 1, ann, world->other);
    struct instance *plain;

    waiting(world, 2, bob, world->other);
    assert_ptr_equal(next(world, &sweep, 0), old);
    assert_int_equal(queue_leave(&sweep, old, leave), 0);
    queue_passed_over(world->queue, old, &sweep, 0);
    plain = waiting(world, 3, ann, world->small);
    waiting(world, 0, cid, world->small);

    assert_ptr_equal(next(world, &later, QUEUE_OVERTAKE_MS), old);
    queue_passed_over(world->queue, old, &later, QUEUE_OVERTAKE_MS);
    assert_ptr_equal(next(world, &later, QUEUE_OVERTAKE_MS),
                     plain); /* not 2: it has no other hosts */
    assert_int_equal(queue_leave(&later, plain, leave), 1);
    assert_ptr_equal(leave[0], world->other);
    queue_served(world->queue, plain, QUEUE_OVERTAKE_MS);
    assert_int_equal(next(world, &later, QUEUE_OVERTAKE_MS)->id, 0);
    assert_int_equal(queue_leave(&later, world->instances[3], leave), 0); /* it is older */
    queue_served(world->queue, world->instances[3], QUEUE_OVERTAKE_MS);
    assert_null(next(world, &later, QUEUE_OVERTAKE_MS));
}

enum { CLASSES = QUEUE_HOLDS_MAX + 4 };

/* Of more classes than are remembered, the oldest of those that wait keep their hold. */
static void
test_the_oldest_keep_their_holds(void **state)
{
    struct world *world = *state;
    struct blueprint *blueprints[CLASSES];
    struct queue_sweep sweep = { 0 };
    struct queue_sweep later = { 0 };
    struct instance *instance;

    for (int i = 0; i < CLASSES; i++) {
        blueprints[i] = rows_blueprint_new("some", "busybox", 1024 * MIB);
        blueprints[i]->hosts_key = (uint64_t)i + 2;
        waiting(world, CLASSES - i, ann, blueprints[i]);
    }
    while ((instance = next(world, &sweep, 0)))
        queue_passed_over(world->queue, instance, &sweep, 0);
    while ((instance = next(world, &later, QUEUE_OVERTAKE_MS)))
        queue_passed_over(world->queue, instance, &later, QUEUE_OVERTAKE_MS);
    assert_int_equal(later.tried, CLASSES);
    assert_int_equal(later.hold_count, QUEUE_HOLDS_MAX);
    for (size_t i = 0; i < later.hold_count; i++)
        assert_in_range(later.holds[i].id, 1, QUEUE_HOLDS_MAX);
    for (size_t i = 0; i < world->count; i++)
        queue_remove(world->queue, world->instances[i]);
    for (int i = 0; i < CLASSES; i++)
        blueprint_free(blueprints[i]);
}

/* --- The property: some classes of hosts with a few places each, owners that come and go ------- */

enum { MIX_CLASSES = 3, MIX_OWNERS = 4, MIX_ROUNDS = 3000 };

struct mix {
    struct world *world;
    uint64_t random;
    struct blueprint *blueprints[MIX_CLASSES];
    uint32_t free[MIX_CLASSES];
};

static size_t
mix_class(const struct mix *mix, const struct instance *instance)
{
    return (size_t)(instance->blueprint->hosts_key - mix->blueprints[0]->hosts_key);
}

/* The one that stands at @position in the line of its class; NULL: nobody. */
static const struct instance *
mix_at(const struct mix *mix, size_t class, uint32_t position)
{
    const struct world *world = mix->world;

    for (size_t i = 0; i < world->count; i++) {
        const struct instance *instance = world->instances[i];

        if (list_is_in(&instance->node) && mix_class(mix, instance) == class &&
            queue_position(world->queue, instance) == position)
            return instance;
    }
    return NULL;
}

/* Each class is served in the order of its positions and to its last place, whatever the others do. */
static void
mix_sweep(struct mix *mix, int64_t now_ms)
{
    struct queue_sweep sweep = { 0 };
    struct instance *instance;
    struct queue *queue = mix->world->queue;
    uint32_t served = 0;

    while ((instance = next(mix->world, &sweep, now_ms))) {
        size_t class = mix_class(mix, instance);

        if (mix->free[class] == 0) {
            queue_passed_over(queue, instance, &sweep, now_ms);
            continue;
        }
        assert_ptr_equal(mix_at(mix, class, 1), instance);
        mix->free[class]--;
        served++;
        queue_served(queue, instance, now_ms);
    }
    assert_in_range(sweep.tried - served, 0, MIX_CLASSES * MIX_OWNERS);
    for (size_t class = 0; class < MIX_CLASSES; class ++)
        assert_true(mix->free[class] == 0 || !mix_at(mix, class, 1));
}

static void
test_classes_do_not_hinder_each_other(void **state)
{
    struct mix mix = { .world = *state, .random = 7 };
    static const char *const owners[MIX_OWNERS] = { "o1", "o2", "o3", "o4" };

    for (size_t i = 0; i < MIX_CLASSES; i++) {
        mix.blueprints[i] = rows_blueprint_new("some", "busybox", 1024 * MIB);
        mix.blueprints[i]->hosts_key = 100 + i;
    }
    for (int64_t round = 1; round <= MIX_ROUNDS; round++) {
        size_t class = rows_draw(&mix.random, MIX_CLASSES);

        if (mix.world->count < 200 || rows_draw(&mix.random, 8) == 0) {
            waiting(mix.world, round, owners[rows_draw(&mix.random, MIX_OWNERS)],
                    mix.blueprints[class]);
        }
        mix.free[rows_draw(&mix.random, MIX_CLASSES)] += rows_draw(&mix.random, 2);
        if (rows_draw(&mix.random, 4) == 0)
            mix_sweep(&mix, round * 10);
    }
    for (size_t i = 0; i < mix.world->count; i++) {
        if (list_is_in(&mix.world->instances[i]->node))
            queue_remove(mix.world->queue, mix.world->instances[i]);
    }
    for (size_t i = 0; i < MIX_CLASSES; i++)
        blueprint_free(mix.blueprints[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_set_aside_holds_up_nobody),      TEST(test_standing_by_holds_up_nobody),
        TEST(test_a_full_class_holds_up_no_other), TEST(test_a_hold_is_for_its_hosts),
        TEST(test_the_oldest_keep_their_holds),    TEST(test_classes_do_not_hinder_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
