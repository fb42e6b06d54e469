/* Cursors come back as they went out and nothing else is one; ETags are compared strongly. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../../src/api/listing.h"

static void
cursor_round_trip(void **state)
{
    static const int64_t ids[] = { 0, 1, 4711, INT64_MAX, INT64_C(0x7f00ff00aa55aa55) };
    char text[CURSOR_SIZE];
    int64_t id;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        listing_cursor_encode('i', ids[i], text);
        assert_int_equal(strlen(text), CURSOR_SIZE - 1);
        assert_true(listing_cursor_decode('i', text, &id));
        assert_int_equal(id, ids[i]);
        assert_false(listing_cursor_decode('h', text, &id));
    }
}

static void
cursor_refuses(void **state)
{
    static const char *const bad[] = { "",
                                       "x",
                                       "AAAAAAAAAAA",
                                       "AAAAAAAAAAAA",
                                       "aQAAAAAAAAA=",
                                       "aQAAAAAAAAAAA",
                                       "aQ AAAAAAAAA",
                                       "af__________" };
    int64_t id = 77;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(listing_cursor_decode('i', bad[i], &id));
    assert_int_equal(id, 77);
}

static void
etags(void **state)
{
    (void)state;
    assert_true(reply_etag_matches("\"7\"", 7));
    assert_true(reply_etag_matches("*", 7));
    assert_true(reply_etag_matches("\"1\", \"7\" ,\"9\"", 7));
    assert_false(reply_etag_matches("", 7));
    assert_false(reply_etag_matches("7", 7));
    assert_false(reply_etag_matches("W/\"7\"", 7));
    assert_false(reply_etag_matches("\"77\"", 7));
    assert_false(reply_etag_matches("\"7", 7));
    assert_false(reply_etag_matches("\"1\",\"2\"", 7));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_round_trip),
        cmocka_unit_test(cursor_refuses),
        cmocka_unit_test(etags),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
