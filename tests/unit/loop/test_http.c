/*
 * Exchanges that go well: what is sent, what is received, connections that are
 * kept, and that start, cancel and pause may be called from anywhere.
 */

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "http_probe.h"

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/other", .reply = REPLY_OK },
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
    { "/hang", .then = FAKE_HTTP_STALL },
    { "/stall", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
      .then = FAKE_HTTP_STALL },
    { "/big", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n", .padding = 4000000 },
    { "/paced", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", .padding = 10,
      .pace_ms = 150 },
    { "/dies-once", .then = FAKE_HTTP_CLOSE, .only_first = 1 },
    { "/dies-once", .reply = REPLY_OK },
    { "/bye", .reply = REPLY_OK, .then = FAKE_HTTP_CLOSE },
    { "/deaf", .skip_body = true, .then = FAKE_HTTP_STALL },
    { NULL },
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

    probe_init(&probe, "HEAD", "http", "/ok");
    probe.op.answer_limit = 0;
    probe_expect(&probe, FAULT_NONE, "");
    assert_int_equal(probe.op.status, 200);
    assert_true(probe.op.took_us > 0);
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
    probe_init(&probe, "GET", "http", "/ok");
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
    probe_init(&probe, "POST", "http", "/ok");
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
        probe_init(&probe, i ? "PUT" : "POST", "http", "/ok");
        probe_expect(&probe, FAULT_NONE, "");
        expect_sent(i ? "PUT /ok " : "POST /ok ", true);
        expect_sent("\r\nContent-Length: 0\r\n", true);
        expect_sent("\r\nContent-Type", false);
    }
    probe_init(&probe, "DELETE", "http", "/ok");
    probe_expect(&probe, FAULT_NONE, "");
    expect_sent("DELETE /ok ", true);
    expect_sent("\r\nContent-Length", false);
    assert_int_equal(fake_http_connections(fake), 1);
}

struct stream {
    struct probe probe;
    size_t received;
    int64_t sent;
    int pieces;
    bool pause_first;
};

static int
on_piece(struct http_op *op, const char *data, size_t len)
{
    struct stream *stream = CONTAINER_OF(op, struct stream, probe.op);

    (void)data;
    assert_int_equal(op->status, 200);
    stream->received += len;
    stream->pieces++;
    if (stream->pause_first && stream->pieces == 1)
        http_pause(http, op, true);
    return 0;
}

static int
on_piece_stop(struct http_op *op, const char *data, size_t len)
{
    (void)on_piece(op, data, len);
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
stream_init(struct stream *stream, const char *method, const char *path)
{
    *stream = (struct stream){ 0 };
    probe_init(&stream->probe, method, "http", path);
    stream->probe.op.answer_limit = 0;
    stream->probe.op.on_body = on_piece;
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

static int
make_file(size_t size)
{
    char path[] = "/tmp/berth-test-http-XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    return fd;
}

static void
bodies_can_come_from_a_file(void **state)
{
    struct stream stream;
    int fd = make_file(1000010);

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

static bool
none_open(void *cookie)
{
    (void)cookie;
    return fake_http_open(fake) == 0;
}

/* The server's threads do not wake our loop. */
static void
on_tick(struct clock_timer *timer)
{
    const struct clock_port *clock = loop_clock(loop);

    clock->timer_set(clock->self, timer, clock->mono_ms(clock->self) + 2);
}

static void
wait_none_open(void)
{
    struct clock_timer tick = { .fire = on_tick };

    on_tick(&tick);
    assert_true(loop_run_until(loop, none_open, NULL, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
}

static void
connections_are_kept(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    for (int i = 0; i < 20; i++)
        probe_get(i % 2 ? "/ok" : "/missing", i % 2 ? 200 : 404, i % 2 ? "ok" : "none");
    assert_int_equal(fake_http_connections(fake), 1);

    probe_init(&probe, "GET", "http", "/ok");
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
    wait_none_open();
}

static bool
has_hung(void *cookie)
{
    return fake_http_requests(fake, cookie) > 0;
}

static void
wait_request(char *path)
{
    struct clock_timer tick = { .fire = on_tick };

    on_tick(&tick);
    assert_true(loop_run_until(loop, has_hung, path, PATIENCE_MS));
    loop_clock(loop)->timer_clear(loop_clock(loop)->self, &tick);
}

static bool
has_piece(void *cookie)
{
    return ((const struct stream *)cookie)->pieces > 0;
}

static void
busy_connections_survive_peer_close(void **state)
{
    struct probe probe;
    struct stream stream;
    char path[] = "/hang";

    (void)state;
    probe_serve(rules);
    probe_init(&probe, "GET", "http", path);
    stream_init(&stream, "GET", "/big");
    stream.pause_first = true;
    http_start(http, &probe.op);
    http_start(http, &stream.probe.op);
    wait_request(path);
    assert_true(loop_run_until(loop, has_piece, &stream, PATIENCE_MS));

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
        probe_init(&probe, methods[i].method, "http", "/dies-once");
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
    int fd = make_file(300000);

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
        probe_init(&probe, "POST", "http", "/bye");
        probe_expect(&probe, FAULT_NONE, "");
        assert_int_equal(fake_http_requests(fake, "/bye"), i);
        wait_none_open();
    }
    assert_int_equal(fake_http_connections(fake), 5);
}

static void
expect_cancelled(struct probe *probe)
{
    http_cancel(http, &probe->op);
    http_cancel(http, &probe->op); /* twice is once */
    assert_int_equal(probe->done_count, 0);
    probe_wait(probe);
    assert_int_equal(probe->kind, FAULT_CANCELLED);
    probe_fini(probe);
}

static void
cancelled_in_each_phase(void **state)
{
    char hang[] = "/hang";
    struct probe probe;
    struct stream stream;

    (void)state;
    probe_serve(rules);
    probe_init(&probe, "GET", "http", "/ok");
    http_start(http, &probe.op);
    expect_cancelled(&probe); /* not begun */
    assert_int_equal(fake_http_connections(fake), 0);

    probe_init(&probe, "GET", "http", hang);
    http_start(http, &probe.op);
    wait_request(hang);
    expect_cancelled(&probe); /* waiting */

    stream_init(&stream, "GET", "/stall");
    http_start(http, &stream.probe.op);
    assert_true(loop_run_until(loop, has_piece, &stream, PATIENCE_MS));
    expect_cancelled(&stream.probe); /* receiving */

    stream_init(&stream, "GET", "/big");
    stream.pause_first = true;
    http_start(http, &stream.probe.op);
    assert_true(loop_run_until(loop, has_piece, &stream, PATIENCE_MS));
    expect_cancelled(&stream.probe); /* paused */
    assert_int_equal(stream.pieces, 1);
    wait_none_open();
}

static void
cancelled_while_sending(void **state)
{
    char deaf[] = "/deaf";
    struct stream stream;
    int fd = make_file(64U << 20);

    (void)state;
    probe_serve(rules);
    stream_init(&stream, "POST", deaf);
    stream.probe.op.body_fd = fd;
    stream.probe.op.body_len = 64U << 20;
    http_start(http, &stream.probe.op);
    wait_request(deaf);
    expect_cancelled(&stream.probe);
    assert_int_equal(close(fd), 0);
}

static void
cancelled_while_connecting(void **state)
{
    struct probe probe;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .silent = true });
    probe_init(&probe, "GET", "https", "/ok");
    http_start(http, &probe.op);
    assert_false(loop_run_until(loop, probe_is_over, &probe, 30));
    expect_cancelled(&probe);
    wait_none_open();
}

/* A crowd whose members end each other from inside their callbacks. */
static struct stream crowd[6];
static struct probe late;

static int
on_piece_cancel(struct http_op *op, const char *data, size_t len)
{
    (void)data;
    (void)len;
    for (size_t i = 0; i < 3; i++)
        http_cancel(http, &crowd[i].probe.op); /* itself among them */
    http_start(http, &late.op);
    return op == NULL;
}

static void
on_done_cancel(struct http_op *op, const struct fault *fault)
{
    http_cancel(http, op); /* no effect */
    for (size_t i = 3; i < ARRAY_LEN(crowd); i++)
        if (op != &crowd[i].probe.op)
            http_cancel(http, &crowd[i].probe.op);
    probe_on_done(op, fault);
}

static bool
crowd_is_over(void *cookie)
{
    (void)cookie;
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
        if (crowd[i].probe.done_count == 0)
            return false;
    return late.done_count > 0;
}

static void
callbacks_may_start_and_cancel(void **state)
{
    (void)state;
    probe_serve(rules);
    probe_init(&late, "GET", "http", "/ok");
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
        stream_init(&crowd[i], "GET", i == 1 || i == 4 ? "/big" : "/hang");
    crowd[1].probe.op.on_body = on_piece_cancel;
    crowd[4].probe.op.done = on_done_cancel;
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
        http_start(http, &crowd[i].probe.op);
    assert_true(loop_run_until(loop, crowd_is_over, NULL, PATIENCE_MS));
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
        assert_int_equal(crowd[i].probe.done_count, 1);
        assert_int_equal(crowd[i].probe.kind, i == 4 ? FAULT_NONE : FAULT_CANCELLED);
        probe_fini(&crowd[i].probe);
    }
    assert_int_equal(late.done_count, 1);
    assert_string_equal(late.body, "ok");
    probe_fini(&late);
}

static int again_left;

static void
on_done_again(struct http_op *op, const struct fault *fault)
{
    struct probe *probe = CONTAINER_OF(op, struct probe, op);

    assert_null(fault);
    if (again_left-- > 0)
        http_start(http, op); /* the same operation; its answer was not taken */
    else
        probe->done_count++;
}

static void
done_may_start_the_same_operation(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    again_left = 10;
    probe_init(&probe, "GET", "http", "/ok");
    probe.op.done = on_done_again;
    probe_run(&probe);
    assert_int_equal(fake_http_requests(fake, "/ok"), 11);
    assert_int_equal(fake_http_connections(fake), 1);
}

static void
pausing_stops_body_and_deadline(void **state)
{
    struct stream stream;

    (void)state;
    probe_serve(rules);
    stream_init(&stream, "GET", "/big");
    stream.pause_first = true;
    stream.probe.op.progress_ms = 50;
    http_start(http, &stream.probe.op);
    assert_false(loop_run_until(loop, probe_is_over, &stream.probe, 200));
    assert_int_equal(stream.pieces, 1);

    stream.probe.op.progress_ms = PATIENCE_MS;
    http_pause(http, &stream.probe.op, false);
    assert_int_equal(stream.pieces, 1); /* not inside http_pause() */
    http_pause(http, &stream.probe.op, true);
    assert_false(loop_run_until(loop, probe_is_over, &stream.probe, 20));
    assert_int_equal(stream.pieces, 1);
    http_pause(http, &stream.probe.op, false);
    probe_wait(&stream.probe);
    assert_int_equal(stream.probe.kind, FAULT_NONE);
    assert_int_equal(stream.received, 4000000);
    probe_fini(&stream.probe);
}

enum { CROWD = 200 };

static struct probe many[CROWD];

static bool
many_are_over(void *cookie)
{
    (void)cookie;
    for (size_t i = 0; i < CROWD; i++)
        if (many[i].done_count == 0)
            return false;
    return true;
}

static size_t
count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder)) /* NOLINT(concurrency-mt-unsafe): a folder of our own */
        count++;
    (void)closedir(folder);
    return count;
}

static void
two_hundred_at_once(void **state)
{
    (void)state;
    probe_serve(rules);
    for (size_t i = 0; i < CROWD; i++) {
        probe_init(&many[i], i % 3 ? "GET" : "POST", "http", i % 2 ? "/ok" : "/chunked");
        many[i].op.peer.key = (int64_t)i;
        http_start(http, &many[i].op);
    }
    assert_true(loop_run_until(loop, many_are_over, NULL, PATIENCE_MS));
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(many[i].done_count, 1);
        assert_int_equal(many[i].kind, FAULT_NONE);
        assert_string_equal(many[i].body, i % 2 ? "ok" : "abcdefg");
        probe_fini(&many[i]);
    }
    assert_in_range(fake_http_connections(fake), 1, CROWD);
}

/* Also what a crowd needed is given back. */
static void
no_descriptor_stays_open(void **state)
{
    size_t before;

    (void)probe_teardown(state);
    before = count_descriptors();
    for (int round = 0; round < 3; round++) {
        (void)probe_setup(state);
        two_hundred_at_once(state);
        (void)probe_teardown(state);
        assert_int_equal(count_descriptors(), before);
    }
    (void)probe_setup(state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_come_whole, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(unix_sockets_work, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(requests_are_sent_as_asked, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(bodies_can_be_streamed, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(progress_is_between_pieces, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(bodies_can_come_from_a_file, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(connections_are_kept, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(busy_connections_survive_peer_close, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(only_what_may_be_is_sent_twice, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(files_are_sent_twice_whole, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(closed_connections_are_not_used, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(cancelled_in_each_phase, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(cancelled_while_sending, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(cancelled_while_connecting, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(callbacks_may_start_and_cancel, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(done_may_start_the_same_operation, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(pausing_stops_body_and_deadline, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(two_hundred_at_once, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(no_descriptor_stays_open, probe_setup, probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http", tests, NULL, NULL);
}
