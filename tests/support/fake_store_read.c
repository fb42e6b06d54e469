#include <string.h>

#include "support/fake_store_data.h"

static bool
kind_matches(const char *wanted, const char *kind)
{
    size_t len = strlen(wanted);

    if (len > 0 && wanted[len - 1] == '.')
        return strncmp(kind, wanted, len) == 0;
    return strcmp(kind, wanted) == 0;
}

static bool
pool_matches(const struct store_filter *filter, int64_t pool_id)
{
    for (size_t i = 0; i < filter->pool_count; i++) {
        if (filter->pools[i] == pool_id)
            return true;
    }
    return filter->pool_count == 0 || pool_id == 0;
}

static bool
event_matches(const struct store_filter *filter, const struct event *event)
{
    return (!filter->kind || kind_matches(filter->kind, event->kind)) &&
           (!filter->host_id || filter->host_id == event->host_id) &&
           (!filter->instance_id || filter->instance_id == event->instance_id) &&
           (!filter->pool_id || filter->pool_id == event->pool_id) &&
           (!filter->owner || (event->owner && strcmp(filter->owner, event->owner) == 0)) &&
           pool_matches(filter, event->pool_id);
}

static bool
event_wanted(const struct store_history *history, const struct event *event)
{
    if (history->newest_first ? history->after > 0 && event->seq >= history->after
                              : event->seq <= history->after)
        return false;
    return event_matches(&history->filter, event);
}

static void
events_read(const struct fake_side *side, struct store_history *history)
{
    size_t count = side->events.count;
    struct event *events = mem_new0((size_t)history->limit * sizeof(*events));
    size_t found = 0;

    for (size_t i = 0; i < count && found < (size_t)history->limit; i++) {
        const struct event *event = &side->events.at[history->newest_first ? count - 1 - i : i];

        if (event_wanted(history, event))
            events[found++] = *event;
    }
    history->events = events;
    history->count = found;
    history->oldest_seq = count ? side->events.at[0].seq : 0;
}

static void
decision_read(const struct fake_side *side, struct store_history *history)
{
    struct store_decision *last = mem_new0(sizeof(*last));

    for (size_t i = 0; i < side->decisions.count; i++) {
        const struct store_decision *decision = &side->decisions.at[i];

        if (decision->instance_id == history->instance_id &&
            (history->count == 0 || decision->generation >= last->generation)) {
            *last = *decision;
            history->count = 1;
        }
    }
    history->decisions = last;
}

static void
logs_read(const struct fake_side *side, struct store_history *history)
{
    struct store_log *logs = mem_new0((side->logs.count + 1) * sizeof(*logs));

    for (size_t i = 0; i < side->logs.count; i++) {
        if (side->logs.at[i].instance_id == history->instance_id)
            logs[history->count++] = side->logs.at[i];
    }
    history->logs = logs;
}

/* They were put in order. */
static void
steps_read(const struct fake_side *side, struct store_history *history)
{
    struct store_step *steps = mem_new0((size_t)history->limit * sizeof(*steps));
    size_t bytes = 0;

    for (size_t i = 0; i < side->steps.count; i++) {
        const struct store_step *step = &side->steps.at[i];

        if (step->host_id != history->host_id || (history->run && history->run != step->run) ||
            store_step_place(step->run, step->step) <= history->after ||
            (history->failed && step->ended != SHELL_FAILED))
            continue;
        history->more = (int64_t)history->count == history->limit || bytes >= STORE_STEPS_BYTES;
        if (history->more)
            break;
        steps[history->count++] = *step;
        bytes += step->len;
    }
    history->steps = steps;
}

void
fake_store_data_read(const struct fake_data *data, struct store_history *history)
{
    history->count = 0;
    history->oldest_seq = 0;
    history->more = false;
    if (history->kind == HISTORY_EVENTS) {
        events_read(&data->side, history);
    } else if (history->kind == HISTORY_DECISION) {
        decision_read(&data->side, history);
    } else if (history->kind == HISTORY_STEPS) {
        steps_read(&data->side, history);
    } else {
        logs_read(&data->side, history);
    }
}

void
fake_store_data_read_end(struct store_history *history)
{
    mem_free(mem_unconst(history->events));
    mem_free(mem_unconst(history->decisions));
    mem_free(mem_unconst(history->logs));
    mem_free(mem_unconst(history->steps));
    history->steps = NULL;
    history->events = NULL;
    history->decisions = NULL;
    history->logs = NULL;
}
