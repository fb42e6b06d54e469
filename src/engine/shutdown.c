#include "shutdown.h"

#include <inttypes.h>
#include <string.h>

#include "berth/domain/cost.h"

#include "departures.h"
#include "engine_hosts.h"
#include "forget.h"
#include "housekeeping.h"

enum { SHUTDOWN_MICRO_CENT = 10000 };

/* What is still there. */
struct shutdown_rest {
    uint32_t hosts;
    uint32_t instances;
};

/* In order of time. */
static void shutdown_look(struct engine *engine, struct operation *operation, struct pool *pool);
/* @forgotten: what became of what was made for the pool, as the end of a sentence */
static void shutdown_done(struct engine *engine, struct operation *operation, struct pool *pool,
                          const char *forgotten);

static bool
shutdown_runs(const struct operation *operation)
{
    return operation->kind == OPERATION_POOL_SHUTDOWN && operation->state == OPERATION_RUNNING;
}

struct operation *
shutdown_find(const struct engine *engine, const struct pool *pool)
{
    if (engine->shutdowns == 0)
        return NULL;
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (shutdown_runs(operation) && strcmp(operation->pool, pool->name) == 0)
            return operation;
    }
    return NULL;
}

void
shutdown_resume(struct engine *engine)
{
    engine->shutdowns = 0;
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        engine->shutdowns += shutdown_runs(operation);
    }
}

/* --- Its begin ------------------------------------------------------------------------------------ */

static struct shutdown_rest
shutdown_rest(const struct engine *engine, const struct pool *pool)
{
    struct shutdown_rest rest = { 0 };

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool != pool || host->state == HOST_REMOVED)
            continue;
        rest.hosts++;
        rest.instances += host->instance_count;
    }
    return rest;
}

static struct operation *
shutdown_new(struct engine *engine, const struct pool *pool, const char *owner)
{
    struct operation *operation = operation_new(state_id_next(engine), OPERATION_POOL_SHUTDOWN);
    struct shutdown_rest rest = shutdown_rest(engine, pool);

    operation->owner = mem_strdup(owner);
    operation->pool = mem_strdup(pool->name);
    operation->total =
        pool_provider_rents(pool->provider) ? rest.hosts + SHUTDOWN_LISTINGS : rest.hosts;
    operation->created_at_ms = state_now_ms(engine);
    model_operation_add(engine->model, operation, false);
    engine->shutdowns++;
    mind_of(engine, model_pool_find(engine->model, pool->name))->proof = (struct mind_proof){ 0 };
    return operation;
}

/* Another deadline than the one that was named before. */
static void
shutdown_deadline_set(struct engine *engine, struct operation *operation, const struct pool *pool,
                      int64_t ends_at_ms)
{
    int64_t now_ms = state_now_ms(engine);
    char until[TEXT_TIME_SIZE];

    operation->ends_at_ms = ends_at_ms;
    model_operation_touch(engine->model, operation);
    state_pool_event(engine, "pool.shutdown", pool,
                     "%s shuts it down: what runs there is stopped at %s", operation->owner,
                     text_time(ends_at_ms, until));
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool != pool || host->state != HOST_INACTIVE || host->cause != CAUSE_SHUTDOWN ||
            host->instance_count == 0)
            continue;
        host->ends_at_ms = ends_at_ms;
        model_host_touch(engine->model, host, now_ms);
    }
}

int
engine_pool_shutdown(struct engine *engine, const struct pool_shutdown *wanted,
                     struct operation **ret_operation, struct fault *fault)
{
    struct pool *pool = model_pool_find(engine->model, wanted->pool);
    struct operation *operation;
    int64_t deadline_ms = wanted->deadline_ms;

    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (!pool)
        return fault_set(fault, FAULT_NOT_FOUND, "pools", "there is no pool %s", wanted->pool);
    if (deadline_ms < 0)
        deadline_ms = pool->policy.drain_deadline_ms;
    operation = shutdown_find(engine, pool);
    if (!operation)
        operation = shutdown_new(engine, pool, wanted->owner);
    pool->policy.shutdown = true;
    pool->shut_down = true;
    model_pool_touch(engine->model, pool);
    shutdown_deadline_set(engine, operation, pool, state_now_ms(engine) + deadline_ms);
    shutdown_check(engine);
    housekeeping_poke(engine);
    *ret_operation = operation;
    return 0;
}

/* --- Its way -------------------------------------------------------------------------------------- */

void
shutdown_check(struct engine *engine)
{
    if (engine->shutdowns == 0 || engine->info.restored)
        return;
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (shutdown_runs(operation))
            shutdown_look(engine, operation, model_pool_find(engine->model, operation->pool));
    }
}

static void
shutdown_host(struct engine *engine, const struct operation *operation, struct host *host)
{
    static const char why[] = "its pool is being shut down";

    if (host->state == HOST_ACTIVE || host->state == HOST_SPAWNED) {
        state_event(engine, "host.drain", host, NULL, why);
        departures_begin(engine, host, CAUSE_SHUTDOWN, operation->ends_at_ms, why);
    } else if (host->instance_count > 0 &&
               (host->ends_at_ms == 0 || host->ends_at_ms > operation->ends_at_ms)) {
        host->ends_at_ms = operation->ends_at_ms;
        model_host_touch(engine->model, host, state_now_ms(engine));
    }
}

/* @text: taken */
static void
shutdown_say(struct engine *engine, struct operation *operation, int64_t progress, char *text)
{
    CLEANUP(mem_freep) char *owned = text;

    if (operation->progress == progress && operation->text && strcmp(operation->text, owned) == 0)
        return;
    mem_free(operation->text);
    operation->text = STEAL(owned);
    operation->progress = progress;
    model_operation_touch(engine->model, operation);
}

static char *
shutdown_text(const struct operation *operation, const struct mind *mind,
              const struct shutdown_rest *rest)
{
    const struct inventory_seen *seen = inventory_seen(mind);
    char until[TEXT_TIME_SIZE];

    if (rest->instances > 0) {
        return mem_printf("%" PRIu32 " instances on %" PRIu32 " hosts end by %s", rest->instances,
                          rest->hosts, text_time(operation->ends_at_ms, until));
    }
    if (rest->hosts > 0)
        return mem_printf("%" PRIu32 " machines are being given back", rest->hosts);
    if (mind->proof.listings == 0 && seen && seen->alive > 0) {
        return mem_printf("all hosts are gone; the account still lists %zu machines "
                          "(berth pool orphans %s)",
                          seen->alive, mind->pool->name);
    }
    if (forget_is_busy(mind)) {
        const char *why = forget_says(mind);

        return mem_printf("all machines are gone; what was made for the pool is being deleted%s%s",
                          why ? ", but: " : "", why ? why : "");
    }
    return mem_printf("all hosts are gone; %" PRIu32 " of %d complete listings show no machine",
                      mind->proof.listings, SHUTDOWN_LISTINGS);
}

static void
shutdown_look(struct engine *engine, struct operation *operation, struct pool *pool)
{
    bool rents = pool_provider_rents(pool->provider);
    struct mind_proof *proof = &mind_of(engine, pool)->proof;
    struct shutdown_rest rest;
    int64_t gone;

    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool == pool && host->state != HOST_REMOVED && !host->lost)
            shutdown_host(engine, operation, host);
    }
    rest = shutdown_rest(engine, pool);
    if (!rents && rest.instances == 0) {
        shutdown_done(engine, operation, pool, "");
        return;
    }
    if (rest.hosts > 0) {
        *proof = (struct mind_proof){ 0 };
    } else if (proof->gone_mono_ms == 0) {
        proof->gone_mono_ms = state_mono_ms(engine);
    }
    if (rents && rest.hosts == 0)
        inventory_hasten(mind_of(engine, pool));
    gone = operation->total - (rents ? SHUTDOWN_LISTINGS : 0) - rest.hosts;
    shutdown_say(engine, operation, (gone > 0 ? gone : 0) + proof->listings,
                 shutdown_text(operation, mind_of(engine, pool), &rest));
}

/* --- Its end -------------------------------------------------------------------------------------- */

void
shutdown_listed(struct mind *mind, const struct inventory_seen *seen)
{
    struct engine *engine = mind->engine;
    struct operation *operation = shutdown_find(engine, mind->pool);
    struct mind_proof *proof = &mind->proof;

    if (!operation || !seen->complete || proof->gone_mono_ms == 0 ||
        seen->began_mono_ms < proof->gone_mono_ms)
        return;
    if (seen->alive > 0) {
        proof->listings = 0;
        return;
    }
    if (proof->listings == 0)
        proof->first_at_ms = seen->at_ms;
    proof->last_at_ms = seen->at_ms;
    if (proof->listings < SHUTDOWN_LISTINGS)
        proof->listings++;
    if (proof->listings == SHUTDOWN_LISTINGS)
        forget_start(mind);
}

/* A machine that was seen since then is given back first; the proof begins anew. */
void
shutdown_forgotten(struct mind *mind, const char *deleted, const struct fault *fault)
{
    struct operation *operation = shutdown_find(mind->engine, mind->pool);
    CLEANUP(mem_freep) char *text = NULL;

    if (!operation || mind->proof.listings < SHUTDOWN_LISTINGS)
        return;
    text = mem_printf("%s%s%s%s%s", deleted ? "; deleted: " : "", deleted ? deleted : "",
                      fault ? "; not deleted, what is left of the pool beside machines: " : "",
                      fault ? fault->text : "", fault ? " (once more: berth pool shutdown)" : "");
    shutdown_done(mind->engine, operation, mind->pool, text);
}

/* @text: taken */
static void
shutdown_end(struct engine *engine, struct operation *operation, enum operation_state state,
             char *text)
{
    mem_free(operation->text);
    operation->text = text;
    operation->state = (int32_t)state;
    operation->ended_at_ms = state_now_ms(engine);
    if (state == OPERATION_DONE)
        operation->progress = operation->total;
    model_operation_touch(engine->model, operation);
    engine->shutdowns--;
}

static char *
shutdown_proof_text(struct engine *engine, const struct operation *operation, struct pool *pool,
                    const char *forgotten)
{
    const struct mind_proof *proof = &mind_of(engine, pool)->proof;
    bool this_month = pool->spent_month == cost_month(state_now_ms(engine));
    int64_t cents = this_month ? pool->spent_micro / SHUTDOWN_MICRO_CENT : 0;
    char first[TEXT_TIME_SIZE];
    char last[TEXT_TIME_SIZE];

    return mem_printf("proof: the account lists 0 machines of pool %s with tag " CLOUD_TAG_CLUSTER
                      "=%s, in two complete listings at %s and %s; machines given back: %" PRId64
                      "; all machines of the pool cost %" PRId64 ".%02" PRId64 " this month%s",
                      pool->name, engine->info.cluster_id, text_time(proof->first_at_ms, first),
                      text_time(proof->last_at_ms, last), operation->total - SHUTDOWN_LISTINGS,
                      cents / 100, cents % 100, forgotten);
}

static void
shutdown_done(struct engine *engine, struct operation *operation, struct pool *pool,
              const char *forgotten)
{
    char *text = pool_provider_rents(pool->provider)
                     ? shutdown_proof_text(engine, operation, pool, forgotten)
                     : mem_printf("nothing runs in pool %s any more; its machines are not Berth's "
                                  "to end: they stay, out of service",
                                  pool->name);

    state_pool_event(engine, "pool.shutdown_done", pool, "%s", text);
    shutdown_end(engine, operation, OPERATION_DONE, text);
}

void
shutdown_undo(struct engine *engine, struct pool *pool, const char *why)
{
    struct operation *operation = shutdown_find(engine, pool);

    forget_stop(mind_of(engine, pool));
    if (operation) {
        state_pool_event(engine, "pool.shutdown_cancelled", pool, "%s", why);
        shutdown_end(engine, operation, OPERATION_CANCELLED, mem_strdup(why));
    }
    pool->shut_down = false;
    model_pool_save(engine->model, pool);
    IDMAP_EACH(&engine->model->hosts, struct host, host)
    {
        if (host->pool != pool || host->state != HOST_INACTIVE || host->cause != CAUSE_SHUTDOWN ||
            host->lost || host->remove_when_empty || !engine_hosts_is_prepared(host))
            continue;
        host->ends_at_ms = 0;
        mem_free(STEAL(host->waiting_for));
        engine_hosts_take_back(engine, host, why);
    }
    housekeeping_poke(engine);
}
