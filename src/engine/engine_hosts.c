#include "engine_hosts.h"

#include <assert.h>
#include <string.h>

#include "berth/domain/given.h"

#include "departures.h"
#include "images.h"
#include "join.h"
#include "labels.h"
#include "lane.h"
#include "rental.h"
#include "shutdown.h"
#include "trust.h"

static const char *
hosts_text(const char *text)
{
    return text && *text ? text : NULL;
}

/* Where its published ports are: this machine, or the address in the engine's URL. */
static char *
hosts_address(const char *engine)
{
    const char *at = strstr(engine, "://");
    size_t len;
    char *address;

    if (!at || strncmp(engine, "unix", 4) == 0)
        return mem_strdup("127.0.0.1");
    at += 3;
    if (*at == '[') {
        at++;
        len = strcspn(at, "]");
    } else {
        len = strcspn(at, ":/");
    }
    address = mem_new0(len + 1);
    memcpy(address, at, len);
    return address;
}

const char *
engine_ssh_key(const struct engine *engine)
{
    const struct shell_port *shell = engine->ports.shell;

    return shell && shell->public_key ? shell->public_key(shell->self) : NULL;
}

int
engine_host_labels_set(struct engine *engine, struct host *host, const struct schema_map *own,
                       struct fault *fault)
{
    if (engine_admit(engine, false, fault) < 0)
        return -1;
    labels_set(engine, host, own);
    return 0;
}

int
engine_host_endpoint_set(struct engine *engine, struct host *host,
                         const struct host_endpoint *endpoint, struct fault *fault)
{
    const struct docker_port *docker = engine->ports.docker;

    if (engine_admit(engine, false, fault) < 0 ||
        docker->host_set(docker->self, host->id, endpoint, engine->info.cluster_id, fault) < 0)
        return -1;
    free(host->address);
    free(host->endpoint.engine);
    host->address = hosts_address(endpoint->engine);
    host->endpoint.engine = mem_strdup(endpoint->engine);
    host->endpoint.plain = endpoint->plain;
    (void)model_host_text_set(engine->model, &host->endpoint.ca, hosts_text(endpoint->ca));
    (void)model_host_text_set(engine->model, &host->endpoint.cert, hosts_text(endpoint->cert));
    (void)model_host_text_set(engine->model, &host->endpoint.key, hosts_text(endpoint->key));
    model_host_touch(engine->model, host, state_now_ms(engine));
    state_event(engine, "host.endpoint", host, NULL, "is reached at %s now", host->endpoint.engine);
    if (host->lane) {
        host->lane->unset = false;
        join_schedule(host->lane, 0);
    }
    return 0;
}

static bool
hosts_has_playbook(const struct engine *engine, const struct pool *pool)
{
    const struct shell_port *shell = engine->ports.shell;
    char revision[SHELL_REVISION_SIZE];

    return shell && shell->revision(shell->self, pool, revision);
}

static int
hosts_add_check(const struct engine *engine, const struct host_request *request,
                const struct pool *pool, struct fault *fault)
{
    if (!pool)
        return fault_set(fault, FAULT_NOT_FOUND, "hosts", "there is no pool %s", request->pool);
    if (pool_provider_rents(pool->provider)) {
        return fault_set(
            fault, FAULT_CONFLICT, "hosts",
            "pool %s rents its machines itself: add hosts to a pool of provider static",
            request->pool);
    }
    if (model_host_find(engine->model, pool, request->name)) {
        return fault_set(fault, FAULT_CONFLICT, "hosts", "pool %s has a host %s already",
                         request->pool, request->name);
    }
    if (request->ssh && !hosts_has_playbook(engine, pool)) {
        return fault_set(fault, FAULT_CONFLICT, "hosts",
                         "pool %s has no playbook to prepare machines with: name it, with provider "
                         "static, in the daemon's configuration",
                         pool->name);
    }
    return 0;
}

/* How its engine is reached, its preparation tells. */
static void
hosts_fill_given(struct host *host, const struct host_request *request)
{
    struct given given;
    bool good = given_parse(request->ssh, &given);

    assert(good);
    host->machine = machine_new(NULL);
    host->machine->ssh = mem_strdup(request->ssh);
    host->machine->host_key = given_key(request->host_key);
    host->address = mem_strdup(good ? given.address : NULL);
    host->reason = mem_printf("added to pool %s as %s", host->pool->name, request->ssh);
}

static void
hosts_fill_engine(struct host *host, const struct host_request *request)
{
    host->address = hosts_address(request->endpoint.engine);
    host->endpoint = (struct host_endpoint){
        .engine = mem_strdup(request->endpoint.engine),
        .ca = hosts_text(request->endpoint.ca), /* the model interns these */
        .cert = hosts_text(request->endpoint.cert),
        .key = hosts_text(request->endpoint.key),
        .plain = request->endpoint.plain,
    };
    host->waiting_for = mem_strdup("engine");
    host->reason = mem_printf("added to pool %s at %s", host->pool->name, host->endpoint.engine);
}

static void
hosts_begin(struct engine *engine, struct host *host)
{
    if (host->machine) {
        struct rental *rental = rental_new(engine, host);

        rental_stage_set(rental, MACHINE_UP, "preparation");
        rental_poke(rental);
        return;
    }
    if (host->endpoint.plain) {
        state_event(engine, "host.plain", host, NULL,
                    "its engine is reached without TLS: whoever reaches %s owns the machine",
                    host->endpoint.engine);
    }
    lane_new(engine, host);
}

int
engine_host_add(struct engine *engine, const struct host_request *request, struct host **ret_host,
                struct fault *fault)
{
    const struct docker_port *docker = engine->ports.docker;
    struct pool *pool = model_pool_find(engine->model, request->pool);
    struct host *host;
    int64_t id;

    if (engine_admit(engine, false, fault) < 0 || hosts_add_check(engine, request, pool, fault) < 0)
        return -1;
    id = state_id_next(engine);
    if (!request->ssh &&
        docker->host_set(docker->self, id, &request->endpoint, engine->info.cluster_id, fault) < 0)
        return -1;

    host = host_new(pool, request->name);
    host->id = id;
    host->labels = labels_merge(&request->labels, &pool->policy.labels);
    host->state = HOST_SPAWNED;
    host->created_at_ms = state_now_ms(engine);
    host->configured = request->configured;
    if (request->ssh) {
        hosts_fill_given(host, request);
    } else {
        hosts_fill_engine(host, request);
    }
    model_host_add(engine->model, host, false);
    hosts_begin(engine, host);
    *ret_host = host;
    return 0;
}

static struct operation *
hosts_operation(struct engine *engine, struct host *host, enum operation_kind kind,
                const char *owner)
{
    struct operation *operation = operation_new(state_id_next(engine), kind);

    operation->owner = mem_strdup(hosts_text(owner));
    operation->pool = mem_strdup(host->pool->name);
    operation->host_id = host->id;
    operation->subject = mem_strdup(host->name);
    operation->total = host->instance_count;
    operation->created_at_ms = state_now_ms(engine);
    model_operation_add(engine->model, operation, false);
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    return operation;
}

static void
hosts_drain(struct engine *engine, struct host *host, int64_t deadline_ms, const char *reason)
{
    if (deadline_ms < 0)
        deadline_ms = host->pool->policy.drain_deadline_ms;
    departures_begin(engine, host, CAUSE_OPERATOR, state_now_ms(engine) + deadline_ms, reason);
}

int
engine_host_drain(struct engine *engine, struct host *host, int64_t deadline_ms, const char *owner,
                  struct operation **ret_operation, struct fault *fault)
{
    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (host->state == HOST_REMOVED)
        return fault_set(fault, FAULT_CONFLICT, "hosts", "host %s is removed", host->name);
    hosts_drain(engine, host, deadline_ms, "drained by an operator");
    *ret_operation = hosts_operation(engine, host, OPERATION_HOST_DRAIN, owner);
    return 0;
}

void
engine_hosts_take_back(struct engine *engine, struct host *host, const char *reason)
{
    int64_t now_ms = state_now_ms(engine);

    if (host->state == HOST_INACTIVE) {
        host->cause = CAUSE_NONE;
        model_host_move(engine->model, host, HOST_EV_ACTIVATED, reason, now_ms);
    } else {
        model_host_touch(engine->model, host, now_ms);
    }
    if (host->lane)
        join_schedule(host->lane, 0);
    state_sweep(engine);
}

/* Who puts a worn host back means it to serve: its life begins anew, or it would leave at once. */
static void
hosts_renew(struct engine *engine, struct host *host)
{
    int64_t now_ms = state_now_ms(engine);

    if (host->state != HOST_INACTIVE || (host->cause != CAUSE_AGE && host->cause != CAUSE_USES))
        return;
    host->active_at_ms = now_ms;
    host->first_used_at_ms = host->instance_count > 0 ? now_ms : 0;
    host->uses = 0;
}

bool
engine_hosts_is_prepared(const struct host *host)
{
    return !host->machine || (host->lane && host->machine->stage == MACHINE_READY);
}

int
engine_host_activate(struct engine *engine, struct host *host, struct fault *fault)
{
    if (engine_admit(engine, false, fault) < 0)
        return -1;
    if (host->state == HOST_REMOVED || host->lost) {
        return fault_set(fault, FAULT_CONFLICT, "hosts", "host %s is removed; add it again instead",
                         host->name);
    }
    if (!engine_hosts_is_prepared(host)) {
        return fault_set(fault, FAULT_CONFLICT, "hosts",
                         "the machine of host %s is %s: only one that was prepared can be active",
                         host->name, machine_stage_name(host->machine->stage));
    }
    hosts_renew(engine, host);
    trust_vouch(engine, host, "an operator vouches for it: it takes work again");
    host->remove_when_empty = false;
    host->ends_at_ms = 0;
    if (host->other_engine)
        free(STEAL(host->engine_id)); /* the next one that answers is its */
    if (host->waiting_for && host->state == HOST_INACTIVE)
        free(STEAL(host->waiting_for));
    engine_hosts_take_back(engine, host, "activated by an operator");
    IDMAP_EACH(&engine->model->operations, struct operation, operation)
    {
        if (operation->host_id == host->id && operation->state == OPERATION_RUNNING)
            (void)engine_operation_cancel(engine, operation, fault);
    }
    return 0;
}

int
engine_host_remove(struct engine *engine, struct host *host, bool force, const char *owner,
                   struct operation **ret_operation, struct fault *fault)
{
    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (host->state == HOST_REMOVED)
        return fault_set(fault, FAULT_CONFLICT, "hosts", "host %s is removed already", host->name);
    host->remove_when_empty = true;
    if (force) {
        host->lost = true;
        engine->hosts_lost = true;
    }
    hosts_drain(engine, host, -1, "removed by an operator");
    *ret_operation = hosts_operation(engine, host, OPERATION_HOST_REMOVE, owner);
    return 0;
}

/* Until when the policy wants a host empty that it has taken out of service; 0: there is no hurry. */
static int64_t
hosts_deadline(const struct engine *engine, const struct host *host)
{
    const struct pool_policy *policy = &host->pool->policy;
    int64_t deadline_ms = policy->retire_deadline_ms;

    if (host->cause == CAUSE_ERRORS && deadline_ms == 0)
        deadline_ms = policy->drain_deadline_ms;
    return deadline_ms > 0 && host->cause != CAUSE_OPERATOR && host->instance_count > 0
               ? state_now_ms(engine) + deadline_ms
               : 0;
}

/* What runs there goes on, and the host takes work again if it did before; another operation on it
 * goes on, too. */
static void
hosts_operation_undo(struct engine *engine, const struct operation *operation, struct host *host)
{
    bool drains = false;
    bool removes = false;

    IDMAP_EACH(&engine->model->operations, struct operation, one)
    {
        bool other =
            one != operation && one->host_id == host->id && one->state == OPERATION_RUNNING;

        drains |= other;
        removes |= other && one->kind == OPERATION_HOST_REMOVE;
    }
    host->remove_when_empty =
        host->remove_when_empty && (removes || !engine_hosts_is_prepared(host));
    if (!drains) {
        host->ends_at_ms = hosts_deadline(engine, host);
        free(STEAL(host->waiting_for));
    }
    if (!drains && host->cause == CAUSE_OPERATOR && engine_hosts_is_prepared(host)) {
        engine_hosts_take_back(engine, host, "its drain was cancelled");
    } else {
        model_host_touch(engine->model, host, state_now_ms(engine));
    }
}

static void
hosts_shutdown_undo(struct engine *engine, struct pool *pool)
{
    pool->policy.shutdown = false;
    model_pool_touch(engine->model, pool);
    shutdown_undo(engine, pool, "its shutdown was cancelled");
}

int
engine_operation_cancel(struct engine *engine, struct operation *operation, struct fault *fault)
{
    struct host *host = idmap_find(&engine->model->hosts, operation->host_id);

    if (engine_admit(engine, true, fault) < 0)
        return -1;
    if (operation->state != OPERATION_RUNNING) {
        return fault_set(fault, FAULT_CONFLICT, "operations", "it is %s already",
                         operation_state_name(operation->state));
    }
    if (host && operation->kind == OPERATION_HOST_REMOVE &&
        (host->lost || (host->machine && host->machine->stage == MACHINE_RETURNING))) {
        return fault_set(fault, FAULT_CONFLICT, "operations",
                         "host %s is being given up; that cannot be taken back", host->name);
    }
    if (operation->kind == OPERATION_POOL_SHUTDOWN) {
        hosts_shutdown_undo(engine, model_pool_find(engine->model, operation->pool));
        return 0;
    }
    operation->cancel_asked = true;
    if (operation->work) {
        images_operation_cancel(engine, operation);
        return 0;
    }
    if (host && host->state == HOST_INACTIVE)
        hosts_operation_undo(engine, operation, host);
    operation->state = OPERATION_CANCELLED;
    operation->ended_at_ms = state_now_ms(engine);
    model_operation_touch(engine->model, operation);
    return 0;
}
