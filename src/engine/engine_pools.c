/* A pool's plan, told and carried out on request. */

#include <string.h>

#include "housekeeping.h"
#include "outlook.h"

static void
pools_amount(struct json_out *out, const char *key, const struct host_amount *amount)
{
    json_out_key(out, key);
    json_out_object(out);
    json_out_kv_int(out, "memory_bytes", amount->memory_bytes);
    json_out_kv_milli(out, "cpus", amount->cpus_milli);
    json_out_kv_int(out, "slots", amount->slots);
    json_out_object_end(out);
}

static void
pools_action(const struct engine *engine, const struct pool *pool,
             const struct policy_action *action, struct json_out *out)
{
    const struct pool_machine *types = pool->machines.at;
    const struct host *host = idmap_find(&engine->model->hosts, action->host_id);
    bool spawn = action->kind == POLICY_SPAWN && (size_t)action->machine < pool->machines.count;
    bool leave = action->kind == POLICY_DRAIN || action->kind == POLICY_INACTIVATE;

    json_out_object(out);
    json_out_kv_string(out, "kind", policy_kind_name(action->kind));
    json_out_kv_string(out, "host", host ? host->name : NULL);
    json_out_kv_string(out, "machine_type", spawn ? types[action->machine].type : NULL);
    json_out_kv_string(out, "cause", leave ? host_cause_name((int32_t)action->cause) : NULL);
    json_out_kv_string(out, "reason", action->reason);
    json_out_object_end(out);
}

static void
pools_round(const struct engine *engine, const struct policy_view *view,
            const struct policy_plan *plan, struct json_out *out)
{
    json_out_object(out);
    json_out_kv_time(out, "at", view->now_ms);
    json_out_key(out, "actions");
    json_out_array(out);
    for (size_t i = 0; i < plan->count; i++)
        pools_action(engine, view->pool, &plan->actions[i], out);
    json_out_array_end(out);
    json_out_key(out, "held");
    json_out_array(out);
    for (size_t i = 0; i < plan->held_count; i++) {
        json_out_object(out);
        json_out_kv_string(out, "hold", policy_hold_name(plan->held[i].hold));
        json_out_kv_string(out, "text", plan->held[i].text);
        json_out_object_end(out);
    }
    json_out_array_end(out);
    pools_amount(out, "headroom", &plan->headroom);
    pools_amount(out, "wanted", &plan->wanted);
    json_out_object_end(out);
}

static void
pools_money(const struct policy_view *view, const struct policy_plan *plan, struct json_out *out)
{
    int64_t budget_milli = view->pool->policy.budget_per_month_milli;

    json_out_key(out, "money");
    json_out_object(out);
    json_out_kv_micro(out, "spent", plan->spent_micro);
    json_out_kv_micro(out, "committed", plan->committed_micro);
    json_out_key(out, "budget");
    if (budget_milli > 0) {
        json_out_milli(out, budget_milli);
    } else {
        json_out_null(out);
    }
    json_out_object_end(out);
}

void
engine_pool_plan(struct engine *engine, struct pool *pool, uint32_t rounds, struct json_out *out)
{
    struct policy_plan *plan = mem_new0(sizeof(*plan));
    struct outlook outlook;
    char revision[OUTLOOK_DIGEST_SIZE];

    (void)rounds;
    outlook_init(engine, pool, &outlook);
    policy_plan_make(&outlook.view, plan);
    outlook_digest(&outlook, plan, revision);
    json_out_object(out);
    json_out_kv_string(out, "pool", pool->name);
    json_out_kv_string(out, "revision", revision);
    json_out_key(out, "rounds");
    json_out_array(out);
    pools_round(engine, &outlook.view, plan, out);
    json_out_array_end(out);
    pools_money(&outlook.view, plan, out);
    json_out_kv_uint(out, "launches_last_hour", outlook.view.launches);
    json_out_key(out, "launches_per_hour");
    if (pool->policy.launches_per_hour > 0) {
        json_out_int(out, pool->policy.launches_per_hour);
    } else {
        json_out_null(out);
    }
    json_out_kv_uint(out, "waiting", outlook.view.demand.count);
    json_out_kv_time(out, "next_at", plan->next_at_ms);
    json_out_object_end(out);
    outlook_fini(&outlook);
    mem_free(plan);
}

static struct operation *
pools_operation(struct engine *engine, const struct pool *pool, const char *owner, size_t planned,
                size_t begun)
{
    struct operation *operation = operation_new(state_id_next(engine), OPERATION_HOUSEKEEPING);

    operation->owner = mem_strdup(owner);
    operation->pool = mem_strdup(pool->name);
    operation->total = (int64_t)planned;
    operation->progress = (int64_t)begun;
    operation->text = mem_printf("%zu of %zu actions begun", begun, planned);
    operation->state = OPERATION_DONE;
    operation->created_at_ms = state_now_ms(engine);
    operation->ended_at_ms = operation->created_at_ms;
    model_operation_add(engine->model, operation, false);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    return operation;
}

int
engine_pool_apply(struct engine *engine, const struct pool_apply *apply,
                  struct operation **ret_operation, struct fault *fault)
{
    struct pool *pool = model_pool_find(engine->model, apply->pool);
    struct policy_plan *plan;
    struct outlook outlook;
    char revision[OUTLOOK_DIGEST_SIZE];
    int result = 0;

    if (engine_admit(engine, false, fault) < 0)
        return -1;
    if (!pool)
        return fault_set(fault, FAULT_NOT_FOUND, "pools", "there is no pool %s", apply->pool);
    plan = mem_new0(sizeof(*plan));
    outlook_init(engine, pool, &outlook);
    policy_plan_make(&outlook.view, plan);
    outlook_digest(&outlook, plan, revision);
    outlook_fini(&outlook);
    if (strcmp(revision, apply->revision) != 0) {
        result = fault_set(fault, FAULT_PRECONDITION, "pools",
                           "pool %s has moved since that plan was made: it is at revision %s now; "
                           "ask for a new plan",
                           pool->name, revision);
    } else {
        size_t begun = housekeeping_carry_out(engine, pool, plan);

        *ret_operation = pools_operation(engine, pool, apply->owner, plan->count, begun);
    }
    mem_free(plan);
    return result;
}
