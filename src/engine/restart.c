#include "restart.h"

#include "launch.h"

enum {
    RESTART_DELAY_MIN_MS = 1000,
    RESTART_STEADY_MS = 60000, /* having run so long, it starts with a short pause again */
};

/* Having run long enough, it starts counting anew. */
static uint32_t
restart_count(const struct instance *instance, int64_t now_ms)
{
    if (instance->state == INSTANCE_RUNNING && now_ms - instance->moved_at_ms > RESTART_STEADY_MS)
        return 0;
    return instance->restarts;
}

bool
restart_is_due(const struct instance *instance, int64_t now_ms)
{
    const struct blueprint_restart *restart = &instance->blueprint->spec.restart;

    if (instance->desired != INSTANCE_RUNNING || restart->policy == RESTART_NO)
        return false;
    if (restart->policy == RESTART_ON_FAILURE && instance->exit_code == 0)
        return false;
    return restart->max_retries == 0 ||
           (int64_t)restart_count(instance, now_ms) < restart->max_retries;
}

void
restart_start(struct engine *engine, struct instance *instance, const char *why)
{
    int64_t now_ms = state_now_ms(engine);
    int64_t delay_ms = RESTART_DELAY_MIN_MS;
    char pause[32];
    struct buf text;

    if (instance->host->state != HOST_ACTIVE) {
        /* A host that is to be empty would never get rid of it. */
        instance->retry_at_ms = 0;
        model_instance_move(engine->model, instance, INSTANCE_EV_RETRY, why, now_ms);
        state_sweep(engine);
        return;
    }
    instance->restarts = restart_count(instance, now_ms);
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
