#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "berth/base/id.h"
#include "berth/base/idmap.h"
#include "berth/base/intern.h"
#include "berth/base/list.h"
#include "berth/base/rowtable.h"

static void
test_ids_rise(void **state)
{
    int64_t first = id_make(0, 1767312000000, 5);

    (void)state;
    assert_int_equal(first, (1767312000000LL << 22) + 5);
    assert_int_equal(id_make(first, 1767312000000, 4), first + 1);
    assert_int_equal(id_make(first, 1767312000000, 6), first + 1);
    assert_true(id_make(first, 1767312000001, 0) > first + 1);
    assert_int_equal(id_make(first, 0, 0), first + 1); /* the clock went back */
    assert_int_equal(id_make(0, -5, 0), 1);
    assert_true(id_make(0, INT64_MAX, UINT32_MAX) > 0);
}

static void
test_id_text_round_trip(void **state)
{
    static const int64_t ids[] = { 1, 31, 32, 7412345678901234567, INT64_MAX };
    char text[ID_TEXT_SIZE];
    int64_t id;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(strlen(id_encode(ID_INSTANCE, ids[i], text)), 15);
        assert_true(id_decode(ID_INSTANCE, text, &id));
        assert_int_equal(id, ids[i]);
        assert_false(id_decode(ID_HOST, text, &id));
    }
    assert_string_equal(id_encode(ID_HOST, 1, text), "h-0000000000001");
    assert_string_equal(id_encode(ID_HOST, INT64_MAX, text), "h-7zzzzzzzzzzzz");
}

static void
test_id_text_sorts_like_the_ids(void **state)
{
    char low[ID_TEXT_SIZE];
    char high[ID_TEXT_SIZE];

    (void)state;
    for (int64_t id = 1; id < INT64_MAX / 2; id *= 2)
        assert_true(strcmp(id_encode(ID_TOKEN, id, low), id_encode(ID_TOKEN, id * 2, high)) < 0);
}

static void
test_id_refuses_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "i-",
        "i-000000000001",
        "i-00000000000001",
        "i_0000000000001",
        "I-0000000000001",
        "i-000000000000I",
        "i-000000000000l",
        "i-000000000000u",
        "i-000000000000A",
        "i-0000000000000", /* zero is no id */
        "i-8000000000000", /* beyond 63 bits */
        "i-zzzzzzzzzzzzz",
        "i-00000000000\xc3\xa9",
        "i--000000000001",
    };
    int64_t id = 42;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(id_decode(ID_INSTANCE, bad[i], &id));
    assert_false(id_decode(ID_INSTANCE, NULL, &id));
    assert_int_equal(id, 42);
}

enum { ROWS = 2000 };

static void
test_idmap_against_a_plain_array(void **state)
{
    static int rows[ROWS];
    struct idmap map = { 0 };
    uint32_t random = 12345;
    bool in[ROWS] = { false };
    size_t live = 0;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        size_t at;
        int64_t id;

        random = random * 1664525U + 1013904223U;
        at = (random >> 8) % ROWS;
        id = (int64_t)at * 3 + 1;
        assert_ptr_equal(idmap_find(&map, id), in[at] ? &rows[at] : NULL);
        assert_null(idmap_find(&map, id + 1));
        if (in[at]) {
            assert_ptr_equal(idmap_remove(&map, id), &rows[at]);
            live--;
        } else {
            assert_null(idmap_remove(&map, id));
            idmap_insert(&map, id, &rows[at]);
            live++;
        }
        in[at] = !in[at];
        assert_int_equal(map.live, live);
        assert_true(map.count - map.live < 16 || (map.count - map.live) * 4 < map.count);
    }
    idmap_fini(&map);
    assert_int_equal(map.count, 0);
}

static void
test_idmap_cursors_skip_gaps(void **state)
{
    static int rows[10];
    struct idmap map = { 0 };
    int64_t id = 0;
    size_t seen = 0;

    (void)state;
    assert_null(idmap_after(&map, 0, &id));
    assert_null(idmap_before(&map, INT64_MAX, &id));
    for (int i = 0; i < 10; i++)
        idmap_insert(&map, i + 1, &rows[i]);
    (void)idmap_remove(&map, 1);
    (void)idmap_remove(&map, 5);
    (void)idmap_remove(&map, 10);
    assert_ptr_equal(idmap_after(&map, 0, &id), &rows[1]);
    assert_int_equal(id, 2);
    assert_ptr_equal(idmap_after(&map, 4, &id), &rows[5]);
    assert_ptr_equal(idmap_before(&map, INT64_MAX, &id), &rows[8]);
    assert_int_equal(id, 9);
    assert_ptr_equal(idmap_before(&map, 6, &id), &rows[3]);
    assert_null(idmap_after(&map, 9, &id));
    assert_null(idmap_after(&map, INT64_MAX, &id));
    assert_null(idmap_before(&map, 2, &id));
    IDMAP_EACH(&map, int, row)
    {
        assert_true(row > &rows[0] && row < &rows[9] && row != &rows[4]);
        seen++;
    }
    assert_int_equal(seen, 7);
    idmap_fini(&map);
}

static void
test_idmap_each_can_be_left(void **state)
{
    static int rows[3];
    struct idmap map = { 0 };
    int seen = 0;

    (void)state;
    for (int i = 0; i < 3; i++)
        idmap_insert(&map, i + 1, &rows[i]);
    IDMAP_EACH(&map, int, row)
    {
        seen++;
        if (row == &rows[1])
            break;
    }
    assert_int_equal(seen, 2);
    idmap_fini(&map);
}

static void
test_intern_keeps_one_copy(void **state)
{
    struct intern *intern = intern_new();
    char text[] = "alice";
    const char *first = intern_get(intern, text);

    (void)state;
    assert_ptr_not_equal(first, text);
    text[0] = 'A';
    assert_string_equal(first, "alice");
    assert_ptr_equal(intern_get(intern, "alice"), first);
    assert_ptr_equal(intern_find(intern, "alice"), first);
    intern_put(intern, first);
    assert_ptr_equal(intern_find(intern, "alice"), first);
    intern_put(intern, first);
    assert_null(intern_find(intern, "alice"));
    assert_null(intern_get(intern, NULL));
    assert_null(intern_find(intern, NULL));
    intern_put(intern, NULL);
    assert_non_null(intern_get(intern, ""));
    for (int i = 0; i < 500; i++) {
        char name[8] = { 'u', (char)('0' + i / 100), (char)('0' + i / 10 % 10),
                         (char)('0' + i % 10) };

        assert_string_equal(intern_get(intern, name), name);
    }
    intern_free(intern); /* also frees what was not given back */
    intern_free(NULL);
}

struct thing {
    int number;
    struct list_node node;
};

static void
test_list_order_and_membership(void **state)
{
    struct thing things[3] = { { .number = 0 }, { .number = 1 }, { .number = 2 } };
    struct list list;
    struct list other;

    (void)state;
    list_init(&list);
    list_init(&other);
    assert_null(list_pop(&list));
    list_push(&list, &things[1].node);
    list_push(&list, &things[2].node);
    list_push_front(&list, &things[0].node);
    assert_int_equal(list.count, 3);
    assert_ptr_equal(CONTAINER_OF(list_first(&list), struct thing, node), &things[0]);
    assert_ptr_equal(list_next(&list, &things[0].node), &things[1].node);
    assert_null(list_next(&list, &things[2].node));
    list_remove(&list, &things[1].node);
    assert_false(list_is_in(&things[1].node));
    list_push(&other, &things[1].node);
    list_move(&other, &list);
    assert_int_equal(other.count, 3);
    assert_null(list_first(&list));
    assert_ptr_equal(list_pop(&other), &things[1].node);
    assert_ptr_equal(list_pop_last(&other), &things[2].node);
    assert_ptr_equal(list_pop_last(&other), &things[0].node);
    assert_null(list_pop_last(&other));
}

static bool
is_number(const struct rowtable_key *key, const void *row)
{
    return *(const int *)row == *(const int *)key->what;
}

/* Rows are found among others of the same hash, also behind places that were given back. */
static void
test_rows_by_hash(void **state)
{
    enum { COUNT = 1000, HASHES = 7 };
    struct rowtable table = { 0 };
    int numbers[COUNT];
    size_t at = 0;
    size_t seen = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = i;
        rowtable_insert(&table, (uint64_t)i % HASHES, &numbers[i]);
    }
    for (int i = 0; i < COUNT; i += 2)
        rowtable_remove(&table, (uint64_t)i % HASHES, &numbers[i]);
    for (int i = 0; i < COUNT; i++) {
        const struct rowtable_key key = { (uint64_t)i % HASHES, is_number, &i };

        assert_ptr_equal(rowtable_find(&table, &key), i % 2 ? &numbers[i] : NULL);
    }
    while (rowtable_step(&table, &at))
        seen++;
    assert_int_equal(seen, COUNT / 2);
    rowtable_fini(&table);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_by_hash),
        cmocka_unit_test(test_ids_rise),
        cmocka_unit_test(test_id_text_round_trip),
        cmocka_unit_test(test_id_text_sorts_like_the_ids),
        cmocka_unit_test(test_id_refuses_what_is_none),
        cmocka_unit_test(test_idmap_against_a_plain_array),
        cmocka_unit_test(test_idmap_cursors_skip_gaps),
        cmocka_unit_test(test_idmap_each_can_be_left),
        cmocka_unit_test(test_intern_keeps_one_copy),
        cmocka_unit_test(test_list_order_and_membership),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
