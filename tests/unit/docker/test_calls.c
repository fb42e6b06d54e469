/*
 * Calls against an engine that is scripted: agreeing on a version, each way an
 * exchange can end, cancels and deadlines at each point.
 */

#include "docker_case.h"

#define OK(body)           "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define STATUS(code, body) "HTTP/1.1 " code " x\r\nConnection: close\r\n\r\n" body
#define CHUNKED            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define VERSION_41         OK("{\"Version\":\"20.10\",\"ApiVersion\":\"1.41\",\"MinAPIVersion\":\"1.12\"}")
#define VERSION_44         OK("{\"Version\":\"29.0\",\"ApiVersion\":\"1.52\",\"MinAPIVersion\":\"1.44\"}")
#define VERSION                                                                                    \
    {                                                                                              \
        .path = "/version", .reply = VERSION_41, .then = FAKE_HTTP_CLOSE                           \
    }
#define ROW(where, what)                                                                           \
    {                                                                                              \
        .path = "/v1.41" where, .reply = what, .then = FAKE_HTTP_CLOSE                             \
    }
#define END                                                                                        \
    {                                                                                              \
        .path = NULL                                                                               \
    }

static void
test_versions_are_asked_for_once(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW("/containers/a/json", OK("{\"Id\":\"a\",\"State\":{}}")),
        ROW("/containers/b/start", STATUS("204", "")),
        END,
    };
    struct attempt trials[5];

    (void)state;
    case_serve(rules);
    for (size_t i = 0; i < 5; i++) {
        trial_init(&trials[i], i % 2 ? DOCKER_START : DOCKER_INSPECT, i % 2 ? "b" : "a");
        trial_start(&trials[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        trial_wait(&trials[i]);
        assert_string_equal(trials[i].fault.text, "");
    }
    assert_int_equal(fake_http_requests(fake, "/version"), 1);
    case_expect(DOCKER_START, "b", FAULT_NONE, NULL);
    assert_int_equal(fake_http_requests(fake, "/version"), 1);
}

static void
test_an_upgraded_engine_is_asked_again(void **state)
{
    static const struct fake_http_rule rules[] = {
        { .path = "/version", .reply = VERSION_41, .then = FAKE_HTTP_CLOSE, .only_first = 1 },
        { .path = "/version", .reply = VERSION_44, .then = FAKE_HTTP_CLOSE },
        ROW("/containers/a/start",
            STATUS("400", "{\"message\":\"client version 1.41 is too old. Minimum supported API "
                          "version is 1.44\"}")),
        ROW("/containers/a/logs?stdout=1&stderr=1&tail=0",
            STATUS("400", "{\"message\":\"client version 1.41 is too old\"}")),
        { .path = "/v1.52/containers/a/start",
          .reply = STATUS("204", ""),
          .then = FAKE_HTTP_CLOSE },
        { .path = "/v1.52/containers/b/start",
          .reply = STATUS("400", "{\"message\":\"client version is never good enough\"}"),
          .then = FAKE_HTTP_CLOSE },
        END,
    };

    (void)state;
    case_serve(rules);
    case_expect(DOCKER_START, "a", FAULT_NONE, NULL);
    assert_int_equal(fake_http_requests(fake, "/version"), 2);
    /* Once is enough: no loop. */
    case_expect(DOCKER_START, "b", FAULT_ENGINE_REFUSED, "never good enough");
    assert_int_equal(fake_http_requests(fake, "/version"), 3);
}

static void
test_engines_that_do_not_fit_are_refused(void **state)
{
    static const struct fake_http_rule rules[] = {
        { .path = "/version",
          .reply = OK("{\"Version\":\"19.03\",\"ApiVersion\":\"1.40\"}"),
          .then = FAKE_HTTP_CLOSE,
          .only_first = 2 },
        { .path = "/version", .reply = OK("<html>"), .then = FAKE_HTTP_CLOSE, .only_first = 1 },
        { .path = "/version", .reply = STATUS("500", "x"), .then = FAKE_HTTP_CLOSE },
        END,
    };
    struct attempt one;
    struct attempt two;

    (void)state;
    case_serve(rules);
    trial_init(&one, DOCKER_LIST, NULL);
    trial_init(&two, DOCKER_LIST, NULL);
    trial_start(&one);
    trial_start(&two);
    trial_wait(&one);
    trial_wait(&two);
    assert_int_equal(one.fault.kind, FAULT_ENGINE_REFUSED);
    assert_non_null(strstr(two.fault.text, "too old"));
    assert_int_equal(fake_http_requests(fake, "/version"), 1);
    case_expect(DOCKER_INFO, NULL, FAULT_ENGINE_REFUSED, "1.41");
    case_expect(DOCKER_LIST, NULL, FAULT_GARBLED, NULL);
    case_expect(DOCKER_LIST, NULL, FAULT_ENGINE, NULL);
}

static void
test_each_verb_by_name(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        { .path = "/_ping", .reply = OK("OK"), .then = FAKE_HTTP_CLOSE },
        ROW("/info", OK("{\"ID\":\"x\",\"MemTotal\":1000,\"NCPU\":2,\"MemoryLimit\":true}")),
        ROW("/containers/a%2Fb/start", STATUS("304", "")),
        ROW("/containers/a/stop?t=2", STATUS("304", "")),
        ROW("/containers/gone?force=1&v=1", STATUS("404", "{\"message\":\"No such container\"}")),
        ROW("/containers/going?force=1&v=1",
            STATUS("409", "{\"message\":\"removal of container is already in progress\"}")),
        ROW("/images/img/json", OK("{\"Id\":\"sha256:1\"}")),
        ROW("/images/json", OK("[{\"Id\":\"sha256:1\",\"RepoTags\":[\"img:1\"]}]")),
        ROW("/containers/a/stats?stream=false&one-shot=true",
            OK("{\"read\":\"2026-11-22T00:07:31Z\"}")),
        ROW("/containers/json?all=1&filters=%7B%22label%22%3A%5B%22berth.cluster%3Dc1%22%5D%7D",
            OK("[{\"Id\":\"a\",\"Names\":[\"/n\"],\"Labels\":{\"berth.cluster\":\"c1\"}}]")),
        END,
    };
    struct attempt t;

    (void)state;
    case_serve(rules);
    case_expect(DOCKER_PING, NULL, FAULT_NONE, NULL);
    assert_int_equal(fake_http_requests(fake, "/version"), 0);
    trial_init(&t, DOCKER_INFO, NULL);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.info.memory_bytes, 1000);
    assert_string_equal(t.call.out.info.engine_api, "1.41");
    assert_string_equal(t.call.out.info.engine_version, "20.10");
    case_expect(DOCKER_START, "a/b", FAULT_NONE, NULL);
    trial_init(&t, DOCKER_STOP, "a");
    t.call.in.grace_ms = 1001;
    trial_expect(&t, FAULT_NONE, NULL);
    case_expect(DOCKER_REMOVE, "gone", FAULT_NONE, NULL);
    case_expect(DOCKER_REMOVE, "going", FAULT_NONE, NULL);
    case_expect(DOCKER_IMAGE_INSPECT, "img", FAULT_NONE, NULL);
    case_expect(DOCKER_IMAGE_LIST, NULL, FAULT_NONE, NULL);
    case_expect(DOCKER_STATS, "a", FAULT_NONE, NULL);
    trial_init(&t, DOCKER_LIST, NULL);
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.list.count, 1);
    assert_string_equal(t.list[0].name, "n");
    trial_fini(&t);
}

static void
test_each_bad_end(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW("/containers/silent/start", NULL),
        { .path = "/v1.41/containers/reset/start", .then = FAKE_HTTP_RESET },
        { .path = "/v1.41/containers/stall/start", .then = FAKE_HTTP_STALL },
        ROW("/containers/garbage/json", OK("\x01\xff not json")),
        ROW("/containers/empty/json", OK("")),
        ROW("/containers/cut/json", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Id\":\"a\""),
        { .path = "/v1.41/containers/huge/json",
          .reply = OK(""),
          .padding = 8 << 20,
          .then = FAKE_HTTP_CLOSE },
        ROW("/containers/nohttp/json", "SSH-2.0-OpenSSH\r\n"),
        ROW("/containers/broken/start", STATUS("500", "{\"message\":\"broken\"}")),
        ROW("/containers/wordy/start", STATUS("500", "no JSON\r\nat all")),
        END,
    };
    struct attempt t;

    (void)state;
    case_serve(rules);
    case_expect(DOCKER_START, "silent", FAULT_LOST, NULL);
    case_expect(DOCKER_START, "reset", FAULT_LOST, NULL);
    trial_init(&t, DOCKER_START, "stall");
    t.call.deadline_ms = 100;
    trial_expect(&t, FAULT_TIMEOUT, NULL);
    case_expect(DOCKER_INSPECT, "garbage", FAULT_GARBLED, NULL);
    case_expect(DOCKER_INSPECT, "empty", FAULT_GARBLED, NULL);
    case_expect(DOCKER_INSPECT, "cut", FAULT_LOST, NULL);
    case_expect(DOCKER_INSPECT, "huge", FAULT_GARBLED, "larger");
    case_expect(DOCKER_INSPECT, "nohttp", FAULT_GARBLED, NULL);
    case_expect(DOCKER_INSPECT, "none", FAULT_ENGINE_MISSING, NULL);
    trial_init(&t, DOCKER_START, "broken");
    trial_expect(&t, FAULT_ENGINE, "broken");
    assert_int_equal(t.fault.remote_code, 500);
    assert_string_equal(t.fault.where, "docker.start");
    case_expect(DOCKER_START, "wordy", FAULT_ENGINE, "no JSON");
}

static void
test_nobody_there(void **state)
{
    struct host_endpoint endpoint = { .engine = (char[]){ "tcp://127.0.0.1:1" }, .plain = true };

    (void)state;
    assert_int_equal(case_host("unix:///tmp/berth-no-such.sock"), 0);
    case_expect(DOCKER_LIST, NULL, FAULT_UNREACHABLE, NULL);
    case_expect(DOCKER_PING, NULL, FAULT_UNREACHABLE, NULL);
    assert_int_equal(port->host_set(port->self, 1, &endpoint, CLUSTER, NULL), 0);
    case_expect(DOCKER_PING, NULL, FAULT_UNREACHABLE, NULL);
}

static void
test_endpoints_that_are_none(void **state)
{
    static const struct {
        const char *engine;
        const char *ca;
        bool plain;
        int ret;
    } rows[] = {
        { "unix:///run/docker.sock", NULL, false, 0 },
        { "tcp://10.0.0.1:2376", "ca.pem", false, 0 },
        { "tcp://[::1]:2375", NULL, true, 0 },
        { "tcp://10.0.0.1:2375", NULL, false, -1 },
        { "tcp://10.0.0.1", NULL, true, -1 },
        { "tcp://:1", NULL, true, -1 },
        { "tcp://a:1/x", NULL, true, -1 },
        { "tcp://a b:1", NULL, true, -1 },
        { "http://a:1", NULL, true, -1 },
        { "unix://docker.sock", NULL, false, -1 },
        { "", NULL, true, -1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host_endpoint endpoint = { .engine = mem_strdup(rows[i].engine),
                                          .ca = rows[i].ca,
                                          .cert = rows[i].ca,
                                          .key = rows[i].ca,
                                          .plain = rows[i].plain };
        struct fault fault = { 0 };

        if (port->host_set(port->self, 2, &endpoint, CLUSTER, &fault) != rows[i].ret)
            fail_msg("%s: %s", rows[i].engine, fault.text);
        assert_int_equal(fault.kind, rows[i].ret ? FAULT_INVALID : FAULT_NONE);
        mem_free(endpoint.engine);
    }
    port->host_forget(port->self, 2);
    port->host_forget(port->self, 2);
}

static bool
was_asked(void *cookie)
{
    return fake_http_requests(fake, cookie) > 0;
}

static void
test_a_cancel_at_each_point(void **state)
{
    static const struct fake_http_rule rules[] = {
        { .path = "/version", .then = FAKE_HTTP_STALL, .only_first = 1 },
        VERSION,
        { .path = "/v1.41/containers/a/start", .then = FAKE_HTTP_STALL },
        END,
    };
    struct attempt leader;
    struct attempt waiting;
    struct attempt last;

    (void)state;
    case_serve(rules);
    trial_init(&leader, DOCKER_START, "a");
    trial_init(&waiting, DOCKER_START, "a");
    trial_init(&last, DOCKER_START, "a");
    trial_start(&leader);
    trial_start(&waiting);
    trial_start(&last);
    assert_true(loop_run_until(loop, was_asked, (char[]){ "/version" }, PATIENCE_MS));
    /* While it waits for another's version. */
    port->call_cancel(port->self, &waiting.call);
    trial_wait(&waiting);
    assert_int_equal(waiting.fault.kind, FAULT_CANCELLED);
    assert_int_equal(leader.done_count + last.done_count, 0);
    /* While it asks for the version: the next one takes over. */
    port->call_cancel(port->self, &leader.call);
    trial_wait(&leader);
    assert_int_equal(leader.fault.kind, FAULT_CANCELLED);
    assert_true(
        loop_run_until(loop, was_asked, (char[]){ "/v1.41/containers/a/start" }, PATIENCE_MS));
    /* While it waits for its own answer; twice is once. */
    port->call_cancel(port->self, &last.call);
    port->call_cancel(port->self, &last.call);
    trial_wait(&last);
    assert_int_equal(last.fault.kind, FAULT_CANCELLED);
    /* Before anything was sent. */
    trial_init(&last, DOCKER_PING, NULL);
    trial_start(&last);
    port->call_cancel(port->self, &last.call);
    assert_int_equal(last.done_count, 0);
    trial_wait(&last);
    assert_int_equal(last.fault.kind, FAULT_CANCELLED);
}

static void
test_deadlines_while_the_version_is_open(void **state)
{
    static const struct fake_http_rule rules[] = {
        { .path = "/version", .then = FAKE_HTTP_STALL },
        END,
    };
    struct attempt leader;
    struct attempt waiting;

    (void)state;
    case_serve(rules);
    trial_init(&leader, DOCKER_START, "a");
    trial_init(&waiting, DOCKER_START, "a");
    leader.call.deadline_ms = 200;
    waiting.call.deadline_ms = 50;
    trial_start(&leader);
    trial_start(&waiting);
    trial_wait(&waiting);
    trial_wait(&leader);
    /* Nothing of the call itself was sent: it is sure that nothing happened. */
    assert_int_equal(waiting.fault.kind, FAULT_UNREACHABLE);
    assert_int_equal(leader.fault.kind, FAULT_UNREACHABLE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_versions_are_asked_for_once, case_setup,
                                        case_teardown),
        cmocka_unit_test_setup_teardown(test_an_upgraded_engine_is_asked_again, case_setup,
                                        case_teardown),
        cmocka_unit_test_setup_teardown(test_engines_that_do_not_fit_are_refused, case_setup,
                                        case_teardown),
        cmocka_unit_test_setup_teardown(test_each_verb_by_name, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_each_bad_end, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_there, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_endpoints_that_are_none, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_a_cancel_at_each_point, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_deadlines_while_the_version_is_open, case_setup,
                                        case_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
