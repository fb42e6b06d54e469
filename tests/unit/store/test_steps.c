/*
 * The steps of preparations: what the store keeps of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"

static void
step_put(struct contract *contract, struct store_batch *batch, uint32_t run, uint32_t step,
         const char *output)
{
    contract->port->put_step(batch, &(struct store_step){ .host_id = 31,
                                                          .run = run,
                                                          .step = step,
                                                          .steps = 5,
                                                          .name = "swap",
                                                          .started_at_ms = INT64_C(100) * run,
                                                          .took_ms = 10,
                                                          .ended = SHELL_CHANGED,
                                                          .output = output,
                                                          .len = strlen(output) });
}

/* Proves: each field comes back; only those of the host and the run that are asked for do, in order. */
static void
test_steps(void **state)
{
    struct contract *contract = *state;
    struct store_history all = { .kind = HISTORY_STEPS, .host_id = 31, .limit = 100 };
    struct store_history second = { .kind = HISTORY_STEPS, .host_id = 31, .limit = 100, .run = 2 };
    struct store_batch *batch = contract_batch(contract);

    step_put(contract, batch, 1, 1, "a");
    contract->port->put_step(batch, &(struct store_step){ .host_id = 32, .run = 1, .name = "x" });
    contract->port->put_step(batch, &(struct store_step){ .host_id = 31,
                                                          .run = 1,
                                                          .step = 2,
                                                          .name = "packages",
                                                          .reason = "exit code 100",
                                                          .started_at_ms = 7,
                                                          .took_ms = 8,
                                                          .cut_bytes = 9,
                                                          .ended = SHELL_FAILED });
    contract_commit(contract, batch);
    batch = contract_batch(contract);
    step_put(contract, batch, 2, 2, "b");
    step_put(contract, batch, 2, 10, "c");
    contract_commit(contract, batch);
    contract_expect(contract, &all,
                    "1.1/5 swap changed 100+10 - a 1.2/0 packages failed 7+8 exit code 100 9 cut  "
                    "2.2/5 swap changed 200+10 - b 2.10/5 swap changed 200+10 - c");
    all.failed = true;
    contract_expect(contract, &all, "1.2/0 packages failed 7+8 exit code 100 9 cut ");
    contract_expect(contract, &second,
                    "2.2/5 swap changed 200+10 - b 2.10/5 swap changed 200+10 - c");
}

/* Proves: pages end at the limit and at a number of bytes, say so, and the next begins behind. */
static void
test_pages(void **state)
{
    static char large[STORE_STEPS_BYTES / 2 + 2];
    struct contract *contract = *state;
    struct store_history page = { .kind = HISTORY_STEPS, .host_id = 31, .limit = 1 };
    struct store_batch *batch = contract_batch(contract);

    memset(large, 'x', sizeof(large) - 1);
    step_put(contract, batch, 1, 1, large);
    step_put(contract, batch, 1, 2, large);
    step_put(contract, batch, 1, 3, "end");
    contract_commit(contract, batch);
    contract_expect(contract, &page, "1.1/5 swap changed 100+10 - 1048577 bytes ...");
    page.limit = 3;
    contract_expect(contract, &page,
                    "1.1/5 swap changed 100+10 - 1048577 bytes "
                    "1.2/5 swap changed 100+10 - 1048577 bytes ...");
    page.after = store_step_place(1, 2);
    contract_expect(contract, &page, "1.3/5 swap changed 100+10 - end");
}

/* Proves: the oldest go when all are too large, with what each costs beside its output; those of a
 * host go with it. */
static void
test_retention(void **state)
{
    struct contract *contract = *state;
    struct store_history all = { .kind = HISTORY_STEPS, .host_id = 31, .limit = 100, .run = 2 };
    struct store_retention retention = { .steps_bytes_max = INT64_C(2) * (STORE_STEP_COST + 1) };
    struct store_batch *batch = contract_batch(contract);

    step_put(contract, batch, 2, 1, "a");
    step_put(contract, batch, 2, 2, "b");
    step_put(contract, batch, 2, 3, "c");
    contract_commit(contract, batch);
    batch = contract_batch(contract);
    contract->port->put_retention(batch, &(struct store_retention){ 0 });
    contract_commit(contract, batch);
    all.limit = 1;
    contract_expect(contract, &all, "2.1/5 swap changed 200+10 - a ...");
    batch = contract_batch(contract);
    contract->port->put_retention(batch, &retention);
    contract_commit(contract, batch);
    contract_expect(contract, &all, "2.2/5 swap changed 200+10 - b ...");
    batch = contract_batch(contract);
    contract->port->drop(batch, ROW_HOST, 31);
    contract_commit(contract, batch);
    contract_expect(contract, &all, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_steps),
        BOTH(test_pages),
        BOTH(test_retention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
