/* Marks in a script's output: found wherever the pieces end, and nothing else taken for one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/shell/ssh_stream.h"

#define TOKEN "00112233445566778899aabbccddeeff"
#define SIGN  "\036"
#define BEGIN SIGN TOKEN "+\n"
#define END   SIGN TOKEN " 17\n"

static char output[512];
static size_t output_len;

static void
on_emit(struct ssh_stream *stream, const char *data, size_t len)
{
    (void)stream;
    assert_true(len > 0 && output_len + len < sizeof(output));
    memcpy(output + output_len, data, len);
    output_len += len;
    output[output_len] = '\0';
}

static void
stream_of(struct ssh_stream *stream, const char *text, size_t piece)
{
    size_t len = strlen(text);

    output_len = 0;
    output[0] = '\0';
    ssh_stream_init(stream, TOKEN, on_emit);
    for (size_t at = 0; at < len; at += piece)
        ssh_stream_feed(stream, text + at, len - at < piece ? len - at : piece);
}

static void
finds_marks_however_the_pieces_fall(void **state)
{
    static const struct {
        const char *text, *output, *noise;
        enum ssh_stream_phase phase;
        int code;
    } rows[] = {
        { BEGIN END, "", "", SSH_STREAM_ENDED, 17 },
        { BEGIN "out" END "late", "out", "", SSH_STREAM_ENDED, 17 },
        { "hi\n" BEGIN "out\n" END, "out\n", "hi\n", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN SIGN END, SIGN SIGN, "", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN "0011" END, SIGN "0011", "", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN TOKEN SIGN TOKEN " 0\n", SIGN TOKEN, "", SSH_STREAM_ENDED, 0 },
        { BEGIN SIGN TOKEN " " END, SIGN TOKEN " ", "", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN TOKEN " 1234" END, SIGN TOKEN " 1234", "", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN TOKEN " \n" END, SIGN TOKEN " \n", "", SSH_STREAM_ENDED, 17 },
        { BEGIN BEGIN END, BEGIN, "", SSH_STREAM_ENDED, 17 },
        { BEGIN SIGN TOKEN " 999\n", "", "", SSH_STREAM_ENDED, 255 },
        { END BEGIN END, "", END, SSH_STREAM_ENDED, 17 },
        { BEGIN "out" SIGN TOKEN " 1", "out", "", SSH_STREAM_INSIDE, 0 },
        { "sudo: no", "", "sudo: no", SSH_STREAM_BEFORE, 0 },
        { SIGN TOKEN "+x" BEGIN, "", SIGN TOKEN "+x", SSH_STREAM_INSIDE, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t piece = 1; piece <= strlen(rows[i].text); piece++) {
            struct ssh_stream stream;

            stream_of(&stream, rows[i].text, piece);
            if (strcmp(output, rows[i].output) != 0 || strcmp(stream.noise, rows[i].noise) != 0)
                fail_msg("row %zu, pieces of %zu: \"%s\", \"%s\"", i, piece, output, stream.noise);
            assert_int_equal(stream.phase, rows[i].phase);
            assert_int_equal(stream.code, rows[i].code);
        }
    }
}

/* Progress is shown as it comes: only what may be a mark waits for more. */
static void
holds_nothing_back_that_is_no_mark(void **state)
{
    struct ssh_stream stream;

    (void)state;
    stream_of(&stream, BEGIN "50 %", 1);
    assert_string_equal(output, "50 %");
}

static void
keeps_little_of_what_came_before(void **state)
{
    char text[4 * SSH_NOISE_MAX + 1];
    struct ssh_stream stream;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t piece = 1; piece < sizeof(text); piece += 97) {
        stream_of(&stream, text, piece);
        assert_int_equal(stream.noise_len, SSH_NOISE_MAX);
        assert_int_equal(strlen(stream.noise), SSH_NOISE_MAX);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_marks_however_the_pieces_fall),
        cmocka_unit_test(holds_nothing_back_that_is_no_mark),
        cmocka_unit_test(keeps_little_of_what_came_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
