#include "rounds.h"

#include <inttypes.h>

#include "housekeeping.h"
#include "join.h"
#include "lane.h"
#include "mind.h"
#include "tick.h"

enum { ROUNDS_TEXT_MAX = 1000 };

static void rounds_settle(struct engine *engine);

struct round {
    struct list_node node;
    int64_t operation_id;
    uint64_t begun[POLICY_KIND_COUNT]; /* actions of all pools before it */
};

static void
rounds_begun(struct engine *engine, uint64_t ret_begun[POLICY_KIND_COUNT])
{
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++)
        ret_begun[kind] = 0;
    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++)
            ret_begun[kind] += mind->status.begun[kind];
    }
}

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
    model_operation_add(engine->model, operation, false);
    round = mem_new0(sizeof(*round));
    round->operation_id = operation->id;
    rounds_begun(engine, round->begun);
    list_push(&engine->rounds, &round->node);
    tick_housekeep(engine);
    rounds_settle(engine);
    *ret_operation = operation;
    return 0;
}

/* "spawn 2, drain 1; pool rent is held back: budget" */
static char *
rounds_text(struct engine *engine, const struct round *round)
{
    uint64_t begun[POLICY_KIND_COUNT];
    struct buf text;

    buf_init(&text, ROUNDS_TEXT_MAX);
    rounds_begun(engine, begun);
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        if (begun[kind] > round->begun[kind]) {
            buf_printf(&text, "%s%s %" PRIu64, text.len > 0 ? ", " : "",
                       policy_kind_name((enum policy_kind)kind), begun[kind] - round->begun[kind]);
        }
    }
    if (text.len == 0)
        buf_append_string(&text, "nothing was to be done");
    IDMAP_EACH(&engine->minds, struct mind, mind)
    {
        const struct status_plan *plan = &mind->status.plan;

        for (size_t i = 0; i < plan->held_count; i++) {
            buf_printf(&text, "%s%s", i == 0 ? "; held back: " : ", ",
                       policy_hold_name(plan->held[i].hold));
        }
        if (plan->held_count > 0)
            buf_printf(&text, " (pool %s)", mind->pool->name);
    }
    return buf_take(&text);
}

static void
rounds_end(struct engine *engine, struct round *round, struct operation *operation)
{
    CLEANUP(mem_freep) char *text = rounds_text(engine, round);

    list_remove(&engine->rounds, &round->node);
    free(round);
    if (!operation || operation->state != OPERATION_RUNNING)
        return;
    mem_free(operation->text);
    operation->text = STEAL(text);
    operation->state = OPERATION_DONE;
    operation->progress = operation->total;
    operation->ended_at_ms = state_now_ms(engine);
    model_operation_touch(engine->model, operation);
}

void
rounds_host_looked(struct engine *engine, const struct host *host)
{
    engine->rounds_due -= host->lane->round_due;
    host->lane->round_due = false;
    rounds_settle(engine);
}

void
rounds_planned(struct engine *engine)
{
    rounds_settle(engine);
}

/* A round is over when each host was looked at and the plan was made. */
static void
rounds_settle(struct engine *engine)
{
    struct list_node *next;

    if (engine->rounds_due > 0 || engine->reloading || housekeeping_is_reading(engine))
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
