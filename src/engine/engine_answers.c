/* Idempotency keys: an answer is in flight until the turn that made it is durable. */

#include "berth/base/intern.h"

#include "turn.h"

enum engine_answer
engine_answer_find(struct engine *engine, const char *key, struct store_answer *ret_answer)
{
    const struct store_port *store = engine->ports.store;

    if (intern_find(engine->flights, key))
        return ANSWER_IN_FLIGHT;
    return store->answer_find(store->self, key, ret_answer) ? ANSWER_KEPT : ANSWER_NONE;
}

void
engine_answer_begin(struct engine *engine, const char *key)
{
    intern_get(engine->flights, key);
}

void
engine_answer_end(struct engine *engine, const char *key)
{
    intern_put(engine->flights, intern_find(engine->flights, key));
}

void
engine_answer_keep(struct engine *engine, const struct store_answer *answer)
{
    engine->ports.store->put_answer(turn_batch(engine), answer);
}
