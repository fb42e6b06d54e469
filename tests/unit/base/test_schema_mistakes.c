#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schema_thing.h"

/* One wrong member each, beside a good name. */
static const struct {
    const char *member;
    const char *pointer;
    const char *code;
    const char *detail;
} mistakes[] = {
    { "\"on\":1", "/body/on", "type", "must be true or false; got a number" },
    { "\"on\":\"true\"", "/body/on", "type", "must be true or false; got a string" },
    { "\"memory_bytes\":12", "/body/memory_bytes", "range",
      "must be at least 4194304 (bytes); got 12" },
    { "\"memory_bytes\":2000000000", "/body/memory_bytes", "range",
      "must be at most 1073741824 (bytes); got 2000000000" },
    { "\"memory_bytes\":9223372036854775807", "/body/memory_bytes", "range",
      "must be at most 1073741824 (bytes); got 9223372036854775807" },
    { "\"memory_bytes\":4194304.5", "/body/memory_bytes", "type",
      "must be a whole number; got a number with a point" },
    { "\"memory_bytes\":\"512m\"", "/body/memory_bytes", "type",
      "must be a whole number; got a string" },
    { "\"memory_bytes\":[]", "/body/memory_bytes", "type", "must be a whole number; got a list" },
    { "\"cpus\":0.001", "/body/cpus", "range", "must be at least 0.01; got 0.001" },
    { "\"cpus\":65", "/body/cpus", "range", "must be at most 64; got 65" },
    { "\"cpus\":-1.5", "/body/cpus", "range", "must be at least 0.01; got -1.5" },
    { "\"cpus\":1.2345", "/body/cpus", "format", "must have at most 3 digits after the point" },
    { "\"cpus\":1e300", "/body/cpus", "range", "is too large a number" },
    { "\"cpus\":9223372036854775807", "/body/cpus", "range", "is too large a number" },
    { "\"price\":5.0000015", "/body/price", "format",
      "must have at most 6 digits after the point" },
    { "\"price\":5.000001", "/body/price", "range", "must be at most 5; got 5.000001" },
    { "\"price\":-0.000001", "/body/price", "range", "must be at least 0; got -0.000001" },
    { "\"price\":9223372036854775", "/body/price", "range", "is too large a number" },
    { "\"cpus\":{}", "/body/cpus", "type", "must be a number; got an object" },
    { "\"lifetime_s\":0.5", "/body/lifetime_s", "range", "must be at least 1 (seconds); got 0.5" },
    { "\"color\":\"pink\"", "/body/color", "format", "must be one of: red, green, blue" },
    { "\"color\":1", "/body/color", "type", "must be a string; got a number" },
    { "\"command\":\"sh\"", "/body/command", "type", "must be a list; got a string" },
    { "\"command\":[\"1\",\"2\",\"3\",\"4\"]", "/body/command", "range",
      "must have at most 3 entries; got 4" },
    { "\"command\":[\"1\",null]", "/body/command/1", "type", "must be a string; got null" },
    { "\"command\":[\"123456\"]", "/body/command/0", "range", "must have at most 5 bytes; got 6" },
    { "\"labels\":[]", "/body/labels", "type", "must be an object; got a list" },
    { "\"labels\":{\"a\":1}", "/body/labels/a", "type", "must be a string; got a number" },
    { "\"labels\":{\"\":\"x\"}", "/body/labels/", "format", "the key must not be empty" },
    { "\"labels\":{\"A/~\":\"x\"}", "/body/labels/A~1~0", "format", "the key must be a name" },
    { "\"labels\":{\"a23456789\":\"x\"}", "/body/labels/a23456789", "range",
      "the key must have at most 8 bytes; got 9" },
    { "\"labels\":{\"a\":\"123456789\"}", "/body/labels/a", "range",
      "must have at most 8 bytes; got 9" },
    { "\"limits\":1", "/body/limits", "type", "must be an object; got a number" },
    { "\"limits\":{\"pids\":0}", "/body/limits/pids", "range", "must be at least 1; got 0" },
    { "\"limits\":{\"pid\":1}", "/body/limits/pid", "unknown_field",
      "is not a field of Limits; did you mean \"pids\"?" },
    { "\"parts\":[{\"name\":\"a\"},{}]", "/body/parts/1/name", "required",
      "is missing: What it is called." },
    { "\"parts\":[null]", "/body/parts/0", "type", "must be an object; got null" },
    { "\"parts\":[{},{},{},{},{}]", "/body/parts", "range", "must have at most 4 entries; got 5" },
    { "\"volumes\":{\"v\":{\"name\":\"w\"}}", "/body/volumes/v/name", "unknown_field",
      "is given by the key already: leave it out" },
    { "\"volumes\":{\"v\":1}", "/body/volumes/v", "type", "must be an object; got a number" },
    { "\"volumes\":{\"12345678901\":{}}", "/body/volumes/12345678901", "range",
      "the key must have at most 10 bytes; got 11" },
    { "\"volumes\":{\"\":{}}", "/body/volumes/", "format", "the key must not be empty" },
    { "\"id\":5", "/body/id", "unknown_field", "is read-only: leave it out" },
    { "\"password\":\"123456789\"", "/body/password", "range", "must have at most 8 bytes; got 9" },
    { "\"nmae\":1", "/body/nmae", "unknown_field",
      "is not a field of Thing; did you mean \"name\"?" },
    { "\"memory\":1", "/body/memory", "unknown_field",
      "is not a field of Thing; did you mean \"memory_bytes\"?" },
    { "\"colour\":\"red\"", "/body/colour", "unknown_field",
      "is not a field of Thing; did you mean \"color\"?" },
    { "\"ix\":1", "/body/ix", "unknown_field", "is not a field of Thing" },
    { "\"something_else\":1", "/body/something_else", "unknown_field", "is not a field of Thing" },
    { "\"a/b~c\":1", "/body/a~1b~0c", "unknown_field", "is not a field of Thing" },
};

static void
test_each_mistake_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        CLEANUP(mem_freep) char *text = mem_printf("{\"name\":\"a\",%s}", mistakes[i].member);
        struct problems problems;
        struct thing thing;

        assert_int_equal(thing_decode(text, &thing, &problems), -1);
        assert_string_equal(problems.at[0].detail, mistakes[i].detail);
        assert_string_equal(problems.at[0].pointer, mistakes[i].pointer);
        assert_string_equal(problems.at[0].code, mistakes[i].code);
        assert_int_equal(problems.count, 1);
        schema_free(&thing_schema, &thing);
    }
}

static void
test_required_and_checked_names(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        const char *detail;
    } cases[] = {
        { "{}", "required", "is missing: The thing's name." },
        { "{\"name\":null}", "required", "is missing: The thing's name." },
        { "{\"name\":\"\"}", "range", "must not be empty" },
        { "{\"name\":\"Caf\xc3\xa9\"}", "format", "must be a name" },
        { "{\"name\":7}", "type", "must be a string; got a number" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct problems problems;
        struct thing thing;

        assert_int_equal(thing_decode(cases[i].text, &thing, &problems), -1);
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.at[0].pointer, "/body/name");
        assert_string_equal(problems.at[0].code, cases[i].code);
        assert_string_equal(problems.at[0].detail, cases[i].detail);
        schema_free(&thing_schema, &thing);
    }
}

static void
test_whole_document_must_be_an_object(void **state)
{
    struct problems problems;
    struct thing thing;

    (void)state;
    assert_int_equal(thing_decode("[1]", &thing, &problems), -1);
    assert_string_equal(problems.at[0].pointer, "/body");
    assert_string_equal(problems.at[0].code, "type");
}

static void
test_all_mistakes_are_told_up_to_a_limit(void **state)
{
    CLEANUP(mem_freep) char *long_key = mem_new0(401);
    CLEANUP(mem_freep) char *text = NULL;
    struct problems problems;
    struct thing thing;
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    buf_append_string(&buf, "{\"on\":1,\"cpus\":true");
    for (int i = 0; i < 30; i++)
        buf_printf(&buf, ",\"unknown field %d\":1", i);
    buf_append_string(&buf, "}");
    assert_int_equal(thing_decode(buf_text(&buf), &thing, &problems), -1);
    buf_fini(&buf);
    assert_int_equal(problems.count, PROBLEMS_MAX);
    assert_int_equal(problems.dropped, 33 - PROBLEMS_MAX);
    assert_string_equal(problems.at[0].pointer, "/body/name");
    assert_string_equal(problems.at[1].pointer, "/body/on");
    assert_string_equal(problems.at[2].pointer, "/body/cpus");

    for (int i = 0; i < 400; i += 2) {
        long_key[i] = '\xc3';
        long_key[i + 1] = '\xa9';
    }
    text = mem_printf("{\"name\":\"a\",\"%s\":1,\"a\\u001bb\":1}", long_key);
    assert_int_equal(thing_decode(text, &thing, &problems), -1);
    assert_in_range(strlen(problems.at[0].pointer), 150, sizeof(problems.at[0].pointer) - 1);
    assert_null(strchr(problems.at[0].pointer, '?')); /* cut between characters */
    assert_string_equal(problems.at[1].pointer, "/body/a b");
    schema_free(&thing_schema, &thing);
}

static void
test_what_is_wrong_leaves_what_was_there(void **state)
{
    static const char wrong[] = "{\"name\":\"A\",\"command\":[\"ok\",1],\"labels\":{\"a\":1},"
                                "\"parts\":[{\"name\":\"n\"},{}],\"volumes\":{\"w\":{\"x\":1}}}";
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(json_freep) json_t *empty = NULL;
    struct problems problems;
    struct thing thing;

    (void)state;
    assert_int_equal(thing_decode("{\"name\":\"a\",\"command\":[\"x\"],\"labels\":{\"l\":\"1\"},"
                                  "\"parts\":[{\"name\":\"p\"}],\"volumes\":{\"v\":{}}}",
                                  &thing, &problems),
                     0);
    assert_int_equal(json_in_parse(wrong, strlen(wrong), &json, NULL), 0);
    assert_int_equal(schema_decode(&thing_schema, json, &thing, "", &problems), -1);
    assert_string_equal(thing.name, "a");
    assert_int_equal(thing.command.count, 1);
    assert_string_equal(thing.labels.at[0].key, "l");
    assert_string_equal(((struct part *)thing.parts.at)[0].name, "p");
    assert_string_equal(((struct part *)thing.volumes.at)[0].name, "v");

    /* What is good replaces it. */
    empty = json_pack("{s:s, s:[], s:{}, s:[], s:{}}", "name", "b", "command", "labels", "parts",
                      "volumes");
    problems = (struct problems){ 0 };
    assert_int_equal(schema_decode(&thing_schema, empty, &thing, "", &problems), 0);
    assert_string_equal(thing.name, "b");
    assert_int_equal(thing.command.count + thing.labels.count + thing.parts.count, 0);
    assert_null(thing.volumes.at);
    schema_free(&thing_schema, &thing);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_mistake_is_told),
        cmocka_unit_test(test_required_and_checked_names),
        cmocka_unit_test(test_whole_document_must_be_an_object),
        cmocka_unit_test(test_all_mistakes_are_told_up_to_a_limit),
        cmocka_unit_test(test_what_is_wrong_leaves_what_was_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
