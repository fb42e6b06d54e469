/*
 * Exchanges that go well: what is sent and what is received.
 */

#include "http_probe.h"

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/chunked", .reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n" },
    { "/until-close", .reply = "HTTP/1.0 200 OK\r\n\r\nto the end", .then = FAKE_HTTP_CLOSE },
    { "/empty", .reply = "HTTP/1.1 204 No Content\r\n\r\n" },
    { "/missing", .reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone" },
    { "/failed", .reply = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" },
    { "/moved", .reply = "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n" },
    { "/informed",
      .reply =
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" REPLY_OK },
    { "/hijack",
      .reply = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
               "\r\nraw bytes",
      .then = FAKE_HTTP_CLOSE },
    { "/upgrade",
      .reply = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
               "raw bytes",
      .then = FAKE_HTTP_CLOSE },
    { "/dated", .reply = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
                         "date: Sun, 22 Nov 2026 03:00:00 GMT\r\nContent-Length: 0\r\n\r\n" },
    { "/misdated", .reply = "HTTP/1.1 200 OK\r\nDate: some day\r\nContent-Length: 0\r\n\r\n" },
    { "/big", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n", .padding = 4000000 },
    { "/paced", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", .padding = 10,
      .pace_ms = 150 },
    { .path = NULL },
};

static void
answers_come_whole(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_get("/ok", 200, "ok");
    probe_get("/chunked", 200, "abcdefg");
    probe_get("/until-close", 200, "to the end");
    probe_get("/empty", 204, "");
    probe_get("/missing", 404, "none");
    probe_get("/failed", 500, "");
    probe_get("/moved", 302, "");
    probe_get("/informed", 200, "ok");
    probe_get("/hijack", 200, "raw bytes");
    probe_get("/upgrade", 101, "raw bytes");

    probe_init("HEAD", &probe, "http", "/ok");
    probe.op.answer_limit = 0;
    probe_expect(&probe, FAULT_NONE, "");
    assert_int_equal(probe.op.status, 200);
    assert_true(probe.op.took_us > 0);
}

static void
the_date_of_an_answer_is_known(void **state)
{
    static const struct {
        const char *path;
        int64_t date_ms;
    } cases[] = { { "/dated", INT64_C(1795316400000) }, { "/misdated", 0 }, { "/ok", 0 } };
    struct probe probe;

    (void)state;
    probe_serve(rules);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        probe_init("GET", &probe, "http", cases[i].path);
        probe.op.date_ms = 1;
        probe_expect(&probe, FAULT_NONE, "");
        assert_int_equal(probe.op.date_ms, cases[i].date_ms);
    }
}

static void
unix_sockets_work(void **state)
{
    char path[] = "/tmp/berth-test-http-XXXXXX";
    CLEANUP(mem_freep) char *name = NULL;
    struct probe probe;

    (void)state;
    assert_non_null(mkdtemp(path));
    name = mem_printf("%s/s", path);
    fake = fake_http_new(&(struct fake_http_config){ .unix_path = name, .rules = rules });
    probe_init("GET", &probe, "http", "/ok");
    probe.op.url = "http://localhost/ok";
    probe.op.peer.unix_path = name;
    probe_expect(&probe, FAULT_NONE, "");
    probe.done_count = 0;
    probe_expect(&probe, FAULT_NONE, "");
    assert_int_equal(fake_http_connections(fake), 1);
    fake_http_free(fake);
    fake = NULL;
    assert_int_equal(rmdir(path), 0);
}

static void
expect_sent(const char *what, bool there)
{
    CLEANUP(mem_freep) char *last = fake_http_last(fake);

    if ((strcasestr(last, what) != NULL) != there)
        fail_msg("%s in\n%s", what, last);
}

static void
requests_are_sent_as_asked(void **state)
{
    static const struct http_header headers[] = {
        { "X-Registry-Auth", "c2VjcmV0" },
        { "X-Empty", "" },
        { "Content-Type", "application/json" },
    };
    struct probe probe;

    (void)state;
    probe_serve(rules);
    probe_init("POST", &probe, "http", "/ok");
    probe.op.headers = headers;
    probe.op.header_count = ARRAY_LEN(headers);
    probe.op.body = "{\"a\":1}";
    probe.op.body_len = 7;
    probe_expect(&probe, FAULT_NONE, "");
    expect_sent("POST /ok HTTP/1.1\r\n", true);
    expect_sent("\r\nX-Registry-Auth: c2VjcmV0\r\n", true);
    expect_sent("\r\nX-Empty:\r\n", true);
    expect_sent("\r\nContent-Type: application/json\r\n", true);
    expect_sent("\r\nContent-Length: 7\r\n", true);
    expect_sent("\r\nUser-Agent: berth/", true);
    expect_sent("\r\n\r\n{\"a\":1}", true);
    expect_sent("\r\nExpect:", false);

    for (size_t i = 0; i < 2; i++) {
        probe_init(i ? "PUT" : "POST", &probe, "http", "/ok");
        probe_expect(&probe, FAULT_NONE, "");
        expect_sent(i ? "PUT /ok " : "POST /ok ", true);
        expect_sent("\r\nContent-Length: 0\r\n", true);
        expect_sent("\r\nContent-Type", false);
    }
    probe_init("DELETE", &probe, "http", "/ok");
    probe_expect(&probe, FAULT_NONE, "");
    expect_sent("DELETE /ok ", true);
    expect_sent("\r\nContent-Length", false);
    assert_int_equal(fake_http_connections(fake), 1);
}

static int
on_piece_stop(struct http_op *op, const char *data, size_t len)
{
    (void)stream_on_piece(op, data, len);
    return -1;
}

static void
on_sent(struct http_op *op, int64_t sent)
{
    struct stream *stream = CONTAINER_OF(op, struct stream, probe.op);

    assert_true(sent > stream->sent);
    stream->sent = sent;
    stream->pieces++;
}

static void
bodies_can_be_streamed(void **state)
{
    struct stream stream;

    (void)state;
    probe_serve(rules);
    stream_init(&stream, "GET", "/big");
    probe_expect(&stream.probe, FAULT_NONE, "");
    assert_int_equal(stream.received, 4000000);
    assert_true(stream.pieces > 1);

    stream_init(&stream, "GET", "/big");
    stream.probe.op.on_body = on_piece_stop;
    probe_expect(&stream.probe, FAULT_CANCELLED, "");
    assert_int_equal(stream.pieces, 1);
}

/* The body takes longer than progress_ms in all, no piece does. */
static void
progress_is_between_pieces(void **state)
{
    struct stream stream;

    (void)state;
    probe_serve(rules);
    stream_init(&stream, "GET", "/paced");
    stream.probe.op.progress_ms = 1000;
    stream.probe.op.head_ms = 1000;
    probe_expect(&stream.probe, FAULT_NONE, "");
    assert_true(stream.probe.op.took_us > 1400000);
}

static void
bodies_can_come_from_a_file(void **state)
{
    struct stream stream;
    int fd = probe_file(1000010);

    (void)state;
    probe_serve(rules);
    assert_int_equal(lseek(fd, 10, SEEK_SET), 10);
    for (int i = 0; i < 2; i++) { /* the offset does not move */
        stream_init(&stream, "POST", "/ok");
        stream.probe.op.body_fd = fd;
        stream.probe.op.body_len = 1000000;
        stream.probe.op.on_sent = on_sent;
        probe_expect(&stream.probe, FAULT_NONE, "");
        assert_int_equal(stream.sent, 1000000);
        assert_true(stream.pieces > 1);
    }
    assert_int_equal(fake_http_body_bytes(fake), 2000000);
    expect_sent("\r\nContent-Length: 1000000\r\n", true);
    expect_sent("\r\nExpect:", false);

    stream_init(&stream, "POST", "/ok");
    stream.probe.op.body_fd = fd;
    stream.probe.op.body_len = 1000001;
    probe_expect(&stream.probe, FAULT_BUG, "the file to send");
    assert_int_equal(close(fd), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_come_whole, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(the_date_of_an_answer_is_known, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(unix_sockets_work, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(requests_are_sent_as_asked, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(bodies_can_be_streamed, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(progress_is_between_pieces, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(bodies_can_come_from_a_file, probe_setup, probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http", tests, NULL, NULL);
}
