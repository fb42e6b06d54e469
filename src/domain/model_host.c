/* Hosts in the model, and the one mover of their life cycle. */

#include <assert.h>

#include "berth/base/mem.h"

#include "model_names.h"

static const char *const model_host_events[HOST_STATE_COUNT] = {
    [HOST_SPAWNED] = "host.spawned",
    [HOST_ACTIVE] = "host.active",
    [HOST_INACTIVE] = "host.inactive",
    [HOST_REMOVED] = "host.removed",
};

static void
model_host_event_add(struct model *model, const struct host *host, int64_t now_ms)
{
    struct event event = {
        .kind = model_host_events[host->state],
        .pool_id = host->pool->id,
        .host_id = host->id,
        .text = host->reason,
    };

    model_event_add(model, &event, now_ms);
}

/* The row came with somebody's texts. */
static void
model_host_texts_get(struct model *model, struct host *host)
{
    const char **slots[HOST_SHARED_TEXTS];

    host_shared_texts(host, slots);
    for (size_t i = 0; i < HOST_SHARED_TEXTS; i++)
        *slots[i] = intern_get(model->strings, *slots[i]);
}

static void
model_host_texts_put(struct model *model, struct host *host)
{
    const char **slots[HOST_SHARED_TEXTS];

    host_shared_texts(host, slots);
    for (size_t i = 0; i < HOST_SHARED_TEXTS; i++)
        intern_put(model->strings, *slots[i]);
}

bool
model_host_text_set(struct model *model, const char **slot, const char *text)
{
    const char *before = *slot;

    *slot = intern_get(model->strings, text);
    intern_put(model->strings, before);
    return *slot != before;
}

void
model_host_add(struct model *model, struct host *host, bool loaded)
{
    model_row_added(model, host->id);
    model_host_texts_get(model, host);
    idmap_insert(&model->hosts, host->id, host);
    model->host_counts[host->state]++;
    if (host->state != HOST_REMOVED) {
        host->pool->hosts++;
        model_names_host_add(model, host);
        host_capacity_update(host);
        placement_host_update(model->placement, host, model->names->now_ms);
    }
    if (loaded)
        return;
    model_dirty_put(model, ROW_HOST, host->id, host, &host->dirty);
    model_host_event_add(model, host, host->created_at_ms);
}

void
model_host_drop(struct model *model, struct host *host)
{
    assert(host->state == HOST_REMOVED && host->instance_count == 0);
    idmap_remove(&model->hosts, host->id);
    model->host_counts[host->state]--;
    placement_host_forget(model->placement, host);
    model_dirty_drop(model, ROW_HOST, host->id, host->dirty);
    model_host_texts_put(model, host);
    host_free(host);
}

void
model_host_seen(struct model *model, struct host *host, int64_t now_ms)
{
    model->names->now_ms = now_ms;
    host->rev++;
    host_capacity_update(host);
    placement_host_update(model->placement, host, now_ms);
}

void
model_host_touch(struct model *model, struct host *host, int64_t now_ms)
{
    model_host_seen(model, host, now_ms);
    model_dirty_put(model, ROW_HOST, host->id, host, &host->dirty);
}

void
model_host_move(struct model *model, struct host *host, enum host_event event, const char *reason,
                int64_t now_ms)
{
    enum host_state from = (enum host_state)host->state;
    enum host_state to = from;
    int outcome = host_next(from, event, &to);

    assert(outcome == HOST_OK);
    (void)outcome;
    if (reason) {
        char *copy = mem_strdup(reason); /* before the free: the old one may have been given */

        mem_free(host->reason);
        host->reason = copy;
    }
    model->host_counts[from]--;
    model->host_counts[to]++;
    host->state = (int32_t)to;
    if (to == HOST_ACTIVE && host->active_at_ms == 0)
        host->active_at_ms = now_ms;
    if (to == HOST_REMOVED) {
        assert(host->instance_count == 0);
        host->removed_at_ms = now_ms;
        host->pool->hosts--;
        model_names_host_drop(model, host);
    }
    model_host_touch(model, host, now_ms);
    model_host_event_add(model, host, now_ms);
}

/* Adds (@sign 1) or takes away (-1) what @instance reserves. */
static void
model_host_reserve(struct host *host, const struct instance *instance, int64_t sign)
{
    struct host_amount amount = instance_amount(instance);

    host->reserved.memory_bytes += sign * amount.memory_bytes;
    host->reserved.cpus_milli += sign * amount.cpus_milli;
    host->reserved.slots += sign * amount.slots;
    assert(host->reserved.memory_bytes >= 0);
}

/* A row for each placement would double what a busy pool writes: most uses are written when the row is
 * for another reason.  Where they decide, each is. */
void
model_host_used(struct model *model, struct host *host, int64_t now_ms)
{
    bool first = host->first_used_at_ms == 0;

    host->uses++;
    if (first)
        host->first_used_at_ms = now_ms;
    if (first || host->pool->policy.host_uses > 0)
        model_dirty_put(model, ROW_HOST, host->id, host, &host->dirty);
}

void
model_host_occupy(struct model *model, struct host *host, struct instance *instance)
{
    assert(host->state != HOST_REMOVED && host->pool == instance->pool);
    list_push(&host->instances, &instance->node);
    host->instance_count++;
    model_host_reserve(host, instance, 1);
    placement_note_instance(model->placement, host, instance->blueprint, instance->owner, 1);
    placement_host_reserved(model->placement, host);
}

void
model_host_vacate(struct model *model, struct host *host, struct instance *instance)
{
    list_remove(&host->instances, &instance->node);
    host->instance_count--;
    model_host_reserve(host, instance, -1);
    placement_note_instance(model->placement, host, instance->blueprint, instance->owner, -1);
    placement_host_reserved(model->placement, host);
}
