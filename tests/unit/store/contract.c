#include "contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

int
contract_setup_real(void **state)
{
    struct contract *contract = mem_new0(sizeof(*contract));
    void *kit;

    if (kit_setup(&kit) != 0)
        return -1;
    contract->kit = kit;
    kit_open(contract->kit);
    contract->port = contract->kit->port;
    *state = contract;
    return 0;
}

int
contract_setup_fake(void **state)
{
    struct contract *contract = mem_new0(sizeof(*contract));

    contract->fake = fake_store_new();
    contract->port = fake_store_port(contract->fake);
    *state = contract;
    return 0;
}

int
contract_teardown(void **state)
{
    struct contract *contract = *state;
    void *kit = contract->kit;

    fake_store_free(contract->fake);
    mem_free(contract);
    return kit ? kit_teardown(&kit) : 0;
}

static bool
waited_is_done(void *cookie)
{
    return ((struct waited *)cookie)->done;
}

void
contract_settle(struct contract *contract, struct waited *waited)
{
    assert_false(waited->done);
    if (contract->fake) {
        fake_store_settle(contract->fake);
    } else {
        (void)loop_run_until(contract->kit->loop, waited_is_done, waited, KIT_WAIT_MS);
    }
    assert_true(waited->done);
}

static void
on_commit(struct store_commit *commit, const struct fault *fault)
{
    struct waited *waited = CONTAINER_OF(commit, struct waited, commit);

    waited->done = true;
    waited->failed = fault != NULL;
}

void
contract_commit(struct contract *contract, struct store_batch *batch)
{
    struct waited waited = { .commit = { .batch = batch, .done = on_commit } };

    contract->port->commit_start(contract->port->self, &waited.commit);
    contract_settle(contract, &waited);
    assert_false(waited.failed);
}

struct store_batch *
contract_batch(struct contract *contract)
{
    return contract->port->batch_new(contract->port->self);
}

static void
contract_step(const struct store_step *step, struct buf *text)
{
    buf_printf(text, "%s%u.%u/%u %s %s %d+%d %s", text->len ? " " : "", step->run, step->step,
               step->steps, step->name, shell_end_name(step->ended), (int)step->started_at_ms,
               (int)step->took_ms, step->reason ? step->reason : "-");
    if (step->cut_bytes > 0)
        buf_printf(text, " %d cut", (int)step->cut_bytes);
    if (step->len > 20) {
        buf_printf(text, " %zu bytes", step->len);
    } else {
        buf_printf(text, " %.*s", (int)step->len, step->output);
    }
}

static void
on_history(struct store_history *history, const struct fault *fault)
{
    struct waited *waited = CONTAINER_OF(history, struct waited, history);
    struct buf text;

    assert_null(fault);
    buf_init(&text, 0);
    for (size_t i = 0; i < history->count; i++) {
        if (history->kind == HISTORY_STEPS) {
            contract_step(&history->steps[i], &text);
        } else if (history->kind == HISTORY_EVENTS) {
            buf_printf(&text, "%s%d", i ? " " : "", (int)history->events[i].seq);
        } else if (history->kind == HISTORY_DECISION) {
            buf_printf(&text, "%d %s", (int)history->decisions[i].generation,
                       history->decisions[i].json);
        } else {
            buf_printf(&text, "%s%d:%.*s", i ? " " : "", (int)history->logs[i].generation,
                       (int)history->logs[i].len, history->logs[i].data);
        }
    }
    if (history->more)
        buf_append_string(&text, " ...");
    assert_true(text.len < sizeof(waited->text));
    memcpy(waited->text, buf_text(&text), text.len + 1);
    buf_fini(&text);
    waited->done = true;
}

void
contract_expect(struct contract *contract, const struct store_history *history, const char *wanted)
{
    struct waited waited = { .history = *history };

    waited.history.done = on_history;
    contract->port->history_start(contract->port->self, &waited.history);
    contract_settle(contract, &waited);
    assert_string_equal(waited.text, wanted);
}
