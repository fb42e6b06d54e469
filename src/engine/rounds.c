#include "rounds.h"

#include "join.h"
#include "lane.h"
#include "tick.h"

struct round {
    struct list_node node;
    int64_t operation_id;
};

int
engine_housekeep(struct engine *engine, const char *owner, struct operation **ret_operation,
                 struct fault *fault)
{
    struct round *round;
    struct operation *operation;

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    operation = operation_new(state_id_next(engine), OPERATION_HOUSEKEEPING);
    operation->owner = mem_strdup(owner);
    operation->created_at_ms = state_now_ms(engine);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (!host->lane)
            continue;
        operation->total++;
        engine->rounds_due += !host->lane->round_due;
        host->lane->round_due = true;
        join_schedule(host->lane, 0);
    }
    if (operation->total == 0) {
        operation->state = OPERATION_DONE;
        operation->ended_at_ms = operation->created_at_ms;
    }
    model_operation_add(engine->model, operation, false);
    tick_housekeep(engine);
    *ret_operation = operation;
    if (operation->state != OPERATION_RUNNING)
        return 0;
    round = mem_new0(sizeof(*round));
    round->operation_id = operation->id;
    list_push(&engine->rounds, &round->node);
    return 0;
}

static void
rounds_end(struct engine *engine, struct round *round, struct operation *operation)
{
    list_remove(&engine->rounds, &round->node);
    free(round);
    if (!operation || operation->state != OPERATION_RUNNING)
        return;
    operation->state = OPERATION_DONE;
    operation->progress = operation->total;
    operation->ended_at_ms = state_now_ms(engine);
    model_operation_touch(engine->model, operation);
}

void
rounds_host_looked(struct engine *engine, const struct host *host)
{
    struct list_node *next;

    engine->rounds_due -= host->lane->round_due;
    host->lane->round_due = false;
    if (engine->rounds_due > 0 || engine->reloading)
        return;
    for (struct list_node *node = list_first(&engine->rounds); node; node = next) {
        struct round *round = CONTAINER_OF(node, struct round, node);

        next = list_next(&engine->rounds, node);
        rounds_end(engine, round, idmap_find(&engine->model->operations, round->operation_id));
    }
}

void
rounds_fini(struct engine *engine)
{
    struct list_node *node;

    while ((node = list_pop(&engine->rounds)))
        free(CONTAINER_OF(node, struct round, node));
}
