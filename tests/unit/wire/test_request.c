/* Requests are taken strictly, and what is wrong is named. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "berth/wire/problem.h"
#include "berth/wire/request.h"

static int
decode(const struct schema *schema, const char *text, void *out, struct problems *problems)
{
    json_t *json;
    int result;

    memset(problems, 0, sizeof(*problems));
    schema_defaults(schema, out);
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    result = schema_decode(schema, json, out, "", problems);
    json_decref(json);
    return result;
}

static void
request_instance(void **state)
{
    struct wire_request_instance got;
    struct problems problems;

    (void)state;
    assert_int_equal(decode(&wire_request_instance_schema,
                            "{\"blueprint\":\"web\",\"count\":500,\"lifetime_s\":1.5}", &got,
                            &problems),
                     0);
    assert_string_equal(got.blueprint, "web");
    assert_int_equal(got.count, 500);
    assert_int_equal(got.lifetime_ms, 1500);
    assert_null(got.owner);
    schema_free(&wire_request_instance_schema, &got);

    assert_int_equal(
        decode(&wire_request_instance_schema, "{\"blueprint\":\"web\"}", &got, &problems), 0);
    assert_int_equal(got.count, 0);
    schema_free(&wire_request_instance_schema, &got);
}

struct bad {
    const struct schema *schema;
    const char *text;
    const char *pointer;
    const char *code;
};

static void
request_bad(void **state)
{
    static const struct bad bads[] = {
        { &wire_request_instance_schema, "{}", "/blueprint", "required" },
        { &wire_request_instance_schema, "{\"blueprint\":\"A b\"}", "/blueprint", "format" },
        { &wire_request_instance_schema, "{\"blueprint\":\"a\",\"count\":1001}", "/count",
          "range" },
        { &wire_request_instance_schema, "{\"blueprint\":\"a\",\"count\":\"1\"}", "/count",
          "type" },
        { &wire_request_instance_schema, "{\"blueprint\":\"a\",\"colour\":1}", "/colour",
          "unknown_field" },
        { &wire_request_instance_schema, "{\"blueprint\":\"a\",\"owner\":\"a b\"}", "/owner",
          "format" },
        { &wire_request_exec_schema, "{\"command\":\"ls\"}", "/command", "type" },
        { &wire_request_exec_schema, "{\"command\":[1]}", "/command/0", "type" },
        { &wire_request_host_schema, "{\"pool\":\"p\",\"name\":\"n\",\"engine\":\"http://x\"}",
          "/engine", "format" },
        { &wire_request_token_schema, "{\"name\":\"n\",\"role\":\"god\"}", "/role", "format" },
        { &wire_request_extend_schema, "{\"ends_at\":\"tomorrow\"}", "/ends_at", "format" },
    };
    union {
        struct wire_request_instance instance;
        struct wire_request_exec exec;
        struct wire_request_host host;
        struct wire_request_token token;
        struct wire_request_extend extend;
    } got;
    struct problems problems;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
        assert_int_equal(decode(bads[i].schema, bads[i].text, &got, &problems), -1);
        assert_string_equal(problems.at[0].pointer, bads[i].pointer);
        assert_string_equal(problems.at[0].code, bads[i].code);
        schema_free(bads[i].schema, &got);
    }
}

static void
problem_round_trip(void **state)
{
    struct problems problems = { 0 };
    struct wire_problem problem = {
        .kind = FAULT_INVALID,
        .detail = "no good",
        .instance = "/v1/instances",
        .request_id = "r1",
        .problems = &problems,
    };
    struct buf buf = { 0 };
    struct json_out out;
    struct fault fault;
    json_t *json;

    (void)state;
    problems_add(&problems, "/count", "range", "must be 1 to 1000");
    json_out_init(&out, &buf);
    wire_problem_encode(&out, &problem);
    assert_string_equal(
        buf_text(&buf),
        "{\"type\":\"/problems/invalid_request\",\"title\":\"The request is not valid\","
        "\"status\":400,\"detail\":\"no good\",\"instance\":\"/v1/instances\","
        "\"code\":\"invalid_request\",\"errors\":[{\"pointer\":\"/count\",\"code\":\"range\","
        "\"detail\":\"must be 1 to 1000\"}],\"request_id\":\"r1\"}");
    assert_int_equal(json_in_parse(buf.data, buf.len, &json, NULL), 0);
    wire_problem_decode(json, 400, &fault);
    assert_int_equal(fault.kind, FAULT_INVALID);
    assert_string_equal(fault.text, "no good: /count must be 1 to 1000");
    json_decref(json);
    wire_problem_decode(NULL, 502, &fault);
    assert_int_equal(fault.kind, FAULT_BUG);
    assert_int_equal(fault.remote_code, 502);
    buf_fini(&buf);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_instance),
        cmocka_unit_test(request_bad),
        cmocka_unit_test(problem_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
