#pragma once

/*
 * The handlers, by file.  Each gets a request whose head, query, body and role
 * were found good, and fills in its reply or suspends it.
 */

struct api_server;
struct operation;
struct request;

void handler_instances_create(struct request *request);
void handler_instances_list(struct request *request);
void handler_instances_get(struct request *request);
void handler_instances_delete(struct request *request);
void handler_instances_extend(struct request *request);
void handler_instances_explain(struct request *request);

void handler_exec_run(struct request *request);
void handler_logs_get(struct request *request);
/** handler_logs_notify() - something may have changed: whoever waits for a container looks again. */
void handler_logs_notify(struct api_server *server);
void handler_stats_get(struct request *request);

void handler_blueprints_list(struct request *request);
void handler_blueprints_create(struct request *request);
void handler_blueprints_get(struct request *request);
void handler_blueprints_put(struct request *request);
void handler_blueprints_delete(struct request *request);

void handler_hosts_list(struct request *request);
void handler_hosts_create(struct request *request);
void handler_hosts_get(struct request *request);
void handler_hosts_drain(struct request *request);
void handler_hosts_activate(struct request *request);
void handler_hosts_remove(struct request *request);
void handler_hosts_ssh_key(struct request *request);
void handler_hosts_log(struct request *request);

void handler_pools_list(struct request *request);
void handler_pools_get(struct request *request);
void handler_pools_put(struct request *request);
void handler_pools_plan(struct request *request);
void handler_pools_apply(struct request *request);
void handler_pools_shutdown(struct request *request);
void handler_pools_drift(struct request *request);
void handler_orphans_list(struct request *request);
void handler_orphans_end(struct request *request);

/** handler_status_get() - costs a walk over all hosts and what waits. */
void handler_status_get(struct request *request);

void handler_tokens_list(struct request *request);
void handler_tokens_create(struct request *request);
void handler_tokens_delete(struct request *request);

void handler_events_list(struct request *request);

/** handler_operations_accepted() - 202 with @operation, where it can be watched, once that is durable. */
void handler_operations_accepted(struct request *request, const struct operation *operation);
void handler_operations_list(struct request *request);
void handler_operations_get(struct request *request);
void handler_operations_cancel(struct request *request);
void handler_operations_housekeep(struct request *request);

void handler_images_list(struct request *request);
void handler_images_load(struct request *request);
void handler_images_pull(struct request *request);

void handler_backups_create(struct request *request);
/** handler_backups_clean() - what a killed daemon was about to send from @folder: secrets. */
void handler_backups_clean(const char *folder);

void handler_system_version(struct request *request);
void handler_system_doctor(struct request *request);
void handler_system_healthz(struct request *request);
void handler_system_readyz(struct request *request);
