#include "blame.h"

void
blame_blueprint(struct engine *engine, struct blueprint *blueprint, const struct fault *fault)
{
    const struct event event = {
        .kind = "blueprint.fault",
        .text = fault->text,
    };
    int64_t now_ms = state_now_ms(engine);

    if (!blueprint->breaker)
        blueprint->breaker = mem_new0(sizeof(*blueprint->breaker));
    score_add(blueprint->breaker, fault->kind, now_ms);
    model_event_add(engine->model, &event, now_ms);
}
