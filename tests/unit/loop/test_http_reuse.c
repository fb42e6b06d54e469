/*
 * Connections are kept and used again; what happens when a kept one turns out
 * to be dead.
 */

#include "http_probe.h"

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/missing", .reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone" },
    { "/hang", .then = FAKE_HTTP_STALL },
    { "/big", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n", .padding = 4000000 },
    { "/dies-once", .then = FAKE_HTTP_CLOSE, .only_first = 1 },
    { "/dies-once", .reply = REPLY_OK },
    { "/bye", .reply = REPLY_OK, .then = FAKE_HTTP_CLOSE },
    { .path = NULL },
};

static void
connections_are_kept(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    for (int i = 0; i < 20; i++)
        probe_get(i % 2 ? "/ok" : "/missing", i % 2 ? 200 : 404, i % 2 ? "ok" : "none");
    assert_int_equal(fake_http_connections(fake), 1);

    probe_init("GET", &probe, "http", "/ok");
    probe.op.peer.key = 100; /* of another shard */
    probe_expect(&probe, FAULT_NONE, "");
    assert_int_equal(fake_http_connections(fake), 2);

    http_peer_close(http, 5); /* nobody's */
    probe_get("/ok", 200, "ok");
    assert_int_equal(fake_http_connections(fake), 2);
    http_peer_close(http, 0);
    probe_get("/ok", 200, "ok");
    assert_int_equal(fake_http_connections(fake), 3);
    http_peer_close(http, 0);
    http_peer_close(http, 100);
    probe_wait_none_open();
}

static void
busy_connections_survive_peer_close(void **state)
{
    struct probe probe;
    struct stream stream;
    char path[] = "/hang";

    (void)state;
    probe_serve(rules);
    probe_init("GET", &probe, "http", path);
    stream_init(&stream, "GET", "/big");
    stream.pause_first = true;
    http_start(http, &probe.op);
    http_start(http, &stream.probe.op);
    probe_wait_request(path);
    assert_true(loop_run_until(loop, stream_has_piece, &stream, PATIENCE_MS));

    http_peer_close(http, 0);
    http_pause(http, &stream.probe.op, false);
    probe_wait(&stream.probe);
    assert_int_equal(stream.probe.kind, FAULT_NONE);
    assert_int_equal(stream.received, 4000000);
    assert_int_equal(probe.done_count, 0);
    http_cancel(http, &probe.op);
    probe_wait(&probe);
    probe_fini(&probe);
    probe_fini(&stream.probe);
}

/* The server reads the request on the kept connection and closes it without a word: it may have
 * done what was asked. */
static void
only_what_may_be_is_sent_twice(void **state)
{
    static const struct {
        const char *method;
        enum fault_kind kind;
        int requests;
    } methods[] = {
        { "GET", FAULT_NONE, 2 },    { "HEAD", FAULT_NONE, 2 }, { "PUT", FAULT_NONE, 2 },
        { "DELETE", FAULT_NONE, 2 }, { "POST", FAULT_LOST, 1 }, { "PATCH", FAULT_LOST, 1 },
    };
    struct probe probe;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        probe_serve(rules);
        probe_get("/ok", 200, "ok");
        probe_init(methods[i].method, &probe, "http", "/dies-once");
        probe_expect(&probe, methods[i].kind, methods[i].kind ? "before the answer" : "");
        assert_int_equal(fake_http_requests(fake, "/dies-once"), methods[i].requests);
        fake_http_free(fake);
        fake = NULL;
    }
}

/* A file is sent again from its beginning. */
static void
files_are_sent_twice_whole(void **state)
{
    struct stream stream;
    int fd = probe_file(300000);

    (void)state;
    probe_serve(rules);
    probe_get("/ok", 200, "ok");
    stream_init(&stream, "PUT", "/dies-once");
    stream.probe.op.body_fd = fd;
    stream.probe.op.body_len = 300000;
    probe_expect(&stream.probe, FAULT_NONE, "");
    assert_int_equal(fake_http_requests(fake, "/dies-once"), 2);
    assert_int_equal(fake_http_body_bytes(fake), 600000);
    assert_int_equal(close(fd), 0);
}

/* The usual case of a dead connection, an engine that was restarted, costs nobody anything. */
static void
closed_connections_are_not_used(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    for (int i = 1; i <= 5; i++) {
        probe_init("POST", &probe, "http", "/bye");
        probe_expect(&probe, FAULT_NONE, "");
        assert_int_equal(fake_http_requests(fake, "/bye"), i);
        probe_wait_none_open();
    }
    assert_int_equal(fake_http_connections(fake), 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(connections_are_kept, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(busy_connections_survive_peer_close, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(only_what_may_be_is_sent_twice, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(files_are_sent_twice_whole, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(closed_connections_are_not_used, probe_setup,
                                        probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http_reuse", tests, NULL, NULL);
}
