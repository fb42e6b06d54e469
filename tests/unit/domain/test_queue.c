/*
 * The queue: first come first served within an owner, owners in turn, and a
 * large old request gets its room in the end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/queue.h"

#include "rows.h"

enum { MANY = 10000 };

static const char *const ann = "ann";
static const char *const bob = "bob";
static const char *const cid = "cid";

struct world {
    struct queue *queue;
    struct pool *pool;
    struct blueprint *small; /* 1 GiB */
    struct blueprint *large; /* 8 GiB */
    struct blueprint *other; /* 1 GiB, on hosts of another class */
    struct instance **instances;
    size_t count;
};

static int
world_new(void **state)
{
    struct world *world = mem_new0(sizeof(*world));

    world->queue = queue_new();
    world->pool = pool_new("default", PROVIDER_STATIC);
    world->small = rows_blueprint_new("small", "busybox", 1024 * MIB);
    world->large = rows_blueprint_new("large", "busybox", 8 * 1024 * MIB);
    world->other = rows_blueprint_new("other", "busybox", 1024 * MIB);
    rows_label_add(&world->other->spec.host_labels, "gpu", "yes");
    world->other->hosts_key = 1;
    *state = world;
    return 0;
}

static int
world_free(void **state)
{
    struct world *world = *state;

    queue_free(world->queue);
    for (size_t i = 0; i < world->count; i++)
        instance_free(world->instances[i]);
    mem_free(world->instances);
    blueprint_free(world->small);
    blueprint_free(world->large);
    blueprint_free(world->other);
    pool_free(world->pool);
    mem_free(world);
    return 0;
}

static struct instance *
waiting(struct world *world, int64_t id, const char *owner, struct blueprint *blueprint)
{
    struct instance *instance = instance_new(id);

    instance->owner = owner;
    instance->pool = world->pool;
    instance->blueprint = blueprint;
    world->instances = mem_resize(world->instances, world->count + 1, sizeof(struct instance *));
    world->instances[world->count++] = instance;
    queue_add(world->queue, instance);
    return instance;
}

static struct instance *
next(struct world *world, struct queue_sweep *sweep, int64_t now_ms)
{
    return queue_next(world->queue, world->pool, sweep, now_ms);
}

/* Gives a place to whoever is next: the id, or 0. */
static int64_t
serve(struct world *world, struct queue_sweep *sweep, int64_t now_ms)
{
    struct instance *instance = next(world, sweep, now_ms);

    if (!instance)
        return 0;
    queue_served(world->queue, instance, now_ms);
    return instance->id;
}

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
        TEST(test_set_aside_holds_up_nobody),
        TEST(test_standing_by_holds_up_nobody),
        TEST(test_a_full_class_holds_up_no_other),
        TEST(test_a_hold_is_for_its_hosts),
        TEST(test_the_oldest_keep_their_holds),
        TEST(test_classes_do_not_hinder_each_other),
        TEST(test_pools_have_queues_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
