/*
 * Every verb against a real engine: set BERTH_TEST_ENGINE to its unix:// or
 * tcp:// URL (BERTH_TEST_CA, _CERT, _KEY beside tcp), BERTH_TEST_ARCHIVE to an
 * image archive with the tag BERTH_TEST_IMAGE that has busybox in /bin.
 * Without them there is nothing to try and the program says so.
 */

#include <stdlib.h>

#include "docker_case.h"
#include "live_blueprint.h"

#define NAME "berth-live-1"

static const char *image;
static const char *publish_address; /* where the host can be reached from here */

static int
live_setup(void **state)
{
    struct host_endpoint endpoint = { .engine = secure_getenv("BERTH_TEST_ENGINE"),
                                      .ca = secure_getenv("BERTH_TEST_CA"),
                                      .cert = secure_getenv("BERTH_TEST_CERT"),
                                      .key = secure_getenv("BERTH_TEST_KEY") };
    struct fault fault;

    (void)state;
    case_open();
    if (port->host_set(port->self, 1, &endpoint, CLUSTER, &fault) < 0)
        fail_msg("%s", fault.text);
    return 0;
}

static int
live_teardown(void **state)
{
    case_expect(DOCKER_REMOVE, NAME, FAULT_NONE, NULL);
    return case_teardown(state);
}

static enum fault_kind
create_with(char **command, size_t count, const char *text)
{
    char *env[] = { (char[]){ "GREETING=h\u00e9llo \"you\"" } };
    struct attempt t;

    blueprint.image = mem_unconst(image);
    trial_init(&t, DOCKER_CREATE, NAME);
    t.call.in.create = (struct docker_spec){ .blueprint = &blueprint,
                                             .cluster_id = CLUSTER,
                                             .instance_id = "i-live",
                                             .generation = 3,
                                             .blueprint_version = 7,
                                             .owner = "ann@example.org",
                                             .command = command,
                                             .command_count = count,
                                             .env = env,
                                             .env_count = 1,
                                             .publish_address = publish_address };
    trial_start(&t);
    trial_wait(&t);
    if (text) {
        assert_non_null(strstr(t.fault.text, text));
    } else {
        assert_string_equal(t.fault.text, "");
    }
    return t.fault.kind;
}

static void
shell(const char *script)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" }, mem_strdup(script) };

    assert_int_equal(create_with(command, 3, NULL), FAULT_NONE);
    mem_free(command[2]);
}

static struct docker_container
inspect(void)
{
    struct attempt t;

    trial_init(&t, DOCKER_INSPECT, NAME);
    trial_expect(&t, FAULT_NONE, NULL);
    return t.call.out.container;
}

static void
await_state(int32_t state)
{
    while (inspect().state != state)
        assert_true(inspect().state != DOCKER_DEAD); /* the test's own time-out ends it */
}

/* Its script has come so far. */
static void
await_error_output(const char *text)
{
    struct attempt t;

    do {
        trial_init(&t, DOCKER_LOGS, NAME);
        t.call.in.logs.tail = -1;
        trial_expect(&t, FAULT_NONE, NULL);
    } while (!strstr(t.data[2], text));
}

static void
test_info_and_ping(void **state)
{
    struct attempt t;

    (void)state;
    case_expect(DOCKER_PING, NULL, FAULT_NONE, NULL);
    trial_init(&t, DOCKER_INFO, NULL);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_true(t.call.out.info.memory_bytes > 0);
    assert_true(t.call.out.info.cpus_milli >= 1000);
    assert_true(t.call.out.info.memory_limit);
    assert_true(strncmp(t.call.out.info.engine_api, "1.", 2) == 0);
    assert_true(t.call.out.info.engine_id[0] && t.call.out.info.engine_version[0]);
    print_message("engine %s, API %s, %s\n", t.call.out.info.engine_version,
                  t.call.out.info.engine_api, t.call.out.info.os);
}

static void
test_load_and_list_images(void **state)
{
    const char *archive = secure_getenv("BERTH_TEST_ARCHIVE");
    struct attempt t;
    bool found = false;

    (void)state;
    if (!archive)
        skip();
    trial_init(&t, DOCKER_LOAD, NULL);
    t.call.in.load.path = archive;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_string_equal(t.call.out.text, image);
    assert_true(t.progress_total > 0);
    assert_int_equal(t.progress_done, t.progress_total);
    case_expect(DOCKER_IMAGE_INSPECT, image, FAULT_NONE, NULL);
    case_expect(DOCKER_IMAGE_INSPECT, "no-such:1", FAULT_ENGINE_MISSING, "no-such:1");
    trial_init(&t, DOCKER_IMAGE_LIST, NULL);
    trial_expect(&t, FAULT_NONE, NULL);
    for (size_t i = 0; i < t.call.out.images.count; i++)
        found = found || strcmp(t.images[i].reference, image) == 0;
    assert_true(found);
    trial_fini(&t);
    trial_init(&t, DOCKER_LOAD, NULL);
    t.call.in.load.path = "/proc/self/exe";
    trial_expect(&t, FAULT_IMAGE, NULL);
}

/* Of the one container: the list and its use. */
static void
check_seen_running(void)
{
    struct attempt t;

    trial_init(&t, DOCKER_LIST, NULL);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.list.count, 1);
    assert_string_equal(t.list[0].name, NAME);
    assert_string_equal(t.list[0].label_instance, "i-live");
    assert_int_equal(t.list[0].port_count, 2);
    assert_int_not_equal(t.list[0].ports[0].host, 0);
    trial_fini(&t);

    trial_init(&t, DOCKER_STATS, NAME);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_true(t.call.out.stats.at_ms > 0);
    assert_int_equal(t.call.out.stats.memory_limit_bytes, blueprint.memory_bytes);
    assert_true(t.call.out.stats.pids >= 1);
}

static void
test_a_life(void **state)
{
    struct attempt t;
    struct docker_container c;

    (void)state;
    shell("trap 'exit 7' TERM; echo out; echo err >&2; while :; do sleep 0.1; done");
    assert_int_equal(create_with(NULL, 0, "already in use"), FAULT_ENGINE_CONFLICT);
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    c = inspect();
    assert_int_equal(c.state, DOCKER_RUNNING);
    assert_string_equal(c.name, NAME);
    assert_string_equal(c.image, image);
    assert_int_equal(c.memory_bytes, blueprint.memory_bytes);
    assert_int_equal(c.label_generation, 3);
    assert_int_equal(c.label_blueprint_version, 7);
    assert_string_equal(c.label_owner, "ann@example.org");
    assert_int_equal(c.port_count, 2);
    assert_true(c.started_at_ms > 1600000000000);

    check_seen_running();
    await_error_output("err\n");
    trial_init(&t, DOCKER_STOP, NAME);
    t.call.in.grace_ms = 5000;
    trial_expect(&t, FAULT_NONE, NULL);
    c = inspect();
    assert_int_equal(c.state, DOCKER_EXITED);
    assert_int_equal(c.exit_code, 7);
    assert_true(c.finished_at_ms >= c.started_at_ms);
    case_expect(DOCKER_STOP, NAME, FAULT_NONE, NULL);
    trial_init(&t, DOCKER_STATS, NAME);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.stats.at_ms, 0);

    trial_init(&t, DOCKER_LOGS, NAME);
    t.call.in.logs.tail = -1;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_string_equal(t.data[1], "out\n");
    assert_string_equal(t.data[2], "err\n");
    case_expect(DOCKER_REMOVE, NAME, FAULT_NONE, NULL);
    case_expect(DOCKER_REMOVE, NAME, FAULT_NONE, NULL);
    case_expect(DOCKER_INSPECT, NAME, FAULT_ENGINE_MISSING, NULL);
    case_expect(DOCKER_STOP, NAME, FAULT_ENGINE_MISSING, NULL);
    case_expect(DOCKER_START, NAME, FAULT_ENGINE_MISSING, NULL);
}

static bool
has_data(void *cookie)
{
    const struct attempt *t = cookie;

    return t->data_len[1] > 0 || t->done_count > 0;
}

static void
test_logs_follow_until_the_end_or_a_cancel(void **state)
{
    struct attempt t;

    (void)state;
    shell("while [ ! -e /scratch/go ]; do echo tick; sleep 0.1; done; exit 3");
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    trial_init(&t, DOCKER_LOGS, NAME);
    t.call.in.logs.follow = true;
    t.cancel_in_stream = true;
    trial_expect(&t, FAULT_CANCELLED, NULL);

    trial_init(&t, DOCKER_LOGS, NAME);
    t.call.in.logs.follow = true;
    t.call.in.logs.tail = 1;
    trial_start(&t);
    assert_true(loop_run_until(loop, has_data, &t, PATIENCE_MS));
    assert_int_equal(t.done_count, 0);
    {
        char *command[] = { (char[]){ "touch" }, (char[]){ "/scratch/go" } };
        struct attempt exec;

        trial_init(&exec, DOCKER_EXEC, NAME);
        exec.call.in.exec.command = command;
        exec.call.in.exec.count = 2;
        trial_expect(&exec, FAULT_NONE, NULL);
        assert_int_equal(exec.call.out.exit_code, 0);
    }
    trial_wait(&t);
    assert_int_equal(t.fault.kind, FAULT_NONE);
    assert_int_equal(inspect().exit_code, 3);
}

static void
test_exec(void **state)
{
    char *command[] = { (char[]){ "sh" }, (char[]){ "-c" },
                        (char[]){ "echo \"$GREETING\"; echo no >&2; hostname; ulimit -Hn; "
                                  "touch /x; exit 5" } };
    char *missing[] = { (char[]){ "no-such-program" } };
    struct attempt t;

    (void)state;
    trial_init(&t, DOCKER_EXEC, NAME);
    t.call.in.exec.command = command;
    t.call.in.exec.count = 3;
    trial_expect(&t, FAULT_ENGINE_MISSING, NULL);
    shell("exec sleep 1000");
    trial_init(&t, DOCKER_EXEC, NAME);
    t.call.in.exec.command = command;
    t.call.in.exec.count = 3;
    trial_expect(&t, FAULT_ENGINE_CONFLICT, "not running");
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    trial_init(&t, DOCKER_EXEC, NAME);
    t.call.in.exec.command = command;
    t.call.in.exec.count = 3;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.exit_code, 5);
    /* The hard limit: an engine's own runtime may raise the soft one of an exec. */
    assert_string_equal(t.data[1], "h\u00e9llo \"you\"\ni-live\n512\n");
    assert_non_null(strstr(t.data[2], "no\n"));
    assert_non_null(strstr(t.data[2], "Read-only"));
    trial_init(&t, DOCKER_EXEC, NAME);
    t.call.in.exec.command = missing;
    t.call.in.exec.count = 1;
    trial_start(&t);
    trial_wait(&t);
    assert_true(t.fault.kind == FAULT_COMMAND ||
                (t.fault.kind == FAULT_NONE && t.call.out.exit_code >= 126));
}

static void
test_what_cannot_start(void **state)
{
    static const struct {
        const char *command;
        enum fault_kind kind;
    } cases[] = { { "/no/such", FAULT_COMMAND },
                  { "no-such", FAULT_COMMAND },
                  { "/tmp", FAULT_COMMAND },
                  { "/etc/../www/index.html", FAULT_COMMAND } };

    (void)state;
    /* Without docker-init, whose own exec failure would be an exit code, not an error. */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *command[] = { mem_strdup(cases[i].command) };
        struct docker_container c;
        struct attempt t;

        assert_int_equal(create_with(command, 1, NULL), FAULT_NONE);
        trial_init(&t, DOCKER_START, NAME);
        trial_start(&t);
        trial_wait(&t);
        if (t.fault.kind == FAULT_NONE) {
            await_state(DOCKER_EXITED);
            c = inspect();
            assert_in_range(c.exit_code, 126, 127);
        } else {
            assert_int_equal(t.fault.kind, cases[i].kind);
        }
        print_message("%s: %s %s\n", cases[i].command, fault_rule(t.fault.kind)->code,
                      t.fault.text);
        mem_free(command[0]);
        case_expect(DOCKER_REMOVE, NAME, FAULT_NONE, NULL);
    }
}

static void
test_a_fixed_port_is_taken(void **state)
{
    struct docker_container first;
    struct attempt t;

    (void)state;
    shell("exec sleep 1000");
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    first = inspect();
    for (size_t i = 0; i < first.port_count; i++) {
        if (first.ports[i].protocol == PROTOCOL_TCP)
            ports[0].host = first.ports[i].host;
    }
    assert_int_not_equal(ports[0].host, 0);
    trial_init(&t, DOCKER_CREATE, NAME "-b");
    t.call.in.create = (struct docker_spec){ .blueprint = &blueprint,
                                             .cluster_id = CLUSTER,
                                             .instance_id = "i-b",
                                             .publish_address = publish_address };
    trial_expect(&t, FAULT_NONE, NULL);
    ports[0].host = 0;
    case_expect(DOCKER_START, NAME "-b", FAULT_PORT_TAKEN, NULL);
    case_expect(DOCKER_REMOVE, NAME "-b", FAULT_NONE, NULL);
}

static void
test_images_that_cannot_be_had(void **state)
{
    struct attempt t;
    char *kept = blueprint.image;

    (void)state;
    case_expect(DOCKER_PULL, "127.0.0.1:1/no/such:1", FAULT_REGISTRY, NULL);
    case_expect(DOCKER_PULL, "UPPER", FAULT_IMAGE, NULL);
    trial_init(&t, DOCKER_CREATE, NAME);
    blueprint.image = (char[]){ "no-such:1" };
    t.call.in.create = (struct docker_spec){ .blueprint = &blueprint,
                                             .cluster_id = CLUSTER,
                                             .instance_id = "i-b",
                                             .publish_address = publish_address };
    trial_expect(&t, FAULT_ENGINE_MISSING, "no-such");
    blueprint.image = kept;
}

static bool
has_hints(void *cookie)
{
    const struct attempt *t = cookie;

    return strstr(t->hints, "oom") != NULL || strstr(t->hints, "destroy") != NULL;
}

static void
test_events_and_the_oom_killer(void **state)
{
    struct attempt events;
    struct docker_container c;
    int tries = 0;

    (void)state;
    trial_init(&events, DOCKER_EVENTS, NULL);
    trial_start(&events);
    /* Only what happens after the stream is open is told. */
    case_expect(DOCKER_PING, NULL, FAULT_NONE, NULL);
    /* Of one in ten, 20.10 tells too late to note it in the container. */
    do {
        shell("exec fixture hog 100000000");
        case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
        await_state(DOCKER_EXITED);
        c = inspect();
        assert_int_equal(c.exit_code, 137);
        case_expect(DOCKER_REMOVE, NAME, FAULT_NONE, NULL);
    } while (!c.oom_killed && ++tries < 8);
    assert_true(c.oom_killed);
    assert_true(loop_run_until(loop, has_hints, &events, PATIENCE_MS));
    print_message("%s\n", events.hints);
    assert_int_equal(events.done_count, 0);
    port->call_cancel(port->self, &events.call);
    trial_wait(&events);
    assert_int_equal(events.fault.kind, FAULT_CANCELLED);
}

static enum fault_kind
ask_ready(uint16_t host_port, const char *path)
{
    struct attempt t;

    trial_init(&t, DOCKER_READY, NAME);
    t.call.in.ready.host_port = host_port;
    t.call.in.ready.path = path;
    trial_start(&t);
    trial_wait(&t);
    return t.fault.kind;
}

/* Nobody listens in the container, though its published port accepts connections. */
static void
test_ready_is_not_fooled_by_the_port_proxy(void **state)
{
    uint16_t host_port = 0;

    (void)state;
    shell("while [ ! -e /scratch/go ]; do sleep 0.05; done; exec httpd -f -p 8080 -h /www");
    case_expect(DOCKER_START, NAME, FAULT_NONE, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (inspect().ports[i].container == 8080)
            host_port = inspect().ports[i].host;
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ask_ready(host_port, NULL), FAULT_NOT_READY);
        assert_int_equal(ask_ready(host_port, "/"), FAULT_NOT_READY);
    }
    {
        char *command[] = { (char[]){ "touch" }, (char[]){ "/scratch/go" } };
        struct attempt exec;

        trial_init(&exec, DOCKER_EXEC, NAME);
        exec.call.in.exec.command = command;
        exec.call.in.exec.count = 2;
        trial_expect(&exec, FAULT_NONE, NULL);
    }
    while (ask_ready(host_port, NULL) == FAULT_NOT_READY) {
    } /* the test's own time-out ends it */
    assert_int_equal(ask_ready(host_port, "/"), FAULT_NONE);
    assert_int_equal(ask_ready(host_port, "/no/such/file"), FAULT_NOT_READY);
    assert_int_equal(ask_ready(1, NULL), FAULT_NOT_READY);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_info_and_ping, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_load_and_list_images, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_a_life, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_logs_follow_until_the_end_or_a_cancel, live_setup,
                                        live_teardown),
        cmocka_unit_test_setup_teardown(test_exec, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_start, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_a_fixed_port_is_taken, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_images_that_cannot_be_had, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_events_and_the_oom_killer, live_setup, live_teardown),
        cmocka_unit_test_setup_teardown(test_ready_is_not_fooled_by_the_port_proxy, live_setup,
                                        live_teardown),
    };

    const char *engine = secure_getenv("BERTH_TEST_ENGINE");

    if (!engine) {
        print_message("BERTH_TEST_ENGINE is not set: no real engine to try\n");
        return 0;
    }
    image = secure_getenv("BERTH_TEST_IMAGE");
    image = image ? image : "berth-sample:1";
    publish_address = strncmp(engine, "tcp:", 4) ? "127.0.0.1" : "0.0.0.0";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
