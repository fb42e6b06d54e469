/* A struct whose fields stand among those of another: decoded in place, suggested, never required. */

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/schema.h"

struct inner {
    char *place;
    int64_t size;
};

struct outer {
    char *name;
    struct inner inner;
};

static const struct schema_field inner_fields[] = {
    { .name = "place",
      .type = SCHEMA_STRING,
      .flags = SCHEMA_REQUIRED,
      .offset = offsetof(struct inner, place),
      .doc = "Where." },
    { .name = "size_bytes",
      .type = SCHEMA_INT,
      .offset = offsetof(struct inner, size),
      .min = 1,
      .max = 100,
      .fallback = 7,
      .doc = "How much." },
};
static const struct schema inner_schema = {
    .name = "Inner",
    .size = sizeof(struct inner),
    .fields = inner_fields,
    .field_count = ARRAY_LEN(inner_fields),
};
static const struct schema_field outer_fields[] = {
    { .name = "name",
      .type = SCHEMA_STRING,
      .offset = offsetof(struct outer, name),
      .doc = "Who." },
    { .name = "inner",
      .type = SCHEMA_OBJECT,
      .flags = SCHEMA_INLINE,
      .offset = offsetof(struct outer, inner),
      .sub = &inner_schema,
      .doc = "The rest." },
};
static const struct schema outer_schema = {
    .name = "Outer",
    .size = sizeof(struct outer),
    .fields = outer_fields,
    .field_count = ARRAY_LEN(outer_fields),
};

static int
decode(const char *text, struct outer *ret_outer, struct problems *ret_problems)
{
    CLEANUP(json_freep) json_t *json = NULL;

    *ret_problems = (struct problems){ 0 };
    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    schema_defaults(&outer_schema, ret_outer);
    return schema_decode(&outer_schema, json, ret_outer, "/x", ret_problems);
}

static void
test_fields_are_found_in_place(void **state)
{
    struct problems problems;
    struct outer outer;
    struct outer copy;

    (void)state;
    assert_int_equal(decode("{\"name\":\"a\",\"place\":\"b\",\"size_bytes\":9}", &outer, &problems),
                     0);
    assert_string_equal(outer.name, "a");
    assert_string_equal(outer.inner.place, "b");
    assert_int_equal(outer.inner.size, 9);
    schema_copy(&outer_schema, &outer, &copy);
    schema_free(&outer_schema, &outer);
    assert_null(outer.inner.place);
    assert_string_equal(copy.inner.place, "b");
    schema_free(&outer_schema, &copy);
}

static void
test_none_is_required(void **state)
{
    struct problems problems;
    struct outer outer;

    (void)state;
    assert_int_equal(decode("{}", &outer, &problems), 0);
    assert_null(outer.inner.place);
    assert_int_equal(outer.inner.size, 7);
    schema_free(&outer_schema, &outer);
}

static void
test_mistakes_are_told_in_place(void **state)
{
    static const struct {
        const char *text;
        const char *pointer;
        const char *says;
    } bad[] = {
        { "{\"size_bytes\":101}", "/x/size_bytes", "at most 100" },
        { "{\"size\":1}", "/x/size", "is not a field of Outer; did you mean \"size_bytes\"?" },
        { "{\"plce\":\"b\"}", "/x/plce", "did you mean \"place\"?" },
        { "{\"inner\":{}}", "/x/inner", "is not a field of Outer" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct problems problems;
        struct outer outer;

        assert_int_equal(decode(bad[i].text, &outer, &problems), -1);
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.at[0].pointer, bad[i].pointer);
        assert_non_null(strstr(problems.at[0].detail, bad[i].says));
        schema_free(&outer_schema, &outer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_are_found_in_place),
        cmocka_unit_test(test_none_is_required),
        cmocka_unit_test(test_mistakes_are_told_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
