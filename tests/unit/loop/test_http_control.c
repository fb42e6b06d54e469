/*
 * Start, cancel and pause may be called from anywhere and at any time; done
 * comes exactly once; nothing stays behind.
 */

#include <dirent.h>

#include "http_probe.h"

static const struct fake_http_rule rules[] = {
    { "/ok", .reply = REPLY_OK },
    { "/chunked", .reply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                           "3\r\nabc\r\n4\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n" },
    { "/hang", .then = FAKE_HTTP_STALL },
    { "/stall", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
      .then = FAKE_HTTP_STALL },
    { "/big", .reply = "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n", .padding = 4000000 },
    { "/deaf", .skip_body = true, .then = FAKE_HTTP_STALL },
    { .path = NULL },
};

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
    probe_init("GET", &probe, "http", "/ok");
    http_start(http, &probe.op);
    expect_cancelled(&probe); /* not begun */
    assert_int_equal(fake_http_connections(fake), 0);

    probe_init("GET", &probe, "http", hang);
    http_start(http, &probe.op);
    probe_wait_request(hang);
    expect_cancelled(&probe); /* waiting */

    stream_init(&stream, "GET", "/stall");
    http_start(http, &stream.probe.op);
    assert_true(loop_run_until(loop, stream_has_piece, &stream, PATIENCE_MS));
    expect_cancelled(&stream.probe); /* receiving */

    stream_init(&stream, "GET", "/big");
    stream.pause_first = true;
    http_start(http, &stream.probe.op);
    assert_true(loop_run_until(loop, stream_has_piece, &stream, PATIENCE_MS));
    expect_cancelled(&stream.probe); /* paused */
    assert_int_equal(stream.pieces, 1);
    probe_wait_none_open();
}

static void
cancelled_while_sending(void **state)
{
    char deaf[] = "/deaf";
    struct stream stream;
    int fd = probe_file(64U << 20);

    (void)state;
    probe_serve(rules);
    stream_init(&stream, "POST", deaf);
    stream.probe.op.body_fd = fd;
    stream.probe.op.body_len = 64U << 20;
    http_start(http, &stream.probe.op);
    probe_wait_request(deaf);
    expect_cancelled(&stream.probe);
    assert_int_equal(close(fd), 0);
}

static void
cancelled_while_connecting(void **state)
{
    struct probe probe;

    (void)state;
    fake = fake_http_new(&(struct fake_http_config){ .silent = true });
    probe_init("GET", &probe, "https", "/ok");
    http_start(http, &probe.op);
    assert_false(loop_run_until(loop, probe_is_over, &probe, 30));
    expect_cancelled(&probe);
    probe_wait_none_open();
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
    for (size_t i = 3; i < ARRAY_LEN(crowd); i++) {
        if (op != &crowd[i].probe.op)
            http_cancel(http, &crowd[i].probe.op);
    }
    probe_on_done(op, fault);
}

static bool
crowd_is_over(void *cookie)
{
    (void)cookie;
    for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
        if (crowd[i].probe.done_count == 0)
            return false;
    }
    return late.done_count > 0;
}

static void
callbacks_may_start_and_cancel(void **state)
{
    (void)state;
    probe_serve(rules);
    probe_init("GET", &late, "http", "/ok");
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

/* Both have failed before the first of them is told. */
static void
what_has_ended_can_be_cancelled(void **state)
{
    static const struct http_header bad = { "X", "\n" };

    (void)state;
    for (size_t i = 3; i < 5; i++) {
        stream_init(&crowd[i], "GET", "/ok");
        crowd[i].probe.op.headers = &bad;
        crowd[i].probe.op.header_count = 1;
        crowd[i].probe.op.done = on_done_cancel;
    }
    crowd[5] = (struct stream){ 0 };
    http_start(http, &crowd[3].probe.op);
    http_start(http, &crowd[4].probe.op);
    probe_wait(&crowd[3].probe);
    probe_wait(&crowd[4].probe);
    assert_int_equal(crowd[3].probe.kind, FAULT_BUG);
    assert_int_equal(crowd[4].probe.kind, FAULT_CANCELLED);
    assert_string_equal(crowd[4].probe.text, "cancelled");
    probe_fini(&crowd[3].probe);
    probe_fini(&crowd[4].probe);
}

/* Of answers that come together, the first that is told cancels the others: some have ended well. */
static void
what_has_succeeded_can_be_cancelled(void **state)
{
    (void)state;
    probe_serve(rules);
    for (int round = 0; round < 100; round++) {
        for (size_t i = 3; i < ARRAY_LEN(crowd); i++) {
            stream_init(&crowd[i], "GET", "/ok");
            crowd[i].probe.op.done = on_done_cancel;
        }
        for (size_t i = 3; i < ARRAY_LEN(crowd); i++)
            http_start(http, &crowd[i].probe.op);
        for (size_t i = 3; i < ARRAY_LEN(crowd); i++) {
            probe_wait(&crowd[i].probe);
            if (crowd[i].probe.kind != FAULT_NONE)
                assert_string_equal(crowd[i].probe.text, "cancelled");
            probe_fini(&crowd[i].probe);
        }
    }
}

static int again_left;

static void
on_done_again(struct http_op *op, const struct fault *fault)
{
    struct probe *probe = CONTAINER_OF(op, struct probe, op);

    assert_null(fault);
    if (again_left-- > 0) {
        http_start(http, op); /* the same operation; its answer was not taken */
    } else {
        probe->done_count++;
    }
}

static void
done_may_start_the_same_operation(void **state)
{
    struct probe probe;

    (void)state;
    probe_serve(rules);
    again_left = 10;
    probe_init("GET", &probe, "http", "/ok");
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
    for (size_t i = 0; i < CROWD; i++) {
        if (many[i].done_count == 0)
            return false;
    }
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
run_many(void)
{
    for (size_t i = 0; i < CROWD; i++) {
        probe_init(i % 3 ? "GET" : "POST", &many[i], "http", i % 2 ? "/ok" : "/chunked");
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
}

static void
two_hundred_at_once(void **state)
{
    (void)state;
    probe_serve(rules);
    run_many();
    run_many(); /* on the connections of the first */
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
        cmocka_unit_test_setup_teardown(cancelled_in_each_phase, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(cancelled_while_sending, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(cancelled_while_connecting, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(callbacks_may_start_and_cancel, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(what_has_ended_can_be_cancelled, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(what_has_succeeded_can_be_cancelled, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(done_may_start_the_same_operation, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(pausing_stops_body_and_deadline, probe_setup,
                                        probe_teardown),
        cmocka_unit_test_setup_teardown(two_hundred_at_once, probe_setup, probe_teardown),
        cmocka_unit_test_setup_teardown(no_descriptor_stays_open, probe_setup, probe_teardown),
    };

    return cmocka_run_group_tests_name("loop.http_control", tests, NULL, NULL);
}
