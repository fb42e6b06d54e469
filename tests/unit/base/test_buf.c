#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/buf.h"

static void
test_appends_grow_and_stay_terminated(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    assert_string_equal(buf_text(&buf), "");
    for (int i = 0; i < 1000; i++)
        buf_append_char(&buf, 'x');
    buf_append_string(&buf, "yz");
    buf_append(&buf, NULL, 0);
    assert_int_equal(buf.len, 1002);
    assert_int_equal(strlen(buf_text(&buf)), 1002);
    assert_false(buf.overflow);
    buf_fini(&buf);
    assert_null(buf.data);
}

static void
test_keeps_what_fits_and_remembers_the_rest(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 5);
    buf_append_string(&buf, "12345");
    assert_false(buf.overflow);
    buf_append_string(&buf, "6");
    assert_true(buf.overflow);
    assert_string_equal(buf_text(&buf), "12345");
    buf_clear(&buf);
    assert_false(buf.overflow);
    buf_append_string(&buf, "123");
    buf_append_string(&buf, "4567");
    assert_true(buf.overflow);
    assert_string_equal(buf_text(&buf), "12345");
    assert_true(buf.cap <= buf.limit + 1);
    buf_fini(&buf);
    assert_int_equal(buf.limit, 5);
}

static void
test_reserve_ends_at_the_limit(void **state)
{
    struct buf buf;
    char *at;

    (void)state;
    buf_init(&buf, 8);
    at = buf_reserve(&buf, 8);
    assert_non_null(at);
    memcpy(at, "abcdefgh", 8); /* NOLINT(bugprone-not-null-terminated-result): the buffer ends it */
    buf.len += 8;
    assert_string_equal(buf_text(&buf), "abcdefgh");
    assert_null(buf_reserve(&buf, 1));
    assert_true(buf.overflow);
    buf_fini(&buf);
}

static void
test_reserve_refuses_sizes_that_would_wrap(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    buf_append_string(&buf, "a");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.overflow);
    assert_string_equal(buf_text(&buf), "a");
    buf_fini(&buf);
}

static void
test_printf_short_and_long(void **state)
{
    struct buf buf;
    char wide[601];

    (void)state;
    memset(wide, 'w', sizeof(wide) - 1);
    wide[sizeof(wide) - 1] = '\0';
    buf_init(&buf, 700);
    buf_printf(&buf, "%d-%s", 7, "x");
    assert_string_equal(buf_text(&buf), "7-x");
    buf_printf(&buf, "%s", wide);
    assert_int_equal(buf.len, 603);
    buf_printf(&buf, "%s", wide);
    assert_int_equal(buf.len, 700);
    assert_true(buf.overflow);
    buf_fini(&buf);
}

static void
test_consume_makes_room(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 6);
    buf_append_string(&buf, "abcdef");
    buf_consume(&buf, 0);
    buf_consume(&buf, 4);
    assert_string_equal(buf_text(&buf), "ef");
    buf_append_string(&buf, "ghij");
    assert_false(buf.overflow);
    assert_string_equal(buf_text(&buf), "efghij");
    buf_consume(&buf, 6);
    assert_string_equal(buf_text(&buf), "");
    buf_fini(&buf);
}

static void
test_take_gives_the_bytes_away(void **state)
{
    CLEANUP(mem_freep) char *text = NULL;
    CLEANUP(mem_freep) char *empty = NULL;
    struct buf buf;

    (void)state;
    buf_init(&buf, 10);
    buf_append_string(&buf, "hello");
    text = buf_take(&buf);
    assert_string_equal(text, "hello");
    empty = buf_take(&buf);
    assert_string_equal(empty, "");
    buf_append_string(&buf, "again");
    assert_string_equal(buf_text(&buf), "again");
    buf_fini(&buf);
}

static void
test_memory_helpers(void **state)
{
    CLEANUP(mem_freep) char *text = mem_printf("%s-%d", "a", 5);
    CLEANUP(mem_freep) char *copy = mem_strdup(text);
    CLEANUP(mem_freep) int *numbers = mem_resize(NULL, 4, sizeof(int));
    CLEANUP(mem_freep) char *zeroed = mem_new0(16);
    char *moved = STEAL(copy);

    (void)state;
    assert_null(copy);
    assert_string_equal(moved, "a-5");
    mem_free(moved);
    numbers[3] = 9;
    numbers = mem_resize(numbers, 400, sizeof(int));
    assert_int_equal(numbers[3], 9);
    for (int i = 0; i < 16; i++)
        assert_int_equal(zeroed[i], 0);
    assert_null(mem_dup("x", 0));
    assert_null(mem_strdup(NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_grow_and_stay_terminated),
        cmocka_unit_test(test_keeps_what_fits_and_remembers_the_rest),
        cmocka_unit_test(test_reserve_ends_at_the_limit),
        cmocka_unit_test(test_reserve_refuses_sizes_that_would_wrap),
        cmocka_unit_test(test_printf_short_and_long),
        cmocka_unit_test(test_consume_makes_room),
        cmocka_unit_test(test_take_gives_the_bytes_away),
        cmocka_unit_test(test_memory_helpers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
