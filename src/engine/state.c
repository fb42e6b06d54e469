#include "state.h"

#include "berth/domain/policy.h"

void
state_event(struct engine *engine, const char *kind, const struct host *host,
            const struct instance *instance, const char *format, ...)
{
    char text[FAULT_TEXT_SIZE + 128];
    struct event event = { .kind = kind, .text = text };
    va_list args;

    va_start(args, format);
    text_line_vprintf(text, sizeof(text), format, args);
    va_end(args);
    if (host) {
        event.host_id = host->id;
        event.pool_id = host->pool->id;
    }
    if (instance) {
        event.instance_id = instance->id;
        event.pool_id = instance->pool->id;
        event.owner = instance->owner;
    }
    model_event_add(engine->model, &event, state_now_ms(engine));
}

void
state_pool_event(struct engine *engine, const char *kind, const struct pool *pool,
                 const char *format, ...)
{
    char text[POLICY_HELD_SIZE + 32]; /* what is held back is the longest */
    const struct event event = { .kind = kind, .text = text, .pool_id = pool->id };
    va_list args;

    va_start(args, format);
    text_line_vprintf(text, sizeof(text), format, args);
    va_end(args);
    model_event_add(engine->model, &event, state_now_ms(engine));
}
