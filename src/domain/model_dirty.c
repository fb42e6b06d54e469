/* What the turn's commit has to write: rows, deletions and events, in the order of the changes. */

#include <assert.h>
#include <string.h>

#include "berth/base/mem.h"

#include "model_names.h"

enum { DIRTY_FIRST_CAP = 64 };

static void
model_dirty_add(struct model *model, struct model_dirty dirty)
{
    if (model->dirty_count == model->dirty_cap) {
        model->dirty_cap = model->dirty_cap ? model->dirty_cap * 2 : DIRTY_FIRST_CAP;
        model->dirty = mem_resize(model->dirty, model->dirty_cap, sizeof(*model->dirty));
    }
    model->dirty[model->dirty_count++] = dirty;
}

void
model_dirty_put(struct model *model, enum row_kind kind, int64_t id, void *row, bool *flag)
{
    if (*flag)
        return;
    *flag = true;
    model_dirty_add(model, (struct model_dirty){ .kind = kind, .id = id, .row = row });
}

/* The place of a row that is there; the latest are asked about most. */
static size_t
model_dirty_place(const struct model *model, enum row_kind kind, int64_t id)
{
    size_t at = model->dirty_count;

    do {
        assert(at > 0);
        at--;
    } while (!model->dirty[at].row || model->dirty[at].kind != kind || model->dirty[at].id != id);
    return at;
}

void
model_dirty_drop(struct model *model, enum row_kind kind, int64_t id, bool was_dirty)
{
    if (was_dirty) {
        size_t at = model_dirty_place(model, kind, id);

        model->dirty_count--;
        memmove(&model->dirty[at], &model->dirty[at + 1],
                (model->dirty_count - at) * sizeof(*model->dirty));
    }
    model_dirty_add(model, (struct model_dirty){ .kind = kind, .id = id });
}

static bool *
model_dirty_flag(const struct model_dirty *dirty)
{
    switch (dirty->kind) {
    case ROW_POOL:
        return &((struct pool *)dirty->row)->dirty;
    case ROW_BLUEPRINT:
        return &((struct blueprint *)dirty->row)->dirty;
    case ROW_HOST:
        return &((struct host *)dirty->row)->dirty;
    case ROW_INSTANCE:
        return &((struct instance *)dirty->row)->dirty;
    case ROW_TOKEN:
        return &((struct token *)dirty->row)->dirty;
    case ROW_OPERATION:
        return &((struct operation *)dirty->row)->dirty;
    case ROW_IMAGE:
        return &((struct image *)dirty->row)->dirty;
    case ROW_KIND_COUNT:
        break;
    }
    assert(!"a kind of row");
    return NULL;
}

void
model_event_add(struct model *model, const struct event *event, int64_t now_ms)
{
    struct event *kept;

    if (model->event_count == model->event_cap) {
        model->event_cap = model->event_cap ? model->event_cap * 2 : DIRTY_FIRST_CAP;
        model->events = mem_resize(model->events, model->event_cap, sizeof(*model->events));
    }
    kept = &model->events[model->event_count++];
    *kept = *event;
    kept->owner = arena_text(&model->event_texts, event->owner);
    kept->text = arena_text(&model->event_texts, event->text);
    kept->seq = ++model->last_seq;
    kept->at_ms = now_ms;
}

void
model_dirty_clear(struct model *model)
{
    for (size_t i = 0; i < model->dirty_count; i++) {
        if (model->dirty[i].row)
            *model_dirty_flag(&model->dirty[i]) = false;
    }
    arena_clear(&model->event_texts);
    model->dirty_count = 0;
    model->event_count = 0;
}
