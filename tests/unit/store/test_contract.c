/*
 * What the store's port promises, asked of the store on SQLite and of the fake
 * that the engine's tests use, so that the fake is no easier than the truth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "contract.h"
#include "dump.h"
#include "sample.h"

static void
event_put(struct contract *contract, struct store_batch *batch, const struct event *event)
{
    char kind[32];
    struct event copy = *event;

    /* The strings are gone after the call, as the model's may be. */
    (void)strncpy(kind, event->kind, sizeof(kind) - 1);
    kind[sizeof(kind) - 1] = '\0';
    copy.kind = kind;
    contract->port->put_event(batch, &copy);
    memset(kind, '?', sizeof(kind));
}

static void
events_commit(struct contract *contract)
{
    static const struct event events[] = {
        { 1, 100, "instance.queued", 11, 0, 41, "alice", "it waits" },
        { 2, 200, "instance.starting", 11, 31, 41, "alice", "placed" },
        { 3, 300, "host.active", 11, 31, 0, NULL, NULL },
        { 4, 400, "instance.running", 12, 32, 42, "bob", "ready" },
        { 5, 500, "instances", 12, 0, 0, NULL, "not one of instance.*" },
        { 6, 600, "daemon.started", 0, 0, 0, NULL, "" },
        { 7, 700, "instance.stopped", 11, 31, 41, "alice", "asked to" },
    };
    struct store_batch *batch = contract_batch(contract);

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        event_put(contract, batch, &events[i]);
    contract_commit(contract, batch);
}

/* Proves: each filter narrows as it says, alone and together with others. */
static void
test_event_filters(void **state)
{
    static const struct {
        struct store_filter filter;
        const char *wanted;
    } cases[] = {
        { { 0 }, "1 2 3 4 5 6 7" },
        { { .kind = "instance." }, "1 2 4 7" },
        { { .kind = "instance.running" }, "4" },
        { { .kind = "instance" }, "" },
        { { .host_id = 31 }, "2 3 7" },
        { { .instance_id = 41 }, "1 2 7" },
        { { .pool_id = 12 }, "4 5" },
        { { .owner = "alice" }, "1 2 7" },
        { { .owner = "nobody" }, "" },
        { { .pools = { 12 }, .pool_count = 1 }, "4 5 6" },
        { { .pools = { 11, 12 }, .pool_count = 2 }, "1 2 3 4 5 6 7" },
        { { .kind = "instance.", .owner = "alice", .host_id = 31 }, "2 7" },
    };
    struct contract *contract = *state;

    events_commit(contract);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        contract_expect(contract,
                        &(struct store_history){
                            .kind = HISTORY_EVENTS, .limit = 100, .filter = cases[i].filter },
                        cases[i].wanted);
    }
}

/* Proves: pages follow each other in both directions. */
static void
test_event_pages(void **state)
{
    static const struct {
        int64_t after;
        bool newest_first;
        const char *wanted;
    } pages[] = {
        { 0, false, "1 2 3" }, { 3, false, "4 5 6" }, { 6, false, "7" }, { 7, false, "" },
        { 0, true, "7 6 5" },  { 5, true, "4 3 2" },  { 2, true, "1" },  { 1, true, "" },
    };
    struct contract *contract = *state;

    events_commit(contract);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        contract_expect(contract,
                        &(struct store_history){ .kind = HISTORY_EVENTS,
                                                 .after = pages[i].after,
                                                 .newest_first = pages[i].newest_first,
                                                 .limit = 3 },
                        pages[i].wanted);
    }
}

/* Proves: an event comes back with every field. */
static void
on_full_event(struct store_history *history, const struct fault *fault)
{
    struct waited *waited = CONTAINER_OF(history, struct waited, history);
    const struct event *event = &history->events[0];

    assert_null(fault);
    assert_int_equal(history->count, 1);
    assert_int_equal(history->oldest_seq, 1);
    assert_int_equal(event->seq, 2);
    assert_int_equal(event->at_ms, 200);
    assert_string_equal(event->kind, "instance.starting");
    assert_int_equal(event->pool_id, 11);
    assert_int_equal(event->host_id, 31);
    assert_int_equal(event->instance_id, 41);
    assert_string_equal(event->owner, "alice");
    assert_string_equal(event->text, "placed");
    waited->done = true;
}

static void
test_event_fields(void **state)
{
    struct contract *contract = *state;
    struct waited waited = {
        .history = { .kind = HISTORY_EVENTS, .after = 1, .limit = 1, .done = on_full_event },
    };
    struct model *model = model_new();
    struct store_info info;

    events_commit(contract);
    contract->port->history_start(contract->port->self, &waited.history);
    contract_settle(contract, &waited);
    assert_int_equal(contract->port->load(contract->port->self, model, &info, NULL), 0);
    assert_int_equal(model->last_seq, 7);
    model_free(model);
}

/* Proves: the last decision of an instance is found, all its logs are, oldest first; when the instance
 * goes, so do they. */
static void
test_of_one_instance(void **state)
{
    struct contract *contract = *state;
    const struct store_port *port = contract->port;
    struct store_history decision = { .kind = HISTORY_DECISION, .instance_id = 41 };
    struct store_history logs = { .kind = HISTORY_LOG, .instance_id = 41 };
    struct store_batch *batch = contract_batch(contract);

    port->put_decision(batch, &(struct store_decision){ 41, 1, 100, "{\"a\":1}" });
    port->put_decision(batch, &(struct store_decision){ 42, 9, 100, "{}" });
    port->put_log(batch, &(struct store_log){ 41, 1, 100, "first", 5 });
    port->put_log(batch, &(struct store_log){ 42, 1, 100, "other", 5 });
    contract_commit(contract, batch);
    batch = contract_batch(contract);
    port->put_decision(batch, &(struct store_decision){ 41, 2, 200, "{\"b\":2}" });
    port->put_log(batch, &(struct store_log){ 41, 2, 200, "second", 6 });
    port->put_log(batch, &(struct store_log){ 41, 3, 300, NULL, 0 });
    contract_commit(contract, batch);
    contract_expect(contract, &decision, "2 {\"b\":2}");
    contract_expect(contract, &logs, "1:first 2:second 3:");

    batch = contract_batch(contract);
    port->drop(batch, ROW_INSTANCE, 41);
    contract_commit(contract, batch);
    contract_expect(contract, &decision, "");
    contract_expect(contract, &logs, "");
    decision.instance_id = 42;
    logs.instance_id = 42;
    contract_expect(contract, &decision, "9 {}");
    contract_expect(contract, &logs, "1:other");
}

/* --- Answers -------------------------------------------------------------------------------- */

/* Proves: an answer is found at once after its commit, whole, and by its key alone. */
static void
test_answers(void **state)
{
    struct contract *contract = *state;
    const struct store_port *port = contract->port;
    struct store_answer answer = {
        .key = "51 one",
        .at_ms = 100,
        .status = 202,
        .location = "/v1/instances/i-1",
        .body = "{\"a\":\"\0\"}",
        .body_len = 9,
    };
    struct store_batch *batch = contract_batch(contract);
    struct store_answer found = { 0 };

    memset(answer.digest, 0x3d, sizeof(answer.digest));
    port->put_answer(batch, &answer);
    assert_false(port->answer_find(port->self, "51 one", &found));
    port->put_answer(batch, &(struct store_answer){ .key = "51 two", .status = 204, .body = "" });
    contract_commit(contract, batch);

    assert_true(port->answer_find(port->self, "51 one", &found));
    assert_int_equal(found.at_ms, 100);
    assert_int_equal(found.status, 202);
    assert_string_equal(found.location, "/v1/instances/i-1");
    assert_int_equal(found.body_len, 9);
    assert_memory_equal(found.body, answer.body, 9);
    assert_memory_equal(found.digest, answer.digest, sizeof(found.digest));
    assert_true(port->answer_find(port->self, "51 two", &found));
    assert_null(found.location);
    assert_int_equal(found.body_len, 0);
    assert_false(port->answer_find(port->self, "51 on", &found));
}

/* --- Retention ------------------------------------------------------------------------------ */

static void
retain(struct contract *contract, const struct store_retention *retention)
{
    struct store_batch *batch = contract_batch(contract);

    contract->port->put_retention(batch, retention);
    contract_commit(contract, batch);
}

/* Proves: events go by number and by age, oldest first; the newest stays, so that its number is not
 * given twice; 0 retains all. */
static void
test_event_retention(void **state)
{
    struct contract *contract = *state;
    struct store_history all = { .kind = HISTORY_EVENTS, .limit = 100 };

    events_commit(contract);
    retain(contract, &(struct store_retention){ 0 });
    contract_expect(contract, &all, "1 2 3 4 5 6 7");
    retain(contract, &(struct store_retention){ .events_max = 5 });
    contract_expect(contract, &all, "3 4 5 6 7");
    retain(contract, &(struct store_retention){ .events_before_ms = 500 });
    contract_expect(contract, &all, "5 6 7");
    retain(contract, &(struct store_retention){ .events_before_ms = 5000 });
    contract_expect(contract, &all, "7");
}

/* Proves: logs, decisions and answers go by age, logs by their size too. */
static void
test_other_retention(void **state)
{
    struct contract *contract = *state;
    const struct store_port *port = contract->port;
    struct store_history logs = { .kind = HISTORY_LOG, .instance_id = 41 };
    struct store_history decision = { .kind = HISTORY_DECISION, .instance_id = 41 };
    struct store_batch *batch = contract_batch(contract);
    struct store_answer found;

    for (uint32_t i = 1; i <= 4; i++)
        port->put_log(batch, &(struct store_log){ 41, i, INT64_C(100) * i, "0123456789", 10 });
    port->put_decision(batch, &(struct store_decision){ 41, 1, 100, "{}" });
    port->put_answer(batch, &(struct store_answer){ .key = "old", .at_ms = 100 });
    port->put_answer(batch, &(struct store_answer){ .key = "new", .at_ms = 200 });
    contract_commit(contract, batch);

    retain(contract, &(struct store_retention){ .logs_bytes_max = 30 });
    contract_expect(contract, &logs, "2:0123456789 3:0123456789 4:0123456789");
    retain(contract, &(struct store_retention){ .logs_before_ms = 400 });
    contract_expect(contract, &logs, "4:0123456789");
    retain(contract, &(struct store_retention){ .decisions_before_ms = 100 });
    contract_expect(contract, &decision, "1 {}");
    retain(contract, &(struct store_retention){ .decisions_before_ms = 101 });
    contract_expect(contract, &decision, "");
    retain(contract, &(struct store_retention){ .answers_before_ms = 200 });
    assert_false(port->answer_find(port->self, "old", &found));
    assert_true(port->answer_find(port->self, "new", &found));
}

/* --- Rows ----------------------------------------------------------------------------------- */

/* Proves: all rows come back with every stored field, and the model they are loaded into is clean. */
static void
test_rows(void **state)
{
    struct contract *contract = *state;
    const struct store_port *port = contract->port;
    struct model *model = sample_model();
    struct model *loaded = model_new();
    CLEANUP(mem_freep) char *before = dump_model(model);
    CLEANUP(mem_freep) char *after = NULL;
    struct store_batch *batch = contract_batch(contract);
    struct store_info info;

    sample_put(port, batch, model);
    model_free(model);
    contract_commit(contract, batch);
    assert_int_equal(port->load(port->self, loaded, &info, NULL), 0);
    after = dump_model(loaded);
    assert_string_equal(after, before);
    assert_int_equal(loaded->dirty_count, 0);
    assert_int_equal(loaded->last_id, SAMPLE_IMAGE);
    assert_int_equal(strlen(info.cluster_id), 16);
    model_free(loaded);
}

/* Proves: a batch that is not wanted after all leaves nothing. */
static void
test_a_batch_may_be_dropped(void **state)
{
    struct contract *contract = *state;
    struct model *model = sample_model();
    struct store_batch *batch = contract_batch(contract);

    sample_put(contract->port, batch, model);
    contract->port->batch_free(contract->port->self, batch);
    model_free(model);
    contract_expect(contract, &(struct store_history){ .kind = HISTORY_EVENTS, .limit = 1 }, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_event_filters),   BOTH(test_event_pages), BOTH(test_event_fields),
        BOTH(test_of_one_instance), BOTH(test_answers),     BOTH(test_event_retention),
        BOTH(test_other_retention), BOTH(test_rows),        BOTH(test_a_batch_may_be_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
