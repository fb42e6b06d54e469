#include "turn.h"

#include <assert.h>

#include "recover.h"

static void turn_write(struct engine *engine, struct store_batch *batch);
static void turn_on_committed(struct store_commit *commit, const struct fault *fault);

void
turn_init(struct engine *engine)
{
    list_init(&engine->waits);
    for (size_t i = 0; i < COMMITS_IN_FLIGHT_MAX; i++) {
        engine->commits[i].engine = engine;
        list_init(&engine->commits[i].waits);
    }
}

static void
turn_extra_clear(struct turn_extra *extra)
{
    for (size_t i = 0; i < extra->decision_count; i++)
        free(extra->decisions[i].json);
    for (size_t i = 0; i < extra->log_count; i++)
        free(extra->logs[i].data);
    extra->decision_count = 0;
    extra->log_count = 0;
    extra->compared = false;
}

void
turn_fini(struct engine *engine)
{
    struct turn_extra *extra = &engine->extra;

    assert(engine->commits_in_flight == 0 && engine->waits.count == 0);
    if (extra->early)
        engine->ports.store->batch_free(engine->ports.store->self, STEAL(extra->early));
    turn_extra_clear(extra);
    free(extra->decisions);
    free(extra->logs);
}

static bool
turn_has_work(const struct engine *engine)
{
    const struct turn_extra *extra = &engine->extra;

    return engine->model->dirty_count || engine->model->event_count || extra->decision_count ||
           extra->log_count || extra->early || extra->compared;
}

bool
turn_is_clean(const struct engine *engine)
{
    return !turn_has_work(engine) && engine->commits_in_flight == 0;
}

/* Nothing is to be written: what waits hangs on the last commit in flight, or on nothing. */
static void
turn_waits_settle(struct engine *engine)
{
    struct list ready;
    struct list_node *node;

    if (engine->waits.count == 0)
        return;
    if (engine->commits_in_flight > 0) {
        uint32_t last = (engine->commit_next + COMMITS_IN_FLIGHT_MAX - 1) % COMMITS_IN_FLIGHT_MAX;

        list_move(&engine->commits[last].waits, &engine->waits);
        return;
    }
    list_init(&ready);
    list_move(&ready, &engine->waits);
    while ((node = list_pop(&ready))) {
        struct engine_wait *wait = CONTAINER_OF(node, struct engine_wait, node);

        wait->done(wait, NULL);
    }
}

void
turn_commit(struct engine *engine)
{
    const struct store_port *store = engine->ports.store;
    struct turn_commit *slot = &engine->commits[engine->commit_next];

    if (engine->reloading)
        return;
    if (!turn_has_work(engine)) {
        turn_waits_settle(engine);
        return;
    }
    if (engine->commits_in_flight == COMMITS_IN_FLIGHT_MAX)
        return;

    slot->commit = (struct store_commit){ .batch = turn_batch(engine), .done = turn_on_committed };
    engine->extra.early = NULL;
    turn_write(engine, slot->commit.batch);
    slot->last_seq = engine->model->last_seq;
    slot->in_use = true;
    list_move(&slot->waits, &engine->waits);
    engine->commit_next = (engine->commit_next + 1) % COMMITS_IN_FLIGHT_MAX;
    engine->commits_in_flight++;
    store->commit_start(store->self, &slot->commit);
}

/* What is to be written, or deleted, of one kind.  Return: how many rows. */
static size_t
turn_write_kind(struct engine *engine, struct store_batch *batch, enum row_kind kind, bool dropped)
{
    const struct store_port *store = engine->ports.store;
    const struct model *model = engine->model;
    size_t count = 0;

    for (size_t i = 0; i < model->dirty_count; i++) {
        const struct model_dirty *dirty = &model->dirty[i];

        if (dirty->kind != kind || !dirty->row != dropped)
            continue;
        if (dropped) {
            store->drop(batch, kind, dirty->id);
        } else {
            store->put(batch, kind, dirty->row);
        }
        count++;
    }
    return count;
}

/* Rows that others refer to come first when written, last when deleted. */
static void
turn_write_rows(struct engine *engine, struct store_batch *batch)
{
    size_t left = engine->model->dirty_count;

    for (int kind = 0; kind < ROW_KIND_COUNT && left > 0; kind++)
        left -= turn_write_kind(engine, batch, (enum row_kind)kind, false);
    for (int kind = ROW_KIND_COUNT - 1; kind >= 0 && left > 0; kind--)
        left -= turn_write_kind(engine, batch, (enum row_kind)kind, true);
}

static void
turn_write(struct engine *engine, struct store_batch *batch)
{
    const struct store_port *store = engine->ports.store;
    struct turn_extra *extra = &engine->extra;

    turn_write_rows(engine, batch);
    for (size_t i = 0; i < engine->model->event_count; i++)
        store->put_event(batch, &engine->model->events[i]);
    for (size_t i = 0; i < extra->decision_count; i++)
        store->put_decision(batch, &extra->decisions[i].row);
    for (size_t i = 0; i < extra->log_count; i++)
        store->put_log(batch, &extra->logs[i].row);
    if (extra->compared)
        store->put_compared(batch);
    model_dirty_clear(engine->model);
    turn_extra_clear(extra);
}

static void
turn_tell_events(struct engine *engine, int64_t last_seq)
{
    if (last_seq <= engine->told_seq)
        return;
    engine->told_seq = last_seq;
    if (engine->notify)
        engine->notify(engine->notify_cookie);
}

static void
turn_on_committed(struct store_commit *commit, const struct fault *fault)
{
    struct turn_commit *slot = CONTAINER_OF(commit, struct turn_commit, commit);
    struct engine *engine = slot->engine;
    struct list ready;
    struct list_node *node;

    assert(slot->in_use && engine->commits_in_flight > 0);
    slot->in_use = false;
    engine->commits_in_flight--;
    meter_add(&engine->meter.commit, commit->took_us);
    engine->meter.commit_rows += commit->rows;
    engine->meter.commit_failures += fault != NULL;

    list_init(&ready);
    list_move(&ready, &slot->waits);
    if (fault)
        recover_on_store_fault(engine, fault);
    while ((node = list_pop(&ready))) {
        struct engine_wait *wait = CONTAINER_OF(node, struct engine_wait, node);

        wait->done(wait, fault);
    }
    if (!fault)
        turn_tell_events(engine, slot->last_seq);
}

void
turn_drop(struct engine *engine, const struct fault *fault)
{
    struct list ready;
    struct list_node *node;

    model_dirty_clear(engine->model);
    turn_extra_clear(&engine->extra);
    if (engine->extra.early)
        engine->ports.store->batch_free(engine->ports.store->self, STEAL(engine->extra.early));
    list_init(&ready);
    list_move(&ready, &engine->waits);
    while ((node = list_pop(&ready))) {
        struct engine_wait *wait = CONTAINER_OF(node, struct engine_wait, node);

        wait->done(wait, fault);
    }
}

struct store_batch *
turn_batch(struct engine *engine)
{
    const struct store_port *store = engine->ports.store;

    if (!engine->extra.early)
        engine->extra.early = store->batch_new(store->self);
    return engine->extra.early;
}

/* Doubles; a turn's number of rows is bounded by what the API lets in. */
static void *
turn_grow(void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return array;
    *cap = *cap ? *cap * 2 : 64;
    return mem_resize(array, *cap, size);
}

void
turn_decision_add(struct engine *engine, const struct instance *instance, char *json)
{
    struct turn_extra *extra = &engine->extra;
    struct turn_decision *decision;

    extra->decisions = turn_grow(extra->decisions, extra->decision_count, &extra->decision_cap,
                                 sizeof(*extra->decisions));
    decision = &extra->decisions[extra->decision_count++];
    decision->row = (struct store_decision){
        .instance_id = instance->id,
        .generation = instance->generation,
        .at_ms = state_now_ms(engine),
        .json = json,
    };
    decision->json = json;
}

void
turn_log_add(struct engine *engine, const struct instance *instance, char *data, size_t len)
{
    struct turn_extra *extra = &engine->extra;
    struct turn_log *log;

    extra->logs = turn_grow(extra->logs, extra->log_count, &extra->log_cap, sizeof(*extra->logs));
    log = &extra->logs[extra->log_count++];
    log->row = (struct store_log){
        .instance_id = instance->id,
        .generation = instance->generation,
        .at_ms = state_now_ms(engine),
        .data = data,
        .len = len,
    };
    log->data = data;
}
