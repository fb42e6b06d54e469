/* The tests that there are: what may stand behind "is". */
#include <string.h>

#include "berth/base/suggest.h"

#include "jinja_node.h"

typedef bool jinja_test(const json_t *value);

static bool
jinja_test_none(const json_t *value)
{
    return json_is_null(value);
}

static bool
jinja_test_failed(const json_t *value)
{
    return json_is_true(json_object_get(value, "failed"));
}

static bool
jinja_test_changed(const json_t *value)
{
    return json_is_true(json_object_get(value, "changed"));
}

static bool
jinja_test_skipped(const json_t *value)
{
    return json_is_true(json_object_get(value, "skipped"));
}

static bool
jinja_test_succeeded(const json_t *value)
{
    return !jinja_test_failed(value);
}

static const struct {
    const char *name;
    jinja_test *apply; /* NULL: whether there is a value */
    bool of_result;    /* only of what a task registered */
    bool negate;
} jinja_tests[] = {
    { "changed", jinja_test_changed, true, false },
    { "defined", NULL, false, false },
    { "failed", jinja_test_failed, true, false },
    { "none", jinja_test_none, false, false },
    { "skipped", jinja_test_skipped, true, false },
    { "succeeded", jinja_test_succeeded, true, false },
    { "success", jinja_test_succeeded, true, false },
    { "undefined", NULL, false, true },
};

const char *
jinja_test_name(size_t index)
{
    return index < ARRAY_LEN(jinja_tests) ? jinja_tests[index].name : NULL;
}

bool
jinja_test_find(const char *name, size_t *ret_index, const char **ret_near)
{
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < ARRAY_LEN(jinja_tests); i++) {
        if (strcmp(jinja_tests[i].name, name) == 0) {
            *ret_index = i;
            return true;
        }
        suggest_offer(&suggest, jinja_tests[i].name);
    }
    *ret_near = suggest.best;
    return false;
}

bool
jinja_test_apply(struct jinja_run *run, size_t index, const json_t *value)
{
    if (!jinja_tests[index].apply)
        return (value != NULL) != jinja_tests[index].negate;
    if (!value) {
        (void)jinja_fail(run, "\"%s\" is not defined", run->missing);
    } else if (jinja_tests[index].of_result && !json_is_object(value)) {
        (void)jinja_fail(run, "\"is %s\" is for what a task registered", jinja_tests[index].name);
    }
    return !run->failed && jinja_tests[index].apply(value);
}
