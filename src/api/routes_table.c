/* The API, as a table. */

#include "berth/domain/blueprint.h"
#include "berth/domain/pool.h"
#include "berth/domain/token.h"
#include "berth/wire/request.h"

#include "handlers.h"
#include "metrics.h"
#include "openapi.h"
#include "query.h"
#include "routes.h"

#define BITS(name)      QUERY_BIT(QUERY_##name)
#define AT(verb, least) .method = ROUTE_##verb, .role = (least)
#define USER            ROLE_USER
#define OPERATOR        ROLE_OPERATOR
#define ADMIN           ROLE_ADMIN
#define LINES           "application/x-ndjson"

/* clang-format off */
const struct route routes[] = {
    /* The hot ones first: lookups go from top to bottom. */
    { AT(POST, USER), .path = "/v1/instances", .handler = handler_instances_create, .body = &wire_request_instance_schema,
      .status = 202, .answer = "Started", .name = "createInstances", .summary = "Start instances, all or none" },
    { AT(GET, USER), .path = "/v1/instances/{id}", .handler = handler_instances_get, .flags = ROUTE_ETAG,
      .status = 200, .answer = "Instance", .name = "getInstance", .summary = "Show an instance" },
    { AT(GET, USER), .path = "/v1/instances", .handler = handler_instances_list,
      .query = QUERY_PAGE | BITS(STATE) | BITS(OWNER) | BITS(HOST) | BITS(BLUEPRINT) | BITS(POOL) | BITS(NAME),
      .status = 200, .answer = "InstanceList", .name = "listInstances", .summary = "List instances, oldest first" },
    { AT(DELETE, USER), .path = "/v1/instances/{id}", .handler = handler_instances_delete, .flags = ROUTE_IF_MATCH,
      .status = 202, .answer = "Instance", .name = "deleteInstance", .summary = "Stop an instance and remove its container" },
    { AT(POST, USER), .path = "/v1/instances/{id}/extend", .handler = handler_instances_extend, .flags = ROUTE_IF_MATCH | ROUTE_ETAG,
      .body = &wire_request_extend_schema, .status = 200, .answer = "Instance", .name = "extendInstance", .summary = "Move the end of an instance" },
    { AT(POST, USER), .path = "/v1/instances/{id}/exec", .handler = handler_exec_run, .flags = ROUTE_ACTS, .body = &wire_request_exec_schema,
      .status = 200, .answer = "ExecResult", .stream_type = LINES, .name = "execInInstance", .summary = "Run a command in an instance" },
    { AT(GET, USER), .path = "/v1/instances/{id}/logs", .handler = handler_logs_get,
      .query = BITS(FOLLOW) | BITS(TAIL) | BITS(SINCE) | BITS(TIMESTAMPS),
      .status = 200, .stream_type = "text/plain; charset=utf-8", .name = "getInstanceLogs", .summary = "What an instance wrote" },
    { AT(GET, USER), .path = "/v1/instances/{id}/stats", .handler = handler_stats_get, .query = BITS(STREAM),
      .status = 200, .answer = "Stats", .stream_type = LINES, .name = "getInstanceStats", .summary = "What an instance uses" },
    { AT(GET, USER), .path = "/v1/instances/{id}/explain", .handler = handler_instances_explain,
      .status = 200, .answer = "Explanation", .name = "explainInstance", .summary = "Why an instance is where it is" },

    { AT(GET, USER), .path = "/v1/blueprints", .handler = handler_blueprints_list, .query = QUERY_PAGE | BITS(POOL),
      .status = 200, .answer = "BlueprintList", .name = "listBlueprints", .summary = "List blueprints" },
    { AT(POST, OPERATOR), .path = "/v1/blueprints", .handler = handler_blueprints_create, .flags = ROUTE_ETAG, .body = &blueprint_schema,
      .status = 201, .answer = "Blueprint", .name = "createBlueprint", .summary = "Make a blueprint" },
    { AT(GET, USER), .path = "/v1/blueprints/{name}", .handler = handler_blueprints_get, .flags = ROUTE_ETAG,
      .status = 200, .answer = "Blueprint", .name = "getBlueprint", .summary = "Show the latest version of a blueprint" },
    { AT(PUT, OPERATOR), .path = "/v1/blueprints/{name}", .handler = handler_blueprints_put, .flags = ROUTE_IF_MATCH | ROUTE_ETAG, .body = &blueprint_schema,
      .status = 200, .answer = "Blueprint", .name = "putBlueprint", .summary = "Make a blueprint, or a new version of it" },
    { AT(DELETE, OPERATOR), .path = "/v1/blueprints/{name}", .handler = handler_blueprints_delete, .flags = ROUTE_IF_MATCH,
      .status = 204, .name = "deleteBlueprint", .summary = "Delete a blueprint; what runs from it runs on" },

    { AT(GET, OPERATOR), .path = "/v1/hosts", .handler = handler_hosts_list,
      .query = BITS(LIMIT_HOSTS) | BITS(CURSOR) | BITS(POOL) | BITS(HOST_STATE) | BITS(NAME),
      .status = 200, .answer = "HostList", .name = "listHosts", .summary = "List hosts, oldest first" },
    { AT(POST, OPERATOR), .path = "/v1/hosts", .handler = handler_hosts_create, .flags = ROUTE_ETAG, .body = &wire_request_host_schema,
      .status = 201, .answer = "Host", .name = "createHost", .summary = "Add a machine that runs an engine" },
    { AT(GET, OPERATOR), .path = "/v1/hosts/{id}", .handler = handler_hosts_get, .flags = ROUTE_ETAG,
      .status = 200, .answer = "Host", .name = "getHost", .summary = "Show a host" },
    { AT(POST, OPERATOR), .path = "/v1/hosts/{id}/drain", .handler = handler_hosts_drain, .flags = ROUTE_BODY_OPTIONAL | ROUTE_IF_MATCH,
      .body = &wire_request_drain_schema, .status = 202, .answer = "HostChange", .name = "drainHost", .summary = "Give a host no new work and empty it" },
    { AT(POST, OPERATOR), .path = "/v1/hosts/{id}/activate", .handler = handler_hosts_activate, .flags = ROUTE_IF_MATCH | ROUTE_ETAG,
      .status = 200, .answer = "Host", .name = "activateHost", .summary = "Give a host work again" },
    { AT(POST, OPERATOR), .path = "/v1/hosts/{id}/remove", .handler = handler_hosts_remove, .flags = ROUTE_BODY_OPTIONAL | ROUTE_IF_MATCH,
      .body = &wire_request_remove_schema, .status = 202, .answer = "HostChange", .name = "removeHost", .summary = "Empty a host and let it go" },
    { AT(GET, OPERATOR), .path = "/v1/hosts/{id}/log", .handler = handler_hosts_log,
      .query = QUERY_PAGE | BITS(FOLLOW_HOST) | BITS(RUN) | BITS(FAILED),
      .status = 200, .answer = "HostStepList", .stream_type = "text/event-stream", .name = "getHostLog",
      .summary = "What the preparations of a host did, step by step" },

    { AT(GET, OPERATOR), .path = "/v1/ssh-key", .handler = handler_hosts_ssh_key,
      .status = 200, .answer = "SshKey", .name = "getSshKey", .summary = "The public key to be authorised on machines that are given by ssh" },

    { AT(GET, OPERATOR), .path = "/v1/pools", .handler = handler_pools_list, .query = QUERY_PAGE,
      .status = 200, .answer = "PoolList", .name = "listPools", .summary = "List pools" },
    { AT(GET, OPERATOR), .path = "/v1/pools/{name}", .handler = handler_pools_get, .flags = ROUTE_ETAG,
      .status = 200, .answer = "Pool", .name = "getPool", .summary = "Show a pool" },
    { AT(PUT, ADMIN), .path = "/v1/pools/{name}", .handler = handler_pools_put, .flags = ROUTE_IF_MATCH | ROUTE_ETAG, .body = &pool_policy_schema,
      .status = 200, .answer = "Pool", .name = "putPool", .summary = "Make a pool, or change its policy" },
    { AT(GET, OPERATOR), .path = "/v1/pools/{name}/plan", .handler = handler_pools_plan, .query = BITS(ROUNDS),
      .status = 200, .answer = "PoolPlan", .name = "getPoolPlan", .summary = "What the next rounds would do to a pool, and why; changes nothing" },
    { AT(POST, OPERATOR), .path = "/v1/pools/{name}/plan/apply", .handler = handler_pools_apply, .flags = ROUTE_REVISION,
      .body = &wire_request_apply_schema, .status = 202, .answer = "Operation", .name = "applyPoolPlan",
      .summary = "Carry out the first round of a plan now, if the pool has not moved since" },
    { AT(POST, OPERATOR), .path = "/v1/pools/{name}/shutdown", .handler = handler_pools_shutdown, .flags = ROUTE_BODY_OPTIONAL,
      .body = &wire_request_drain_schema, .status = 202, .answer = "Operation", .name = "shutDownPool",
      .summary = "Empty a pool and give its machines back; done with the proof that none is left" },
    { AT(GET, OPERATOR), .path = "/v1/pools/{name}/drift", .handler = handler_pools_drift,
      .status = 200, .answer = "PoolDrift", .name = "getPoolDrift", .summary = "Hosts that another playbook than today's has prepared" },
    { AT(GET, OPERATOR), .path = "/v1/pools/{name}/orphans", .handler = handler_orphans_list,
      .status = 200, .answer = "PoolOrphans", .name = "listPoolOrphans",
      .summary = "Machines with our tag that no host is on, by a fresh listing of the provider's" },
    { AT(POST, ADMIN), .path = "/v1/pools/{name}/orphans/terminate", .handler = handler_orphans_end, .body = &wire_request_machines_schema,
      .status = 202, .answer = "PoolOrphans", .name = "terminatePoolOrphans",
      .summary = "Give machines without a host back, however many they are" },
    { AT(POST, OPERATOR), .path = "/v1/housekeeping", .handler = handler_operations_housekeep,
      .status = 202, .answer = "Operation", .name = "startHousekeeping", .summary = "A round of housekeeping now" },

    { AT(GET, ADMIN), .path = "/v1/tokens", .handler = handler_tokens_list, .query = QUERY_PAGE,
      .status = 200, .answer = "TokenList", .name = "listTokens", .summary = "List tokens, never their secrets" },
    { AT(POST, ADMIN), .path = "/v1/tokens", .handler = handler_tokens_create, .flags = ROUTE_SECRET, .body = &wire_request_token_schema,
      .status = 201, .answer = "NewToken", .name = "createToken", .summary = "Make a token; its secret is shown this once" },
    { AT(DELETE, ADMIN), .path = "/v1/tokens/{id}", .handler = handler_tokens_delete,
      .status = 204, .name = "deleteToken", .summary = "Revoke a token at once" },

    { AT(GET, USER), .path = "/v1/events", .handler = handler_events_list,
      .query = QUERY_PAGE | BITS(KIND) | BITS(HOST) | BITS(INSTANCE) | BITS(POOL) | BITS(AFTER) | BITS(ORDER),
      .status = 200, .answer = "EventList", .stream_type = "text/event-stream", .name = "listEvents",
      .summary = "What happened; as a stream with Accept: text/event-stream" },

    { AT(GET, USER), .path = "/v1/operations", .handler = handler_operations_list, .query = QUERY_PAGE | BITS(OPERATION_STATE),
      .status = 200, .answer = "OperationList", .name = "listOperations", .summary = "List operations" },
    { AT(GET, USER), .path = "/v1/operations/{id}", .handler = handler_operations_get,
      .status = 200, .answer = "Operation", .name = "getOperation", .summary = "Show an operation" },
    { AT(DELETE, USER), .path = "/v1/operations/{id}", .handler = handler_operations_cancel,
      .status = 202, .answer = "Operation", .name = "cancelOperation", .summary = "Cancel an operation" },

    { AT(GET, OPERATOR), .path = "/v1/images", .handler = handler_images_list, .query = BITS(POOL),
      .status = 200, .answer = "ImageList", .name = "listImages", .summary = "List the images on a pool's hosts" },
    { AT(POST, OPERATOR), .path = "/v1/images", .handler = handler_images_load, .flags = ROUTE_UPLOAD, .query = BITS(POOL),
      .status = 202, .answer = "Operation", .name = "loadImage", .summary = "Load an image archive (docker save) into a pool" },
    { AT(POST, OPERATOR), .path = "/v1/images/pull", .handler = handler_images_pull, .body = &wire_request_pull_schema,
      .status = 202, .answer = "Operation", .name = "pullImage", .summary = "Pull an image on a pool's hosts" },

    { AT(POST, ADMIN), .path = "/v1/backups", .handler = handler_backups_create, .flags = ROUTE_ACTS,
      .status = 200, .stream_type = "application/vnd.sqlite3", .name = "createBackup", .summary = "A consistent copy of the database and of the keys of its hosts: a secret" },

    { AT(GET, USER), .path = "/v1/version", .handler = handler_system_version,
      .status = 200, .answer = "Version", .name = "getVersion", .summary = "What answers here" },
    { AT(GET, OPERATOR), .path = "/v1/status", .handler = handler_status_get, .query = BITS(POOL),
      .status = 200, .answer = "Status", .name = "getStatus", .summary = "How things stand with the pools, and what is wrong" },
    { AT(GET, OPERATOR), .path = "/v1/doctor", .handler = handler_system_doctor,
      .status = 200, .answer = "Doctor", .name = "runDoctor", .summary = "Check the invariants" },

    { AT(GET, ROUTE_PUBLIC), .path = "/healthz", .handler = handler_system_healthz,
      .status = 200, .answer = "Health", .name = "getHealth", .summary = "Whether the daemon lives" },
    { AT(GET, ROUTE_PUBLIC), .path = "/readyz", .handler = handler_system_readyz,
      .status = 200, .answer = "Health", .name = "getReadiness", .summary = "Whether the daemon serves all" },
    { AT(GET, ROUTE_PUBLIC), .path = "/metrics", .handler = metrics_get,
      .status = 200, .stream_type = "text/plain; version=0.0.4; charset=utf-8", .name = "getMetrics", .summary = "Metrics for Prometheus" },
    { AT(GET, ROUTE_PUBLIC), .path = "/openapi.json", .handler = openapi_get,
      .status = 200, .stream_type = "application/json", .name = "getOpenapi", .summary = "This document" },
};
/* clang-format on */

const size_t routes_count = sizeof(routes) / sizeof(routes[0]);
