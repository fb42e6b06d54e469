/*
 * Renting: each call to the provider and each fault, crashes at each turn.
 * Once the fault has passed, there are as many hosts as are wanted, one machine
 * for each and no other, and at the end none, with its cost accounted for.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "rented.h"

enum {
    HOSTS = 2,
    AWHILE_MS = 40000,
    FOUND_MS = 3600000, /* until as many hosts as are wanted are active */
    SWEPT_MS = 900000,  /* until nothing else is there */
    CRASH_TURNS = 30,
};

struct fault_row {
    const char *name;
    struct fake_fate how;
    bool incomplete;
};

/* clang-format off */
static const struct fault_row fault_rows[] = {
    { "no room",            { 100, FAULT_CLOUD_CAPACITY,  FAKE_NOTHING, 0 },      false },
    { "limit",              { 100, FAULT_CLOUD_LIMIT,     FAKE_NOTHING, 0 },      false },
    { "throttled",          { 100, FAULT_CLOUD_THROTTLED, FAKE_NOTHING, 0 },      false },
    { "denied",             { 100, FAULT_CLOUD_DENIED,    FAKE_NOTHING, 0 },      false },
    { "refused",            { 100, FAULT_CLOUD_REFUSED,   FAKE_NOTHING, 0 },      false },
    { "failed",             { 100, FAULT_CLOUD_FAILED,    FAKE_NOTHING, 0 },      false },
    { "failed, but done",   { 100, FAULT_CLOUD_FAILED,    FAKE_DONE,    0 },      false },
    { "request lost",       { 100, FAULT_CLOUD_UNSURE,    FAKE_NOTHING, 0 },      false },
    { "reply lost",         { 100, FAULT_CLOUD_UNSURE,    FAKE_DONE,    0 },      false },
    { "done late",          { 100, FAULT_CLOUD_UNSURE,    FAKE_LATE,    3000 },   false },
    { "done very late",     { 100, FAULT_CLOUD_UNSURE,    FAKE_LATE,    90000 },  false },
    { "never answers",      { 999999999, FAULT_NONE,      FAKE_NOTHING, 0 },      false },
    { "answers late",       { 45000, FAULT_NONE,          FAKE_NOTHING, 0 },      false },
    { "half a listing",     { 100, FAULT_NONE,            FAKE_NOTHING, 0 },      true  },
};
/* clang-format on */

static char playing[160];

static int
teardown(void **state)
{
    (void)state;
    if (playing[0])
        print_error("in the case: %s\n", playing);
    playing[0] = '\0';
    return 0;
}

static size_t
leftovers(struct rented *rented)
{
    size_t hosts = rented_count(rented, HOST_SPAWNED) + rented_count(rented, HOST_INACTIVE);

    return hosts + fake_cloud_alive(rented->world.cloud) - rented_count(rented, HOST_ACTIVE);
}

static bool
is_clean(struct world *world)
{
    return leftovers(world->cookie) == 0;
}

static bool
is_empty(struct world *world)
{
    return rented_pool(world->cookie)->hosts == 0 && fake_cloud_alive(world->cloud) == 0;
}

/* What must be, when nothing goes wrong any more. */
static void
settle(struct rented *rented)
{
    rented_until_active(rented, HOSTS, FOUND_MS);
    assert_true(world_run_until(&rented->world, is_clean, SWEPT_MS));
    assert_int_equal(rented_count(rented, HOST_ACTIVE), HOSTS);
}

static void
finish(struct rented *rented)
{
    int64_t cost;

    rented_policy_set(rented, 0, true);
    assert_true(world_run_until(&rented->world, is_empty, SWEPT_MS));
    cost = fake_cloud_cost_micro(rented->world.cloud);
    /* A machine that was launched late, by a request that got lost, is nobody's. */
    if (rented_events(rented, "pool.orphan") == 0)
        assert_true(rented_pool(rented)->spent_micro * 100 >= cost * 99);
    rented_end(rented);
    playing[0] = '\0';
}

static void
play(enum cloud_verb verb, const struct fault_row *row, bool awhile)
{
    struct rented rented;
    struct fake_cloud_rule rule = { .verb = (int)verb, .nth = awhile ? 0 : 1 };

    (void)snprintf(playing, sizeof(playing), "%s at %s%s", row->name, cloud_verb_name(verb),
                   awhile ? " for a while" : "");
    rule.fate = fake_cloud_fate_usual();
    rule.fate.how = row->how;
    rule.fate.incomplete = row->incomplete;
    rented_begin(&rented, HOSTS);
    if (verb != CLOUD_TERMINATE)
        fake_cloud_rule_add(rented.world.cloud, &rule);
    world_run(&rented.world, AWHILE_MS);
    if (awhile)
        fake_cloud_rules_clear(rented.world.cloud);
    settle(&rented);
    if (verb == CLOUD_TERMINATE) {
        fake_cloud_rule_add(rented.world.cloud, &rule);
        rented_policy_set(&rented, 0, true);
        world_run(&rented.world, AWHILE_MS);
        fake_cloud_rules_clear(rented.world.cloud);
    }
    finish(&rented);
}

static void
play_all(enum cloud_verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(fault_rows); i++) {
        play(verb, &fault_rows[i], false);
        play(verb, &fault_rows[i], true);
    }
}

static void
test_launch(void **state)
{
    (void)state;
    play_all(CLOUD_LAUNCH);
}

/* The first request is under way somewhere when the second is told that there is no room: with another
 * token the first would make a second machine. */
static void
test_late_and_no_room(void **state)
{
    struct fake_cloud_rule late = { .verb = CLOUD_LAUNCH, .nth = 1 };
    struct fake_cloud_rule full = { .verb = CLOUD_LAUNCH, .nth = 1 };

    (void)state;
    for (int64_t late_ms = 1000; late_ms < 400000; late_ms = late_ms * 2 + 500) {
        struct rented rented;

        (void)snprintf(playing, sizeof(playing), "done after %lld ms", (long long)late_ms);
        late.fate = full.fate = fake_cloud_fate_usual();
        late.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_UNSURE, FAKE_LATE, late_ms };
        full.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_CAPACITY, FAKE_NOTHING, 0 };
        rented_begin(&rented, 1);
        fake_cloud_rule_add(rented.world.cloud, &late);
        fake_cloud_rule_add(rented.world.cloud, &full);
        rented_until_active(&rented, 1, FOUND_MS);
        world_run(&rented.world, SWEPT_MS);
        assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
        rented_end(&rented);
        playing[0] = '\0';
    }
}

static bool
is_launched(struct world *world)
{
    return fake_cloud_alive(world->cloud) > 0;
}

/* After a lost answer the daemon is upgraded: it would plant something else now, and the provider does not
 * take the token with that.  The machine of the first request is found by its tags, and there is no other. */
static void
test_token_with_other_user_data(void **state)
{
    struct fake_cloud_rule lost = { .verb = CLOUD_LAUNCH, .nth = 1 };

    (void)state;
    for (int64_t hidden_ms = 1000; hidden_ms < 100000; hidden_ms *= 3) {
        struct rented rented;

        (void)snprintf(playing, sizeof(playing), "hidden for %lld ms", (long long)hidden_ms);
        lost.fate = fake_cloud_fate_usual();
        lost.fate.how = (struct fake_fate){ 100, FAULT_CLOUD_UNSURE, FAKE_DONE, 0 };
        lost.fate.life.hidden_ms = hidden_ms;
        rented_begin(&rented, 1);
        fake_cloud_rule_add(rented.world.cloud, &lost);
        assert_true(world_run_until(&rented.world, is_launched, FOUND_MS));
        fake_shell_revision_set(rented.world.shell, "0000000000000002");
        rented_until_active(&rented, 1, FOUND_MS);
        assert_int_equal(rented_first(&rented)->machine->attempt, 0);
        world_run(&rented.world, SWEPT_MS);
        assert_int_equal(fake_cloud_alive(rented.world.cloud), 1);
        rented_end(&rented);
        playing[0] = '\0';
    }
}

static void
test_list(void **state)
{
    (void)state;
    play_all(CLOUD_LIST);
}

static void
test_terminate(void **state)
{
    (void)state;
    play_all(CLOUD_TERMINATE);
}

static void
play_crash(uint64_t turn, size_t durable, int64_t disk_ms)
{
    struct rented rented;

    (void)snprintf(playing, sizeof(playing), "crash at turn %llu, %zu durable, disk %lld ms",
                   (unsigned long long)turn, durable, (long long)disk_ms);
    rented_begin(&rented, HOSTS);
    rented.world.disk_ms = disk_ms;
    while (rented.world.turns < turn && world_turn(&rented.world, INT64_MAX)) {
    }
    world_crash(&rented.world, durable);
    world_start(&rented.world);
    if (!rented_pool(&rented))
        rented_policy_set(&rented, HOSTS, false);
    settle(&rented);
    finish(&rented);
}

/* From the first intent to the active host, and on. */
static void
test_crash(void **state)
{
    (void)state;
    for (uint64_t turn = 1; turn < UINT64_C(6) * CRASH_TURNS; turn += turn < CRASH_TURNS ? 1 : 7) {
        for (size_t durable = 0; durable < 2; durable++) {
            play_crash(turn, durable, 0);
            play_crash(turn, durable, 20);
        }
    }
}

/* While machines are given back. */
static void
test_crash_in_retirement(void **state)
{
    (void)state;
    for (uint64_t turn = 1; turn < UINT64_C(2) * CRASH_TURNS; turn++) {
        struct rented rented;
        uint64_t until;

        (void)snprintf(playing, sizeof(playing), "crash %llu turns after the shutdown",
                       (unsigned long long)turn);
        rented_begin(&rented, HOSTS);
        settle(&rented);
        rented.world.disk_ms = 20;
        rented_policy_set(&rented, 0, true);
        until = rented.world.turns + turn;
        while (rented.world.turns < until && world_turn(&rented.world, INT64_MAX)) {
        }
        world_crash(&rented.world, turn % 2);
        world_start(&rented.world);
        finish(&rented);
    }
}

/* The database cannot be written for a while: no launch rests on what is not there. */
static void
test_broken_disk(void **state)
{
    (void)state;
    for (uint64_t turn = 1; turn < UINT64_C(3) * CRASH_TURNS; turn += 3) {
        struct rented rented;
        struct fault fault;

        (void)snprintf(playing, sizeof(playing), "the disk fails at turn %llu",
                       (unsigned long long)turn);
        rented_begin(&rented, HOSTS);
        rented.world.disk_ms = 20;
        world_run(&rented.world, 100);
        while (rented.world.turns < turn && world_turn(&rented.world, INT64_MAX)) {
        }
        fault_set(&fault, FAULT_STORAGE, "test", "made up");
        fake_store_break(rented.world.store, &fault, 0);
        world_run(&rented.world, AWHILE_MS);
        fake_store_break(rented.world.store, NULL, 0);
        settle(&rented);
        finish(&rented);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_launch, teardown),
        cmocka_unit_test_teardown(test_token_with_other_user_data, teardown),
        cmocka_unit_test_teardown(test_late_and_no_room, teardown),
        cmocka_unit_test_teardown(test_list, teardown),
        cmocka_unit_test_teardown(test_terminate, teardown),
        cmocka_unit_test_teardown(test_crash, teardown),
        cmocka_unit_test_teardown(test_crash_in_retirement, teardown),
        cmocka_unit_test_teardown(test_broken_disk, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
