/*
 * Every way in which an exchange can go wrong ends with the right kind of fault
 * and with words for people; the kinds decide whether a call may be repeated.
 */

#include "http_probe.h"

#define HEAD_100 "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/no-head", .then = FAKE_HTTP_STALL },
    { "/half-head", .reply = "HTTP/1.1 200 OK\r\nContent-", .then = FAKE_HTTP_STALL },
    { "/only-100", .reply = "HTTP/1.1 100 Continue\r\n\r\n", .then = FAKE_HTTP_STALL },
    { "/stall", .reply = HEAD_100 "abc", .then = FAKE_HTTP_STALL },
    { "/close", .then = FAKE_HTTP_CLOSE },
    { "/reset", .then = FAKE_HTTP_RESET },
    { "/cut", .reply = HEAD_100 "abc", .then = FAKE_HTTP_CLOSE },
    { "/reset-body", .reply = HEAD_100 "abc", .then = FAKE_HTTP_RESET },
    { "/cut-chunk", .reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
      .then = FAKE_HTTP_CLOSE },
    { "/garbage", .reply = "\x16\x03\x01 this is no HTTP\r\n\r\n", .then = FAKE_HTTP_CLOSE },
    { "/bad-status", .reply = "HTTP/1.1 twohundred\r\n\r\n", .then = FAKE_HTTP_CLOSE },
    { "/bad-chunk", .reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
      .then = FAKE_HTTP_STALL },
    { "/huge", .reply = "HTTP/1.1 200 OK\r\n\r\n", .padding = 50000000, .then = FAKE_HTTP_CLOSE },
    { "/huge-line", .reply = "HTTP/1.1 200 OK\r\nX: ", .padding = 5000000,
      .then = FAKE_HTTP_CLOSE },
    { "/deaf", .skip_body = true, .then = FAKE_HTTP_STALL },
    { "/deaf-reset", .skip_body = true, .then = FAKE_HTTP_RESET },
    { .path = NULL },
};

/* clang-format off */
static const struct {
    const char *path;
    enum fault_kind kind;
    const char *text;
} cases[] = {
    { "/no-head",     FAULT_TIMEOUT, "no answer within 60 ms" },
    { "/half-head",   FAULT_TIMEOUT, "no answer within 60 ms" },
    { "/only-100",    FAULT_TIMEOUT, "no answer within 60 ms" },
    { "/stall",       FAULT_TIMEOUT, "the answer did not go on for 50 ms" },
    { "/close",       FAULT_LOST,    "the connection broke before the answer" },
    { "/reset",       FAULT_LOST,    "the connection broke before the answer" },
    { "/cut",         FAULT_LOST,    "the connection broke in the middle of the answer" },
    { "/reset-body",  FAULT_LOST,    "the connection broke in the middle of the answer" },
    { "/cut-chunk",   FAULT_LOST,    "the connection broke in the middle of the answer" },
    { "/garbage",     FAULT_GARBLED, "the answer is not HTTP" },
    { "/bad-status",  FAULT_GARBLED, "the answer is not HTTP" },
    { "/bad-chunk",   FAULT_GARBLED, "the answer's chunks are malformed" },
    { "/huge",        FAULT_GARBLED, "the answer is larger than 1000 bytes" },
    { "/huge-line",   FAULT_GARBLED, "head" },
};
/* clang-format on */

static void
answers_that_go_wrong(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_init(i % 2 ? "POST" : "GET", &probe, "http", cases[i].path);
        probe.op.head_ms = 60;
        probe.op.progress_ms = 50;
        probe_expect(&probe, cases[i].kind, cases[i].text);
        probe_get("/ok", 200, "ok"); /* it harms nobody else */
    }
}

static void
nobody_listens(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_init("GET", &probe, "http", "/ok");
    fake_http_free(fake);
    fake = NULL;
    probe_expect(&probe, FAULT_UNREACHABLE, "connection refused");

    probe_init("GET", &probe, "http", "/ok");
    probe.op.peer.unix_path = "/nonexistent/docker.sock";
    probe_expect(&probe, FAULT_UNREACHABLE, "there is no such socket");

    probe_init("GET", &probe, "ftp", "/ok");
    probe_expect(&probe, FAULT_UNREACHABLE, "neither http nor https");
    probe_init("GET", &probe, "http", "/a b");
    probe.op.url = "http://[::1";
    probe_expect(&probe, FAULT_UNREACHABLE, "not valid");
    probe_init("GET", &probe, "http", "/ok");
    probe.op.url = "http://user:secret@127.0.0.1/";
    probe_expect(&probe, FAULT_UNREACHABLE, "must not carry a user");
    probe_init("GET", &probe, "http", "/ok");
    probe.op.url = "http://name.invalid/";
    probe_expect(&probe, FAULT_UNREACHABLE, "the name cannot be resolved");
}

/* A stopped engine: TCP is accepted, TLS never answered. */
static void
connecting_has_a_deadline(void **state)
{
    struct probe probe;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .silent = true });
    probe_init("GET", &probe, "https", "/ok");
    probe.op.connect_ms = 80;
    probe_expect(&probe, FAULT_UNREACHABLE, "no answer within 80 ms");
    assert_int_equal(fake_http_connections(fake), 1);
    assert_int_equal(probe.op.status, 0);
}

static void
the_whole_has_a_deadline(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_init("GET", &probe, "http", "/stall");
    probe.op.progress_ms = -1;
    probe.op.total_ms = 70;
    probe_expect(&probe, FAULT_TIMEOUT, "not finished within 70 ms");
    assert_int_equal(probe.op.status, 200);

    probe_init("GET", &probe, "http", "/no-head");
    probe.op.total_ms = 70;
    probe_expect(&probe, FAULT_TIMEOUT, "not finished within 70 ms");
}

/* A body larger than the sockets' buffers, to a server that does not read it. */
static void
sending_has_a_deadline(void **state)
{
    size_t len = 64U << 20;
    char *body = mem_new0(len);
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_init("POST", &probe, "http", "/deaf");
    probe.op.body = body;
    probe.op.body_len = len;
    probe.op.progress_ms = 80;
    probe_expect(&probe, FAULT_TIMEOUT, "the request could not be sent on for 80 ms");

    probe_init("POST", &probe, "http", "/deaf-reset");
    probe.op.body = body;
    probe.op.body_len = len;
    probe_expect(&probe, FAULT_LOST, "the connection broke before the answer");
    mem_free(body);
}

static void
headers_cannot_smuggle(void **state)
{
    static const struct http_header header = { "X-Registry-Auth", "secret\r\nX-Evil: 1" };
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_init("GET", &probe, "http", "/ok");
    probe.op.headers = &header;
    probe.op.header_count = 1;
    probe_expect(&probe, FAULT_BUG, "a header has a control character");
    assert_null(strstr(probe.text, "secret"));
    assert_int_equal(fake_http_connections(fake), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_that_go_wrong, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(nobody_listens, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(connecting_has_a_deadline, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(the_whole_has_a_deadline, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(sending_has_a_deadline, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(headers_cannot_smuggle, probe_setup, probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http_faults", tests, NULL, NULL);
}
