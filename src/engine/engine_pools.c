/* A pool's plan, told and carried out on request. */

#include <string.h>

#include "berth/domain/forecast.h"

#include "housekeeping.h"
#include "mind.h"
#include "outlook.h"
#include "tell.h"
#include "upkeep.h"

enum { POOLS_STEPS_MAX = 4 * POOL_ROUNDS_MAX /* rounds that are looked at for those that act */ };
_Static_assert((int)POOL_ROUNDS_MAX <= (int)FORECAST_ROUNDS_MAX, "a forecast reaches so far");

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
    tell_held(out, plan->held, plan->held_count);
    tell_amount(out, "headroom", &plan->headroom);
    tell_amount(out, "wanted", &plan->wanted);
    json_out_object_end(out);
}

/* Later rounds are told when they do something. @plan: the first round's; changed. */
static void
pools_rounds(const struct engine *engine, const struct policy_view *view, struct policy_plan *plan,
             uint32_t rounds, struct json_out *out)
{
    struct forecast forecast;
    uint32_t told = 1;
    int64_t step_ms;

    json_out_key(out, "rounds");
    json_out_array(out);
    pools_round(engine, view, plan, out);
    forecast_init(&forecast, view);
    for (uint32_t i = 0; told < rounds && i < POOLS_STEPS_MAX; i++) {
        step_ms = forecast_step_ms(&forecast, plan, engine->config.housekeeping_ms);
        if (step_ms == 0)
            break;
        forecast_step(&forecast, plan, step_ms);
        policy_plan_make(&forecast.view, plan);
        if (plan->count == 0)
            continue;
        pools_round(engine, &forecast.view, plan, out);
        told++;
    }
    forecast_fini(&forecast);
    json_out_array_end(out);
}

void
engine_pool_plan(struct engine *engine, struct pool *pool, uint32_t rounds, struct json_out *out)
{
    struct policy_plan *plan = mem_new0(sizeof(*plan));
    struct outlook outlook;
    char revision[OUTLOOK_DIGEST_SIZE];

    outlook_init(engine, pool, &outlook);
    policy_plan_make(&outlook.view, plan);
    outlook_digest(&outlook, plan, revision);
    json_out_object(out);
    json_out_kv_string(out, "pool", pool->name);
    json_out_kv_string(out, "revision", revision);
    tell_money(out, pool, plan->spent_micro, plan->committed_micro);
    tell_launches(out, pool, outlook.view.launches);
    json_out_kv_uint(out, "waiting", outlook.view.demand.count);
    refusal_tell(mind_of(engine, pool), out);
    json_out_kv_time(out, "next_at", plan->next_at_ms);
    pools_rounds(engine, &outlook.view, plan, rounds, out);
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
    if (engine->info.restored) {
        return fault_set(fault, FAULT_CONFLICT, "pools",
                         "the restored rows are still being compared with the hosts: no plan is "
                         "carried out before that; try again when the daemon is ready");
    }
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

/* --- Playbooks ------------------------------------------------------------------------------------ */

static void
pools_drift_host(const struct engine *engine, const struct host *host, enum upkeep_drift drift,
                 struct json_out *out)
{
    const struct rental *rental = rental_find(engine, host);
    char id[ID_TEXT_SIZE];

    json_out_object(out);
    json_out_kv_string(out, "host", id_encode(ID_HOST, host->id, id));
    json_out_kv_string(out, "name", host->name);
    json_out_kv_string(out, "state", host_state_name((enum host_state)host->state));
    json_out_kv_string(out, "revision", host->machine->playbook_revision);
    json_out_kv_string(out, "drift", drift == DRIFT_DIFFERS ? "differs" : "unknown");
    json_out_kv_bool(out, "running", rental && rental->upkeep);
    json_out_kv_uint(out, "failures", rental ? rental->upkeep_failures : 0);
    json_out_object_end(out);
}

void
engine_pool_drift(const struct engine *engine, const struct pool *pool, struct json_out *out)
{
    const struct shell_port *shell = engine->ports.shell;
    char revision[SHELL_REVISION_SIZE];
    bool known = shell && shell->revision(shell->self, pool, revision);
    uint32_t hosts = 0;

    json_out_object(out);
    json_out_kv_string(out, "pool", pool->name);
    json_out_kv_string(out, "revision", known ? revision : NULL);
    json_out_kv_string(out, "playbook_drift", pool_drift_name(pool->policy.playbook_drift));
    json_out_key(out, "items");
    json_out_array(out);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        enum upkeep_drift drift;

        if (host->pool != pool || host->state == HOST_REMOVED || !host->machine ||
            host->machine->stage != MACHINE_READY)
            continue;
        hosts++;
        drift = upkeep_drift(engine, host);
        if (drift != DRIFT_NONE)
            pools_drift_host(engine, host, drift, out);
    }
    json_out_array_end(out);
    json_out_kv_uint(out, "hosts", hosts);
    json_out_object_end(out);
}
