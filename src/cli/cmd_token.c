/* berth token ls, create, rm */

#include "berth/base/secret.h"
#include "berth/cli/output.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column token_columns[] = {
    { "ID",      "id",         CLI_AS_TEXT, false, CLI_GRID_KEEP,  NULL },
    { "NAME",    "name",       CLI_AS_TEXT, false, 0,              NULL },
    { "ROLE",    "role",       CLI_AS_TEXT, false, 0,              NULL },
    { "OWNER",   "owner",      CLI_AS_TEXT, false, 0,              NULL },
    { "POOLS",   "pools",      CLI_AS_TEXT, false, 0,              NULL },
    { "AGE",     "created_at", CLI_AS_AGE,  false, CLI_GRID_RIGHT, NULL },
    { "LEFT",    "expires_at", CLI_AS_LEFT, false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows token_rows = { .name = "id", .columns = token_columns };

int
cmd_token_ls(struct cli *cli)
{
    return cli_output_list(cli, &(struct cli_list){ .path = "/v1/tokens", .rows = &token_rows });
}

static json_t *
cmd_token_body(const struct cli *cli)
{
    const char *owner = cli_args_text(&cli->args, "owner");
    json_t *body = json_pack("{s:s,s:s}", "name", cli_args_word(&cli->args, 0), "role",
                             cli_args_text(&cli->args, "role"));
    json_t *pools = json_array();
    const char *pool;

    for (size_t at = 0; (pool = cli_args_next(&cli->args, "pool", &at));)
        json_array_append_new(pools, json_string(pool));
    if (owner)
        json_object_set_new(body, "owner", json_string(owner));
    if (cli_args_has(&cli->args, "expires")) {
        json_object_set_new(body, "expires_in_s",
                            json_integer(cli_args_number(&cli->args, "expires")));
    }
    json_object_set_new(body, "pools", pools);
    return body;
}

int
cmd_token_create(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = cmd_token_body(cli);
    struct cli_call call = { .method = "POST", .path = "/v1/tokens", .body = body, .keyed = true };
    const char *secret;
    struct buf out;
    int code = cli_ask(cli, &call);

    secret = json_in_string(call.json, "token", NULL);
    if (code == EXIT_OK && !secret) {
        cli_term_note("%s was made, but the answer with its secret was lost: remove it and make "
                      "another",
                      json_in_string(call.json, "id", "a token"));
        code = EXIT_FAILED;
    } else if (code == EXIT_OK && cli_args_has(&cli->args, "output")) {
        code = cli_output_object(cli, "token", call.json);
    } else if (code == EXIT_OK) {
        if (!cli_args_has(&cli->args, "quiet"))
            cli_term_note("%s, shown this once:", json_in_string(call.json, "id", "the token"));
        buf_init(&out, 0);
        buf_printf(&out, "%s\n", secret);
        code = cli_term_write(&cli->term, buf_text(&out), out.len, false);
        secret_wipe(out.data, out.len);
        buf_fini(&out);
    }
    cli_client_call_fini(&call);
    return code;
}

int
cmd_token_rm(struct cli *cli)
{
    const char *id;

    for (size_t i = 0; (id = cli_args_word(&cli->args, i)); i++) {
        CLEANUP(mem_freep) char *path = cli_ask_path("tokens", id, NULL);
        CLEANUP(mem_freep) char *question = mem_printf("Revoke the token %s?", id);
        struct cli_call call = { .method = "DELETE", .path = path };
        int code;

        if (cli_args_has(&cli->args, "dry-run")) {
            cli_term_note("would revoke the token %s", id);
            continue;
        }
        if (!cli_ask_confirm(cli, question))
            return EXIT_FAILED;
        code = cli_ask(cli, &call);
        cli_client_call_fini(&call);
        if (code != EXIT_OK)
            return code;
    }
    return EXIT_OK;
}
