/* Instances: the life cycle pair by pair, the container's name, and the size of a row. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/id.h"
#include "berth/base/mem.h"
#include "berth/domain/instance.h"

#define NONE INSTANCE_STATE_COUNT

#define STARTING INSTANCE_STARTING
#define RUNNING  INSTANCE_RUNNING
#define STOPPING INSTANCE_STOPPING
#define STOPPED  INSTANCE_STOPPED
#define FAILED   INSTANCE_FAILED
#define QUEUED   INSTANCE_QUEUED

/* clang-format off */
static const enum instance_state golden[INSTANCE_STATE_COUNT][INSTANCE_EVENT_COUNT] = {
    /*               placed    ready    retry   crashed   stop      ended    failed */
    [QUEUED]   = { STARTING, NONE,    NONE,   NONE,     STOPPED,  NONE,    FAILED },
    [STARTING] = { NONE,     RUNNING, QUEUED, STARTING, STOPPING, STOPPED, FAILED },
    [RUNNING]  = { NONE,     NONE,    QUEUED, STARTING, STOPPING, STOPPED, FAILED },
    [STOPPING] = { NONE,     NONE,    NONE,   NONE,     NONE,     STOPPED, FAILED },
    [STOPPED]  = { NONE,     NONE,    NONE,   NONE,     NONE,     NONE,    NONE },
    [FAILED]   = { NONE,     NONE,    NONE,   NONE,     NONE,     NONE,    NONE },
};
/* clang-format on */

static void
test_edges_are_those_of_the_drawing(void **state)
{
    (void)state;
    for (int from = 0; from < INSTANCE_STATE_COUNT; from++) {
        for (int event = 0; event < INSTANCE_EVENT_COUNT; event++) {
            enum instance_state to = NONE;
            int outcome = instance_next((enum instance_state)from, (enum instance_event)event, &to);

            assert_int_equal(to, golden[from][event]);
            assert_int_equal(outcome, to == NONE ? INSTANCE_NO_SUCH_EDGE : INSTANCE_OK);
        }
    }
}

static void
test_final_states_have_no_way_out(void **state)
{
    (void)state;
    for (int from = 0; from < INSTANCE_STATE_COUNT; from++) {
        bool way_out = false;

        for (size_t i = 0; i < instance_edge_count; i++)
            way_out |= (int)instance_edges[i].from == from;
        assert_int_equal(way_out, !instance_state_is_final((enum instance_state)from));
    }
}

static void
test_names_go_both_ways(void **state)
{
    (void)state;
    for (int i = 0; i < INSTANCE_STATE_COUNT; i++)
        assert_int_equal(instance_state_from_name(instance_state_name((enum instance_state)i)), i);
    assert_int_equal(instance_state_from_name("active"), -1);
    assert_string_equal(instance_event_name(INSTANCE_EV_CRASHED), "crashed");
}

static void
test_container_name_goes_both_ways(void **state)
{
    static const uint32_t generations[] = { 1, 10, 4294967295U };
    struct instance *instance = instance_new(id_make(0, 1750000000000, 12345));
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    char slashed[INSTANCE_CONTAINER_NAME_SIZE + 1] = "/";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(generations); i++) {
        int64_t id = 0;
        uint32_t generation = 0;

        instance->generation = generations[i];
        assert_ptr_equal(instance_container_name(instance, name), name);
        assert_true(instance_container_name_parse(name, &id, &generation));
        assert_int_equal(id, instance->id);
        assert_int_equal(generation, generations[i]);
        memcpy(slashed + 1, name, sizeof(name));
        assert_true(instance_container_name_parse(slashed, &id, &generation));
    }
    instance_free(instance);
}

static void
test_other_names_are_not_ours(void **state)
{
    static const char *const others[] = {
        "",
        "/",
        "web",
        "berth-",
        "berth-i-0000000000001",
        "berth-i-0000000000001-",
        "berth-i-0000000000001-0",
        "berth-i-0000000000001-01",
        "berth-i-0000000000001-4294967296",
        "berth-i-0000000000001-1x",
        "berth-h-0000000000001-1",
        "berth-i-000000000000u-1",
        "xberth-i-0000000000001-1",
        "//berth-i-0000000000001-1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        int64_t id = 7;
        uint32_t generation = 7;

        assert_false(instance_container_name_parse(others[i], &id, &generation));
        assert_int_equal(id, 7);
        assert_int_equal(generation, 7);
    }
}

/* Most instances have one port: it costs no block. */
static void
test_ports_are_replaced(void **state)
{
    struct instance *instance = instance_new(1);
    struct instance_port *ports = instance_ports_new(instance, 1);

    (void)state;
    assert_ptr_equal(ports, &instance->own_port);
    ports[0].container = 80;
    ports = instance_ports_new(instance, 3);
    assert_int_equal(instance->port_count, 3);
    ports[2].container = 81;
    assert_ptr_equal(instance->ports, ports);
    ports = instance_ports_new(instance, 1);
    assert_int_equal(ports[0].container, 0);
    assert_null(instance_ports_new(instance, 0));
    assert_int_equal(instance->port_count, 0);
    instance_free(instance);
}

/* 100,000 of them shall fit. */
static void
test_rows_stay_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct instance) <= 248);
    assert_true(sizeof(struct host) <= 400);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges_are_those_of_the_drawing),
        cmocka_unit_test(test_final_states_have_no_way_out),
        cmocka_unit_test(test_names_go_both_ways),
        cmocka_unit_test(test_container_name_goes_both_ways),
        cmocka_unit_test(test_other_names_are_not_ours),
        cmocka_unit_test(test_ports_are_replaced),
        cmocka_unit_test(test_rows_stay_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
