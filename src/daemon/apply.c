#include "apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/log.h"
#include "berth/base/secret.h"
#include "berth/domain/given.h"

enum { PASSWORD_MAX = 8192 };

void
apply_engine_config(const struct config *config, struct engine_config *ret_config)
{
    const struct config_retention *keep = &config->retention;

    engine_config_defaults(ret_config);
    ret_config->cluster = config->cluster;
    ret_config->housekeeping_ms = config->housekeeping.interval_ms;
    ret_config->log_tail_bytes = keep->log_tail_bytes;
    ret_config->queue_max = config->limits.queue;
    ret_config->retention = (struct engine_retention){
        .instances_max = keep->instances,
        .instances_ms = keep->instances_ms,
        .hosts_ms = keep->hosts_ms,
        .operations_ms = keep->operations_ms,
        .events_max = keep->events,
        .events_ms = keep->events_ms,
        .logs_ms = keep->logs_ms,
        .logs_bytes_max = keep->logs_bytes,
        .steps_bytes_max = keep->host_logs_bytes,
        .answers_ms = keep->idempotency_ms,
    };
}

/* What a configuration says of a pool. */
static char *
apply_rules_text(const struct pool *pool)
{
    struct json_out out;
    struct buf buf;

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_array(&out);
    schema_encode(&pool_policy_schema, &pool->policy, &out);
    schema_encode(&pool_machines_schema, pool, &out);
    json_out_array_end(&out);
    return buf_take(&buf);
}

/* Only if it changes something: each change is a new revision and an event. */
static int
apply_policy(struct engine *engine, const struct config_pool *wanted, struct fault *fault)
{
    struct pool *pool = model_pool_find(engine_model(engine), wanted->name);
    struct pool rules = { .policy = wanted->policy, .machines = wanted->machines };
    struct pool copy;
    struct pool_policy policy;
    const struct pool_request put = {
        .name = wanted->name,
        .provider = wanted->provider,
        .expect = -1,
        .policy = &policy,
        .machines = &copy.machines,
    };
    int result;

    /* What a person has shut down stays so until a person sets it back. */
    if (pool && pool->shut_down)
        rules.policy.shutdown = true;
    if (pool && pool->provider == wanted->provider) {
        CLEANUP(mem_freep) char *have = apply_rules_text(pool);
        CLEANUP(mem_freep) char *want = apply_rules_text(&rules);

        if (strcmp(have, want) == 0)
            return 0;
    }
    schema_copy(&pool_policy_schema, &rules.policy, &policy);
    schema_copy(&pool_machines_schema, &rules, &copy);
    result = engine_pool_put(engine, &put, &pool, fault);
    schema_free(&pool_policy_schema, &policy);
    schema_free(&pool_machines_schema, &copy);
    return result;
}

static bool
apply_text_differs(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") != 0;
}

static bool
apply_endpoint_differs(const struct host_endpoint *a, const struct host_endpoint *b)
{
    return apply_text_differs(a->engine, b->engine) || apply_text_differs(a->ca, b->ca) ||
           apply_text_differs(a->cert, b->cert) || apply_text_differs(a->key, b->key) ||
           a->plain != b->plain;
}

/* Whether an operator has removed it: then it stays away until it is added again. */
static bool
apply_was_removed(const struct engine *engine, const struct pool *pool, const char *name)
{
    IDMAP_EACH(&engine_model(engine)->hosts, struct host, host)
    {
        if (host->pool == pool && host->state == HOST_REMOVED && host->configured &&
            strcmp(host->name, name) == 0)
            return true;
    }
    return false;
}

/* Which machine is trusted is not changed on the fly. */
static bool
apply_given_differs(const struct host *host, const struct host_request *request)
{
    const struct machine *machine = host->machine;
    CLEANUP(mem_freep) char *key = request->host_key ? given_key(request->host_key) : NULL;

    return apply_text_differs(machine ? machine->ssh : NULL, request->ssh) ||
           apply_text_differs(machine ? machine->host_key : NULL, key);
}

static void
apply_host(struct engine *engine, const struct host_request *request)
{
    struct pool *pool = model_pool_find(engine_model(engine), request->pool);
    struct host *host = model_host_find(engine_model(engine), pool, request->name);
    struct fault fault;
    int result = 0;

    if (host && apply_given_differs(host, request)) {
        log_error("config",
                  "host %s of pool %s is there as another machine: `berth host rm %s`, then "
                  "`berth host add %s --ssh ...`",
                  request->name, request->pool, request->name, request->name);
    } else if (host && !request->ssh &&
               apply_endpoint_differs(&host->endpoint, &request->endpoint)) {
        result = engine_host_endpoint_set(engine, host, &request->endpoint, &fault);
    } else if (!host && apply_was_removed(engine, pool, request->name)) {
        log_warn("config",
                 "host %s of pool %s was removed by an operator and stays away; "
                 "`berth host add` brings it back",
                 request->name, request->pool);
    } else if (!host) {
        result = engine_host_add(engine, request, &host, &fault);
    }
    if (host && result == 0)
        result = engine_host_labels_set(engine, host, &request->labels, &fault);
    if (result < 0) {
        log_error("config", "host %s of pool %s: %s", request->name, request->pool, fault.text);
    } else if (host) {
        host->configured = true;
    }
}

static void
apply_hosts(struct engine *engine, const struct config_pool *pool)
{
    const struct config_host *hosts = pool->hosts.at;
    struct host_request request = { .pool = pool->name, .configured = true };

    if (pool->provider == PROVIDER_LOCAL) {
        request.name = "local";
        request.endpoint.engine = pool->engine;
        apply_host(engine, &request);
        return;
    }
    for (size_t i = 0; i < pool->hosts.count; i++) {
        request.name = hosts[i].name;
        request.labels = hosts[i].labels;
        request.ssh = hosts[i].ssh;
        request.host_key = hosts[i].host_key;
        request.endpoint = (struct host_endpoint){
            .engine = hosts[i].engine,
            .ca = hosts[i].ca,
            .cert = hosts[i].cert,
            .key = hosts[i].key,
            .plain = hosts[i].plain,
        };
        apply_host(engine, &request);
    }
}

static bool
apply_is_named(const struct config *config, const struct host *host)
{
    const struct config_pool *pools = config->pools.at;

    for (size_t i = 0; i < config->pools.count; i++) {
        const struct config_host *hosts = pools[i].hosts.at;

        if (strcmp(pools[i].name, host->pool->name) != 0)
            continue;
        if (pools[i].provider == PROVIDER_LOCAL && strcmp(host->name, "local") == 0)
            return true;
        for (size_t j = 0; j < pools[i].hosts.count; j++) {
            if (strcmp(hosts[j].name, host->name) == 0)
                return true;
        }
    }
    return false;
}

static void
apply_departures(struct engine *engine, const struct config *config)
{
    struct operation *operation;
    struct fault fault;

    IDMAP_EACH(&engine_model(engine)->hosts, struct host, host)
    {
        if (!host->configured || host->state == HOST_REMOVED || host->remove_when_empty ||
            apply_is_named(config, host))
            continue;
        log_warn("config",
                 "host %s of pool %s is not in the configuration any more: it is drained "
                 "and removed",
                 host->name, host->pool->name);
        if (engine_host_remove(engine, host, false, "configuration", &operation, &fault) < 0)
            log_error("config", "host %s: %s", host->name, fault.text);
    }
}

/* The pool `default` is always there. */
static int
apply_default(struct engine *engine, struct fault *fault)
{
    struct pool_policy policy;
    const struct pool_request put = {
        .name = "default",
        .provider = PROVIDER_STATIC,
        .expect = -1,
        .policy = &policy,
    };
    struct pool *pool;
    int result;

    if (model_pool_find(engine_model(engine), put.name))
        return 0;
    schema_defaults(&pool_policy_schema, &policy);
    result = engine_pool_put(engine, &put, &pool, fault);
    schema_free(&pool_policy_schema, &policy);
    return result;
}

int
apply_pools(struct engine *engine, const struct config *config, struct fault *fault)
{
    const struct config_pool *pools = config->pools.at;

    IDMAP_EACH(&engine_model(engine)->pools, struct pool, pool)
    {
        pool->configured = false;
    }
    for (size_t i = 0; i < config->pools.count; i++) {
        if (apply_policy(engine, &pools[i], fault) < 0)
            return -1;
        model_pool_find(engine_model(engine), pools[i].name)->configured = true;
    }
    if (apply_default(engine, fault) < 0)
        return -1;
    for (size_t i = 0; i < config->pools.count; i++)
        apply_hosts(engine, &pools[i]);
    apply_departures(engine, config);
    return 0;
}

static int
apply_registry(struct engine *engine, const struct config_registry *registry, struct fault *fault)
{
    FILE *file = fopen(registry->password_file, "re");
    char password[PASSWORD_MAX];
    struct json_out out;
    struct buf buf;
    size_t len;

    if (!file) {
        return fault_set(fault, FAULT_INVALID, "config", "/registries/%s/password_file: %s: %s",
                         registry->name, registry->password_file, strerrordesc_np(errno));
    }
    len = fread(password, 1, sizeof(password) - 1, file);
    (void)fclose(file);
    password[len] = '\0';
    password[strcspn(password, "\r\n")] = '\0';

    buf_init(&buf, 0);
    json_out_init(&out, &buf);
    json_out_object(&out);
    json_out_kv_string(&out, "username", registry->username);
    json_out_kv_string(&out, "password", password);
    json_out_kv_string(&out, "serveraddress", registry->name);
    json_out_object_end(&out);
    secret_wipe(password, sizeof(password));
    engine_registry_set(engine, registry->name, secret_new(buf.data, buf.len));
    buf_fini(&buf);
    return 0;
}

int
apply_registries(struct engine *engine, const struct config *config, struct fault *fault)
{
    const struct config_registry *registries = config->registries.at;
    CLEANUP(mem_freep)
    const char **names = mem_new0((config->registries.count + 1) * sizeof(*names));

    for (size_t i = 0; i < config->registries.count; i++) {
        if (apply_registry(engine, &registries[i], fault) < 0)
            return -1;
        names[i] = registries[i].name;
    }
    /* What the file names no more is not sent anywhere any more. */
    engine_registry_keep(engine, names, config->registries.count);
    return 0;
}
