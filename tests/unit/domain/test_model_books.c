/* The model's books are right after any order of events: counts, reservations, queue, lists. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/model.h"

#include "model_world.h"

enum { ROUNDS = 20000, RANDOM_HOSTS = 8 };

static uint32_t
draw(struct world *world, uint32_t below)
{
    return rows_draw(&world->random, below);
}

static void
world_check_hosts(const struct world *world)
{
    IDMAP_EACH(&world->model->hosts, struct host, host)
    {
        int64_t reserved = 0;

        for (struct list_node *node = list_first(&host->instances); node;
             node = list_next(&host->instances, node)) {
            const struct instance *instance = CONTAINER_OF(node, struct instance, node);

            assert_ptr_equal(instance->host, host);
            reserved += instance->blueprint->spec.memory_bytes + INSTANCE_OVERHEAD_BYTES;
        }
        assert_int_equal(host->reserved.memory_bytes, reserved);
        assert_int_equal(host->instances.count, host->instance_count);
        assert_true(reserved <= host->capacity.memory_bytes);
    }
}

/* Counts, reservations and memberships as a look at each row gives them. */
static void
world_check(const struct world *world)
{
    uint32_t counts[INSTANCE_STATE_COUNT] = { 0 };
    uint32_t queued = 0;
    uint32_t owned = 0;

    world_check_hosts(world);
    IDMAP_EACH(&world->model->instances, struct instance, instance)
    {
        enum instance_state state = (enum instance_state)instance->state;

        counts[state]++;
        queued += state == INSTANCE_QUEUED;
        assert_int_equal(list_is_in(&instance->node),
                         state == INSTANCE_QUEUED || instance->host != NULL);
        owned += !instance_state_is_final(state) && strcmp(instance->owner, "ann") == 0;
    }
    for (int i = 0; i < INSTANCE_STATE_COUNT; i++)
        assert_int_equal(world->model->instance_counts[i], counts[i]);
    assert_int_equal(queue_length(world->model->queue, world->pool), queued);
    assert_int_equal(model_owner_count(world->model, "ann", "web"), owned);
}

static void
place_one(struct world *world)
{
    struct queue_sweep sweep = { 0 };
    struct instance *instance = queue_next(world->model->queue, world->pool, &sweep, NOW_MS);
    struct placement_ask ask = { .pool = world->pool };
    struct host *host = NULL;

    if (!instance)
        return;
    ask.blueprint = instance->blueprint;
    ask.amount = instance_amount(instance);
    ask.owner = instance->owner;
    if (placement_pick(world->model->placement, &ask, &host, NULL) == PLACEMENT_OK) {
        model_instance_place(world->model, instance, host, NULL, NOW_MS);
    } else {
        queue_passed_over(world->model->queue, instance, &sweep, NOW_MS);
    }
}

/* Any event on any instance, as far as there is such an edge; final rows may go. */
static void
move_any(struct world *world)
{
    int64_t id = 0;
    struct instance *instance =
        idmap_after(&world->model->instances, draw(world, (uint32_t)world->id), &id);
    enum instance_event event = (enum instance_event)draw(world, INSTANCE_EVENT_COUNT);
    enum instance_state to;

    if (!instance)
        return;
    if (instance_state_is_final((enum instance_state)instance->state)) {
        model_instance_drop(world->model, instance);
        return;
    }
    if (event != INSTANCE_EV_PLACED &&
        instance_next((enum instance_state)instance->state, event, &to) == INSTANCE_OK)
        model_instance_move(world->model, instance, event, "it is so", NOW_MS);
}

static void
test_any_order_of_events_keeps_the_books(void **state)
{
    struct world *world = *state;
    static const char *const owners[] = { "ann", "bob", "cid" };

    for (int i = 1; i < RANDOM_HOSTS; i++) {
        char name[] = { 'x', (char)('0' + i), '\0' };

        (void)host_add(world, name);
    }
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t what = draw(world, 10);

        if (what < 3) {
            (void)instance_add(world, world->blueprint, owners[draw(world, ARRAY_LEN(owners))]);
        } else if (what < 6) {
            place_one(world);
        } else {
            move_any(world);
        }
        if (round % 500 == 0) {
            world_check(world);
            model_dirty_clear(world->model);
        }
    }
    world_check(world);
    assert_true(world->model->instance_counts[INSTANCE_RUNNING] > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_any_order_of_events_keeps_the_books, world_new,
                                        world_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
