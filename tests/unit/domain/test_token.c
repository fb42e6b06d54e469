/* Tokens, operations, images, pools: names and scopes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "berth/base/mem.h"
#include "berth/domain/image.h"
#include "berth/domain/operation.h"
#include "berth/domain/pool.h"
#include "berth/domain/token.h"

static void
test_scope_is_a_list_or_everything(void **state)
{
    struct token *token = token_new();

    (void)state;
    assert_true(token_sees_pool(token, "default"));
    token->pools.at = mem_new0(2 * sizeof(char *));
    token->pools.at[0] = mem_strdup("a");
    token->pools.at[1] = mem_strdup("b");
    token->pools.count = 2;
    assert_true(token_sees_pool(token, "b"));
    assert_false(token_sees_pool(token, "default"));
    token_free(token);
    token_free(NULL);
}

static void
test_every_value_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int32_t i = 0; i < ROLE_COUNT; i++)
        assert_non_null(token_role_name(i));
    assert_string_equal(token_role_name(ROLE_OPERATOR), "operator");
    for (int32_t i = 0; i < PROVIDER_COUNT; i++)
        assert_non_null(pool_provider_name(i));
    for (int32_t i = 1; i < OPERATION_KIND_COUNT; i++)
        assert_string_not_equal(operation_kind_name(i), operation_kind_name(i - 1));
    for (int32_t i = 1; i < OPERATION_STATE_COUNT; i++)
        assert_string_not_equal(operation_state_name(i), operation_state_name(i - 1));
}

static void
test_rows_start_with_what_they_are(void **state)
{
    struct operation *operation = operation_new(7, OPERATION_HOST_DRAIN);
    struct image *image = image_new(8);
    struct pool *pool = pool_new("default", PROVIDER_STATIC);

    (void)state;
    assert_int_equal(operation->id, 7);
    assert_int_equal(operation->kind, OPERATION_HOST_DRAIN);
    assert_int_equal(operation->state, OPERATION_RUNNING);
    assert_int_equal(image->id, 8);
    /* The safe policy: nothing is promised twice. */
    assert_int_equal(pool->policy.overcommit.memory_milli, 1000);
    assert_true(pool->policy.reserve.memory_bytes > 0);
    assert_true(pool->policy.error_threshold_milli > 0);
    operation_free(operation);
    image_free(image);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope_is_a_list_or_everything),
        cmocka_unit_test(test_every_value_has_a_name_of_its_own),
        cmocka_unit_test(test_rows_start_with_what_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
