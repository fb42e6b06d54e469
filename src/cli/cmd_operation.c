/* berth operation ls, show, cancel */

#include "berth/cli/output.h"
#include "berth/cli/wait.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column operation_columns[] = {
    { "ID",       "id",         CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "KIND",     "kind",       CLI_AS_TEXT,  false, 0,              NULL },
    { "STATE",    "state",      CLI_AS_STATE, false, 0,              NULL },
    { "PROGRESS", "progress",   CLI_AS_SHARE, false, CLI_GRID_RIGHT, "total" },
    { "SUBJECT",  "subject",    CLI_AS_TEXT,  false, 0,              NULL },
    { "POOL",     "pool",       CLI_AS_TEXT,  true,  0,              NULL },
    { "HOST",     "host",       CLI_AS_TEXT,  true,  0,              NULL },
    { "OWNER",    "owner",      CLI_AS_TEXT,  true,  0,              NULL },
    { "AGE",      "created_at", CLI_AS_AGE,   false, CLI_GRID_RIGHT, NULL },
    { "TEXT",     "text",       CLI_AS_TEXT,  false, 0,              NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows operation_rows = { .name = "id", .columns = operation_columns };

int
cmd_operation_ls(struct cli *cli)
{
    return cli_output_list(cli,
                           &(struct cli_list){ .path = "/v1/operations", .rows = &operation_rows });
}

int
cmd_operation_show(struct cli *cli)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("operations", cli_args_word(&cli->args, 0), NULL);
    json_t *operation = NULL;
    int waited = EXIT_OK;
    int code = cli_ask_json(cli, path, &operation);

    if (code == EXIT_OK && cli_args_has(&cli->args, "wait"))
        waited = cli_wait_operation(cli, &operation);
    if (code == EXIT_OK)
        code = cli_output_object(cli, "id", operation);
    json_decref(operation);
    return waited != EXIT_OK ? waited : code;
}

int
cmd_operation_cancel(struct cli *cli)
{
    CLEANUP(json_freep) json_t *items = json_array();
    const char *id;
    int code = EXIT_OK;

    for (size_t i = 0; code == EXIT_OK && (id = cli_args_word(&cli->args, i)); i++) {
        CLEANUP(mem_freep) char *path = cli_ask_path("operations", id, NULL);
        struct cli_call call = { .method = "DELETE", .path = path };

        code = cli_ask(cli, &call);
        if (code == EXIT_OK)
            json_array_append(items, call.json);
        cli_client_call_fini(&call);
    }
    return code == EXIT_OK ? cli_output_rows(cli, &operation_rows, items) : code;
}
