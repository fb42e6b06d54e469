/*
 * The policy in docs/IAM.md allows each action that the client uses, no other, and what changes something
 * with the cluster's tag alone.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/json.h"

#include "../../../src/cloud/ec2_ask.h"
#include "../../../src/cloud/ec2_machine.h"

enum { PAGE_MAX = 64 * 1024 };

static json_t *statements;

/* What a launch takes beside RunInstances. */
static const struct {
    const char *name;
    bool tagged;
} beside[] = { { "ec2:CreateTags", true }, { "iam:PassRole", false } };

/* The JSON block of the page. */
static int
setup(void **state)
{
    static char page[PAGE_MAX];
    FILE *in = fopen(BERTH_TEST_SOURCE "/docs/IAM.md", "re");
    const char *begin;
    const char *end;
    json_t *policy = NULL;
    struct fault fault;

    (void)state;
    assert_non_null(in);
    page[fread(page, 1, sizeof(page) - 1, in)] = '\0';
    assert_int_equal(fclose(in), 0);
    begin = strstr(page, "```json\n");
    end = begin ? strstr(begin + 8, "```") : NULL;
    assert_non_null(end);
    if (json_in_parse(begin + 8, (size_t)(end - begin) - 8, &policy, &fault) < 0)
        fail_msg("%s", fault.text);
    statements = json_incref(json_object_get(policy, "Statement"));
    json_decref(policy);
    assert_true(json_array_size(statements) > 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    json_decref(statements);
    return 0;
}

static bool
list_has(const json_t *list, const char *text)
{
    if (json_is_string(list))
        return strcmp(json_string_value(list), text) == 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    }
    return false;
}

/* It holds for things with the cluster's tag only. */
static bool
is_tagged(const json_t *statement)
{
    const json_t *equals = json_object_get(json_object_get(statement, "Condition"), "StringEquals");

    return json_object_get(equals, "aws:RequestTag/" EC2_TAG_CLUSTER) ||
           json_object_get(equals, "aws:ResourceTag/" EC2_TAG_CLUSTER);
}

/* It is about what we make: machines and groups.  A launch only uses a group. */
static bool
is_of_ours(const json_t *statement, const char *action)
{
    const json_t *resource = json_object_get(statement, "Resource");

    return list_has(resource, "*") || list_has(resource, "arn:aws:ec2:*:*:instance/*") ||
           (list_has(resource, "arn:aws:ec2:*:*:security-group/*") &&
            strcmp(action, "ec2:RunInstances") != 0);
}

static void
check_action(const char *name, bool tagged)
{
    bool found = false;

    for (size_t i = 0; i < json_array_size(statements); i++) {
        const json_t *statement = json_array_get(statements, i);

        if (!list_has(json_object_get(statement, "Action"), name))
            continue;
        found = true;
        if (tagged && is_of_ours(statement, name) && !is_tagged(statement))
            fail_msg("%s is allowed for what has not the cluster's tag", name);
    }
    if (!found)
        fail_msg("docs/IAM.md does not allow %s, which is used", name);
}

static void
each_action_is_allowed(void **state)
{
    (void)state;
    for (int action = 0; action < EC2_ACTION_COUNT; action++) {
        CLEANUP(mem_freep)
        char *name = mem_printf("ec2:%s", ec2_ask_name((enum ec2_action)action));

        check_action(name, ec2_ask_changes((enum ec2_action)action));
    }
    for (size_t i = 0; i < ARRAY_LEN(beside); i++)
        check_action(beside[i].name, beside[i].tagged);
}

static bool
is_used(const char *name)
{
    for (int action = 0; action < EC2_ACTION_COUNT; action++) {
        CLEANUP(mem_freep)
        char *own = mem_printf("ec2:%s", ec2_ask_name((enum ec2_action)action));

        if (strcmp(own, name) == 0)
            return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(beside); i++) {
        if (strcmp(beside[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
check_used(const json_t *name)
{
    if (!is_used(json_string_value(name)))
        fail_msg("docs/IAM.md allows %s, which is not used", json_string_value(name));
}

static void
nothing_else_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(statements); i++) {
        const json_t *action = json_object_get(json_array_get(statements, i), "Action");

        if (json_is_string(action))
            check_used(action);
        for (size_t k = 0; k < json_array_size(action); k++)
            check_used(json_array_get(action, k));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_action_is_allowed),
        cmocka_unit_test(nothing_else_is_allowed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
