/* The blocks that are kept of the last long list: whose they are, and when they go. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/mem.h"

#include "../../../src/api/listing_cache.h"

static struct listing_block *
block_of(int64_t after, int64_t last)
{
    struct listing_block *block = listing_block_new(mem_strdup("rows"), 4);

    block->after = after;
    block->last = last;
    return block;
}

static void
put(struct listing_cache *cache, uint64_t turn, unsigned at, int64_t after, int64_t last)
{
    struct listing_block *block = block_of(after, last);

    listing_cache_put(cache, turn, at, block);
    listing_block_release(block);
}

static void
test_found_by_place_and_first_row(void **state)
{
    struct listing_cache cache = { 0 };
    uint64_t turn = listing_cache_open(&cache, "all", 0);

    (void)state;
    put(&cache, turn, 0, 0, 10);
    put(&cache, turn, 1, 10, 20);
    assert_int_equal(listing_cache_find(&cache, turn, 1, 10)->last, 20);
    assert_null(listing_cache_find(&cache, turn, 1, 11));
    assert_null(listing_cache_find(&cache, turn, 2, 20));
    put(&cache, turn, 0, 0, 9);
    assert_int_equal(listing_cache_find(&cache, turn, 0, 0)->last, 9);
    put(&cache, turn, 7, 0, 9); /* a gap is not kept */
    assert_int_equal(cache.count, 2);
    listing_cache_drop(&cache);
}

static void
test_another_list_takes_its_place(void **state)
{
    struct listing_cache cache = { 0 };
    uint64_t first = listing_cache_open(&cache, "all", 0);
    uint64_t second;

    (void)state;
    put(&cache, first, 0, 0, 10);
    assert_int_equal(listing_cache_open(&cache, "all", 1), first);
    second = listing_cache_open(&cache, "some", 2);
    assert_int_not_equal(second, first);
    assert_null(listing_cache_find(&cache, second, 0, 0));
    put(&cache, first, 0, 0, 10); /* it came too late */
    assert_int_equal(cache.count, 0);
    assert_null(listing_cache_find(&cache, first, 0, 0));
    listing_cache_drop(&cache);
}

static void
test_a_block_lives_while_it_is_sent(void **state)
{
    struct listing_cache cache = { 0 };
    uint64_t turn = listing_cache_open(&cache, "all", 0);
    struct listing_block *sent;

    (void)state;
    put(&cache, turn, 0, 0, 10);
    sent = listing_block_hold(listing_cache_find(&cache, turn, 0, 0));
    listing_cache_expire(&cache, LISTING_CACHE_MS);
    assert_int_equal(cache.count, 1);
    listing_cache_expire(&cache, LISTING_CACHE_MS + 1);
    assert_int_equal(cache.count, 0);
    assert_null(cache.key);
    assert_memory_equal(sent->data, "rows", 4);
    listing_block_release(sent);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_place_and_first_row),
        cmocka_unit_test(test_another_list_takes_its_place),
        cmocka_unit_test(test_a_block_lives_while_it_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
