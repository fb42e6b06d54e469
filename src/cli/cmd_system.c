/* berth doctor, housekeep, version */

#include "berth/cli/output.h"
#include "berth/cli/wait.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column doctor_columns[] = {
    { "OK",     "ok",     CLI_AS_YES,  false, CLI_GRID_KEEP, NULL },
    { "CHECK",  "check",  CLI_AS_TEXT, false, 0,             NULL },
    { "DETAIL", "detail", CLI_AS_TEXT, false, 0,             NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows doctor_rows = { .name = "check", .columns = doctor_columns };

int
cmd_system_doctor(struct cli *cli)
{
    CLEANUP(json_freep) json_t *report = NULL;
    int code = cli_ask_json(cli, "/v1/doctor", &report);

    if (code != EXIT_OK)
        return code;
    if (cli_output_is(cli, "json") || cli_output_is(cli, "yaml")) {
        code = cli_output_object(cli, "ok", report);
    } else {
        code = cli_output_rows(cli, &doctor_rows, json_object_get(report, "checks"));
    }
    return code == EXIT_OK && !json_in_bool(report, "ok", false) ? EXIT_FAILED : code;
}

int
cmd_system_housekeep(struct cli *cli)
{
    struct cli_call call = { .method = "POST", .path = "/v1/housekeeping", .keyed = true };
    json_t *operation;
    int waited = EXIT_OK;
    int code = cli_ask(cli, &call);

    operation = json_incref(call.json);
    cli_client_call_fini(&call);
    if (code == EXIT_OK && cli_args_has(&cli->args, "wait"))
        waited = cli_wait_operation(cli, &operation);
    if (code == EXIT_OK)
        code = cli_output_object(cli, "id", operation);
    json_decref(operation);
    return waited != EXIT_OK ? waited : code;
}

int
cmd_system_version(struct cli *cli)
{
    CLEANUP(json_freep) json_t *versions = json_pack("{s:s}", "berth", BERTH_VERSION);
    CLEANUP(json_freep) json_t *daemon = NULL;
    int code = cli_ask_json(cli, "/v1/version", &daemon);
    int shown;

    if (code == EXIT_OK) {
        json_object_set(versions, "berthd", json_object_get(daemon, "version"));
        json_object_set(versions, "cluster", json_object_get(daemon, "cluster"));
        json_object_set(versions, "cluster_id", json_object_get(daemon, "cluster_id"));
        json_object_set(versions, "api", json_object_get(daemon, "api"));
        json_object_set_new(versions, "url", json_string(cli->target.url));
    }
    shown = cli_output_object(cli, "berth", versions);
    return code != EXIT_OK ? code : shown;
}
