/*
 * What only the fake store can do: complete when it is told, fail, crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"
#include "support/fake_store.h"

struct told {
    struct store_commit commit;
    int times;
    enum fault_kind kind;
};

static void
on_commit(struct store_commit *commit, const struct fault *fault)
{
    struct told *told = CONTAINER_OF(commit, struct told, commit);

    told->times++;
    told->kind = fault ? fault->kind : FAULT_NONE;
}

static void
start(struct fake_store *fake, struct told *told, int64_t id)
{
    const struct store_port *port = fake_store_port(fake);
    struct token token = { .id = id };
    struct store_batch *batch = port->batch_new(port->self);

    port->put(batch, ROW_TOKEN, &token);
    *told = (struct told){ .commit = { .batch = batch, .done = on_commit } };
    port->commit_start(port->self, &told->commit);
}

static size_t
tokens_loaded(struct fake_store *fake)
{
    const struct store_port *port = fake_store_port(fake);
    struct model *model = model_new();
    struct store_info info;
    size_t count;

    assert_int_equal(port->load(port->self, model, &info, NULL), 0);
    count = model->tokens.live;
    model_free(model);
    return count;
}

/* Proves: nothing is durable before the test says so, and then in order. */
static void
test_completion(void **state)
{
    struct fake_store *fake = fake_store_new();
    struct told told[2];

    (void)state;
    start(fake, &told[0], 1);
    start(fake, &told[1], 2);
    assert_int_equal(fake_store_pending(fake), 2);
    assert_int_equal(fake_store_count(fake, ROW_TOKEN), 0);
    assert_true(fake_store_commit_next(fake, NULL));
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[1].times, 0);
    assert_non_null(fake_store_row(fake, ROW_TOKEN, 1));
    assert_null(fake_store_row(fake, ROW_TOKEN, 2));
    fake_store_settle(fake);
    assert_int_equal(told[1].times, 1);
    assert_false(fake_store_commit_next(fake, NULL));
    assert_int_equal(fake_store_row_after(fake, ROW_TOKEN, 1)->id, 2);
    assert_int_equal(fake_store_commits(fake), 2);
    fake_store_free(fake);
}

/* Proves: one failure fails what was started before the next load, as the real store does. */
static void
test_failure_chain(void **state)
{
    const struct fault full = { .kind = FAULT_STORAGE_FULL, .text = "full" };
    struct fake_store *fake = fake_store_new();
    struct told told[3];

    (void)state;
    start(fake, &told[0], 1);
    start(fake, &told[1], 2);
    assert_true(fake_store_commit_next(fake, &full));
    assert_true(fake_store_commit_next(fake, NULL));
    assert_int_equal(told[0].kind, FAULT_STORAGE_FULL);
    assert_int_equal(told[1].kind, FAULT_STORAGE_FULL);
    assert_int_equal(tokens_loaded(fake), 0);
    start(fake, &told[2], 3);
    fake_store_settle(fake);
    assert_int_equal(told[2].kind, FAULT_NONE);
    assert_int_equal(tokens_loaded(fake), 1);
    fake_store_free(fake);
}

/* Proves: a full disk lets small commits through once the first has failed, as the ballast does. */
static void
test_full_disk(void **state)
{
    const struct fault full = { .kind = FAULT_STORAGE_FULL, .text = "full" };
    struct fake_store *fake = fake_store_new();
    const struct store_port *port = fake_store_port(fake);
    struct told told[4];
    struct fault fault;

    (void)state;
    fake_store_break(fake, &full, 1);
    start(fake, &told[0], 1);
    fake_store_settle(fake);
    assert_int_equal(told[0].kind, FAULT_STORAGE_FULL);
    assert_int_equal(tokens_loaded(fake), 0);
    assert_false(port->probe(port->self, &fault));
    start(fake, &told[1], 2);
    start(fake, &told[2], 3);
    fake_store_settle(fake);
    assert_int_equal(told[1].kind, FAULT_NONE);
    assert_int_equal(told[2].kind, FAULT_STORAGE_FULL);
    fake_store_break(fake, NULL, 0);
    assert_true(port->probe(port->self, &fault));
    assert_int_equal(tokens_loaded(fake), 1);
    start(fake, &told[3], 4);
    fake_store_settle(fake);
    assert_int_equal(told[3].kind, FAULT_NONE);
    fake_store_free(fake);
}

/* Proves: a crash tells nobody anything; what had reached the disk is there, the rest is not. */
static void
test_crash(void **state)
{
    struct fake_store *fake = fake_store_new();
    struct told told[3];

    (void)state;
    for (int64_t i = 0; i < 3; i++)
        start(fake, &told[i], 1 + i);
    fake_store_crash(fake, 2);
    assert_int_equal(fake_store_pending(fake), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(told[i].times, 0);
    assert_int_equal(tokens_loaded(fake), 2);
    assert_null(fake_store_row(fake, ROW_TOKEN, 3));
    fake_store_free(fake);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_failure_chain),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
