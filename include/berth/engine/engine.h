#pragma once

/*
 * The engine: decides, commits, and carries out.  All calls are made from the
 * loop's thread.  Commands change the model in memory at once; what hangs on
 * them (an answer, a call to Docker) waits with engine_wait_durable() for the
 * commit of the turn.  It knows ports, never adapters.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/json.h"
#include "berth/base/list.h"
#include "berth/domain/model.h"
#include "berth/engine/meter.h"
#include "berth/port/clock.h"
#include "berth/port/cloud.h"
#include "berth/port/docker.h"
#include "berth/port/random.h"
#include "berth/port/shell.h"
#include "berth/port/spool.h"
#include "berth/port/store.h"
#include "berth/port/zone.h"

struct engine;

struct engine_ports {
    const struct clock_port *clock;
    const struct random_port *random;
    const struct store_port *store;
    const struct docker_port *docker;
    const struct spool_port *spool;
    const struct zone_port *zones;  /* NULL: there is only UTC */
    const struct cloud_port *cloud; /* NULL: no provider that rents machines */
    const struct shell_port *shell; /* NULL: no machine can be prepared */
};

struct engine_retention {
    int64_t instances_max; /* ended ones that are kept */
    int64_t instances_ms;  /* how long */
    int64_t hosts_ms;      /* removed ones */
    int64_t operations_ms; /* ended ones */
    int64_t events_max;
    int64_t events_ms;
    int64_t logs_ms;         /* of ended instances */
    int64_t logs_bytes_max;  /* of all ended instances together */
    int64_t steps_bytes_max; /* what preparations of hosts wrote, all together */
    int64_t answers_ms;      /* to idempotency keys */
};

struct engine_config {
    const char *cluster; /* name, for people; borrowed */
    int64_t housekeeping_ms;
    int64_t log_tail_bytes; /* kept of each ended container */
    int64_t queue_max;      /* instances that may wait in all; beyond: no_capacity */
    struct engine_retention retention;
};

/** engine_config_defaults() - what applies without a configuration file. */
void engine_config_defaults(struct engine_config *ret_config);

/** engine_new() - nothing is loaded yet; @ports and what it points to is borrowed. */
struct engine *engine_new(const struct engine_ports *ports, const struct engine_config *config);

/** engine_load() - load the rows and start to recover: open flows are taken up again, hosts are
 * compared as they answer.  Return: 0, or -1 with the store's fault. */
int engine_load(struct engine *engine, struct fault *fault);

/** engine_config_set() - after a reload of the configuration; copied. */
void engine_config_set(struct engine *engine, const struct engine_config *config);

/** engine_turn_end() - the loop's hook: decide, commit, let effects out. */
void engine_turn_end(struct engine *engine);

/** engine_stop_start() - no new work; calls under way are cancelled (containers run on), what is
 * dirty is committed; @done from the loop when all has ended. Then engine_free(). */
void engine_stop_start(struct engine *engine, void (*done)(void *cookie), void *cookie);
void engine_free(struct engine *engine);

/** engine_model() - for reading; valid until the loop's turn ends, rows must be found again by id
 * after that. */
const struct model *engine_model(const struct engine *engine);
int64_t engine_now_ms(const struct engine *engine);
const struct engine_config *engine_config(const struct engine *engine);
const char *engine_cluster_id(const struct engine *engine);
struct meter *engine_meter(struct engine *engine);
/** engine_cloud_tally() - calls to the provider of machines. Return: [*ret_count], borrowed; NULL: there
 * is none. */
const struct cloud_tally *engine_cloud_tally(struct engine *engine, size_t *ret_count);

enum engine_health {
    ENGINE_SERVING,
    ENGINE_FULL,   /* the disk is full: reads and stops only */
    ENGINE_BROKEN, /* the store fails: reads only */
    ENGINE_STOPPING,
};

/** engine_health() - and, for all but SERVING, why in @ret_why (may be NULL). */
enum engine_health engine_health(const struct engine *engine, struct fault *ret_why);

/** engine_ready() - every configured host was compared or found unreachable. */
bool engine_ready(const struct engine *engine);

/* --- Waiting for the disk --------------------------------------------------------------------- */

struct engine_wait {
    struct list_node node;
    /* Exactly once, from the loop, never from inside engine_wait_durable(); last touch. A fault:
     * the commit failed and the command did not happen. */
    void (*done)(struct engine_wait *wait, const struct fault *fault);
};

/** engine_wait_durable() - until all that was changed up to now is durable. */
void engine_wait_durable(struct engine *engine, struct engine_wait *wait);

/* --- Idempotency ------------------------------------------------------------------------------ */

enum engine_answer { ANSWER_NONE, ANSWER_IN_FLIGHT, ANSWER_KEPT };

/** engine_answer_find() - @ret_answer is borrowed until the next call, set for ANSWER_KEPT. */
enum engine_answer engine_answer_find(struct engine *engine, const char *key,
                                      struct store_answer *ret_answer);
/** engine_answer_begin() / _end() - @key is in flight between them. */
void engine_answer_begin(struct engine *engine, const char *key);
void engine_answer_end(struct engine *engine, const char *key);
/** engine_answer_keep() - into this turn's commit; copied. */
void engine_answer_keep(struct engine *engine, const struct store_answer *answer);

/* --- Commands: 0, or -1 with @fault and nothing changed ---------------------------------------- */

/** engine_admit() - may a command that makes or stops something run now? -1 with
 * FAULT_STORAGE_FULL (unless @frees), FAULT_STORAGE or FAULT_SHUTTING_DOWN. Commands ask it
 * themselves; handlers may ask earlier. */
int engine_admit(struct engine *engine, bool frees, struct fault *fault);

/**
 * engine_blueprint_put() - create or replace
 * @spec:        checked by blueprint_check(); its contents are taken on success
 * @expect:      -1: whatever is there; 0: it must not exist; n: the latest version must be n, else
 *               FAULT_PRECONDITION
 * @ret_created: there was none with this name
 *
 * The same content as the latest version makes no new one.
 */
int engine_blueprint_put(struct engine *engine, struct blueprint_spec *spec, int64_t expect,
                         struct blueprint **ret_blueprint, bool *ret_created, struct fault *fault);
int engine_blueprint_delete(struct engine *engine, const char *name, int64_t expect,
                            struct fault *fault);

struct instance_request {
    const char *blueprint;
    int64_t version;  /* 0: the latest */
    const char *pool; /* NULL: the blueprint's */
    const char *owner;
    const char *name;    /* NULL: none; with count > 1 "-1", "-2", ... are appended */
    int64_t count;       /* 1..1000 */
    int64_t lifetime_ms; /* 0: the blueprint's; at most the blueprint's when that has one */
};

enum { INSTANCE_COUNT_MAX = 1000 };

/** engine_instances_create() - all or none; each is placed at once or queued.
 * @ret_instances: [request->count]; borrowed */
int engine_instances_create(struct engine *engine, const struct instance_request *request,
                            struct instance **ret_instances, struct fault *fault);
/** engine_instance_stop() - harmless when it stops or has stopped already. */
int engine_instance_stop(struct engine *engine, struct instance *instance, const char *reason,
                         struct fault *fault);
/** engine_instance_extend() - its end moves to @ends_at_ms (not before now; 0: no end). */
int engine_instance_extend(struct engine *engine, struct instance *instance, int64_t ends_at_ms,
                           struct fault *fault);

struct host_request {
    const char *pool;
    const char *name;
    struct host_endpoint endpoint; /* copied */
    const char *ssh;          /* given_check_ssh() has found it good: the machine is prepared, and
                                      the preparation tells the endpoint; NULL: an engine is there */
    const char *host_key;     /* with ssh; given_check_key() has found it good */
    struct schema_map labels; /* copied */
    bool configured;
};

/** engine_host_add() - to a pool that does not rent.  A machine that is given by ssh is prepared like a
 * rented one, as often as it takes; it is never ended, and its removal leaves it as it is. */
int engine_host_add(struct engine *engine, const struct host_request *request,
                    struct host **ret_host, struct fault *fault);
/** engine_ssh_key() - the public key with which machines are logged in to, to be authorised on those that
 * are given by ssh; NULL: there is none. */
const char *engine_ssh_key(const struct engine *engine);
/** engine_host_endpoint_set() - the host is reached in another way now; copied. */
int engine_host_endpoint_set(struct engine *engine, struct host *host,
                             const struct host_endpoint *endpoint, struct fault *fault);
/** engine_host_labels_set() - the host carries @own (copied, sorted by key) and its pool's labels now. */
int engine_host_labels_set(struct engine *engine, struct host *host, const struct schema_map *own,
                           struct fault *fault);
/** engine_host_drain() - @deadline_ms from now, -1: the pool's; @owner: who asked. */
int engine_host_drain(struct engine *engine, struct host *host, int64_t deadline_ms,
                      const char *owner, struct operation **ret_operation, struct fault *fault);
int engine_host_activate(struct engine *engine, struct host *host, struct fault *fault);
/** engine_host_remove() - drains first; @force: at once, its instances are lost. */
int engine_host_remove(struct engine *engine, struct host *host, bool force, const char *owner,
                       struct operation **ret_operation, struct fault *fault);

struct pool_request {
    const char *name;
    int32_t provider;
    int64_t expect;                /* as in engine_blueprint_put(), against rev */
    struct pool_policy *policy;    /* its contents are taken on success */
    struct schema_array *machines; /* struct pool_machine; taken on success; NULL: as they are */
};

/** engine_pool_check() - what is wrong with @policy beside its single fields: pool_policy_check(), and
 * time zones that are not known. Return: 0, or -1 with an entry in @problems for each. */
int engine_pool_check(const struct engine *engine, const struct pool_policy *policy,
                      struct problems *problems);
/** engine_pool_put() - create or change. */
int engine_pool_put(struct engine *engine, const struct pool_request *request,
                    struct pool **ret_pool, struct fault *fault);
/** engine_pool_place_set() - where machines of @pool will be; only while it has none, or where they are is
 * not known. */
void engine_pool_place_set(struct engine *engine, struct pool *pool,
                           const struct pool_place *place);

enum { POOL_ROUNDS_MAX = 10 };

/**
 * engine_pool_plan() - the coming rounds of @pool; changes nothing
 * @rounds: how many at the most, 1..POOL_ROUNDS_MAX; fewer when nothing is left to do
 *
 * {"pool","revision",
 *  "rounds":[{"at","actions":[{"kind","host"?,"machine_type"?,"cause"?,"reason"}],
 *             "held":[{"hold","text"}],"headroom":AMOUNT,"wanted":AMOUNT}],
 *  "money":{"spent","committed","budget"?},
 *  "launches_last_hour","launches_per_hour"?,"waiting","next_at"?}
 * where AMOUNT is {"memory_bytes","cpus","slots"}, and next_at is when time alone changes the plan.
 * The revision is a digest over what the first round rests on.
 */
void engine_pool_plan(struct engine *engine, struct pool *pool, uint32_t rounds,
                      struct json_out *out);

struct pool_apply {
    const char *pool;
    const char *revision; /* of the plan that is to be carried out */
    const char *owner;    /* who asked; copied */
};

/** engine_pool_apply() - carry out the first round of that plan now.  FAULT_PRECONDITION when the pool
 * has moved since, and nothing is done. */
int engine_pool_apply(struct engine *engine, const struct pool_apply *apply,
                      struct operation **ret_operation, struct fault *fault);

/** engine_pool_drift() - which hosts of @pool another playbook than its own of today has prepared:
 * PoolDrift of the API. */
void engine_pool_drift(const struct engine *engine, const struct pool *pool, struct json_out *out);

struct pool_shutdown {
    const char *pool;
    int64_t deadline_ms; /* from now; -1: the pool's drain_deadline */
    const char *owner;   /* who asked; copied */
};

/**
 * engine_pool_shutdown() - empty @wanted->pool and keep it empty, until its policy says shutdown=false
 *
 * Hosts take no new work; what runs at the deadline is stopped; rented machines are given back.  The
 * operation is done when nothing runs any more and two complete listings of the provider's show no
 * machine of the pool: its text says so.  One that is under way already gets the new deadline.
 * It goes on after a restart.  Cancelled, or with the policy set back, hosts that still can take work again.
 */
int engine_pool_shutdown(struct engine *engine, const struct pool_shutdown *wanted,
                         struct operation **ret_operation, struct fault *fault);

/* What a pool's provider lists now. Embed it. */
struct engine_listing {
    struct list_node node;
    /* Exactly once, from the loop, never from inside the start; last touch. */
    void (*done)(struct engine_listing *listing, const struct fault *fault);
};

/** engine_pool_list_start() - ask the provider.  Return: 0 and done will come, or -1 (the pool rents no
 * machines) and it will not. */
int engine_pool_list_start(struct engine *engine, struct pool *pool, struct engine_listing *listing,
                           struct fault *fault);

/** engine_pool_orphans() - the machines with our tag that no host of @pool is on, as of the last listing:
 * {"pool","cluster_id","listed_at"?,"complete","machines","stopped","most","items":[...]}
 * (PoolOrphans of the API). */
void engine_pool_orphans(struct engine *engine, struct pool *pool, struct json_out *out);
/** engine_pool_orphans_end() - give back these machines, however many they are. FAULT_NOT_FOUND or
 * FAULT_CONFLICT: one of them is none of those, or may not end yet; then none is ended. */
int engine_pool_orphans_end(struct engine *engine, struct pool *pool,
                            const struct schema_strings *machines, const char *owner,
                            struct fault *fault);

/** engine_token_create() - @token is taken on success; its digest must be new. */
int engine_token_create(struct engine *engine, struct token *token, struct fault *fault);
int engine_token_delete(struct engine *engine, struct token *token, struct fault *fault);

/** engine_operation_cancel() - what is under way ends; a host that was to be emptied or removed stays
 * inactive, with what runs there. FAULT_CONFLICT when it has ended, or a host is given up by force. */
int engine_operation_cancel(struct engine *engine, struct operation *operation,
                            struct fault *fault);
/** engine_housekeep() - a round now; done when every reachable host was compared. */
int engine_housekeep(struct engine *engine, const char *owner, struct operation **ret_operation,
                     struct fault *fault);

struct image_request {
    const char *pool;  /* copied */
    const char *spool; /* the archive's name in the spool; copied */
    int64_t size_bytes;
    const char *owner; /* copied */
};

/** engine_image_load() - the archive goes to every host of the pool, now and later. */
int engine_image_load(struct engine *engine, const struct image_request *request,
                      struct operation **ret_operation, struct fault *fault);

struct image_pull_request {
    const char *pool;      /* copied */
    const char *reference; /* copied */
    const char *owner;     /* copied */
};

/** engine_image_pull() - on every host of the pool. */
int engine_image_pull(struct engine *engine, const struct image_pull_request *request,
                      struct operation **ret_operation, struct fault *fault);

/** engine_registry_set() - credentials for images of @server; @auth (JSON, see DOCKER_PULL) is
 * taken; NULL forgets. */
void engine_registry_set(struct engine *engine, const char *server, struct secret *auth);
/** engine_registry_keep() - forget the credentials of all but @servers [count], borrowed. */
void engine_registry_keep(struct engine *engine, const char *const *servers, size_t count);

/* --- Reading what is not in the model ----------------------------------------------------------- */

/** engine_history_start() - a page of history; see port/store.h. */
void engine_history_start(struct engine *engine, struct store_history *history);
/** engine_host_step() - the step of @host's preparation that is under way: its end is not set, took_ms
 * is how long it has taken. Return: false: none. @ret_step borrows until the end of the turn. */
bool engine_host_step(const struct engine *engine, const struct host *host,
                      struct store_step *ret_step);
/** engine_host_is_preparing() - more steps may come: it was never active, or a playbook runs. */
bool engine_host_is_preparing(const struct engine *engine, const struct host *host);
/** engine_steps_listen() - @notify(@cookie) when steps began, wrote something or ended: those that have
 * ended are durable when an engine_wait_durable() begun in it is done. One listener. */
void engine_steps_listen(struct engine *engine, void (*notify)(void *cookie), void *cookie);
/** engine_backup_start() - see port/store.h. */
void engine_backup_start(struct engine *engine, struct store_backup *backup);
const struct spool_port *engine_spool(const struct engine *engine);

/* One call to an instance's or a host's engine on behalf of a request (logs, exec, stats, images):
 * outside the host's limit for launches, within its own. Embed it. */
struct engine_call {
    struct docker_call call; /* in: verb, in.*, callbacks but done; out: as docker.h says */
    void (*done)(struct engine_call *call, const struct fault *fault); /* once, last touch */
    char name[INSTANCE_CONTAINER_NAME_SIZE];
    struct list_node node;
    struct engine *engine;
};

/** engine_instance_call() - Return: 0 and done will come, or -1 (no container, unreachable) and it
 * will not. */
int engine_instance_call(struct engine *engine, const struct instance *instance,
                         struct engine_call *call, struct fault *fault);
int engine_host_call(struct engine *engine, const struct host *host, struct engine_call *call,
                     struct fault *fault);
void engine_call_cancel(struct engine *engine, struct engine_call *call);
void engine_call_pause(struct engine *engine, struct engine_call *call, bool paused);

/** engine_listen() - @notify(@cookie) after each commit that wrote events; for event streams.
 * One listener. */
void engine_listen(struct engine *engine, void (*notify)(void *cookie), void *cookie);

/** engine_explain() - for @instance as things stand now: {"fits":[...],...}: each host of its pool
 * with its first failed filter, and the nearest miss. */
void engine_explain(const struct engine *engine, const struct instance *instance,
                    struct json_out *out);

/** engine_doctor() - checks the invariants on the live model: an array of
 * {"check","ok","detail"}. Return: how many failed. */
size_t engine_doctor(const struct engine *engine, struct json_out *out);
