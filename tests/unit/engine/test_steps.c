/*
 * The log of preparations: what each step did is durable and can be looked at while it happens; what
 * failed, or was interrupted, is where the next run begins.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rented.h"

enum { FOUND_MS = 900000, STEPS = FAKE_SHELL_STEPS };

static uint32_t began_at[8]; /* from_step of each run */
static size_t runs;
static struct fake_shell_fate fates[8]; /* of each run */

static struct fake_shell_fate
on_run(void *cookie, const struct shell_prepare *prepare)
{
    (void)cookie;
    assert_true(runs < ARRAY_LEN(began_at));
    began_at[runs] = prepare->from_step;
    return fates[runs++];
}

static void
begin(struct rented *rented)
{
    runs = 0;
    memset(fates, 0, sizeof(fates));
    for (size_t i = 0; i < ARRAY_LEN(fates); i++)
        fates[i].step_ms = 10000;
    rented_begin(rented, 1);
    fake_shell_fate(rented->world.shell, on_run, NULL);
}

static char text[8192];
static char output[70000]; /* of the first step that was read */
static int64_t cut_bytes;

static void
on_steps(struct store_history *history, const struct fault *fault)
{
    struct buf out = { 0 };

    assert_null(fault);
    for (size_t i = 0; i < history->count; i++) {
        const struct store_step *step = &history->steps[i];

        buf_printf(&out, "%u.%u/%u %s %s %lld s%s%s; ", step->run, step->step, step->steps,
                   step->name, shell_end_name(step->ended), (long long)step->took_ms / 1000,
                   step->reason ? " " : "", step->reason ? step->reason : "");
    }
    if (history->count > 0) {
        assert_true(history->steps[0].len < sizeof(output));
        if (history->steps[0].len > 0)
            memcpy(output, history->steps[0].output, history->steps[0].len);
        output[history->steps[0].len] = '\0';
        cut_bytes = history->steps[0].cut_bytes;
    }
    assert_true(out.len < sizeof(text));
    memcpy(text, buf_text(&out), out.len + 1);
    buf_fini(&out);
}

/* What the store has of the oldest host's runs is @wanted. */
static void
expect(struct rented *rented, const char *wanted)
{
    struct store_history history = {
        .kind = HISTORY_STEPS,
        .host_id = rented_first(rented)->id,
        .limit = 100,
        .done = on_steps,
    };

    engine_history_start(rented->world.engine, &history);
    fake_store_settle(rented->world.store);
    assert_string_equal(text, wanted);
}

static bool
is_in_third(struct world *world)
{
    const struct host *host = rented_first(world->cookie);
    struct store_step step;

    return host && engine_host_step(world->engine, host, &step) && step.step == 3;
}

static bool
is_down_again(struct world *world)
{
    const struct host *host = rented_first(world->cookie);

    return host && host->machine->prepare_failures == 1;
}

static bool
is_down_twice(struct world *world)
{
    return rented_first(world->cookie)->machine->prepare_failures == 2;
}

/* Proves: each step's end is there, with its time. */
static void
test_all_steps(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented);
    rented_until_active(&rented, 1, FOUND_MS);
    expect(&rented, "1.1/5 wait for the boot changed 10 s; 1.2/5 packages changed 10 s; "
                    "1.3/5 swap changed 10 s; 1.4/5 engine changed 10 s; "
                    "1.5/5 firewall changed 10 s; ");
    assert_false(engine_host_is_preparing(rented.world.engine, rented_first(&rented)));
    assert_string_equal(rented_first(&rented)->machine->user, "admin");
    assert_string_equal(rented_first(&rented)->machine->host_key, "ssh-ed25519 FAKE");
    rented_end(&rented);
}

static bool
is_preparing_again(struct world *world)
{
    const char *waits = rented_first(CONTAINER_OF(world, struct rented, world))->waiting_for;

    return waits && strncmp(waits, "preparing, ", strlen("preparing, ")) == 0;
}

/* Proves: the next run begins with the step that failed, and the host says what it waits for. */
static void
test_failed_step(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented);
    fates[0].kind = FAULT_PREPARE;
    fates[0].fails_at = 1;
    assert_true(world_run_until(&rented.world, is_down_again, FOUND_MS));
    assert_string_equal(
        rented_first(&rented)->waiting_for,
        "preparation, again: it failed in step 2 of 5 (packages): made up: step 2 of "
        "10.0.0.1");
    assert_true(world_run_until(&rented.world, is_preparing_again, FOUND_MS));
    assert_non_null(strstr(rented_first(&rented)->waiting_for,
                           "; before, it failed in step 2 of 5 (packages): made up"));
    rented_until_active(&rented, 1, FOUND_MS);
    assert_int_equal(runs, 2);
    assert_int_equal(began_at[1], 1);
    expect(&rented, "1.1/5 wait for the boot changed 10 s; "
                    "1.2/5 packages failed 10 s made up: step 2 of 10.0.0.1; "
                    "2.2/5 packages changed 10 s; 2.3/5 swap changed 10 s; "
                    "2.4/5 engine changed 10 s; 2.5/5 firewall changed 10 s; ");
    rented_end(&rented);
}

/* Proves: a machine that cannot be reached is in the log, too, and does not lose the place. */
static void
test_no_connection(void **state)
{
    struct rented rented;
    struct fake_vm *vm;

    (void)state;
    begin(&rented);
    fates[0].kind = FAULT_PREPARE;
    fates[0].fails_at = 2;
    assert_true(world_run_until(&rented.world, is_down_again, FOUND_MS));
    vm = fake_vm_by_address(fake_cloud_vms(rented.world.cloud), rented_first(&rented)->address);
    vm->life.mute = true;
    assert_true(world_run_until(&rented.world, is_down_twice, FOUND_MS));
    assert_string_equal(rented_first(&rented)->waiting_for,
                        "preparation, again: it failed in the connection: made up: step 1 of "
                        "10.0.0.1");
    vm->life.mute = false;
    rented_until_active(&rented, 1, FOUND_MS);
    assert_int_equal(runs, 3);
    assert_int_equal(began_at[1], 2);
    assert_int_equal(began_at[2], 2);
    expect(&rented, "1.1/5 wait for the boot changed 10 s; 1.2/5 packages changed 10 s; "
                    "1.3/5 swap failed 10 s made up: step 3 of 10.0.0.1; "
                    "2.0/0 connection failed 15 s made up: step 1 of 10.0.0.1; "
                    "3.3/5 swap changed 10 s; 3.4/5 engine changed 10 s; "
                    "3.5/5 firewall changed 10 s; ");
    rented_end(&rented);
}

/* Proves: after a crash the step that was under way is where the next run begins, and failures are
 * counted on. */
static void
test_restart(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented);
    fates[0].kind = FAULT_PREPARE;
    fates[0].fails_at = 0;
    assert_true(world_run_until(&rented.world, is_in_third, FOUND_MS));
    world_run(&rented.world, 100);
    world_crash(&rented.world, 0);
    world_start(&rented.world);
    rented_until_active(&rented, 1, FOUND_MS);
    assert_int_equal(runs, 3);
    assert_int_equal(began_at[2], 2);
    assert_int_equal(rented_first(&rented)->machine->prepare_failures, 1);
    expect(&rented, "1.1/5 wait for the boot failed 10 s made up: step 1 of 10.0.0.1; "
                    "2.1/5 wait for the boot changed 10 s; 2.2/5 packages changed 10 s; "
                    "3.3/5 swap changed 10 s; 3.4/5 engine changed 10 s; "
                    "3.5/5 firewall changed 10 s; ");
    rented_end(&rented);
}

/* Proves: steps of a playbook that was changed meanwhile are not left out. */
static void
test_another_playbook(void **state)
{
    struct rented rented;

    (void)state;
    begin(&rented);
    fates[0].kind = FAULT_PREPARE;
    fates[0].fails_at = 3;
    assert_true(world_run_until(&rented.world, is_down_again, FOUND_MS));
    fake_shell_revision_set(rented.world.shell, "00000000000000ff");
    rented_until_active(&rented, 1, FOUND_MS);
    assert_int_equal(began_at[1], 0);
    assert_string_equal(rented_first(&rented)->machine->playbook_revision, "00000000000000ff");
    rented_end(&rented);
}

/* Proves: a step that takes too long is ended and says so; the one who gives up names it. */
static void
test_late_step(void **state)
{
    struct rented rented;
    const struct host *host;

    (void)state;
    begin(&rented);
    for (size_t i = 0; i < 3; i++)
        fates[i] = (struct fake_shell_fate){ .step_ms = 1400000 };
    (void)world_run_until(&rented.world, is_down_again, INT64_C(2) * FOUND_MS);
    expect(&rented, "1.1/5 wait for the boot failed 1200 s it took longer than 20 minutes; ");
    host = rented_first(&rented);
    world_run(&rented.world, 2600000);
    assert_true(host->state != HOST_SPAWNED);
    assert_non_null(strstr(host->reason, "failed 3 times, last in step 1 of 5 (wait for the boot): "
                                         "it took longer than 20 minutes"));
    rented_end(&rented);
}

static size_t news;

static void
on_news(void *cookie)
{
    (void)cookie;
    news++;
}

/* Proves: the last 64 KiB of a step's output are kept, of the one under way too, and the rest is
 * counted; who listens is told of each step. */
static void
test_output(void **state)
{
    struct rented rented;
    struct store_history history = { .kind = HISTORY_STEPS, .limit = 1, .done = on_steps };
    struct store_step step;

    (void)state;
    begin(&rented);
    fake_shell_lines(rented.world.shell, 20000);
    news = 0;
    engine_steps_listen(rented.world.engine, on_news, NULL);
    assert_true(world_run_until(&rented.world, is_in_third, FOUND_MS));
    assert_in_range(news, 3, 8);
    assert_true(engine_host_step(rented.world.engine, rented_first(&rented), &step));
    assert_string_equal(step.name, "swap");
    assert_int_equal(step.len, 0);
    assert_true(engine_host_is_preparing(rented.world.engine, rented_first(&rented)));
    world_run(&rented.world, 5000);
    assert_true(engine_host_step(rented.world.engine, rented_first(&rented), &step));
    assert_in_range(step.took_ms, 4900, 5100);
    rented_until_active(&rented, 1, FOUND_MS);
    history.host_id = rented_first(&rented)->id;
    engine_history_start(rented.world.engine, &history);
    fake_store_settle(rented.world.store);
    assert_int_equal(strlen(output), 65536);
    assert_int_equal(cut_bytes, 20000 * 16 + 8 - 65536);
    assert_string_equal(output + 65536 - 24, "line 0000019999\nsaid so\n");
    assert_memory_equal(output, "0015904\nline 0000015905\n", 24);
    history.after = store_step_place(1, 1);
    engine_history_start(rented.world.engine, &history);
    fake_store_settle(rented.world.store);
    assert_int_equal(cut_bytes, 20000 * 16 + 8 - 65536);
    rented_end(&rented);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_steps),        cmocka_unit_test(test_failed_step),
        cmocka_unit_test(test_no_connection),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_another_playbook), cmocka_unit_test(test_late_step),
        cmocka_unit_test(test_output),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
