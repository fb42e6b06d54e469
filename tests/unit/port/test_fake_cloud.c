/* What tests of rented machines stand on: the provider and the playbook in virtual time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_clock.h"
#include "support/fake_shell.h"

#define FOR_EVER INT64_C(100000000)

struct scene {
    struct fake_clock *clock;
    struct fake_docker *docker;
    struct fake_cloud *cloud;
    struct fake_shell *shell;
    struct pool *pool;
};

/* One call and what came of it. */
struct asked {
    struct cloud_call call;
    struct cloud_machine machine;
    struct cloud_machine listed[8];
    size_t count;
    char shown[32];
    bool complete;
    bool done;
    enum fault_kind kind;
};

static int
setup(void **state)
{
    struct scene *scene = mem_new0(sizeof(*scene));
    struct pool_machine *types = mem_new0(2 * sizeof(*types));

    scene->clock = fake_clock_new(INT64_C(1700000000000));
    scene->docker = fake_docker_new(fake_clock_port(scene->clock));
    scene->cloud = fake_cloud_new(fake_clock_port(scene->clock), scene->docker);
    scene->shell = fake_shell_new(fake_clock_port(scene->clock), scene->cloud);
    scene->pool = pool_new("rented", PROVIDER_EC2);
    scene->pool->id = 7;
    types[0] = (struct pool_machine){ .type = mem_strdup("small"),
                                      .price_micro = 36000,
                                      .memory_bytes = INT64_C(2) << 30,
                                      .cpus_milli = 2000 };
    types[1] = (struct pool_machine){ .type = mem_strdup("large"), .price_micro = 720000 };
    scene->pool->machines = (struct schema_array){ .at = types, .count = 2 };
    *state = scene;
    return 0;
}

static int
teardown(void **state)
{
    struct scene *scene = *state;

    fake_shell_free(scene->shell);
    fake_cloud_free(scene->cloud);
    fake_docker_free(scene->docker);
    pool_free(scene->pool);
    fake_clock_free(scene->clock);
    mem_free(scene);
    return 0;
}

static void
run(struct scene *scene, int64_t ms)
{
    const struct clock_port *clock = fake_clock_port(scene->clock);
    int64_t until = clock->mono_ms(clock->self) + ms;

    while (fake_clock_next(scene->clock, until)) {
    }
    if (clock->mono_ms(clock->self) < until)
        fake_clock_advance(scene->clock, until - clock->mono_ms(clock->self));
}

static void
on_done(struct cloud_call *call, const struct fault *fault)
{
    struct asked *asked = CONTAINER_OF(call, struct asked, call);

    assert_false(asked->done);
    asked->done = true;
    asked->kind = fault ? fault->kind : FAULT_NONE;
    if (call->verb == CLOUD_LAUNCH)
        asked->machine = call->out.machine;
    if (call->verb == CLOUD_CONSOLE && !fault)
        (void)snprintf(asked->shown, sizeof(asked->shown), "%s", call->out.console.text);
    if (call->verb != CLOUD_LIST || fault)
        return;
    asked->complete = call->out.list.complete;
    asked->count = call->out.list.count;
    assert_true(asked->count <= ARRAY_LEN(asked->listed));
    for (size_t i = 0; i < asked->count; i++)
        asked->listed[i] = call->out.list.at[i];
}

static struct asked
ask(struct scene *scene, enum cloud_verb verb, const char *token_or_id, const char *type)
{
    struct asked asked = { .call = { .verb = verb,
                                     .pool = scene->pool,
                                     .cluster_id = "00000000000fa4e5",
                                     .done = on_done } };
    const struct cloud_port *port = fake_cloud_port(scene->cloud);

    if (verb == CLOUD_LAUNCH) {
        asked.call.in.launch = (struct cloud_launch){
            .token = token_or_id, .type = type, .host_name = "h", .host_id = 11
        };
    }
    if (verb != CLOUD_LAUNCH && verb != CLOUD_LIST)
        asked.call.in.id = token_or_id;
    port->start(port->self, &asked.call);
    assert_false(asked.done);
    while (!asked.done)
        assert_true(fake_clock_next(scene->clock, FOR_EVER));
    return asked;
}

static void
test_life(void **state)
{
    struct scene *scene = *state;
    struct asked launch = ask(scene, CLOUD_LAUNCH, "t1", "small");
    struct asked list;
    char id[CLOUD_ID_SIZE];

    assert_int_equal(launch.kind, FAULT_NONE);
    assert_int_equal(launch.machine.state, CLOUD_PENDING);
    assert_string_equal(launch.machine.address, "");
    memcpy(id, launch.machine.id, sizeof(id));
    /* A repeat is the same machine, with other parameters unsure; a listing lacks it at first. */
    assert_string_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").machine.id, id);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t1", "large").kind, FAULT_CLOUD_UNSURE);
    list = ask(scene, CLOUD_LIST, NULL, NULL);
    assert_true(list.complete);
    assert_int_equal(list.count, 0);
    run(scene, FAKE_CLOUD_BOOT_MS);
    list = ask(scene, CLOUD_LIST, NULL, NULL);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.listed[0].state, CLOUD_RUNNING);
    assert_int_equal(list.listed[0].host_id, 11);
    assert_true(list.listed[0].address[0]);
    /* Another pool does not see it. */
    scene->pool->id = 8;
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).count, 0);
    scene->pool->id = 7;
    assert_int_equal(ask(scene, CLOUD_TERMINATE, id, NULL).kind, FAULT_NONE);
    assert_int_equal(fake_cloud_alive(scene->cloud), 1);
    run(scene, FAKE_CLOUD_STOP_MS);
    assert_int_equal(fake_cloud_alive(scene->cloud), 0);
    assert_int_equal(ask(scene, CLOUD_TERMINATE, id, NULL).kind, FAULT_NONE);
    assert_int_equal(ask(scene, CLOUD_TERMINATE, "i-nowhere", NULL).kind, FAULT_NONE);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").kind, FAULT_MACHINE_GONE);
    /* 30 s and 20 s and a few calls, at 10 millionths a second. */
    assert_in_range(fake_cloud_cost_micro(scene->cloud), 500, 520);
    run(scene, FAKE_CLOUD_TOKEN_MS);
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).count, 0);
    assert_string_not_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").machine.id, id);
}

static void
test_refusals(void **state)
{
    struct scene *scene = *state;
    struct fake_quota *quota = fake_cloud_quota(scene->cloud);

    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t0", "huge").kind, FAULT_CLOUD_REFUSED);
    fake_quota_room_set(quota, "small", 1);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").kind, FAULT_NONE);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t2", "small").kind, FAULT_CLOUD_CAPACITY);
    fake_quota_limit_set(quota, 1);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t3", "large").kind, FAULT_CLOUD_LIMIT);
    fake_quota_limit_set(quota, -1);
    fake_quota_throttle_set(quota, 60000, 2);
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).kind, FAULT_NONE);
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).kind, FAULT_NONE);
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).kind, FAULT_CLOUD_THROTTLED);
    run(scene, 60000);
    assert_int_equal(ask(scene, CLOUD_LIST, NULL, NULL).kind, FAULT_NONE);
}

static struct fake_cloud_rule
rule_lost(enum fake_effect effect)
{
    struct fake_cloud_rule rule = { .verb = CLOUD_LAUNCH, .nth = 1 };

    rule.fate = fake_cloud_fate_usual();
    rule.fate.how.kind = FAULT_CLOUD_UNSURE;
    rule.fate.how.effect = effect;
    rule.fate.how.late_ms = 5000;
    return rule;
}

static void
test_lost_replies(void **state)
{
    struct scene *scene = *state;
    const struct cloud_port *port = fake_cloud_port(scene->cloud);
    struct fake_cloud_rule rule = rule_lost(FAKE_DONE);
    struct asked open = { .call = { .verb = CLOUD_LAUNCH, .pool = scene->pool } };

    fake_cloud_rule_add(scene->cloud, &rule);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").kind, FAULT_CLOUD_UNSURE);
    assert_int_equal(fake_cloud_alive(scene->cloud), 1);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t1", "small").kind, FAULT_NONE);
    assert_int_equal(fake_cloud_alive(scene->cloud), 1);
    rule = rule_lost(FAKE_LATE);
    fake_cloud_rule_add(scene->cloud, &rule);
    assert_int_equal(ask(scene, CLOUD_LAUNCH, "t2", "small").kind, FAULT_CLOUD_UNSURE);
    assert_int_equal(fake_cloud_alive(scene->cloud), 1);
    run(scene, 5000);
    assert_int_equal(fake_cloud_alive(scene->cloud), 2);
    /* A crash after the request was sent. */
    open.call.cluster_id = "00000000000fa4e5";
    open.call.in.launch = (struct cloud_launch){ .token = "t3", .type = "small", .host_name = "h" };
    open.call.done = on_done;
    port->start(port->self, &open.call);
    fake_cloud_restart(scene->cloud);
    run(scene, 1000);
    assert_false(open.done);
    assert_int_equal(fake_cloud_alive(scene->cloud), 3);
}

static void
test_lives(void **state)
{
    struct scene *scene = *state;
    struct fake_cloud_rule rule = { .verb = CLOUD_LAUNCH, .nth = 1 };
    struct asked list;

    rule.fate = fake_cloud_fate_usual();
    rule.fate.life.boot_ms = -1;
    fake_cloud_rule_add(scene->cloud, &rule);
    rule.fate = fake_cloud_fate_usual();
    rule.fate.life.ends_ms = 200000;
    rule.fate.life.notice = true;
    rule.nth = 1;
    (void)ask(scene, CLOUD_LAUNCH, "never", "small");
    fake_cloud_rule_add(scene->cloud, &rule);
    (void)ask(scene, CLOUD_LAUNCH, "taken", "small");
    run(scene, 199900 - FAKE_VM_NOTICE_MS);
    list = ask(scene, CLOUD_LIST, NULL, NULL);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.listed[0].state, CLOUD_PENDING);
    assert_false(list.listed[0].notice);
    assert_true(list.listed[1].notice);
    run(scene, FAKE_VM_NOTICE_MS);
    assert_int_equal(fake_cloud_alive(scene->cloud), 1);
    rule = (struct fake_cloud_rule){ .verb = CLOUD_LIST, .fate = fake_cloud_fate_usual() };
    rule.fate.incomplete = true;
    fake_cloud_rule_add(scene->cloud, &rule);
    list = ask(scene, CLOUD_LIST, NULL, NULL);
    assert_false(list.complete);
    assert_int_equal(list.count, 1);
}

/* One run and what came of it. */
struct prepared {
    struct shell_prepare prepare;
    uint32_t steps;
    bool done;
    enum fault_kind kind;
    char engine[FAKE_NAME_SIZE];
};

static void
on_step(struct shell_prepare *prepare)
{
    CONTAINER_OF(prepare, struct prepared, prepare)->steps++;
}

static void
on_prepared(struct shell_prepare *prepare, const struct fault *fault)
{
    struct prepared *prepared = CONTAINER_OF(prepare, struct prepared, prepare);

    assert_false(prepared->done);
    prepared->done = true;
    prepared->kind = fault ? fault->kind : FAULT_NONE;
    if (!fault)
        (void)snprintf(prepared->engine, sizeof(prepared->engine), "%s", prepare->endpoint.engine);
}

static struct prepared
prepare(struct scene *scene, const char *address)
{
    const struct shell_port *port = fake_shell_port(scene->shell);
    struct host host = { .name = mem_unconst("h") };
    struct prepared prepared = {
        .prepare = { .host = &host, .address = address, .on_step = on_step, .done = on_prepared }
    };

    port->prepare_start(port->self, &prepared.prepare);
    while (!prepared.done)
        assert_true(fake_clock_next(scene->clock, FOR_EVER));
    return prepared;
}

static void
test_prepare(void **state)
{
    struct scene *scene = *state;
    struct fake_shell_rule rule = {
        .host = "h", .nth = 1, .fate = { .step_ms = 10, .fails_at = 2, .kind = FAULT_PREPARE }
    };
    struct prepared prepared;
    struct fake_machine *engine;
    char address[CLOUD_ADDRESS_SIZE];

    assert_int_equal(prepare(scene, "10.0.0.1").kind, FAULT_UNREACHABLE);
    (void)ask(scene, CLOUD_LAUNCH, "t1", "small");
    run(scene, FAKE_CLOUD_BOOT_MS);
    memcpy(address, ask(scene, CLOUD_LIST, NULL, NULL).listed[0].address, sizeof(address));
    fake_shell_rule_add(scene->shell, &rule);
    prepared = prepare(scene, address);
    assert_int_equal(prepared.kind, FAULT_PREPARE);
    assert_int_equal(prepared.prepare.step, 2);
    prepared = prepare(scene, address);
    assert_int_equal(prepared.kind, FAULT_NONE);
    assert_int_equal(prepared.steps, FAKE_SHELL_STEPS);
    engine = fake_docker_machine(scene->docker, prepared.engine);
    assert_int_equal(engine->info.memory_bytes, INT64_C(2) << 30);
    assert_false(engine->unreachable);
    fake_vm_vanish(fake_vm_next(fake_cloud_vms(scene->cloud), NULL));
    assert_true(engine->unreachable);
}

/* It keeps what it is, loses its address and its engine's containers, and costs little meanwhile. */
static void
test_stop_and_start(void **state)
{
    struct scene *scene = *state;
    struct fake_vm *vm;
    struct fake_machine *engine;
    char address[CLOUD_ADDRESS_SIZE];
    char id[CLOUD_ID_SIZE];
    int64_t cost_micro;

    memcpy(id, ask(scene, CLOUD_LAUNCH, "t1", "small").machine.id, sizeof(id));
    assert_int_equal(ask(scene, CLOUD_STOP, id, NULL).kind, FAULT_MACHINE_GONE); /* it is hidden */
    run(scene, FAKE_CLOUD_HIDDEN_MS);
    assert_int_equal(ask(scene, CLOUD_STOP, id, NULL).kind, FAULT_CLOUD_FAILED); /* it boots */
    run(scene, FAKE_CLOUD_BOOT_MS);
    vm = fake_vm_by_id(fake_cloud_vms(scene->cloud), id);
    engine = fake_vm_engine_start(vm);
    memcpy(address, vm->seen.address, sizeof(address));
    assert_int_equal(ask(scene, CLOUD_STOP, id, NULL).kind, FAULT_NONE);
    assert_int_equal(vm->seen.state, CLOUD_STOPPING);
    assert_string_equal(vm->seen.address, "");
    assert_true(engine->unreachable);
    assert_int_equal(ask(scene, CLOUD_START, id, NULL).kind, FAULT_CLOUD_FAILED); /* not yet */
    run(scene, FAKE_CLOUD_STOP_MS);
    assert_int_equal(vm->seen.state, CLOUD_STOPPED);
    assert_int_equal(ask(scene, CLOUD_STOP, id, NULL).kind, FAULT_NONE);
    cost_micro = fake_vm_cost_micro(vm);
    run(scene, 3600000);
    assert_int_equal(vm->seen.state, CLOUD_STOPPED);
    assert_in_range(fake_vm_cost_micro(vm) - cost_micro, 1790, 1810); /* of 36000 */
    assert_int_equal(ask(scene, CLOUD_START, id, NULL).kind, FAULT_NONE);
    assert_int_equal(vm->seen.state, CLOUD_PENDING);
    run(scene, FAKE_VM_START_MS);
    assert_int_equal(vm->seen.state, CLOUD_RUNNING);
    assert_string_not_equal(vm->seen.address, address);
    assert_non_null(vm->engine);
    assert_false(vm->engine->unreachable);
    assert_ptr_not_equal(vm->engine, engine);
    cost_micro = fake_vm_cost_micro(vm);
    run(scene, 3600000);
    assert_int_equal(fake_vm_cost_micro(vm) - cost_micro, 36000);
}

static void
test_stopped_and_given_back(void **state)
{
    struct scene *scene = *state;
    const struct fake_vm *vm;
    char id[CLOUD_ID_SIZE];

    memcpy(id, ask(scene, CLOUD_LAUNCH, "t1", "small").machine.id, sizeof(id));
    run(scene, FAKE_CLOUD_BOOT_MS);
    vm = fake_vm_by_id(fake_cloud_vms(scene->cloud), id);
    assert_int_equal(ask(scene, CLOUD_STOP, id, NULL).kind, FAULT_NONE);
    run(scene, FAKE_CLOUD_STOP_MS);
    assert_int_equal(vm->seen.state, CLOUD_STOPPED);
    assert_int_equal(ask(scene, CLOUD_TERMINATE, id, NULL).kind, FAULT_NONE);
    run(scene, FAKE_CLOUD_STOP_MS);
    assert_int_equal(vm->seen.state, CLOUD_TERMINATED);
    assert_int_equal(ask(scene, CLOUD_START, id, NULL).kind, FAULT_MACHINE_GONE);
    assert_int_equal(fake_cloud_alive(scene->cloud), 0);
}

static void
test_spot_and_console(void **state)
{
    struct scene *scene = *state;
    struct fake_cloud_rule rule = { .verb = CLOUD_LAUNCH, .fate = fake_cloud_fate_usual() };
    struct asked launch;

    rule.fate.life.spot_micro = 12000;
    rule.fate.life.console = "no root file system\n";
    fake_cloud_rule_add(scene->cloud, &rule);
    launch = ask(scene, CLOUD_LAUNCH, "t1", "small");
    assert_true(launch.machine.spot);
    assert_int_equal(launch.machine.price_micro, 12000);
    run(scene, FAKE_CLOUD_BOOT_MS);
    assert_int_equal(ask(scene, CLOUD_STOP, launch.machine.id, NULL).kind, FAULT_CLOUD_REFUSED);
    assert_string_equal(ask(scene, CLOUD_CONSOLE, launch.machine.id, NULL).shown,
                        "no root file system\n");
    assert_int_equal(ask(scene, CLOUD_CONSOLE, "i-none", NULL).kind, FAULT_MACHINE_GONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_replies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prepare, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_and_start, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stopped_and_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spot_and_console, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
