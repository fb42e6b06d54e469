/* Templates: what is refused, and what they become. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/template.h"

static void
test_expands_words_and_braces(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        { "", "" },
        { "plain", "plain" },
        { "{owner}", "ann" },
        { "--name={owner}-{instance_id}.", "--name=ann-i-1." },
        { "{{}}", "{}" },
        { "{{owner}}", "{owner}" },
        { "{{{owner}}}", "{ann}" },
        { "{\"a\": {{", NULL },
        { "{{\"a\": {{\"b\": 1}}}}", "{\"a\": {\"b\": 1}}" },
    };
    static const struct template_values values = { .instance_id = "i-1", .owner = "ann" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf buf;

        assert_int_equal(template_check(cases[i].text) == NULL, cases[i].expected != NULL);
        if (!cases[i].expected)
            continue;
        buf_init(&buf, 0);
        template_expand(cases[i].text, &values, &buf);
        assert_string_equal(buf_text(&buf), cases[i].expected);
        buf_fini(&buf);
    }
}

static void
test_refuses_other_words_and_single_braces(void **state)
{
    static const char *const wrong[] = {
        "{",        "}",        "a}",       "{}",           "{Owner}", "{owner",
        "{owner }", "{owner}}", "{{owner}", "{route_id}x{", "${HOME}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_non_null(template_check(wrong[i]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expands_words_and_braces),
        cmocka_unit_test(test_refuses_other_words_and_single_braces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
