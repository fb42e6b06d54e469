/* The multiplexed stream, cut anywhere, and what is none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/docker/docker_demux.h"

static char seen[4][64];
static size_t seen_len[4];

static const char two_frames[] = "\1\0\0\0\0\0\0\5hello"
                                 "\2\0\0\0\0\0\0\0"
                                 "\2\0\0\0\0\0\0\3err"
                                 "\1\0\0\0\0\0\0\1!";

static void
on_data(struct docker_demux *demux, int stream, const char *data, size_t len)
{
    (void)demux;
    assert_in_range(stream, 0, 3);
    assert_true(len > 0 && seen_len[stream] + len < sizeof(seen[0]));
    memcpy(seen[stream] + seen_len[stream], data, len);
    seen_len[stream] += len;
    seen[stream][seen_len[stream]] = '\0';
}

static void
reset(struct docker_demux *demux)
{
    *demux = (struct docker_demux){ .on_data = on_data };
    memset(seen, 0, sizeof(seen));
    memset(seen_len, 0, sizeof(seen_len));
}

static void
test_frames_may_be_cut_anywhere(void **state)
{
    const size_t len = sizeof(two_frames) - 1;
    struct docker_demux demux;

    (void)state;
    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            reset(&demux);
            assert_int_equal(docker_demux_feed(&demux, two_frames, a), 0);
            assert_int_equal(docker_demux_feed(&demux, two_frames + a, b - a), 0);
            assert_int_equal(docker_demux_feed(&demux, two_frames + b, len - b), 0);
            assert_string_equal(seen[1], "hello!");
            assert_string_equal(seen[2], "err");
            assert_true(docker_demux_is_whole(&demux));
        }
    }
}

static void
test_an_end_inside_a_frame_is_seen(void **state)
{
    struct docker_demux demux;

    (void)state;
    reset(&demux);
    assert_true(docker_demux_is_whole(&demux));
    assert_int_equal(docker_demux_feed(&demux, two_frames, 3), 0);
    assert_false(docker_demux_is_whole(&demux));
    assert_int_equal(docker_demux_feed(&demux, two_frames + 3, 7), 0);
    assert_false(docker_demux_is_whole(&demux));
    assert_string_equal(seen[1], "he");
}

static void
test_what_is_no_frame_is_refused(void **state)
{
    static const char *const bad[] = { "HTTP/1.1", "\4\0\0\0\0\0\0\1", "\1\1\0\0\0\0\0\1",
                                       "\1\0\0\1\0\0\0\1" };
    struct docker_demux demux;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        reset(&demux);
        assert_int_equal(docker_demux_feed(&demux, bad[i], 8), -1);
    }
    /* The longest there is: its payload is passed on, not kept. */
    reset(&demux);
    assert_int_equal(docker_demux_feed(&demux, "\1\0\0\0\377\377\377\377x", 9), 0);
    assert_string_equal(seen[1], "x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_may_be_cut_anywhere),
        cmocka_unit_test(test_an_end_inside_a_frame_is_seen),
        cmocka_unit_test(test_what_is_no_frame_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
