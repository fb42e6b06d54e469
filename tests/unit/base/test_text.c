#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/digest.h"
#include "berth/base/text.h"

static void
test_time_is_printed(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { 951782400000, "2000-02-29T00:00:00.000Z" },
        { 1767323045678, "2026-01-02T03:04:05.678Z" },
        { 4107542399999, "2100-02-28T23:59:59.999Z" },
        { 4107542400000, "2100-03-01T00:00:00.000Z" }, /* 2100 is no leap year */
        { -62167219200000, "0000-01-01T00:00:00.000Z" },
        { 253402300799999, "9999-12-31T23:59:59.999Z" },
        { INT64_MAX, "9999-12-31T23:59:59.999Z" },
        { INT64_MIN, "0000-01-01T00:00:00.000Z" },
    };
    struct text_day day = { 0 };
    char text[TEXT_TIME_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_string_equal(text_time(cases[i].ms, text), cases[i].text);
        assert_string_equal(text_time_of(&day, cases[i].ms, text), cases[i].text); /* another day */
        assert_string_equal(text_time_of(&day, cases[i].ms, text), cases[i].text); /* the same */
    }
}

static void
test_time_round_trip_over_each_day(void **state)
{
    char text[TEXT_TIME_SIZE];
    int64_t back;

    (void)state;
    for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86400000LL * 13 + 7) {
        assert_true(text_time_parse(text_time(ms, text), &back));
        assert_int_equal(back, ms);
    }
}

static void
test_time_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "2026-01-02T03:04:05Z", 1767323045000 },
        { "2026-01-02t03:04:05z", 1767323045000 },
        { "2026-01-02 03:04:05Z", 1767323045000 },
        { "2026-01-02T03:04:05.6Z", 1767323045600 },
        { "2026-01-02T03:04:05.678999999Z", 1767323045678 },
        { "2026-01-02T04:04:05.678+01:00", 1767323045678 },
        { "2026-01-01T21:34:05.678-05:30", 1767323045678 },
        { "2016-12-31T23:59:60Z", 1483228800000 },
        { "0001-01-01T00:00:00Z", -62135596800000 }, /* Docker's "never" */
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(text_time_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void
test_time_refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2100-02-29T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.0123456789Z",
        "2026-01-02T03:04:05+1:00",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05Zx",
        "-026-01-02T03:04:05Z",
        "2026-1-02T03:04:05Z",
        "2026-01-02T03:04:05 Z",
    };
    int64_t ms = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(text_time_parse(bad[i], &ms));
    assert_false(text_time_parse(NULL, &ms));
    assert_int_equal(ms, 7);
}

static void
test_sizes(void **state)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        { "0", 0 },
        { "1073741824", 1073741824 },
        { "12b", 12 },
        { "512m", 536870912 },
        { "512M", 536870912 },
        { "512 MiB", 536870912 },
        { "1.5GiB", 1610612736 },
        { "2gb", 2147483648 },
        { "0.5k", 512 },
        { "3T", 3298534883328 },
        { "18446744073709551615", UINT64_MAX },
    };
    static const char *const bad[] = {
        "",          "m",    "-1",   "1.5", "1.m",  ".5m", "1x",
        "1mm",       "1 kk", "1  m", "1m ", "0x10", "1e3", "18446744073709551616",
        "16777216t", "1ib"
    };
    uint64_t bytes;
    char text[24];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(text_size_parse(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(text_size_parse(bad[i], &bytes));
    assert_false(text_size_parse(NULL, &bytes));
    assert_string_equal(text_size(0, text), "0 B");
    assert_string_equal(text_size(1023, text), "1023 B");
    assert_string_equal(text_size(536870912, text), "512 MiB");
    assert_string_equal(text_size(1610612736, text), "1.5 GiB");
    assert_string_equal(text_size(1048575, text), "1 MiB");
    assert_string_equal(text_size(UINT64_MAX, text), "16 EiB");
}

static void
test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t s;
    } good[] = {
        { "45", 45 },      { "90s", 90 },
        { "15m", 900 },    { "1h 30m", 5400 },
        { "1h30m", 5400 }, { "2d", 172800 },
        { "1w", 604800 },  { "2 h 5 min", 7500 },
        { "0s", 0 },       { "9223372036854775807", INT64_MAX },
    };
    static const char *const bad[] = { "",
                                       "s",
                                       "-5s",
                                       "1h 30",
                                       "1.5h",
                                       "1x",
                                       " 5s",
                                       "5S",
                                       "1hh",
                                       "9223372036854775808",
                                       "9223372036854775807m",
                                       "1h9223372036854775807s" };
    int64_t s;
    char text[32];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(text_duration_parse(good[i].text, &s));
        assert_int_equal(s, good[i].s);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(text_duration_parse(bad[i], &s));
    assert_false(text_duration_parse(NULL, &s));
    assert_string_equal(text_duration(0, text), "0 ms");
    assert_string_equal(text_duration(850, text), "850 ms");
    assert_string_equal(text_duration(12000, text), "12 s");
    assert_string_equal(text_duration(7500000, text), "2 h 5 min");
    assert_string_equal(text_duration(90061000, text), "1 d 1 h");
    assert_string_equal(text_duration(-61000, text), "-1 min 1 s");
    assert_string_equal(text_duration(INT64_MIN, text), "-106751991167 d 7 h");
}

static void
test_hex_base64_and_digest(void **state)
{
    static const struct {
        const char *plain;
        const char *coded;
    } rfc4648[] = { { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
                    { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xfb\xff", "-_8=" } };
    uint8_t bytes[TEXT_SHA256_SIZE];
    char text[2 * TEXT_SHA256_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rfc4648); i++) {
        text_base64url((const uint8_t *)rfc4648[i].plain, strlen(rfc4648[i].plain), text);
        assert_string_equal(text, rfc4648[i].coded);
    }
    text_base64((const uint8_t *)"\xfb\xff", 2, text);
    assert_string_equal(text, "+/8=");
    digest_hmac("Jefe", 4, "what do ya want for nothing?", 28, bytes); /* RFC 4231, 4.3 */
    text_hex(bytes, sizeof(bytes), text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    text_sha256("abc", 3, bytes); /* FIPS 180-2, B.1 */
    text_hex(bytes, sizeof(bytes), text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    memset(bytes, 0, sizeof(bytes));
    assert_true(text_hex_parse("00fFa5", bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\xa5", 3);
    assert_false(text_hex_parse("00ff", bytes, 3));
    assert_false(text_hex_parse("00ff0", bytes, 3));
    assert_false(text_hex_parse("00ff0g", bytes, 3));
    assert_memory_equal(bytes, "\x00\xff\xa5", 3);
    assert_true(text_equal_secret("abc", "abc", 3));
    assert_false(text_equal_secret("abc", "abd", 3));
}

static void
test_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        { "plain", 5 },
        { "h\xc3\xa9!", 4 },
        { "\xe2\x82\xac", 3 },
        { "\xf0\x9f\x98\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "a\xff", 1 },
        { "a\x80", 1 },
        { "a\xc0\xaf", 1 },         /* overlong */
        { "a\xe0\x9f\xbf", 1 },     /* overlong */
        { "a\xf0\x8f\xbf\xbf", 1 }, /* overlong */
        { "a\xed\xa0\x80", 1 },     /* a surrogate */
        { "a\xf4\x90\x80\x80", 1 }, /* above U+10FFFF */
        { "a\xf5\x80\x80\x80", 1 },
        { "a\xe2\x82", 1 }, /* cut */
        { "a\xe2\x82(", 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(text_utf8_len(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_int_equal(text_utf8_len("a\0b", 3), 3);
    assert_int_equal(text_utf8_sequence("", 0), 0);
}

static void
test_clean_leaves_nothing_a_terminal_obeys(void **state)
{
    char lines[] = "a\tb\nc\x1b[1m\x7f\xff\xc3\xa9\xc2\x9b!";
    char line[] = "a\tb\nc";

    (void)state;
    text_utf8_clean(lines, true);
    assert_string_equal(lines, "a\tb\nc [1m ?\xc3\xa9  !");
    text_utf8_clean(line, false);
    assert_string_equal(line, "a b c");
}

static void
test_names(void **state)
{
    static const char *const good[] = { "a", "default", "web-1", "a.b", "0" };
    static const char *const bad[] = { "", "-a", "a-", ".a", "A", "a b", "a_b", "a/b", "\xc3\xa9" };
    char name[65] = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(text_is_name(good[i]));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(text_is_name(bad[i]));
    assert_false(text_is_name(NULL));
    memset(name, 'a', 63);
    assert_true(text_is_name(name));
    name[63] = 'a';
    assert_false(text_is_name(name));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_is_printed),
        cmocka_unit_test(test_time_round_trip_over_each_day),
        cmocka_unit_test(test_time_is_read),
        cmocka_unit_test(test_time_refuses_what_is_none),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_hex_base64_and_digest),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_clean_leaves_nothing_a_terminal_obeys),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
