#include "engine_answers.h"

#include <string.h>
#include <uthash.h>

#include "turn.h"

struct answer_flight {
    UT_hash_handle hh;
    char key[];
};

enum engine_answer
engine_answer_find(struct engine *engine, const char *key, struct store_answer *ret_answer)
{
    const struct store_port *store = engine->ports.store;
    struct answer_flight *flight;

    HASH_FIND_STR(engine->flights, key, flight);
    if (flight)
        return ANSWER_IN_FLIGHT;
    return store->answer_find(store->self, key, ret_answer) ? ANSWER_KEPT : ANSWER_NONE;
}

void
engine_answer_begin(struct engine *engine, const char *key)
{
    struct answer_flight *flight = mem_new0(sizeof(*flight) + strlen(key) + 1);

    memcpy(flight->key, key, strlen(key) + 1);
    HASH_ADD_STR(engine->flights, key, flight);
}

void
engine_answer_end(struct engine *engine, const char *key)
{
    struct answer_flight *flight;

    HASH_FIND_STR(engine->flights, key, flight);
    if (!flight)
        return;
    HASH_DEL(engine->flights, flight);
    free(flight);
}

void
engine_answer_keep(struct engine *engine, const struct store_answer *answer)
{
    engine->ports.store->put_answer(turn_batch(engine), answer);
}

void
engine_answers_fini(struct engine *engine)
{
    struct answer_flight *flight = engine->flights;

    HASH_CLEAR(hh, engine->flights);
    while (flight) {
        struct answer_flight *next = flight->hh.next;

        free(flight);
        flight = next;
    }
}
