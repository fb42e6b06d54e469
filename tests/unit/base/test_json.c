#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"

static void
test_parse_takes_documents(void **state)
{
    static const char text[] = "{\"a\": [1, -2.5, true, null, \"\\u00e9\xf0\x9f\x98\x80\"]}";
    CLEANUP(json_freep) json_t *json = NULL;
    struct fault fault;

    (void)state;
    assert_int_equal(json_in_parse(text, strlen(text), &json, &fault), 0);
    assert_int_equal(json_array_size(json_object_get(json, "a")), 5);
}

static void
test_parse_refuses_with_line_and_column(void **state)
{
    static const struct {
        const char *text;
        const char *begins;
    } cases[] = {
        { "", "line 1, column" },
        { "12", "line 1, column" }, /* a bare scalar is no document */
        { "\"a\"", "line 1, column" },
        { "{", "line 1, column" },
        { "{}x", "line 1, column" },
        { "{} {}", "line 1, column" },
        { "{\n\"a\":1,\n\"a\":2}", "line 3, column" },
        { "{\"a\":\"\\u0000\"}", "line 1, column" },
        { "{\"a\":\"\xff\"}", "line 1, column" },
        { "{\"a\":\"\\ud800\"}", "line 1, column" },
        { "{\"a\":\"\n\"}", "line 1, column" },
        { "{\"a\":1e999}", "line 1, column" },
        { "{\"a\":9223372036854775808}", "line 1, column" },
        { "{\"a\":01}", "line 1, column" },
        { "{\"a\":NaN}", "line 1, column" },
        { "{'a':1}", "line 1, column" },
        { "[1,]", "line 1, column" },
        { "\xef\xbb\xbf{}", "line 1, column" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *json = NULL;
        struct fault fault = { 0 };

        assert_int_equal(json_in_parse(cases[i].text, strlen(cases[i].text), &json, &fault), -1);
        assert_null(json);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_memory_equal(fault.text, cases[i].begins, strlen(cases[i].begins));
    }
    assert_int_equal(json_in_parse("{\"a\":1\0}", 8, &(json_t *){ NULL }, NULL), -1);
    assert_int_equal(json_in_parse(NULL, 0, &(json_t *){ NULL }, NULL), -1);
}

static void
test_parse_never_quotes_the_input(void **state)
{
    static const char text[] = "{\"password\": hunter2}";
    json_t *json = NULL;
    struct fault fault;

    (void)state;
    assert_int_equal(json_in_parse(text, strlen(text), &json, &fault), -1);
    assert_null(strstr(fault.text, "hunter2"));
}

/* @depth lists, one in the other, after a line break. */
static int
parse_nested(size_t depth, struct fault *fault)
{
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(mem_freep) char *text = mem_new0(2 * depth + 2);

    text[0] = '\n';
    memset(text + 1, '[', depth);
    memset(text + 1 + depth, ']', depth);
    return json_in_parse(text, 2 * depth + 1, &json, fault);
}

static void
test_parse_limits_depth_before_it_parses(void **state)
{
    static const char brackets_in_text[] = "[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"]";
    CLEANUP(json_freep) json_t *json = NULL;
    struct fault fault;

    (void)state;
    assert_int_equal(parse_nested(JSON_DEPTH_MAX, &fault), 0);
    assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1, &fault), -1);
    assert_string_equal(fault.text,
                        "line 2, column 33: nested too deeply; at most 32 levels are allowed");
    assert_int_equal(parse_nested(1000000, &fault), -1);
    assert_int_equal(json_in_parse(brackets_in_text, strlen(brackets_in_text), &json, &fault), 0);
}

static void
test_readers_fall_back(void **state)
{
    CLEANUP(json_freep) json_t *json = NULL;
    static const char text[] = "{\"s\":\"x\",\"i\":7,\"b\":true,\"r\":1.5,\"n\":null}";

    (void)state;
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    assert_string_equal(json_in_string(json, "s", "-"), "x");
    assert_string_equal(json_in_string(json, "i", "-"), "-");
    assert_string_equal(json_in_string(json, "missing", "-"), "-");
    assert_null(json_in_string(NULL, "s", NULL));
    assert_int_equal(json_in_int(json, "i", -1), 7);
    assert_int_equal(json_in_int(json, "r", -1), -1);
    assert_int_equal(json_in_int(json_object_get(json, "i"), "i", -1), -1);
    assert_true(json_in_bool(json, "b", false));
    assert_true(json_in_bool(json, "n", true));
}

static void
test_writer_puts_commas(void **state)
{
    struct buf buf;
    struct json_out out;

    (void)state;
    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_object(&out);
    json_out_kv_string(&out, "s", "x");
    json_out_kv_string(&out, "none", NULL);
    json_out_kv_int(&out, "i", INT64_MIN);
    json_out_kv_uint(&out, "u", UINT64_MAX);
    json_out_kv_bool(&out, "b", false);
    json_out_kv_time(&out, "t", 1767323045678);
    json_out_kv_time(&out, "never", 0);
    json_out_key(&out, "a");
    json_out_array(&out);
    json_out_object(&out);
    json_out_object_end(&out);
    json_out_array(&out);
    json_out_array_end(&out);
    json_out_raw(&out, "[1]", 3);
    json_out_null(&out);
    json_out_json(&out, NULL);
    json_out_array_end(&out);
    json_out_kv_bool(&out, "end", true);
    json_out_object_end(&out);
    assert_string_equal(buf_text(&buf), "{\"s\":\"x\",\"none\":null,\"i\":-9223372036854775808,"
                                        "\"u\":18446744073709551615,\"b\":false,"
                                        "\"t\":\"2026-01-02T03:04:05.678Z\",\"never\":null,"
                                        "\"a\":[{},[],[1],null,null],\"end\":true}");
    buf_fini(&buf);
}

static void
test_micro(void **state)
{
    static const struct {
        int64_t micro;
        const char *text;
    } micro[] = {
        { 0, "0" },
        { 1, "0.000001" },
        { -1, "-0.000001" },
        { 83200, "0.0832" },
        { 1000000, "1" },
        { 12500000, "12.5" },
        { 10000001, "10.000001" },
        { INT64_MAX, "9223372036854.775807" },
        { INT64_MIN, "-9223372036854.775808" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(micro); i++) {
        struct buf buf;
        struct json_out out;

        buf_init(&buf, 0);
        json_out_init(&out, &buf);
        json_out_micro(&out, micro[i].micro);
        assert_string_equal(buf_text(&buf), micro[i].text);
        buf_fini(&buf);
    }
}

static void
test_writer_numbers(void **state)
{
    static const struct {
        int64_t milli;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "0.001" },
        { -1, "-0.001" },
        { 10, "0.01" },
        { 100, "0.1" },
        { 1000, "1" },
        { 1500, "1.5" },
        { -1050, "-1.05" },
        { 123456, "123.456" },
        { 10000000, "10000" },
        { INT64_MAX, "9223372036854775.807" },
        { INT64_MIN, "-9223372036854775.808" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;
        struct json_out out;

        buf_init(&buf, 0);
        json_out_init(&out, &buf);
        json_out_milli(&out, cases[i].milli);
        assert_string_equal(buf_text(&buf), cases[i].text);
        buf_fini(&buf);
    }
    for (int64_t value = 1; value < INT64_MAX / 10; value = value * 10 + 7) {
        char text[32];
        struct buf buf;
        struct json_out out;

        buf_init(&buf, 0);
        json_out_init(&out, &buf);
        json_out_array(&out);
        json_out_int(&out, -value);
        json_out_uint(&out, (uint64_t)value);
        (void)snprintf(text, sizeof(text), "[-%lld", (long long)value);
        assert_memory_equal(buf_text(&buf), text, strlen(text));
        (void)snprintf(text, sizeof(text), ",%lld", (long long)value);
        assert_string_equal(strchr(buf_text(&buf), ','), text);
        buf_fini(&buf);
    }
}

static void
check_string(const char *value, size_t len, const char *expected)
{
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_string_n(&out, value, len);
    assert_string_equal(buf_text(&buf), expected);
    buf_fini(&buf);
}

static void
test_writer_escapes(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
        { "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
        { "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"" },
        { "gr\xc3\xbc\xc3\x9f"
          "e \xf0\x9f\x98\x80",
          "\"gr\xc3\xbc\xc3\x9f"
          "e \xf0\x9f\x98\x80\"" },
        { "a\xff"
          "b",
          "\"a\xef\xbf\xbd"
          "b\"" },
        { "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_string(cases[i].text, strlen(cases[i].text), cases[i].expected);
    check_string("a\0b", 3, "\"a\\u0000b\"");
    check_string("\xe2\x82\xac", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* does not look behind len */
}

/* Strings are copied eight bytes at a time: each special byte at each place of each length. */
static void
test_writer_escapes_at_every_place(void **state)
{
    static const char specials[] = "\"\\\n\x1f\x01";
    char text[40];

    (void)state;
    for (size_t len = 1; len < sizeof(text); len++) {
        for (size_t at = 0; at < len; at++) {
            CLEANUP(json_freep) json_t *back = NULL;
            struct buf buf;
            struct json_out out;

            memset(text, 'a' + (int)(len % 26), sizeof(text));
            text[at] = specials[(at + len) % (sizeof(specials) - 1)];
            buf_init(&buf, 0);
            json_out_init(&out, &buf);
            json_out_array(&out);
            json_out_string_n(&out, text, len);
            json_out_array_end(&out);
            assert_int_equal(json_in_parse(buf.data, buf.len, &back, NULL), 0);
            assert_int_equal(json_string_length(json_array_get(back, 0)), len);
            assert_memory_equal(json_string_value(json_array_get(back, 0)), text, len);
            buf_fini(&buf);
        }
    }
}

static void
test_writer_copies_trees(void **state)
{
    static const char text[] = "{\"k\\\"\":[1,-2,1.5,0.1,1.0e+300,-0.0,100000.0,true,false,null,"
                               "\"\\u0001\xc3\xa9\",{},[]]}";
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(json_freep) json_t *back = NULL;
    struct buf buf;
    struct json_out out;

    (void)state;
    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    json_out_json(&out, json);
    assert_string_equal(buf_text(&buf), text);
    assert_int_equal(json_in_parse(buf.data, buf.len, &back, NULL), 0);
    assert_true(json_equal(json, back));
    buf_fini(&buf);
}

/* What fits exactly is no overflow, one byte less is, and never is anything written beyond. */
static void
test_writer_stops_at_the_limit(void **state)
{
    static const char whole[] = "[{\"key\":\"va\\nlue\",\"n\":12},1.5]";

    (void)state;
    for (size_t limit = 1; limit <= strlen(whole); limit++) {
        struct buf buf;
        struct json_out out;

        buf_init(&buf, limit);
        json_out_init(&out, &buf);
        json_out_array(&out);
        json_out_object(&out);
        json_out_kv_string(&out, "key", "va\nlue");
        json_out_kv_int(&out, "n", 12);
        json_out_object_end(&out);
        json_out_milli(&out, 1500);
        json_out_array_end(&out);
        assert_int_equal(buf.overflow, limit < strlen(whole));
        assert_true(buf.len <= limit);
        if (!buf.overflow)
            assert_string_equal(buf_text(&buf), whole);
        buf_fini(&buf);
    }
}

/* Several values in room that is taken once say what single calls say. */
static void
test_pen(void **state)
{
    static const int64_t values[] = { 0, 7, 42, -1500, 1767323045678, INT64_MIN };
    char *at;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct buf one = { 0 };
        struct buf many = { 0 };
        struct json_out out;
        int64_t at_ms = values[i] == INT64_MIN ? 0 : values[i];

        json_out_init(&out, &one);
        json_out_array(&out);
        json_out_int(&out, values[i]);
        json_out_milli(&out, values[i]);
        json_out_time(&out, at_ms);
        json_out_time(&out, at_ms + 86400000);
        json_out_string(&out, "behind");
        json_out_init(&out, &many);
        json_out_array(&out);
        at =
            json_out_pen(&out, (size_t)2 * JSON_OUT_PEN_NUMBER + (size_t)2 * JSON_OUT_PEN_TIME + 4);
        assert_non_null(at);
        at = json_out_pen_text(json_out_pen_int(at, values[i]), ",", 1);
        at = json_out_pen_text(json_out_pen_milli(at, values[i]), ",", 1);
        at = json_out_pen_text(json_out_pen_time(&out, at, at_ms), ",", 1);
        at = json_out_pen_time(&out, at, at_ms + 86400000);
        json_out_pen_end(&out, json_out_pen_text(at, ",", 1));
        json_out_string(&out, "behind");
        assert_string_equal(buf_text(&many), buf_text(&one));
        buf_fini(&one);
        buf_fini(&many);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_documents),
        cmocka_unit_test(test_parse_refuses_with_line_and_column),
        cmocka_unit_test(test_parse_never_quotes_the_input),
        cmocka_unit_test(test_parse_limits_depth_before_it_parses),
        cmocka_unit_test(test_readers_fall_back),
        cmocka_unit_test(test_writer_puts_commas),
        cmocka_unit_test(test_writer_numbers),
        cmocka_unit_test(test_micro),
        cmocka_unit_test(test_writer_escapes),
        cmocka_unit_test(test_writer_escapes_at_every_place),
        cmocka_unit_test(test_writer_copies_trees),
        cmocka_unit_test(test_writer_stops_at_the_limit),
        cmocka_unit_test(test_pen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
