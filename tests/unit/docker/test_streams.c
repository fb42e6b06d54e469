/* Answers that come in pieces: output, progress, hints; and readiness. */

#include <fcntl.h>
#include <sys/stat.h>

#include "berth/base/secret.h"

#include "docker_case.h"

#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define VERSION                                                                                    \
    {                                                                                              \
        .path = "/version", .reply = HEAD "{\"ApiVersion\":\"1.41\"}", .then = FAKE_HTTP_CLOSE     \
    }
#define ROW(where, what)                                                                           \
    {                                                                                              \
        .path = "/v1.41" where, .reply = what, .then = FAKE_HTTP_CLOSE,                            \
        .reply_len = sizeof(what) - 1                                                              \
    }
#define END                                                                                        \
    {                                                                                              \
        .path = NULL                                                                               \
    }

#define LOGS(name) "/containers/" name "/logs?stdout=1&stderr=1"
#define FRAMES     "\1\0\0\0\0\0\0\5hello\2\0\0\0\0\0\0\3err\1\0\0\0\0\0\0\1\377"
#define PULL(ref)  "/images/create?fromImage=" ref

static void
test_logs(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW(LOGS("a") "&tail=7", HEAD FRAMES),
        ROW(LOGS("a") "&follow=1&timestamps=1&since=12.034000000", HEAD FRAMES),
        ROW(LOGS("cut") "&tail=0", HEAD "\1\0\0\0\0\0\0\5hel"),
        ROW(LOGS("bad") "&tail=0", HEAD "hello, this is a terminal"),
        ROW(LOGS("no") "&tail=0", "HTTP/1.1 404 x\r\nConnection: close\r\n\r\n{\"message\":\"No "
                                  "such container: no\"}"),
        END,
    };
    struct attempt t;

    (void)state;
    case_serve(rules);
    trial_init(&t, DOCKER_LOGS, "a");
    t.call.in.logs.tail = 7;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_string_equal(t.data[1], "hello\377"); /* bytes, not text */
    assert_string_equal(t.data[2], "err");
    trial_init(&t, DOCKER_LOGS, "a");
    t.call.in.logs.follow = true;
    t.call.in.logs.timestamps = true;
    t.call.in.logs.tail = -1;
    t.call.in.logs.since_ms = 12034;
    trial_expect(&t, FAULT_NONE, NULL);
    case_expect(DOCKER_LOGS, "cut", FAULT_LOST, "frame");
    case_expect(DOCKER_LOGS, "bad", FAULT_GARBLED, NULL);
    case_expect(DOCKER_LOGS, "no", FAULT_ENGINE_MISSING, "No such container");
    trial_init(&t, DOCKER_LOGS, "a");
    t.call.in.logs.tail = 7;
    t.cancel_in_stream = true;
    trial_expect(&t, FAULT_CANCELLED, NULL);
    assert_string_equal(t.data[2], "");
}

static bool
has_data(void *cookie)
{
    return ((const struct attempt *)cookie)->data_len[1] > 0;
}

static void
test_a_follower_waits_and_is_cancelled(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        { .path = "/v1.41" LOGS("a") "&follow=1&tail=0",
          .reply = HEAD FRAMES,
          .reply_len = sizeof(HEAD FRAMES) - 1,
          .then = FAKE_HTTP_STALL },
        END,
    };
    struct attempt t;

    (void)state;
    case_serve(rules);
    trial_init(&t, DOCKER_LOGS, "a");
    t.call.in.logs.follow = true;
    trial_start(&t);
    assert_true(loop_run_until(loop, has_data, &t, PATIENCE_MS));
    port->call_pause(port->self, &t.call, true);
    port->call_pause(port->self, &t.call, false);
    assert_int_equal(t.done_count, 0);
    port->call_cancel(port->self, &t.call);
    trial_wait(&t);
    assert_int_equal(t.fault.kind, FAULT_CANCELLED);
}

static void
test_exec_in_its_three_steps(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW("/containers/a/exec", HEAD "{\"Id\":\"e1\"}"),
        ROW("/exec/e1/start", HEAD FRAMES),
        { .path = "/v1.41/exec/e1/json",
          .reply = HEAD "{\"Running\":true,\"ExitCode\":null}",
          .then = FAKE_HTTP_CLOSE,
          .only_first = 2 },
        ROW("/exec/e1/json", HEAD "{\"Running\":false,\"ExitCode\":5}"),
        ROW("/containers/b/exec",
            "HTTP/1.1 409 x\r\nConnection: close\r\n\r\n{\"message\":\"Container b is not "
            "running\"}"),
        ROW("/containers/c/exec", HEAD "{}"),
        END,
    };
    char *command[] = { (char[]){ "echo" }, (char[]){ "a \"b\"" } };
    char *request;
    struct attempt t;

    (void)state;
    case_serve(rules);
    trial_init(&t, DOCKER_EXEC, "a");
    t.call.in.exec.command = command;
    t.call.in.exec.count = 2;
    t.call.in.exec.user = "bob";
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.call.out.exit_code, 5);
    assert_string_equal(t.data[2], "err");
    assert_int_equal(fake_http_requests(fake, "/v1.41/exec/e1/json"), 3);
    trial_init(&t, DOCKER_EXEC, "b");
    t.call.in.exec.command = command;
    t.call.in.exec.count = 2;
    trial_expect(&t, FAULT_ENGINE_CONFLICT, "not running");
    request = fake_http_last(fake);
    assert_non_null(strstr(request, "\"Cmd\":[\"echo\",\"a \\\"b\\\"\"]"));
    mem_free(request);
    trial_init(&t, DOCKER_EXEC, "c");
    t.call.in.exec.command = command;
    t.call.in.exec.count = 2;
    trial_expect(&t, FAULT_GARBLED, NULL);
}

static void
test_pulls(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW(PULL("a%3A1"),
            HEAD "{\"status\":\"Pulling\",\"id\":\"1\"}\r\n"
                 "{\"status\":\"Downloading\",\"id\":\"l1\",\"progressDetail\":{\"current\":3,"
                 "\"total\":9}}\r\n{\"status\":\"Download complete\",\"id\":\"l1\","
                 "\"progressDetail\":{}}\r\n{\"status\":\"Status: Downloaded newer image\"}\r\n"),
        ROW(PULL("b&tag=latest"),
            HEAD "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"manifest for b "
                 "not found\"},\"error\":\"manifest for b not found\"}\r\n"),
        ROW(PULL("c&tag=latest"), HEAD "{\"error\":\"net/http: TLS handshake timeout\"}"),
        ROW(PULL("d&tag=latest"), HEAD "<html>\n"),
        ROW(PULL("e&tag=latest"), "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"status\":1}\n"),
        END,
    };
    char auth[] = "{\"username\":\"u\",\"password\":\"hunter2>?\"}";
    CLEANUP(secret_freep) struct secret *secret = secret_new(auth, sizeof(auth) - 1);
    char *request;
    struct attempt t;

    (void)state;
    case_serve(rules);
    trial_init(&t, DOCKER_PULL, "a:1");
    t.call.in.registry_auth = secret;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_int_equal(t.progress_done, 9);
    assert_int_equal(t.progress_total, 9);
    request = fake_http_last(fake);
    assert_non_null(strstr(request, "X-Registry-Auth: "
                                    "eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6Imh1bnRlcjI-PyJ9\r\n"));
    mem_free(request);
    case_expect(DOCKER_PULL, "b", FAULT_IMAGE, "manifest for b");
    case_expect(DOCKER_PULL, "c", FAULT_REGISTRY, "TLS handshake");
    case_expect(DOCKER_PULL, "d", FAULT_GARBLED, NULL);
    case_expect(DOCKER_PULL, "e", FAULT_LOST, NULL);
}

static void
test_loads(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        { .path = "/v1.41/images/load?quiet=1",
          .reply = HEAD "{\"stream\":\"Loaded image: a:1\\n\"}\n{\"stream\":\"Loaded image: "
                        "b:2\\n\"}\n",
          .then = FAKE_HTTP_CLOSE,
          .only_first = 1 },
        ROW("/images/load?quiet=1", HEAD "{\"errorDetail\":{\"message\":\"unexpected EOF\"}}"),
        END,
    };
    char path[64];
    struct attempt t;
    int fd;

    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/berth-docker-%d.tar", (int)getpid());
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 3 << 20), 0);
    assert_int_equal(close(fd), 0);
    case_serve(rules);
    trial_init(&t, DOCKER_LOAD, NULL);
    t.call.in.load.path = path;
    trial_expect(&t, FAULT_NONE, NULL);
    assert_string_equal(t.call.out.text, "a:1 b:2");
    assert_int_equal(t.progress_total, 3 << 20);
    assert_int_equal(t.progress_done, 3 << 20);
    assert_int_equal(fake_http_body_bytes(fake), 3 << 20);
    trial_init(&t, DOCKER_LOAD, NULL);
    t.call.in.load.path = path;
    trial_expect(&t, FAULT_IMAGE, "unexpected EOF");
    trial_init(&t, DOCKER_LOAD, "small:1");
    t.call.in.load.data = "a tar";
    t.call.in.load.size = 5;
    trial_expect(&t, FAULT_IMAGE, "unexpected EOF");
    assert_int_equal(fake_http_body_bytes(fake), 2 * (3 << 20) + 5);
    assert_int_equal(unlink(path), 0);
    trial_init(&t, DOCKER_LOAD, NULL);
    t.call.in.load.path = path;
    trial_expect(&t, FAULT_STORAGE, "No such file");
}

static void
test_events(void **state)
{
#define EVENT(action, name)                                                                        \
    "{\"Action\":\"" action "\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"name\":\"" name "\"}}}"  \
    "\n"
    static const struct fake_http_rule rules[] = {
        VERSION,
        ROW("/events?filters=%7B%22label%22%3A%5B%22berth.cluster%3Dc1%22%5D%2C%22type%22%3A%5B%"
            "22container%22%5D%7D",
            HEAD EVENT("start", "a") EVENT("exec_start: x", "a") EVENT("oom", "a")
                EVENT("die", "a")),
        END,
    };
    struct attempt t;

    (void)state;
    case_serve(rules);
    trial_init(&t, DOCKER_EVENTS, NULL);
    /* The engine never ends it while it is well. */
    trial_expect(&t, FAULT_LOST, NULL);
    assert_string_equal(t.hints, "start a;oom a;die a;");
}

static void
test_long_lines_are_refused(void **state)
{
    static const struct fake_http_rule rules[] = {
        VERSION,
        { .path = "/v1.41" PULL("a&tag=latest"),
          .reply = HEAD,
          .padding = 1 << 20,
          .then = FAKE_HTTP_CLOSE },
        END,
    };

    (void)state;
    case_serve(rules);
    case_expect(DOCKER_PULL, "a", FAULT_GARBLED, "a line of more than");
}

static void
test_ready_over_loopback(void **state)
{
    static const struct fake_http_rule rules[] = {
        { .path = "/ok", .reply = HEAD "fine", .then = FAKE_HTTP_CLOSE },
        { .path = "/moved", .reply = "HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n" },
        { .path = "/endless", .reply = HEAD "x", .then = FAKE_HTTP_STALL },
        { .path = "/bad", .reply = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n" },
        { .path = "/mute", .then = FAKE_HTTP_CLOSE },
        { .path = "/slow", .then = FAKE_HTTP_STALL },
        END,
    };
    static const struct {
        const char *path;
        enum fault_kind kind;
    } rows[] = { { NULL, FAULT_NONE },        { "/ok", FAULT_NONE },
                 { "/moved", FAULT_NONE },    { "/endless", FAULT_NONE },
                 { "/bad", FAULT_NOT_READY }, { "/mute", FAULT_NOT_READY },
                 { "no", FAULT_INVALID } };
    struct attempt t;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .rules = rules });
    /* The engine itself is not asked; its address is where ports are. */
    for (size_t e = 0; e < 2; e++) {
        assert_int_equal(case_host(e ? "tcp://localhost:1" : "unix:///tmp/berth-none.sock"), 0);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            trial_init(&t, DOCKER_READY, "a");
            t.call.in.ready.host_port = (uint16_t)fake_http_port(fake);
            t.call.in.ready.path = rows[i].path;
            trial_expect(&t, rows[i].kind, NULL);
        }
        trial_init(&t, DOCKER_READY, "a");
        t.call.in.ready.host_port = 1;
        trial_expect(&t, FAULT_NOT_READY, "refused");
        trial_init(&t, DOCKER_READY, "a");
        t.call.in.ready.host_port = (uint16_t)fake_http_port(fake);
        trial_start(&t);
        port->call_cancel(port->self, &t.call);
        trial_wait(&t);
        assert_int_equal(t.fault.kind, FAULT_CANCELLED);
    }
    /* A server that takes its time is not ready, and the host is not to blame. */
    trial_init(&t, DOCKER_READY, "a");
    t.call.in.ready.host_port = (uint16_t)fake_http_port(fake);
    t.call.in.ready.path = "/slow";
    t.call.deadline_ms = 50;
    trial_expect(&t, FAULT_NOT_READY, NULL);
    assert_int_equal(case_host("tcp://no-such-name.invalid:1"), 0);
    trial_init(&t, DOCKER_READY, "a");
    t.call.in.ready.host_port = 1;
    trial_expect(&t, FAULT_NOT_READY, "no address");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_logs, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_a_follower_waits_and_is_cancelled, case_setup,
                                        case_teardown),
        cmocka_unit_test_setup_teardown(test_exec_in_its_three_steps, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_pulls, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_loads, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_events, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_long_lines_are_refused, case_setup, case_teardown),
        cmocka_unit_test_setup_teardown(test_ready_over_loopback, case_setup, case_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
