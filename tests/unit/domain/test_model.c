/*
 * The model: its movers keep counts, reservations, queue, index and the list of
 * changes right, whatever order things happen in.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/model.h"

#include "model_world.h"

static const struct event *
last_event(const struct world *world)
{
    assert_true(world->model->event_count > 0);
    return &world->model->events[world->model->event_count - 1];
}

static bool
is_dirty(const struct world *world, enum row_kind kind, int64_t id, bool deleted)
{
    size_t found = 0;

    for (size_t i = 0; i < world->model->dirty_count; i++) {
        if (world->model->dirty[i].kind == kind && world->model->dirty[i].id == id)
            found += (world->model->dirty[i].row == NULL) == deleted ? 1 : 100;
    }
    assert_true(found <= 1);
    return found == 1;
}

static void
test_a_life_from_queue_to_end(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    struct instance *instance = instance_add(world, world->blueprint, "ann");

    assert_int_equal(queue_position(model->queue, instance), 1);
    assert_int_equal(model_owner_count(model, "ann", "web"), 1);
    assert_string_equal(last_event(world)->kind, "instance.queued");
    assert_string_equal(last_event(world)->owner, "ann");

    model_instance_place(model, instance, world->host, "it fits best", NOW_MS + 1);
    assert_int_equal(instance->state, INSTANCE_STARTING);
    assert_int_equal(instance->generation, 1);
    assert_int_equal(queue_length(model->queue, world->pool), 0);
    assert_int_equal(world->host->reserved.memory_bytes, 256 * MIB + INSTANCE_OVERHEAD_BYTES);
    assert_int_equal(world->host->instance_count, 1);
    assert_string_equal(last_event(world)->kind, "instance.starting");
    assert_int_equal(last_event(world)->host_id, world->host->id);
    assert_int_equal(last_event(world)->at_ms, NOW_MS + 1);

    model_instance_move(model, instance, INSTANCE_EV_READY, NULL, NOW_MS + 2);
    assert_int_equal(instance->started_at_ms, NOW_MS + 2);
    assert_string_equal(instance->reason, "it fits best");
    model_instance_move(model, instance, INSTANCE_EV_STOP, "asked to", NOW_MS + 3);
    assert_int_equal(instance->desired, INSTANCE_STOPPED);
    model_instance_move(model, instance, INSTANCE_EV_ENDED, NULL, NOW_MS + 4);
    assert_int_equal(instance->ended_at_ms, NOW_MS + 4);
    assert_null(instance->host);
    assert_int_equal(instance->last_host_id, world->host->id);
    assert_int_equal(world->host->reserved.memory_bytes, 0);
    assert_int_equal(model_owner_count(model, "ann", "web"), 0);
    assert_int_equal(model->instance_counts[INSTANCE_STOPPED], 1);
    assert_int_equal(last_event(world)->seq, model->last_seq);
    assert_int_equal(model->event_count, 5);
    assert_true(is_dirty(world, ROW_INSTANCE, instance->id, false));
}

static void
test_a_crash_keeps_the_host_and_makes_a_generation(void **state)
{
    struct world *world = *state;
    struct instance *instance = instance_add(world, world->blueprint, "ann");

    model_instance_place(world->model, instance, world->host, NULL, NOW_MS);
    model_instance_move(world->model, instance, INSTANCE_EV_READY, NULL, NOW_MS);
    instance->container_id[0] = 1;
    instance->ports = mem_new0(sizeof(*instance->ports));
    instance->port_count = 1;
    model_instance_move(world->model, instance, INSTANCE_EV_CRASHED, "exit code 1", NOW_MS + 9);
    assert_int_equal(instance->state, INSTANCE_STARTING);
    assert_int_equal(instance->generation, 2);
    assert_ptr_equal(instance->host, world->host);
    assert_int_equal(instance->container_id[0], 0);
    assert_int_equal(instance->port_count, 0);
    assert_int_equal(world->host->reserved.memory_bytes, 256 * MIB + INSTANCE_OVERHEAD_BYTES);
    model_instance_move(world->model, instance, INSTANCE_EV_READY, NULL, NOW_MS + 10);
    assert_int_equal(instance->started_at_ms, NOW_MS);
}

static void
test_a_lost_host_sends_back_to_the_queue(void **state)
{
    struct world *world = *state;
    struct instance *older = instance_add(world, world->blueprint, "ann");
    struct instance *younger = instance_add(world, world->blueprint, "ann");

    model_instance_place(world->model, older, world->host, NULL, NOW_MS);
    model_instance_move(world->model, older, INSTANCE_EV_READY, NULL, NOW_MS);
    model_instance_move(world->model, older, INSTANCE_EV_RETRY, "its host is lost", NOW_MS + 1);
    assert_null(older->host);
    assert_int_equal(older->last_host_id, world->host->id);
    assert_int_equal(world->host->instance_count, 0);
    assert_int_equal(queue_position(world->model->queue, older), 1);
    assert_int_equal(queue_position(world->model->queue, younger), 2);
    model_instance_place(world->model, older, world->host, NULL, NOW_MS + 2);
    assert_int_equal(older->generation, 2);
    assert_int_equal(model_owner_count(world->model, "ann", "web"), 2);
}

static void
test_host_moves_and_names(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    struct host *host = world->host;
    struct host *again;
    int64_t id = host->id;

    assert_int_equal(host->active_at_ms, NOW_MS);
    assert_ptr_equal(model_host_find(model, world->pool, "h1"), host);
    assert_int_equal(world->pool->hosts, 1);
    model_host_move(model, host, HOST_EV_DRAIN, "an operator drains it", NOW_MS + 1);
    assert_string_equal(last_event(world)->kind, "host.inactive");
    assert_string_equal(last_event(world)->text, "an operator drains it");
    assert_null(last_event(world)->owner);
    model_host_move(model, host, HOST_EV_EMPTY, NULL, NOW_MS + 2);
    assert_string_equal(host->reason, "an operator drains it");
    assert_int_equal(host->removed_at_ms, NOW_MS + 2);
    assert_int_equal(world->pool->hosts, 0);
    assert_null(model_host_find(model, world->pool, "h1"));
    assert_null(host->placement);
    /* The name is free while the old row is kept as history. */
    again = host_add(world, "h1");
    assert_ptr_equal(model_host_find(model, world->pool, "h1"), again);
    assert_int_equal(model->host_counts[HOST_REMOVED], 1);
    model_host_drop(model, host);
    assert_true(is_dirty(world, ROW_HOST, id, true));
    assert_int_equal(model->host_counts[HOST_REMOVED], 0);
}

static void
test_texts_of_hosts_are_shared(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    char text[] = "/etc/ca.pem";
    struct host *hosts[2];

    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        hosts[i] = host_new(world->pool, i == 0 ? "a" : "b");
        hosts[i]->id = ++world->id;
        hosts[i]->endpoint.ca = text;
        model_host_add(model, hosts[i], false);
    }
    text[0] = '!'; /* the caller's own, it may go */
    assert_string_equal(hosts[0]->endpoint.ca, "/etc/ca.pem");
    assert_ptr_equal(hosts[0]->endpoint.ca, hosts[1]->endpoint.ca);
    assert_null(hosts[0]->engine_api);
    assert_true(model_host_text_set(model, &hosts[0]->engine_api, "1.41"));
    assert_false(model_host_text_set(model, &hosts[0]->engine_api, "1.41"));
    assert_true(model_host_text_set(model, &hosts[0]->engine_api, "1.43"));
    assert_null(intern_find(model->strings, "1.41"));
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        model_host_move(model, hosts[i], HOST_EV_GONE, NULL, NOW_MS);
        model_host_drop(model, hosts[i]);
    }
    assert_null(intern_find(model->strings, "/etc/ca.pem"));
    assert_null(intern_find(model->strings, "1.43"));
}

static void
test_versions_go_when_nothing_runs_from_them(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    struct instance *instance = instance_add(world, world->blueprint, "ann");
    int64_t first = world->blueprint->id;
    struct blueprint *second = blueprint_add(world, "web", 2);
    struct blueprint *third;
    int64_t second_id = second->id;

    assert_ptr_equal(model_blueprint_find(model, "web"), second);
    assert_ptr_equal(model_blueprint_version_find(model, "web", 1), world->blueprint);
    assert_false(world->blueprint->latest);
    assert_true(is_dirty(world, ROW_BLUEPRINT, first, false));

    third = blueprint_add(world, "web", 3);
    assert_null(model_blueprint_version_find(model, "web", 2));
    assert_true(is_dirty(world, ROW_BLUEPRINT, second_id, true));

    model_instance_move(model, instance, INSTANCE_EV_STOP, NULL, NOW_MS);
    assert_non_null(model_blueprint_version_find(model, "web", 1));
    model_instance_drop(model, instance);
    assert_null(model_blueprint_version_find(model, "web", 1));
    assert_true(is_dirty(world, ROW_BLUEPRINT, first, true));

    third->deleted = true;
    model_blueprint_touch(model, third);
    assert_null(model_blueprint_find(model, "web"));
    instance = instance_add(world, third, "ann");
    model_instance_move(model, instance, INSTANCE_EV_STOP, NULL, NOW_MS);
    model_instance_drop(model, instance);
    assert_int_equal(model->blueprints.live, 0);
}

static void
test_each_row_is_dirty_once(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    struct instance *instance = instance_add(world, world->blueprint, "ann");
    struct operation *operation = operation_new(++world->id, OPERATION_HOST_DRAIN);
    int64_t id = instance->id;

    model_operation_add(model, operation, false);
    for (int i = 0; i < 3; i++) {
        model_instance_touch(model, instance);
        model_operation_touch(model, operation);
        model_host_touch(model, world->host, NOW_MS);
        model_pool_touch(model, world->pool);
    }
    assert_int_equal(model->dirty_count, 4);
    assert_int_equal(instance->rev, 3);
    assert_int_equal(world->pool->rev, 3);

    model_dirty_clear(model);
    assert_int_equal(model->dirty_count, 0);
    assert_int_equal(model->event_count, 0);
    assert_false(instance->dirty || operation->dirty || world->host->dirty || world->pool->dirty);

    /* What changed and went leaves its deletion only, in the place of the last change. */
    model_instance_move(model, instance, INSTANCE_EV_STOP, NULL, NOW_MS);
    model_operation_touch(model, operation);
    model_instance_drop(model, instance);
    assert_int_equal(model->dirty_count, 2);
    assert_ptr_equal(model->dirty[0].row, operation);
    assert_null(model->dirty[1].row);
    assert_int_equal(model->dirty[1].id, id);
    model_operation_drop(model, operation);
    assert_int_equal(model->dirty_count, 2);
}

static void
test_events_keep_their_own_strings(void **state)
{
    struct world *world = *state;
    char owner[] = "ann";
    char text[] = "something";
    struct event event = { .kind = "test", .owner = owner, .text = text };
    int64_t before = world->model->last_seq;

    model_event_add(world->model, &event, 77);
    memset(owner, 'x', sizeof(owner) - 1);
    memset(text, 'x', sizeof(text) - 1);
    event.owner = NULL;
    event.text = NULL;
    model_event_add(world->model, &event, 78);
    assert_string_equal(world->model->events[0].owner, "ann");
    assert_string_equal(world->model->events[0].text, "something");
    assert_int_equal(world->model->events[0].seq, before + 1);
    assert_int_equal(world->model->events[0].at_ms, 77);
    assert_null(world->model->events[1].owner);
    assert_int_equal(world->model->events[1].seq, before + 2);
}

static void
test_tokens_by_digest(void **state)
{
    struct world *world = *state;
    struct token *token = token_new();
    uint8_t digest[TEXT_SHA256_SIZE];

    text_sha256("secret", 6, digest);
    assert_null(model_token_find(world->model, digest));
    token->id = ++world->id;
    memcpy(token->digest, digest, sizeof(digest));
    model_token_add(world->model, token, false);
    assert_ptr_equal(model_token_find(world->model, digest), token);
    digest[31] ^= 1;
    assert_null(model_token_find(world->model, digest));
    digest[31] ^= 1;
    model_token_drop(world->model, token);
    assert_null(model_token_find(world->model, digest));
}

static void
test_ids_rise_beyond_what_was_loaded(void **state)
{
    struct world *world = *state;
    struct image *image = image_new(INT64_C(1) << 60);
    int64_t id;

    model_image_add(world->model, image, true);
    assert_int_equal(world->model->dirty_count, 0);
    id = model_id_next(world->model, 1, 2);
    assert_true(id > image->id);
    assert_true(model_id_next(world->model, 1, 2) > id);
    model_image_drop(world->model, image);
}

static void
test_loaded_rows_are_where_they_were(void **state)
{
    struct world *world = *state;
    struct instance *instance = instance_new(++world->id);
    char owner[] = "bob"; /* the row must not keep this pointer */

    instance->blueprint = world->blueprint;
    instance->pool = world->pool;
    instance->owner = owner;
    instance->host = world->host;
    instance->state = INSTANCE_RUNNING;
    model_instance_add(world->model, instance, true);
    memset(owner, 'x', sizeof(owner) - 1);
    assert_string_equal(instance->owner, "bob");
    assert_int_equal(world->model->dirty_count, 0);
    assert_int_equal(world->model->event_count, 0);
    assert_int_equal(world->host->instance_count, 1);
    assert_int_equal(world->host->reserved.memory_bytes, 256 * MIB + INSTANCE_OVERHEAD_BYTES);
    assert_int_equal(world->model->instance_counts[INSTANCE_RUNNING], 1);
    assert_int_equal(model_owner_count(world->model, "bob", "web"), 1);
}

static void
test_a_pool_s_policy_reaches_its_hosts(void **state)
{
    struct world *world = *state;
    struct pool *other = pool_new("other", PROVIDER_STATIC);

    world->pool->policy.overcommit.memory_milli = 2000;
    model_pool_touch(world->model, world->pool);
    assert_int_equal(world->host->capacity.memory_bytes, 8192 * MIB);
    other->id = ++world->id;
    model_pool_add(world->model, other, false);
    assert_ptr_equal(model_pool_find(world->model, "other"), other);
    model_pool_drop(world->model, other);
    assert_null(model_pool_find(world->model, "other"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_new, world_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_life_from_queue_to_end),
        TEST(test_a_crash_keeps_the_host_and_makes_a_generation),
        TEST(test_a_lost_host_sends_back_to_the_queue),
        TEST(test_texts_of_hosts_are_shared),
        TEST(test_host_moves_and_names),
        TEST(test_versions_go_when_nothing_runs_from_them),
        TEST(test_each_row_is_dirty_once),
        TEST(test_events_keep_their_own_strings),
        TEST(test_tokens_by_digest),
        TEST(test_ids_rise_beyond_what_was_loaded),
        TEST(test_loaded_rows_are_where_they_were),
        TEST(test_a_pool_s_policy_reaches_its_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
