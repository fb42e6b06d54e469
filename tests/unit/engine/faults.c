#include "faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define GIB (INT64_C(1) << 30)

enum { AWHILE_MS = 3000, OUTAGE_MS = 40000, SETTLE_MS = 240000, ROUND_MS = 20000 };

/* clang-format off */
const struct fault_kind_row fault_rows[] = {
    { "refused",              { 1, FAULT_ENGINE_REFUSED, FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_FAILED,  false },
    { "failed",               { 1, FAULT_ENGINE,         FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "failed, but done",     { 1, FAULT_ENGINE,         FAKE_DONE,    0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "request lost",         { 1, FAULT_LOST,           FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "reply lost",           { 1, FAULT_LOST,           FAKE_DONE,    0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "time-out",             { 1, FAULT_TIMEOUT,        FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "time-out, but done",   { 1, FAULT_TIMEOUT,        FAKE_DONE,    0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "done a little late",   { 1, FAULT_LOST,           FAKE_LATE,    2 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "done late",            { 1, FAULT_LOST,           FAKE_LATE,    700 },   ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "done very late",       { 1, FAULT_TIMEOUT,        FAKE_LATE,    60000 }, ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "garbled",              { 1, FAULT_GARBLED,        FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "garbled, but done",    { 1, FAULT_GARBLED,        FAKE_DONE,    0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "no connection",        { 1, FAULT_UNREACHABLE,    FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "certificate refused",  { 1, FAULT_TLS,            FAKE_NOTHING, 0 },     ACTION_NONE,        OUTCOME_RUNNING, true  },
    { "stop",                 { 50, FAULT_NONE,          FAKE_NOTHING, 0 },     ACTION_STOP,        OUTCOME_STOPPED, false },
    { "stop, but done",       { 50, FAULT_CANCELLED,     FAKE_DONE,    0 },     ACTION_STOP,        OUTCOME_STOPPED, false },
    { "stop, done late",      { 50, FAULT_CANCELLED,     FAKE_LATE,    3000 },  ACTION_STOP,        OUTCOME_STOPPED, false },
    { "crash",                { 2, FAULT_NONE,           FAKE_NOTHING, 0 },     ACTION_CRASH,       OUTCOME_RUNNING, false },
    { "crash, done late",     { 2, FAULT_LOST,           FAKE_LATE,    3 },     ACTION_CRASH,       OUTCOME_RUNNING, false },
    { "unreachable",          { 50, FAULT_NONE,          FAKE_NOTHING, 0 },     ACTION_UNREACHABLE, OUTCOME_RUNNING, false },
    { "unreachable, but done", { 50, FAULT_LOST,         FAKE_DONE,    0 },     ACTION_UNREACHABLE, OUTCOME_RUNNING, false },
    { "hangs",                { 50, FAULT_NONE,          FAKE_NOTHING, 0 },     ACTION_HANG,        OUTCOME_RUNNING, false },
    { "reboots",              { 50, FAULT_NONE,          FAKE_NOTHING, 0 },     ACTION_REBOOT,      OUTCOME_ENDED,   false },
};
/* clang-format on */
const size_t fault_row_count = ARRAY_LEN(fault_rows);

static char playing[200]; /* the case under way */

void
faults_begin(struct fault_case *fc, const char *json)
{
    (void)snprintf(playing, sizeof(playing), "%s at %s%s, disk %lld ms, crash %llu/%zu",
                   fc->row->name, docker_verb_name(fc->step), fc->awhile ? " for a while" : "",
                   (long long)fc->disk_ms, (unsigned long long)fc->turns, fc->durable);
    world_init(&fc->world, 7);
    check_init(&fc->check, &fc->world);
    fc->world.cookie = fc;
    (void)world_pool(&fc->world, "default");
    (void)world_host(&fc->world, "default", "h1", 4 * GIB, 4);
    (void)world_host(&fc->world, "default", "h2", 4 * GIB, 4);
    (void)world_blueprint(&fc->world, json);
    world_run(&fc->world, 100);
    fc->world.disk_ms = fc->disk_ms;
}

void
faults_inject(struct fault_case *fc)
{
    struct fake_rule rule = { .verb = (int)fc->step, .nth = fc->awhile ? 0 : 1 };

    rule.fate = fc->row->fate;
    fake_fate_rule_add(&fc->world.fates, &rule);
    fake_docker_records_clear(fc->world.docker);
}

static bool
faults_is_seen(struct world *world)
{
    struct fault_case *fc = world->cookie;
    const struct fake_record *records;
    size_t count;

    records = fake_docker_records(world->docker, &count);
    for (size_t i = 0; i < count && !fc->seen; i++) {
        if (records[i].verb == fc->step) {
            fc->seen = true;
            fc->host_id = records[i].host_id;
        }
    }
    return fc->seen;
}

static void
faults_crash(struct fault_case *fc)
{
    uint64_t until = fc->world.turns + fc->turns;

    while (fc->world.turns < until && world_turn(&fc->world, INT64_MAX)) {
    }
    world_crash(&fc->world, fc->durable);
    world_start(&fc->world);
}

static void
faults_outage(struct fault_case *fc)
{
    struct fake_machine *machine = fake_docker_machine_of(fc->world.docker, fc->host_id);

    world_run(&fc->world, 10);
    machine->unreachable = fc->row->action == ACTION_UNREACHABLE;
    machine->hung = fc->row->action == ACTION_HANG;
    if (fc->row->action == ACTION_REBOOT) {
        fake_machine_reboot(machine);
        fake_docker_streams_break(fc->world.docker, machine, FAULT_LOST);
        check_blame(&fc->check, machine);
        return;
    }
    fake_docker_streams_break(fc->world.docker, machine, FAULT_LOST);
    world_run(&fc->world, OUTAGE_MS);
    check_blame(&fc->check, machine);
    machine->unreachable = false;
    machine->hung = false;
}

void
faults_play(struct fault_case *fc)
{
    if (!world_run_until(&fc->world, faults_is_seen, 20000))
        fail_msg("there was no such call");
    switch (fc->row->action) {
    case ACTION_NONE:
        if (fc->awhile)
            world_run(&fc->world, AWHILE_MS);
        break;
    case ACTION_STOP:
        world_run(&fc->world, 10);
        assert_true(check_stop(&fc->check, fc->id));
        break;
    case ACTION_CRASH:
        faults_crash(fc);
        break;
    case ACTION_UNREACHABLE:
    case ACTION_HANG:
    case ACTION_REBOOT:
        faults_outage(fc);
        break;
    }
    if (fc->awhile || fc->row->action != ACTION_NONE)
        fc->world.fates.count = 0;
}

static bool
faults_is_over(struct world *world)
{
    const struct fault_case *fc = world->cookie;
    const struct instance *instance = world_instance(world, fc->id);

    return !instance || (instance->state != INSTANCE_QUEUED && !instance->work);
}

void
faults_settle(struct fault_case *fc, enum fault_outcome outcome)
{
    const struct instance *instance;

    world_run(&fc->world, SETTLE_MS);
    /* Both hosts may have too high a score: it falls, but it takes its time. */
    (void)world_run_until(&fc->world, faults_is_over, INT64_C(3) * SCORE_HALF_LIFE_MS);
    instance = world_instance(&fc->world, fc->id);
    assert_non_null(instance);
    switch (outcome) {
    case OUTCOME_RUNNING:
        if (instance->state != INSTANCE_RUNNING) {
            fail_msg("it is %s: %s", instance_state_name((enum instance_state)instance->state),
                     instance->reason);
        }
        break;
    case OUTCOME_STOPPED:
        assert_int_equal(instance->state, INSTANCE_STOPPED);
        assert_string_equal(instance->reason, "asked to");
        break;
    case OUTCOME_FAILED:
        assert_int_equal(instance->state, INSTANCE_FAILED);
        break;
    case OUTCOME_FINAL:
        assert_true(instance_state_is_final((enum instance_state)instance->state));
        break;
    case OUTCOME_ENDED:
        assert_true(instance->state == INSTANCE_FAILED || instance->state == INSTANCE_RUNNING);
        break;
    }
    world_run(&fc->world, ROUND_MS);
    check_settled(&fc->check);
    check_fini(&fc->check);
    world_fini(&fc->world);
    playing[0] = '\0';
}

int
faults_teardown(void **state)
{
    (void)state;
    if (playing[0])
        print_error("in the case: %s\n", playing);
    playing[0] = '\0';
    return 0;
}
