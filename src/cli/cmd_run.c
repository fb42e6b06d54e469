/* berth run */

#include "berth/cli/output.h"
#include "berth/cli/wait.h"

#include "cmd.h"

static const struct cli_column run_columns[] = {
    { "ID", "id", CLI_AS_TEXT, false, CLI_GRID_KEEP, NULL },
    { "NAME", "name", CLI_AS_TEXT, false, 0, NULL },
    { "STATE", "state", CLI_AS_STATE, false, 0, NULL },
    { "PORTS", "ports", CLI_AS_PORTS, false, 0, NULL },
    { "HOST", "host", CLI_AS_TEXT, true, 0, NULL },
    { "REASON", "reason", CLI_AS_TEXT, false, 0, NULL },
    { .title = NULL },
};

static const struct cli_rows run_rows = { .name = "id", .columns = run_columns };

static void
cmd_run_set_text(const struct cli *cli, json_t *body, const char *flag)
{
    const char *text = cli_args_text(&cli->args, flag);

    if (text)
        json_object_set_new(body, flag, json_string(text));
}

static json_t *
cmd_run_body(const struct cli *cli)
{
    json_t *body = json_pack("{s:s,s:I}", "blueprint", cli_args_word(&cli->args, 0), "count",
                             (json_int_t)cli_args_number(&cli->args, "count"));

    cmd_run_set_text(cli, body, "name");
    cmd_run_set_text(cli, body, "owner");
    cmd_run_set_text(cli, body, "pool");
    if (cli_args_has(&cli->args, "lifetime")) {
        json_object_set_new(body, "lifetime_s",
                            json_integer(cli_args_number(&cli->args, "lifetime")));
    }
    if (cli_args_has(&cli->args, "version")) {
        json_object_set_new(body, "blueprint_version",
                            json_integer(cli_args_number(&cli->args, "version")));
    }
    return body;
}

/* Is there such a blueprint? And what would be sent. */
static int
cmd_run_rehearse(struct cli *cli, const json_t *body)
{
    CLEANUP(mem_freep)
    char *path = cli_ask_path("blueprints", cli_args_word(&cli->args, 0), NULL);
    CLEANUP(json_freep) json_t *blueprint = NULL;
    int code = cli_ask_json(cli, path, &blueprint);

    if (code != EXIT_OK)
        return code;
    cli_term_note("would start %lld of %s, version %lld",
                  (long long)cli_args_number(&cli->args, "count"), cli_args_word(&cli->args, 0),
                  (long long)json_in_int(blueprint, "version", 0));
    return cli_output_is(cli, "json") ? cli_output_json(cli, body) : EXIT_OK;
}

/* Without -o the ids are what somebody wants of it. */
static int
cmd_run_print(struct cli *cli, const json_t *items)
{
    const json_t *item;
    struct buf out;
    size_t i;
    int code;

    if (cli_args_has(&cli->args, "output") || cli_args_has(&cli->args, "quiet"))
        return cli_output_rows(cli, &run_rows, items);
    buf_init(&out, 0);
    json_array_foreach(items, i, item)
    {
        buf_printf(&out, "%s\n", json_in_string(item, "id", ""));
    }
    code = cli_term_write(&cli->term, buf_text(&out), out.len, false);
    buf_fini(&out);
    return code;
}

int
cmd_run_run(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = cmd_run_body(cli);
    struct cli_call call = {
        .method = "POST", .path = "/v1/instances", .body = body, .keyed = true
    };
    json_t *items;
    int waited = EXIT_OK;
    int code;

    if (cli_args_has(&cli->args, "dry-run"))
        return cmd_run_rehearse(cli, body);
    code = cli_ask(cli, &call);
    items = json_object_get(call.json, "items");
    if (code == EXIT_OK && cli_args_has(&cli->args, "wait"))
        waited = cli_wait_instances(cli, items, CLI_WAIT_RUNNING);
    /* Also after a failure: the ids say what was made. */
    if (code == EXIT_OK)
        code = cmd_run_print(cli, items);
    cli_client_call_fini(&call);
    return waited != EXIT_OK ? waited : code;
}
