/* What may hold a secret leaves no copy of it in memory that is freed: each block is looked at when it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/buf.h"
#include "berth/base/json.h"
#include "berth/base/secret.h"

#define SECRET "correct horse battery staple"

#if defined(__SANITIZE_ADDRESS__)
#    define CAN_WATCH 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define CAN_WATCH 1
#    endif
#endif

static int left; /* freed blocks with a secret in them */

#ifdef CAN_WATCH
/* As in sanitizer/allocator_interface.h, which gcc does not bring along.
 * NOLINTBEGIN(readability-identifier-naming) */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *ptr,
                                                                size_t size),
                                              void (*on_free)(const volatile void *ptr));
size_t __sanitizer_get_allocated_size(const volatile void *ptr);
/* NOLINTEND(readability-identifier-naming) */

static void
watch_malloc(const volatile void *ptr, size_t size)
{
    (void)ptr, (void)size;
}

static void
watch_free(const volatile void *ptr)
{
    size_t size = ptr ? __sanitizer_get_allocated_size(ptr) : 0;
    const void *bytes;

    memcpy(&bytes, &ptr, sizeof(bytes)); /* a cast may not drop volatile */
    left += size > 0 && memmem(bytes, size, SECRET, strlen(SECRET)) != NULL;
}

static bool
watch(void)
{
    return __sanitizer_install_malloc_and_free_hooks(watch_malloc, watch_free) > 0;
}
#else
static bool
watch(void)
{
    return false;
}
#endif

static bool watching;

/* Makes it grow in all ways that there are, and shrink. */
static void
use_buf(struct buf *buf)
{
    for (int i = 0; i < 100; i++)
        buf_append_string(buf, SECRET);
    buf_printf(buf, "%s %0*d %s", SECRET, 1000, 7, SECRET);
    buf_consume(buf, strlen(SECRET));
    buf_clear(buf);
    buf_append_string(buf, SECRET);
    (void)buf_reserve(buf, 100000);
    buf_fini(buf);
}

static void
test_buffers(void **state)
{
    struct buf plain;
    struct buf secret;

    (void)state;
    if (!watching)
        skip();
    buf_init(&plain, 0);
    buf_init_secret(&secret, 0);
    left = 0;
    use_buf(&plain);
    assert_true(left > 0); /* so it is seen */
    left = 0;
    use_buf(&secret);
    assert_int_equal(left, 0);
    assert_true(secret.wipes);
    use_buf(&secret);
    assert_int_equal(left, 0);
}

/* What was dropped is not there either, while the buffer lives. */
static void
test_no_tail(void **state)
{
    struct buf buf;

    (void)state;
    buf_init_secret(&buf, 0);
    buf_append_string(&buf, SECRET SECRET);
    buf_consume(&buf, strlen(SECRET) + 1);
    assert_null(memmem(buf.data, buf.cap, SECRET, strlen(SECRET)));
    buf_append_string(&buf, SECRET);
    buf_clear(&buf);
    assert_null(memmem(buf.data, buf.cap, SECRET, strlen(SECRET)));
    buf_fini(&buf);
}

static void
test_blocks(void **state)
{
    char *block = mem_strdup(SECRET SECRET);

    (void)state;
    left = 0;
    block = secret_block_resize(block, 1000);
    assert_memory_equal(block, SECRET SECRET, strlen(SECRET SECRET));
    block = secret_block_resize(block, 2 * strlen(SECRET));
    assert_memory_equal(block, SECRET SECRET, strlen(SECRET SECRET));
    secret_block_free(block);
    secret_block_free(NULL);
    assert_int_equal(left, 0);
}

static void
use_json(void)
{
    static const char text[] = "{\"" SECRET "\": [\"" SECRET "\", {\"a\": \"" SECRET SECRET "\"}]}";
    json_t *json = NULL;
    json_t *copy;

    assert_int_equal(json_in_parse(text, strlen(text), &json, NULL), 0);
    copy = json_deep_copy(json);
    assert_int_equal(json_string_set(json_array_get(json_object_get(copy, SECRET), 0), "other"), 0);
    json_decref(copy);
    json_decref(json);
}

/* Proves: whatever jansson made of a document, and copied, is gone with it.  The last test: it holds for the
 * whole process. */
static void
test_json(void **state)
{
    (void)state;
    if (!watching)
        skip();
    left = 0;
    use_json();
    assert_true(left > 0);
    json_wipe_install();
    left = 0;
    use_json();
    assert_int_equal(left, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_no_tail),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_json),
    };

    watching = watch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
