#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/yaml.h"

/* @text as compact JSON, owned; or the fault's text. */
static char *
parsed(const char *text, size_t len)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct fault fault = { 0 };
    struct buf buf;
    struct json_out out;

    if (yaml_parse("f.yaml", text, len, &json, &fault) != 0) {
        assert_null(json);
        assert_int_equal(fault.kind, FAULT_INVALID);
        return mem_strdup(fault.text);
    }
    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_json(&out, json);
    return buf_take(&buf);
}

static void
check(const char *text, const char *expected)
{
    CLEANUP(mem_freep) char *got = parsed(text, strlen(text));

    assert_string_equal(got, expected);
}

static void
test_scalars(void **state)
{
    (void)state;
    check("[true, True, FALSE, null, ~, Null, ]", "[true,true,false,null,null,null]");
    check("[0, -0, 7, +7, -12, 9223372036854775807]", "[0,0,7,7,-12,9223372036854775807]");
    check("[1.5, -0.25, 1.0e+3, 1., .5]", "[1.5,-0.25,1000.0,\"1.\",\".5\"]");
    check("['1', \"true\", '~', !!str 12, ! 12]", "[\"1\",\"true\",\"~\",\"12\",\"12\"]");
    check("[yes, No, on, off, y]", "[\"yes\",\"No\",\"on\",\"off\",\"y\"]");
    check("[0644, 1e5, 0x1f, 1_000, 1:30, .inf, .nan, 2026-01-02, -, a-]",
          "[\"0644\",\"1e5\",\"0x1f\",\"1_000\",\"1:30\",\".inf\",\".nan\",\"2026-01-02\",\"-\","
          "\"a-\"]");
    check("[9223372036854775808, 1.0e+999]", "[\"9223372036854775808\",\"1.0e+999\"]");
    check("a:\nb: ''", "{\"a\":null,\"b\":\"\"}");
    check("t: |\n  one\n  two\nf: >-\n  one\n  two\n",
          "{\"t\":\"one\\ntwo\\n\",\"f\":\"one two\"}");
    check("\"\\u00e9\\U0001F600\": gr\xc3\xbc\xc3\x9f",
          "{\"\xc3\xa9\xf0\x9f\x98\x80\":\"gr\xc3\xbc\xc3\x9f\"}");
    check("12", "12");
}

static void
test_structure(void **state)
{
    (void)state;
    check(
        "pools:\n  default:\n    hosts:\n    - name: a\n      n: 1\n    - {name: b}\n  more: {}\n",
        "{\"pools\":{\"default\":{\"hosts\":[{\"name\":\"a\",\"n\":1},{\"name\":\"b\"}]},"
        "\"more\":{}}}");
    check("- - 1\n  - 2\n- []\n", "[[1,2],[]]");
    check("1: a\ntrue: b\n", "{\"1\":\"a\",\"true\":\"b\"}");
    check("a: &anchor 1\n", "{\"a\":1}");
}

static void
test_empty_documents(void **state)
{
    CLEANUP(json_freep) json_t *json = NULL;

    (void)state;
    check("", "{}");
    check("# only a comment\n", "{}");
    check("---\n", "{}");
    check("---\n...\n", "{}");
    check("--- ~\n", "null");
    assert_int_equal(yaml_parse("f", NULL, 0, &json, NULL), 0);
    assert_true(json_is_object(json));
}

static void
test_refusals_tell_where(void **state)
{
    (void)state;
    check("a: 1\nb:\n  c: 1\n  c: 2\n", "f.yaml:4:3: the key \"c\" is there already");
    check("{a: 1, 'a': 2}", "f.yaml:1:8: the key \"a\" is there already");
    check("a: &x 1\nb: *x\n", "f.yaml:2:4: aliases (*name) are not allowed");
    check("a: !vault x\n", "f.yaml:1:4: tags (!name) are not allowed");
    check("a: !!int 1\n", "f.yaml:1:4: tags (!name) are not allowed");
    check("a: !!set {x}\n", "f.yaml:1:4: tags (!name) are not allowed");
    check("a: !foo [x]\n", "f.yaml:1:4: tags (!name) are not allowed");
    check("[a]: 1\n", "f.yaml:1:1: a key must be text");
    check("? {a: b}\n: 1\n", "f.yaml:1:3: a key must be text");
    check("a: 1\n? \n: 2\n", "f.yaml:2:2: a key is missing");
    check("a: 1\n---\nb: 1\n", "f.yaml:2:1: only one document is allowed");
    check("a: \"\\0\"\n", "f.yaml:1:4: NUL characters are not allowed");
    check("a: 1\nb: x: y\n", "f.yaml:2:5: mapping values are not allowed in this context");
    check("a: 1\nb: \xff\n", "f.yaml:2:4: invalid leading UTF-8 octet");
    check("a: \"x\n", "f.yaml:2:1: found unexpected end of stream");
}

static void
test_depth_and_size(void **state)
{
    enum { BIG = 1024 * 1024 };
    CLEANUP(mem_freep) char *text = mem_new0(BIG + 2);
    CLEANUP(mem_freep) char *too_deep = NULL;
    CLEANUP(mem_freep) char *deep = NULL;
    CLEANUP(mem_freep) char *dashes = NULL;
    CLEANUP(mem_freep) char *too_large = NULL;
    CLEANUP(mem_freep) char *large = NULL;

    (void)state;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    deep = parsed(text, 128);
    assert_memory_equal(deep, "[[[[", 4);
    memset(text, '[', BIG);
    too_deep = parsed(text, BIG);
    assert_string_equal(too_deep, "f.yaml:1:65: nested too deeply; at most 64 levels are allowed");
    for (int i = 0; i < BIG; i++)
        text[i] = i % 2 == 0 ? '-' : ' ';
    dashes = parsed(text, BIG);
    assert_string_equal(dashes, "f.yaml:1:129: nested too deeply; at most 64 levels are allowed");
    memset(text, 'a', BIG + 1);
    large = parsed(text, BIG);
    assert_int_equal(strlen(large), BIG + 2);
    too_large = parsed(text, BIG + 1);
    assert_string_equal(too_large, "f.yaml:1:1: is larger than 1048576 bytes");
}

static void
check_encoded(const char *text, const char *expected)
{
    CLEANUP(json_freep) json_t *json = NULL;
    struct buf buf;

    assert_int_equal(yaml_parse("f.yaml", text, strlen(text), &json, NULL), 0);
    buf_init(&buf, 0);
    yaml_encode(json, &buf);
    assert_string_equal(buf_text(&buf), expected);
    buf_fini(&buf);
}

static void
test_encode_is_block_style(void **state)
{
    static const char blueprint[] = "name: web\n"
                                    "image: registry.example/web:1.25\n"
                                    "command:\n"
                                    "  - sh\n"
                                    "  - \"-c\"\n"
                                    "  - \"echo \\\"hi\\\"; exit\"\n"
                                    "env: {}\n"
                                    "ports:\n"
                                    "  - container: 80\n"
                                    "    protocol: tcp\n"
                                    "  - container: 443\n"
                                    "cpus: 1.5\n"
                                    "pool: null\n"
                                    "nested:\n"
                                    "  - - 1\n"
                                    "    - 2\n"
                                    "  - []\n";

    (void)state;
    check_encoded(blueprint, blueprint);
    check_encoded("", "{}\n");
    check_encoded("12", "12\n");
}

static void
test_encode_quotes_what_could_be_mistaken(void **state)
{
    (void)state;
    check_encoded(
        "['yes', 'NO', 'null', 'true', 'y', 'on', '12', '1.5', '', '~', '-', '2026-01-02']",
        "- \"yes\"\n- \"NO\"\n- \"null\"\n- \"true\"\n- \"y\"\n- \"on\"\n- \"12\"\n"
        "- \"1.5\"\n- \"\"\n- \"~\"\n- \"-\"\n- \"2026-01-02\"\n");
    check_encoded("['a: b', 'a #b', 'a:', ' a', 'a ', '*a', '&a', '!a', '@a', '`a', '%a', '{a}']",
                  "- \"a: b\"\n- \"a #b\"\n- \"a:\"\n- \" a\"\n- \"a \"\n- \"*a\"\n- \"&a\"\n"
                  "- \"!a\"\n- \"@a\"\n- \"`a\"\n- \"%a\"\n- \"{a}\"\n");
    check_encoded("'yes': 1", "\"yes\": 1\n");
    check_encoded("[plain text, a:b, /path, i-01h7q2m8k3v9a, a=b]",
                  "- plain text\n- a:b\n- /path\n- i-01h7q2m8k3v9a\n- a=b\n");
    check_encoded("\"a\\nb\\x07\\x85\\u2028\\ufeff\\x7f\"",
                  "\"a\\nb\\u0007\\u0085\\u2028\\ufeff\\u007f\"\n");
}

static void
check_round_trip(const json_t *json)
{
    CLEANUP(json_freep) json_t *back = NULL;
    struct fault fault = { 0 };
    struct buf buf;

    buf_init(&buf, 0);
    yaml_encode(json, &buf);
    if (yaml_parse("f.yaml", buf_text(&buf), buf.len, &back, &fault) != 0)
        fail_msg("%s in:\n%s", fault.text, buf_text(&buf));
    if (!json_equal(json, back))
        fail_msg("not the same:\n%s", buf_text(&buf));
    buf_fini(&buf);
}

static void
test_round_trip_of_each_character(void **state)
{
    (void)state;
    for (unsigned point = 1; point < 0x3000; point++) {
        char text[8] = "a";
        CLEANUP(json_freep) json_t *json = NULL;

        if (point < 0x80) {
            text[1] = (char)point;
        } else if (point < 0x800) {
            (void)snprintf(text + 1, 7, "%c%c", (char)(0xc0 | point >> 6),
                           (char)(0x80 | (point & 0x3f)));
        } else {
            (void)snprintf(text + 1, 7, "%c%c%c", (char)(0xe0 | point >> 12),
                           (char)(0x80 | (point >> 6 & 0x3f)), (char)(0x80 | (point & 0x3f)));
        }
        /* In the middle, at the end, at the beginning, as a key. */
        json = json_pack("[s+, s, s, {s: i, s: {s: n}}]", text, "z", text, text + 1, text, 1,
                         text + 1, text + 1);
        assert_non_null(json);
        check_round_trip(json);
    }
}

static void
test_round_trip_of_trees(void **state)
{
    static const char *const trees[] = {
        "{\"a\":{\"b\":{\"c\":[[[{\"d\":[]}]],{\"e\":{},\"f\":[1,[2],{\"g\":3}]}]}},\"h\":null}",
        "[1.5,1.0e+300,-0.001,0.1,9223372036854775807,-9223372036854775808,true,false,null]",
        "{\"\":1,\" \":2,\"?\":3,\"-\":4,\"? a\":{\"- b\":[\"- c\"]},\"#\":\"#\",\":\":\":\"}",
        "[\"\\u0001\\u0085\\u2028\\ufeff\\ufffe\\uffff\\ud83d\\ude00\",\"\\t\",\"\\r\\n\","
        "\"a\\n\\nb\\n\"]",
        "[\"---\",\"...\",\"--- "
        "a\",\"%YAML\",\"<<\",\"=\",\"0o7\",\"0x1\",\"1e5\",\".inf\",\"1:30\"]",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trees); i++) {
        CLEANUP(json_freep) json_t *json = NULL;
        struct fault fault = { 0 };

        if (json_in_parse(trees[i], strlen(trees[i]), &json, &fault) != 0)
            fail_msg("%s", fault.text);
        check_round_trip(json);
    }
}

static void
test_round_trip_of_long_keys(void **state)
{
    static const char letters[] = "k\x01\"";
    char key[3001] = { 0 };

    (void)state;
    for (size_t len = 100; len < sizeof(key); len += 17) {
        CLEANUP(json_freep) json_t *json = NULL;

        memset(key, letters[len % 3], len);
        json = json_pack("[{s: i, s: {s: [s, {s: i}]}}]", "a", 1, key, key, "x", key, 2);
        assert_non_null(json);
        check_round_trip(json);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_empty_documents),
        cmocka_unit_test(test_refusals_tell_where),
        cmocka_unit_test(test_depth_and_size),
        cmocka_unit_test(test_encode_is_block_style),
        cmocka_unit_test(test_encode_quotes_what_could_be_mistaken),
        cmocka_unit_test(test_round_trip_of_each_character),
        cmocka_unit_test(test_round_trip_of_trees),
        cmocka_unit_test(test_round_trip_of_long_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
