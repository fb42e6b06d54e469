#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schema_thing.h"

static const char everything[] =
    "{\"name\":\"web\",\"on\":true,\"memory_bytes\":8388608,\"cpus\":1.25,\"price\":1.000001,"
    "\"lifetime_s\":90.5,"
    "\"any_number\":-9223372036854775808,\"color\":\"green\",\"command\":[\"sh\",\"\",\"-c\"],"
    "\"labels\":{\"a\":\"1\",\"b\":\"\"},\"limits\":{\"pids\":16,\"strict\":false},"
    "\"parts\":[{\"name\":\"p1\",\"size_bytes\":7},{\"name\":\"p2\",\"size_bytes\":5}],"
    "\"volumes\":{\"v1\":{\"size_bytes\":9}},\"id\":0,\"note\":\"x\"}";

static void
test_encode_decode_round_trip(void **state)
{
    CLEANUP(mem_freep) char *encoded = NULL;
    CLEANUP(json_freep) json_t *json = NULL;
    struct problems problems = { 0 };
    struct thing thing;

    (void)state;
    schema_defaults(&thing_schema, &thing);
    assert_int_equal(json_in_parse(everything, strlen(everything), &json, NULL), 0);
    assert_int_equal(json_object_del(json, "id"), 0);
    assert_int_equal(schema_decode(&thing_schema, json, &thing, "", &problems), 0);
    assert_int_equal(thing.cpus_milli, 1250);
    assert_int_equal(thing.price_micro, 1000001);
    assert_int_equal(thing.lifetime_ms, 90500);
    assert_string_equal(((struct part *)thing.volumes.at)[0].name, "v1");
    encoded = thing_encode(&thing);
    assert_string_equal(encoded, everything);
    schema_free(&thing_schema, &thing);
    assert_null(thing.name);
    assert_int_equal(thing.parts.count, 0);
}

static void
test_defaults_stay_and_survive_a_round_trip(void **state)
{
    CLEANUP(mem_freep) char *encoded = NULL;
    CLEANUP(json_freep) json_t *json = NULL;
    struct problems problems;
    struct thing thing;
    struct thing again;

    (void)state;
    assert_int_equal(thing_decode("{\"name\":\"a\",\"on\":null,\"color\":null,\"limits\":{}}",
                                  &thing, &problems),
                     0);
    assert_false(thing.on);
    assert_int_equal(thing.memory_bytes, 0); /* a default that is out of range: none */
    assert_int_equal(thing.cpus_milli, 500);
    assert_int_equal(thing.price_micro, 83200);
    assert_int_equal(thing.color, 2);
    assert_int_equal(thing.limits.pids, 256);
    assert_true(thing.limits.strict);
    encoded = thing_encode(&thing);
    assert_null(strstr(encoded, "note")); /* OMIT_EMPTY */
    assert_int_equal(json_in_parse(encoded, strlen(encoded), &json, NULL), 0);
    assert_int_equal(json_object_del(json, "id"), 0);
    schema_defaults(&thing_schema, &again);
    assert_int_equal(schema_decode(&thing_schema, json, &again, "", &problems), 0);
    schema_free(&thing_schema, &thing);
    schema_free(&thing_schema, &again);
}

static void
test_maps_are_sorted(void **state)
{
    struct problems problems;
    struct thing thing;

    (void)state;
    assert_int_equal(
        thing_decode("{\"name\":\"a\",\"labels\":{\"c\":\"3\",\"a\":\"1\",\"b\":\"2\"}}", &thing,
                     &problems),
        0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(thing.labels.at[i].key[0], 'a' + i);
        assert_int_equal(thing.labels.at[i].value[0], '1' + i);
    }
    schema_free(&thing_schema, &thing);
}

static void
test_secrets_go_in_only(void **state)
{
    CLEANUP(mem_freep) char *encoded = NULL;
    struct problems problems;
    struct thing thing;

    (void)state;
    assert_int_equal(thing_decode("{\"name\":\"a\",\"password\":\"hunter2\"}", &thing, &problems),
                     0);
    assert_string_equal(thing.password, "hunter2");
    encoded = thing_encode(&thing);
    assert_null(strstr(encoded, "hunter2"));
    assert_null(strstr(encoded, "password"));
    schema_free(&thing_schema, &thing);
}

static void
test_copy_is_deep(void **state)
{
    CLEANUP(json_freep) json_t *json = NULL;
    CLEANUP(mem_freep) char *first = NULL;
    CLEANUP(mem_freep) char *second = NULL;
    struct problems problems = { 0 };
    struct thing thing;
    struct thing copy;

    (void)state;
    schema_defaults(&thing_schema, &thing);
    assert_int_equal(json_in_parse(everything, strlen(everything), &json, NULL), 0);
    assert_int_equal(json_object_del(json, "id"), 0);
    assert_int_equal(schema_decode(&thing_schema, json, &thing, "", &problems), 0);
    thing.not_in_the_table = 7;
    schema_copy(&thing_schema, &thing, &copy);
    first = thing_encode(&thing);
    schema_free(&thing_schema, &thing);
    second = thing_encode(&copy);
    assert_string_equal(first, second);
    assert_int_equal(copy.not_in_the_table, 7);
    schema_free(&thing_schema, &copy);
}

static json_t *
describe(bool request)
{
    json_t *json = NULL;
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    schema_describe(&thing_schema, request, &out);
    assert_int_equal(json_in_parse(buf.data, buf.len, &json, NULL), 0);
    buf_fini(&buf);
    return json;
}

static void
check_path(const char *member, json_t *json, const char *keyword, const char *expected)
{
    json_t *property = json_object_get(json_object_get(json, "properties"), member);
    struct buf buf;
    struct json_out out;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_json(&out, keyword ? json_object_get(property, keyword) : property);
    assert_string_equal(buf_text(&buf), expected);
    buf_fini(&buf);
}

static void
test_describe_a_request(void **state)
{
    CLEANUP(json_freep) json_t *json = describe(true);

    (void)state;
    check_path("id", json, NULL, "null");
    check_path("password", json, "type", "\"string\"");
    check_path("memory_bytes", json, NULL,
               "{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":4194304,"
               "\"maximum\":1073741824,\"description\":\"Memory.\"}");
    check_path("cpus", json, NULL,
               "{\"type\":\"number\",\"minimum\":0.01,\"maximum\":64,\"default\":0.5,"
               "\"description\":\"Processors.\"}");
    check_path("price", json, NULL,
               "{\"type\":\"number\",\"minimum\":0,\"maximum\":5,\"default\":0.0832,"
               "\"description\":\"Price of an hour.\"}");
    check_path("any_number", json, "minimum", "null");
    check_path("color", json, NULL,
               "{\"type\":\"string\",\"enum\":[\"red\",\"green\",\"blue\"],\"default\":\"blue\","
               "\"description\":\"Color.\"}");
    check_path("command", json, NULL,
               "{\"type\":\"array\",\"maxItems\":3,\"items\":{\"type\":\"string\",\"maxLength\":5},"
               "\"description\":\"Command.\"}");
    check_path("labels", json, "maxProperties", "3");
    check_path("limits", json, "description", "\"Its limits.\"");
    check_path("parts", json, "maxItems", "4");
    check_path("name",
               json_object_get(json_object_get(json_object_get(json, "properties"), "volumes"),
                               "additionalProperties"),
               NULL, "null");
    assert_int_equal(json_array_size(json_object_get(json, "required")), 1);
    assert_true(json_is_false(json_object_get(json, "additionalProperties")));
}

static void
test_describe_an_answer(void **state)
{
    CLEANUP(json_freep) json_t *json = describe(false);
    json_t *required = json_object_get(json, "required");

    (void)state;
    check_path("password", json, NULL, "null");
    check_path("id", json, "type", "\"integer\"");
    check_path("name", json, "type", "\"string\"");
    check_path("memory_bytes", json, "minimum", "null");
    check_path("note", json, "type", "\"string\"");
    /* All but the one that may not be shown and the one that may be left out. */
    assert_int_equal(json_array_size(required), ARRAY_LEN(thing_fields) - 2);
    assert_null(json_object_get(json, "additionalProperties"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode_decode_round_trip),
        cmocka_unit_test(test_defaults_stay_and_survive_a_round_trip),
        cmocka_unit_test(test_maps_are_sorted),
        cmocka_unit_test(test_secrets_go_in_only),
        cmocka_unit_test(test_copy_is_deep),
        cmocka_unit_test(test_describe_a_request),
        cmocka_unit_test(test_describe_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
