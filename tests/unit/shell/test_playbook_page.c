/* docs/PLAYBOOKS.md names each keyword, module, argument, filter and test that there is, and no other. */

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "playbook_data.h"

static char page[64 * 1024];

static int
read_page(void **state)
{
    FILE *file = fopen(BERTH_TEST_SOURCE "/docs/PLAYBOOKS.md", "re");
    size_t len;

    (void)state;
    assert_non_null(file);
    len = fread(page, 1, sizeof(page) - 1, file);
    (void)fclose(file);
    page[len] = '\0';
    return 0;
}

/* The words between backquotes in the section @title, in order: those of the first column, or all. */
static json_t *
words(const char *title, bool first_column)
{
    CLEANUP(mem_freep) char *heading = mem_printf("\n## %s\n", title);
    const char *at = strstr(page, heading);
    const char *end;
    json_t *list = json_array();

    assert(at);
    end = strstr(at + 4, "\n## ");
    assert(end);
    while ((at = strstr(at + 1, first_column ? "\n| `" : "`")) && at < end) {
        const char *word = strchr(at, '`') + 1;

        (void)json_array_append_new(list, json_stringn(word, strcspn(word, "`")));
        at = strchr(word, '`');
    }
    return list;
}

/* @name is the next of @list that was not seen yet. */
static void
expect(const json_t *list, size_t index, const char *name)
{
    const char *word = json_string_value(json_array_get(list, index));

    assert_non_null(name);
    assert_string_equal(word ? word : "(nothing)", name);
}

static bool
has(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

static void
test_keywords(void **state)
{
    CLEANUP(json_freep) json_t *plays = words("Plays", true);
    CLEANUP(json_freep) json_t *tasks = words("Tasks", true);
    size_t count = 0;

    (void)state;
    for (; playbook_play_keyword(count); count++) {
        assert_true(has(plays, playbook_play_keyword(count)));
    }
    assert_int_equal(json_array_size(plays), count);
    for (count = 0; playbook_keyword(count); count++) {
        assert_true(has(tasks, playbook_keyword(count)));
    }
    assert_int_equal(json_array_size(tasks), count);
}

/* The line of the table that begins with @module has its arguments between backquotes. */
static void
check_arguments(const struct module *module)
{
    CLEANUP(mem_freep) char *begin = mem_printf("\n| `%s` | ", module->name);
    const char *line = strstr(page, begin);
    CLEANUP(mem_freep) char *copy = NULL;
    size_t count = 0;

    assert_non_null(line);
    line += strlen(begin);
    copy = mem_printf("%.*s", (int)strcspn(line, "\n"), line);
    for (const char *tick = copy; (tick = strchr(tick, '`')); tick++) {
        count++;
    }
    assert_int_equal(count, module->any_args ? 0 : 2 * module->arg_count);
    for (size_t i = 0; i < module->arg_count && !module->any_args; i++) {
        CLEANUP(mem_freep) char *quoted = mem_printf("`%s`", module->args[i].name);

        if (!strstr(copy, quoted)) {
            fail_msg("%s: %s is missing", module->name, quoted);
        }
    }
}

static void
test_modules(void **state)
{
    CLEANUP(json_freep) json_t *listed = words("Modules", true);
    size_t count = 0;

    (void)state;
    for (; module_at(count); count++) {
        expect(listed, count, module_at(count)->name);
        check_arguments(module_at(count));
    }
    assert_int_equal(json_array_size(listed), count);
}

static void
test_filters(void **state)
{
    CLEANUP(json_freep) json_t *all = words("Expressions", false);
    size_t at = 0;

    (void)state;
    while (at < json_array_size(all) &&
           strcmp(json_string_value(json_array_get(all, at)), jinja_filter_name(0)) != 0) {
        at++;
    }
    for (size_t i = 0; jinja_filter_name(i); i++) {
        expect(all, at++, jinja_filter_name(i));
    }
    for (size_t i = 0; jinja_test_name(i); i++) {
        expect(all, at++, jinja_test_name(i));
    }
    expect(all, at, "item");
}

/* What is shipped is in the part that we run. */
static void
test_stock(void **state)
{
    struct playbook *playbook = NULL;
    struct fault fault;

    (void)state;
    if (playbook_load(BERTH_TEST_SOURCE "/playbooks/docker-host.yml", &playbook, &fault) < 0) {
        fail_msg("%s", fault.text);
    }
    assert_int_equal(strlen(playbook_revision(playbook)), PLAYBOOK_REVISION_SIZE - 1);
    assert_true(playbook_step_count(playbook) > 0);
    playbook_free(playbook);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_modules),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_stock),
    };

    return cmocka_run_group_tests(tests, read_page, NULL);
}
