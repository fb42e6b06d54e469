/* Copies stay where they are and as they were until all go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/arena.h"
#include "berth/base/mem.h"

enum { COPIES = 3000, LONG = 40000 };

static void
test_copies_stay(void **state)
{
    struct arena arena = { 0 };
    const char *copies[COPIES];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COPIES; i++) {
            CLEANUP(mem_freep) char *text = mem_printf("text number %d", i);

            copies[i] = arena_text(&arena, text);
            assert_ptr_not_equal(copies[i], text);
        }
        for (int i = 0; i < COPIES; i++) {
            CLEANUP(mem_freep) char *text = mem_printf("text number %d", i);

            assert_string_equal(copies[i], text);
        }
        arena_clear(&arena);
    }
    arena_fini(&arena);
}

static void
test_a_long_one_beside_short_ones(void **state)
{
    struct arena arena = { 0 };
    char *text = mem_new0(LONG);
    const char *before = arena_text(&arena, "before");
    const char *copy;

    (void)state;
    memset(text, 'x', LONG - 1);
    copy = arena_text(&arena, text);
    assert_string_equal(arena_text(&arena, ""), "");
    assert_string_equal(copy, text);
    assert_string_equal(before, "before");
    mem_free(text);
    arena_clear(&arena);
    assert_string_equal(arena_text(&arena, "after"), "after");
    arena_fini(&arena);
}

static void
test_nothing(void **state)
{
    struct arena arena = { 0 };

    (void)state;
    assert_null(arena_text(&arena, NULL));
    arena_clear(&arena);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_stay),
        cmocka_unit_test(test_a_long_one_beside_short_ones),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
