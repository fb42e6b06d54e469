/*
 * The fake engine that the tests of the engine layer stand on: what they take
 * for granted about answers, faults and effects.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_docker.h"

static struct fake_docker *fake;
static const struct docker_port *port;
static struct fake_machine *machine;
static struct blueprint_port web = { .container = 80, .protocol = PROTOCOL_TCP };
static struct blueprint_spec blueprint = { .name = (char[]){ "web" },
                                           .image = (char[]){ "busybox" },
                                           .memory_bytes = 1 << 20,
                                           .ports = { &web, 1 } };
static int done_count;
static enum fault_kind done_kind;
static size_t done_listed;
static char hints[128];

static void
on_done(struct docker_call *call, const struct fault *fault)
{
    done_count++;
    done_kind = fault ? fault->kind : FAULT_NONE;
    if (!fault && call->verb == DOCKER_LIST)
        done_listed = call->out.list.count;
}

static void
on_hint(struct docker_call *call, const char *action, const struct docker_container *container)
{
    size_t len = strlen(hints);

    (void)call;
    (void)snprintf(hints + len, sizeof(hints) - len, "%s %s;", action, container->name);
}

static int
setup(void **state)
{
    struct host_endpoint endpoint = { .engine = (char[]){ "tcp://one" } };

    (void)state;
    fake = fake_docker_new(NULL);
    port = fake_docker_port(fake);
    done_count = 0;
    hints[0] = '\0';
    assert_int_equal(port->host_set(port->self, 1, &endpoint, "c1", NULL), 0);
    machine = fake_docker_machine_of(fake, 1);
    fake_machine_image_add(machine, "busybox");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_docker_free(fake);
    return 0;
}

static struct docker_call
call_make(enum docker_verb verb)
{
    struct docker_call call = {
        .verb = verb, .host_id = 1, .name = "berth-1", .done = on_done, .on_hint = on_hint
    };

    if (verb == DOCKER_CREATE) {
        call.in.create = (struct docker_spec){
            .blueprint = &blueprint, .cluster_id = "c1", .instance_id = "i-1", .generation = 2
        };
    }
    return call;
}

/* Starts @verb and answers it as the machine says. */
static enum fault_kind
run(enum docker_verb verb)
{
    struct docker_call call = call_make(verb);
    int before = done_count;

    port->call_start(port->self, &call);
    assert_int_equal(done_count, before);
    assert_true(fake_docker_answer_next(fake, NULL));
    assert_int_equal(done_count, before + 1);
    return done_kind;
}

static void
test_a_container_lives_and_dies(void **state)
{
    (void)state;
    assert_int_equal(run(DOCKER_INSPECT), FAULT_ENGINE_MISSING);
    assert_int_equal(run(DOCKER_CREATE), FAULT_NONE);
    assert_int_equal(run(DOCKER_CREATE), FAULT_ENGINE_CONFLICT);
    assert_int_equal(run(DOCKER_START), FAULT_NONE);
    assert_int_equal(run(DOCKER_START), FAULT_NONE);
    assert_int_equal(run(DOCKER_LIST), FAULT_NONE);
    assert_int_equal(done_listed, 1);
    assert_int_equal(fake_machine_find(machine, "berth-1")->seen.ports[0].host, 32768);
    assert_int_equal(run(DOCKER_STOP), FAULT_NONE);
    assert_int_equal(fake_machine_find(machine, "berth-1")->seen.exit_code, 143);
    assert_int_equal(run(DOCKER_REMOVE), FAULT_NONE);
    assert_int_equal(run(DOCKER_REMOVE), FAULT_NONE);
    assert_int_equal(machine->containers.count, 0);
    assert_int_equal(fake_docker_count(fake, DOCKER_START), 2);
    assert_int_equal(machine->in_flight, 0);
}

static void
test_a_lost_reply_has_its_effect(void **state)
{
    (void)state;
    fake_docker_rule_add(
        fake, &(struct fake_rule){ DOCKER_CREATE, NULL, 2, { 0, FAULT_LOST, FAKE_DONE, 0 } });
    assert_int_equal(run(DOCKER_CREATE), FAULT_NONE);
    assert_int_equal(run(DOCKER_REMOVE), FAULT_NONE);
    assert_int_equal(run(DOCKER_CREATE), FAULT_LOST);
    assert_non_null(fake_machine_find(machine, "berth-1"));
}

static void
test_a_timeout_may_have_none_or_a_late_one(void **state)
{
    (void)state;
    fake_docker_rule_add(
        fake, &(struct fake_rule){ DOCKER_CREATE, NULL, 1, { 0, FAULT_TIMEOUT, FAKE_NOTHING, 0 } });
    fake_docker_rule_add(
        fake,
        &(struct fake_rule){ DOCKER_CREATE, "tcp://one", 1, { 0, FAULT_TIMEOUT, FAKE_LATE, 0 } });
    assert_int_equal(run(DOCKER_CREATE), FAULT_TIMEOUT);
    assert_int_equal(fake_docker_late(fake), 0);
    assert_int_equal(run(DOCKER_CREATE), FAULT_TIMEOUT);
    assert_null(fake_machine_find(machine, "berth-1"));
    assert_int_equal(fake_docker_late(fake), 1);
    assert_int_equal(fake_machine_find(machine, "berth-1")->seen.label_generation, 2);
}

static void
test_what_crashes_is_hinted(void **state)
{
    struct docker_call events = call_make(DOCKER_EVENTS);

    (void)state;
    port->call_start(port->self, &events);
    assert_int_equal(fake_docker_pending(fake), 0);
    assert_int_equal(run(DOCKER_CREATE), FAULT_NONE);
    assert_int_equal(run(DOCKER_START), FAULT_NONE);
    fake_docker_crash(fake, machine, fake_machine_find(machine, "berth-1"), 137, true);
    assert_string_equal(hints, "create berth-1;start berth-1;oom berth-1;die berth-1;");
    assert_true(fake_machine_find(machine, "berth-1")->seen.oom_killed);
    done_count = 0;
    fake_docker_streams_break(fake, machine, FAULT_LOST);
    assert_int_equal(done_count, 1);
    assert_int_equal(done_kind, FAULT_LOST);
}

static void
test_a_cancelled_call_still_ends(void **state)
{
    struct docker_call call = call_make(DOCKER_CREATE);
    struct docker_call events = call_make(DOCKER_EVENTS);

    (void)state;
    port->call_start(port->self, &events);
    port->call_start(port->self, &call);
    port->call_cancel(port->self, &call);
    port->call_cancel(port->self, &events);
    assert_int_equal(done_count, 0);
    assert_int_equal(fake_docker_answer_all(fake), 2);
    assert_int_equal(done_kind, FAULT_CANCELLED);
    assert_int_equal(machine->containers.count, 0);
}

static void
test_an_unreachable_machine_keeps_what_it_has(void **state)
{
    struct docker_call call = call_make(DOCKER_PING);
    struct host_endpoint endpoint = { .engine = (char[]){ "tcp://one" } };

    (void)state;
    assert_int_equal(run(DOCKER_CREATE), FAULT_NONE);
    machine->unreachable = true;
    assert_int_equal(run(DOCKER_START), FAULT_UNREACHABLE);
    port->call_start(port->self, &call);
    fake_docker_restart(fake);
    assert_int_equal(fake_docker_pending(fake), 0);
    machine->unreachable = false;
    assert_int_equal(port->host_set(port->self, 1, &endpoint, "c1", NULL), 0);
    assert_int_equal(run(DOCKER_START), FAULT_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_container_lives_and_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_reply_has_its_effect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_timeout_may_have_none_or_a_late_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_crashes_is_hinted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_cancelled_call_still_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_unreachable_machine_keeps_what_it_has, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
