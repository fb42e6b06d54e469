/* The short notation becomes JSON Schema, and all that is written in it is well formed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "berth/wire/shape.h"

static void
expect(const char *text, const char *expected)
{
    struct buf buf = { 0 };
    struct json_out out;

    json_out_init(&out, &buf);
    wire_shape_describe(&out, text, NULL);
    assert_string_equal(buf_text(&buf), expected);
    buf_fini(&buf);
}

static void
shape_notation(void **state)
{
    (void)state;
    expect("i", "{\"type\":\"integer\",\"format\":\"int64\"}");
    expect("t?", "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}");
    expect("[s]", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    expect("(a|bc)", "{\"type\":\"string\",\"enum\":[\"a\",\"bc\"]}");
    expect("@Host", "{\"$ref\":\"#/components/schemas/Host\"}");
    expect("j", "{}");
    expect("<A|B>", "{\"oneOf\":[{\"$ref\":\"#/components/schemas/A\"},"
                    "{\"$ref\":\"#/components/schemas/B\"}]}");
    expect("{*:s}", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}");
    expect("{a:[{b:i?}],c~:b}",
           "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":"
           "\"object\",\"properties\":{\"b\":{\"type\":[\"integer\",\"null\"],\"format\":\"int64\"}"
           "},\"required\":[\"b\"]}},\"c\":{\"type\":\"boolean\"}},\"required\":[\"a\"]}");
}

/* Each name that a shape refers to is a shape or one of the schemas beside them. */
static bool
is_known(const char *name)
{
    for (size_t i = 0; i < wire_shape_count; i++) {
        if (strcmp(wire_shapes[i].name, name) == 0)
            return true;
    }
    return strcmp(name, "Blueprint") == 0 || strcmp(name, "PoolPolicy") == 0 ||
           strcmp(name, "PoolMachine") == 0;
}

static void
shape_all_are_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < wire_shape_count; i++) {
        struct buf buf = { 0 };
        struct json_out out;
        json_t *json;

        json_out_init(&out, &buf);
        wire_shape_describe(&out, wire_shapes[i].text, wire_shapes[i].doc);
        assert_int_equal(json_in_parse(buf.data, buf.len, &json, NULL), 0);
        for (const char *at = buf.data; (at = strstr(at, "schemas/"));) {
            char name[64] = "";

            at += strlen("schemas/");
            strncat(name, at, strcspn(at, "\""));
            assert_true(is_known(name));
        }
        json_decref(json);
        buf_fini(&buf);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_notation),
        cmocka_unit_test(shape_all_are_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
