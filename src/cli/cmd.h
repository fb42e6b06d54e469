#pragma once

/*
 * What the table of commands points to; each carries one command out and
 * returns the program's exit code.
 */

#include "berth/cli/cli.h"

int cmd_run_run(struct cli *cli);

int cmd_instance_ps(struct cli *cli);
int cmd_instance_show(struct cli *cli);
int cmd_instance_stop(struct cli *cli);
int cmd_instance_extend(struct cli *cli);
int cmd_instance_explain(struct cli *cli);
int cmd_instance_stats(struct cli *cli);

int cmd_talk_logs(struct cli *cli);
int cmd_talk_exec(struct cli *cli);

int cmd_blueprint_ls(struct cli *cli);
int cmd_blueprint_show(struct cli *cli);
int cmd_blueprint_apply(struct cli *cli);
int cmd_blueprint_rm(struct cli *cli);

int cmd_host_ls(struct cli *cli);
int cmd_host_show(struct cli *cli);
int cmd_host_add(struct cli *cli);
int cmd_given_ssh_key(struct cli *cli);
int cmd_host_drain(struct cli *cli);
int cmd_host_activate(struct cli *cli);
int cmd_host_rm(struct cli *cli);
int cmd_host_log(struct cli *cli);

int cmd_inventory_inventory(struct cli *cli);

int cmd_pool_ls(struct cli *cli);
int cmd_pool_show(struct cli *cli);
int cmd_pool_set(struct cli *cli);
int cmd_pool_routes(struct cli *cli);

int cmd_orphans_orphans(struct cli *cli);
int cmd_shutdown_shutdown(struct cli *cli);
int cmd_drift_drift(struct cli *cli);

int cmd_plan_plan(struct cli *cli);

int cmd_token_ls(struct cli *cli);
int cmd_token_create(struct cli *cli);
int cmd_token_rm(struct cli *cli);

int cmd_image_ls(struct cli *cli);
int cmd_image_load(struct cli *cli);
int cmd_image_pull(struct cli *cli);

int cmd_event_events(struct cli *cli);

int cmd_status_status(struct cli *cli);

int cmd_system_doctor(struct cli *cli);
int cmd_system_housekeep(struct cli *cli);
int cmd_system_version(struct cli *cli);

int cmd_operation_ls(struct cli *cli);
int cmd_operation_show(struct cli *cli);
int cmd_operation_cancel(struct cli *cli);

int cmd_backup_create(struct cli *cli);

int cmd_api_api(struct cli *cli);

int cmd_context_ls(struct cli *cli);
int cmd_context_use(struct cli *cli);
int cmd_context_set(struct cli *cli);
int cmd_context_rm(struct cli *cli);

int cmd_own_help(struct cli *cli);
int cmd_own_completion(struct cli *cli);
int cmd_own_complete(struct cli *cli);
int cmd_own_generate(struct cli *cli);
