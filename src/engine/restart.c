#include "restart.h"

#include "launch.h"

enum {
    RESTART_DELAY_MIN_MS = 1000,
    RESTART_DELAY_MAX_MS = 60000,
    RESTART_STEADY_MS = 60000, /* having run so long, it starts with a short pause again */
};

bool
restart_is_due(const struct instance *instance)
{
    const struct blueprint_restart *restart = &instance->blueprint->spec.restart;

    if (instance->desired != INSTANCE_RUNNING || restart->policy == RESTART_NO)
        return false;
    if (restart->policy == RESTART_ON_FAILURE && instance->exit_code == 0)
        return false;
    return restart->max_retries == 0 || (int64_t)instance->restarts < restart->max_retries;
}

void
restart_start(struct engine *engine, struct instance *instance, const char *why)
{
    int64_t now_ms = state_now_ms(engine);
    int64_t delay_ms = RESTART_DELAY_MIN_MS;
    char pause[32];
    struct buf text;

    if (instance->state == INSTANCE_RUNNING && now_ms - instance->moved_at_ms > RESTART_STEADY_MS)
        instance->restarts = 0;
    for (uint32_t i = 0; i < instance->restarts && delay_ms < RESTART_DELAY_MAX_MS; i++)
        delay_ms *= 2;
    if (delay_ms > RESTART_DELAY_MAX_MS)
        delay_ms = RESTART_DELAY_MAX_MS;
    instance->restarts++;
    instance->retry_at_ms = now_ms + delay_ms;

    buf_init(&text, FAULT_TEXT_SIZE + 64);
    buf_printf(&text, "%s; started again in %s", why, text_duration(delay_ms, pause));
    model_instance_move(engine->model, instance, INSTANCE_EV_CRASHED, buf_text(&text), now_ms);
    buf_fini(&text);
    launch_start(engine, instance);
}
