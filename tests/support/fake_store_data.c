#include "support/fake_store_data.h"

#include <assert.h>
#include <string.h>

#define FAKE_PUSH(list)                                                                            \
    ({                                                                                             \
        __typeof__(list) *list_ = &(list);                                                         \
        if (list_->count == list_->cap) {                                                          \
            list_->cap = list_->cap ? 2 * list_->cap : 8;                                          \
            list_->at = mem_resize(list_->at, list_->cap, sizeof(*list_->at));                     \
        }                                                                                          \
        &list_->at[list_->count++];                                                                \
    })

/* Takes the item at @index out; the caller has freed what it owns. */
#define FAKE_DELETE(list, index)                                                                   \
    do {                                                                                           \
        __typeof__(list) *list_ = &(list);                                                         \
        list_->count--;                                                                            \
        memmove(&list_->at[index], &list_->at[(index) + 1],                                        \
                (list_->count - (index)) * sizeof(*list_->at));                                    \
    } while (0)

/* Strings of the records are const, as the port has them; the copies are ours. */
static void
text_free(const char *text)
{
    mem_free(mem_unconst(text));
}

static void
event_fini(const struct event *event)
{
    text_free(event->kind);
    text_free(event->owner);
    text_free(event->text);
}

static void
answer_fini(const struct store_answer *answer)
{
    text_free(answer->key);
    text_free(answer->location);
    text_free(answer->body);
}

static void
step_fini(const struct store_step *step)
{
    text_free(step->name);
    text_free(step->reason);
    text_free(step->output);
}

static void
side_fini(struct fake_side *side)
{
    for (size_t i = 0; i < side->events.count; i++)
        event_fini(&side->events.at[i]);
    for (size_t i = 0; i < side->decisions.count; i++)
        text_free(side->decisions.at[i].json);
    for (size_t i = 0; i < side->logs.count; i++)
        text_free(side->logs.at[i].data);
    for (size_t i = 0; i < side->answers.count; i++)
        answer_fini(&side->answers.at[i]);
    for (size_t i = 0; i < side->steps.count; i++)
        step_fini(&side->steps.at[i]);
    mem_free(side->steps.at);
    mem_free(side->events.at);
    mem_free(side->decisions.at);
    mem_free(side->logs.at);
    mem_free(side->answers.at);
    *side = (struct fake_side){ 0 };
}

/* --- Collecting ----------------------------------------------------------------------------- */

struct store_batch *
fake_store_data_batch_new(void *self)
{
    (void)self;
    return mem_new0(sizeof(struct store_batch));
}

void
fake_store_data_batch_free(void *self, struct store_batch *batch)
{
    (void)self;
    if (!batch)
        return;
    for (size_t i = 0; i < batch->ops.count; i++)
        fake_row_free(batch->ops.at[i].row);
    mem_free(batch->ops.at);
    side_fini(&batch->side);
    mem_free(batch);
}

void
fake_store_data_put(struct store_batch *batch, enum row_kind kind, const void *row)
{
    struct fake_row *copy = fake_row_new(kind, row);

    *FAKE_PUSH(batch->ops) = (struct fake_op){ .row = copy, .kind = kind, .id = copy->id };
}

void
fake_store_data_drop(struct store_batch *batch, enum row_kind kind, int64_t id)
{
    *FAKE_PUSH(batch->ops) = (struct fake_op){ .kind = kind, .id = id };
}

void
fake_store_data_put_event(struct store_batch *batch, const struct event *event)
{
    struct event *copy = FAKE_PUSH(batch->side.events);

    *copy = *event;
    copy->kind = mem_strdup(event->kind);
    copy->owner = mem_strdup(event->owner);
    copy->text = mem_strdup(event->text);
}

void
fake_store_data_put_decision(struct store_batch *batch, const struct store_decision *decision)
{
    struct store_decision *copy = FAKE_PUSH(batch->side.decisions);

    *copy = *decision;
    copy->json = mem_strdup(decision->json);
}

void
fake_store_data_put_log(struct store_batch *batch, const struct store_log *log)
{
    struct store_log *copy = FAKE_PUSH(batch->side.logs);

    *copy = *log;
    copy->data = mem_dup(log->data, log->len);
}

void
fake_store_data_put_step(struct store_batch *batch, const struct store_step *step)
{
    struct store_step *copy = FAKE_PUSH(batch->side.steps);

    *copy = *step;
    copy->name = mem_strdup(step->name);
    copy->reason = mem_strdup(step->reason);
    copy->output = mem_dup(step->output, step->len);
}

void
fake_store_data_put_answer(struct store_batch *batch, const struct store_answer *answer)
{
    struct store_answer *copy = FAKE_PUSH(batch->side.answers);

    *copy = *answer;
    copy->key = mem_strdup(answer->key);
    copy->location = mem_strdup(answer->location);
    copy->body = mem_dup(answer->body, answer->body_len);
}

void
fake_store_data_put_retention(struct store_batch *batch, const struct store_retention *retention)
{
    batch->retention = *retention;
    batch->retain = true;
}

void
fake_store_data_put_compared(struct store_batch *batch)
{
    batch->compared = true;
}

size_t
fake_store_data_rows(const struct store_batch *batch)
{
    return batch->ops.count + batch->side.events.count + batch->side.decisions.count +
           batch->side.logs.count + batch->side.steps.count + batch->side.answers.count;
}

/* --- Applying ------------------------------------------------------------------------------- */

static void
instance_history_drop(struct fake_side *side, int64_t instance_id)
{
    for (size_t i = side->decisions.count; i-- > 0;) {
        if (side->decisions.at[i].instance_id == instance_id) {
            text_free(side->decisions.at[i].json);
            FAKE_DELETE(side->decisions, i);
        }
    }
    for (size_t i = side->logs.count; i-- > 0;) {
        if (side->logs.at[i].instance_id == instance_id) {
            text_free(side->logs.at[i].data);
            FAKE_DELETE(side->logs, i);
        }
    }
}

static void
host_history_drop(struct fake_side *side, int64_t host_id)
{
    for (size_t i = side->steps.count; i-- > 0;) {
        if (side->steps.at[i].host_id == host_id) {
            step_fini(&side->steps.at[i]);
            FAKE_DELETE(side->steps, i);
        }
    }
}

static void
op_apply(struct fake_data *data, struct fake_op *op)
{
    fake_row_free(idmap_remove(&data->rows[op->kind], op->id));
    if (op->row) {
        idmap_insert(&data->rows[op->kind], op->id, STEAL(op->row));
    } else if (op->kind == ROW_INSTANCE) {
        instance_history_drop(&data->side, op->id);
    } else if (op->kind == ROW_HOST) {
        host_history_drop(&data->side, op->id);
    }
}

static void
answer_apply(struct fake_side *to, const struct store_answer *answer)
{
    for (size_t i = 0; i < to->answers.count; i++) {
        if (strcmp(to->answers.at[i].key, answer->key) == 0) {
            answer_fini(&to->answers.at[i]);
            to->answers.at[i] = *answer;
            return;
        }
    }
    *FAKE_PUSH(to->answers) = *answer;
}

static void
event_apply(struct fake_side *to, const struct event *event)
{
    assert(to->events.count == 0 || event->seq > to->events.at[to->events.count - 1].seq);
    *FAKE_PUSH(to->events) = *event;
}

static void
steps_apply(struct fake_side *to, struct fake_side *from)
{
    for (size_t i = 0; i < from->steps.count; i++)
        *FAKE_PUSH(to->steps) = from->steps.at[i];
    from->steps.count = 0;
}

/* Moves the records of @from, their strings too, to @to. */
static void
side_apply(struct fake_side *to, struct fake_side *from)
{
    for (size_t i = 0; i < from->events.count; i++)
        event_apply(to, &from->events.at[i]);
    for (size_t i = 0; i < from->decisions.count; i++)
        *FAKE_PUSH(to->decisions) = from->decisions.at[i];
    for (size_t i = 0; i < from->logs.count; i++)
        *FAKE_PUSH(to->logs) = from->logs.at[i];
    for (size_t i = 0; i < from->answers.count; i++)
        answer_apply(to, &from->answers.at[i]);
    steps_apply(to, from);
    from->events.count = from->decisions.count = from->logs.count = from->answers.count = 0;
}

static void
events_retain(struct fake_side *side, const struct store_retention *retention)
{
    /* The newest stays: its number must not be given twice. */
    while (side->events.count > 1 &&
           ((retention->events_max > 0 && (int64_t)side->events.count > retention->events_max) ||
            side->events.at[0].at_ms < retention->events_before_ms)) {
        event_fini(&side->events.at[0]);
        FAKE_DELETE(side->events, 0);
    }
}

static void
logs_retain(struct fake_side *side, const struct store_retention *retention)
{
    size_t bytes = 0;

    for (size_t i = side->logs.count; i-- > 0;) {
        bytes += side->logs.at[i].len;
        if (side->logs.at[i].at_ms < retention->logs_before_ms ||
            (retention->logs_bytes_max > 0 && (int64_t)bytes > retention->logs_bytes_max)) {
            text_free(side->logs.at[i].data);
            FAKE_DELETE(side->logs, i);
        }
    }
}

static void
steps_retain(struct fake_side *side, const struct store_retention *retention)
{
    size_t bytes = 0;

    for (size_t i = side->steps.count; i-- > 0;) {
        bytes += side->steps.at[i].len + STORE_STEP_COST;
        if (retention->steps_bytes_max > 0 && (int64_t)bytes > retention->steps_bytes_max) {
            step_fini(&side->steps.at[i]);
            FAKE_DELETE(side->steps, i);
        }
    }
}

static void
retain(struct fake_side *side, const struct store_retention *retention)
{
    events_retain(side, retention);
    logs_retain(side, retention);
    steps_retain(side, retention);
    for (size_t i = side->decisions.count; i-- > 0;) {
        if (side->decisions.at[i].at_ms < retention->decisions_before_ms) {
            text_free(side->decisions.at[i].json);
            FAKE_DELETE(side->decisions, i);
        }
    }
    for (size_t i = side->answers.count; i-- > 0;) {
        if (side->answers.at[i].at_ms < retention->answers_before_ms) {
            answer_fini(&side->answers.at[i]);
            FAKE_DELETE(side->answers, i);
        }
    }
}

/* What a foreign key would refuse. */
static void
references_check(const struct fake_data *data, const struct store_batch *batch)
{
    for (size_t i = 0; i < batch->ops.count; i++) {
        const struct fake_row *row =
            idmap_find(&data->rows[batch->ops.at[i].kind], batch->ops.at[i].id);

        if (!row)
            continue;
        assert(!row->pool_id || idmap_find(&data->rows[ROW_POOL], row->pool_id));
        assert(!row->blueprint_id || idmap_find(&data->rows[ROW_BLUEPRINT], row->blueprint_id));
        assert(!row->host_id || idmap_find(&data->rows[ROW_HOST], row->host_id));
    }
}

size_t
fake_store_data_apply(struct fake_data *data, struct store_batch *batch)
{
    size_t rows = fake_store_data_rows(batch);

    for (size_t i = 0; i < batch->ops.count; i++)
        op_apply(data, &batch->ops.at[i]);
    references_check(data, batch);
    side_apply(&data->side, &batch->side);
    if (batch->retain)
        retain(&data->side, &batch->retention);
    if (batch->compared)
        data->restored = false;
    return rows;
}

void
fake_store_data_fini(struct fake_data *data)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        IDMAP_EACH(&data->rows[kind], struct fake_row, row)
        fake_row_free(row);
        idmap_fini(&data->rows[kind]);
    }
    side_fini(&data->side);
}
