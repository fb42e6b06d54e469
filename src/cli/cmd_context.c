/* berth context ls, use, set, rm */

#include <stdio.h>
#include <string.h>

#include "berth/base/secret.h"
#include "berth/base/text.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum { CONTEXT_TOKEN_MAX = 4096 };

static const struct cli_column context_columns[] = {
    { "CURRENT", "current", CLI_AS_TEXT, false, 0, NULL },
    { "NAME", "name", CLI_AS_TEXT, false, CLI_GRID_KEEP, NULL },
    { "URL", "url", CLI_AS_TEXT, false, 0, NULL },
    { "TOKEN", "token", CLI_AS_TEXT, false, 0, NULL },
    { .title = NULL },
};

static const struct cli_rows context_rows = {
    .name = "name",
    .columns = context_columns,
    .none = "there is no context: 'berth context set NAME --url URL' makes one",
};

int
cmd_context_ls(struct cli *cli)
{
    CLEANUP(json_freep) json_t *contexts = NULL;
    CLEANUP(json_freep) json_t *items = json_array();
    const json_t *context;
    struct fault fault;
    size_t i;

    if (cli_context_load(&contexts, &fault) < 0)
        return cli_ask_fail(&fault);
    json_array_foreach(json_object_get(contexts, "contexts"), i, context)
    {
        const char *name = json_in_string(context, "name", "");
        bool current = strcmp(json_in_string(contexts, "current", ""), name) == 0;
        bool kept = json_object_get(context, "token") != NULL;

        /* Whether there is a token, never which. */
        json_array_append_new(
            items, json_pack("{s:s,s:s,s:s,s:s}", "current", current ? "*" : "", "name", name,
                             "url", json_in_string(context, "url", ""), "token",
                             kept ? "kept here" : json_in_string(context, "token_file", "none")));
    }
    return cli_output_rows(cli, &context_rows, items);
}

static int
cmd_context_save(const json_t *contexts)
{
    struct fault fault;

    return cli_context_save(contexts, &fault) < 0 ? cli_ask_fail(&fault) : EXIT_OK;
}

static int
cmd_context_missing(const char *name)
{
    cli_term_note("there is no context '%s'; 'berth context ls' lists them", name);
    return EXIT_NOT_FOUND;
}

int
cmd_context_use(struct cli *cli)
{
    const char *name = cli_args_word(&cli->args, 0);
    CLEANUP(json_freep) json_t *contexts = NULL;
    struct fault fault;

    if (cli_context_load(&contexts, &fault) < 0)
        return cli_ask_fail(&fault);
    if (!cli_context_find(contexts, name))
        return cmd_context_missing(name);
    json_object_set_new(contexts, "current", json_string(name));
    return cmd_context_save(contexts);
}

/* Put what the flags say about the token into @context. */
static int
cmd_context_token(const struct cli *cli, json_t *context)
{
    const char *file = cli_args_text(&cli->args, "token-file");
    char line[CONTEXT_TOKEN_MAX] = "";

    if (cli_args_has(&cli->args, "token-stdin")) {
        if (!fgets(line, sizeof(line), stdin) || line[strcspn(line, " \t\r\n")] == ' ') {
            cli_term_note("there is no token on standard input");
            return EXIT_USAGE;
        }
        line[strcspn(line, "\r\n")] = '\0';
        json_object_set_new(context, "token", json_string(line));
        secret_wipe(line, sizeof(line));
    } else if (cli->wish.token) {
        json_object_set_new(context, "token", json_string(cli->wish.token));
    }
    if (cli_args_has(&cli->args, "token-stdin") || cli->wish.token)
        json_object_del(context, "token_file");
    if (!file)
        return EXIT_OK;
    if (file[0] != '/') {
        cli_term_note("--token-file must be an absolute path");
        return EXIT_USAGE;
    }
    json_object_set_new(context, "token_file", json_string(file));
    json_object_del(context, "token");
    return EXIT_OK;
}

int
cmd_context_set(struct cli *cli)
{
    const char *name = cli_args_word(&cli->args, 0);
    CLEANUP(json_freep) json_t *contexts = NULL;
    struct fault fault;
    json_t *context;
    int code;

    if (!text_is_name(name)) {
        cli_term_note("'%s' is no name: a-z, 0-9, '.' and '-'", name);
        return EXIT_USAGE;
    }
    if (cli_context_load(&contexts, &fault) < 0)
        return cli_ask_fail(&fault);
    context = cli_context_find(contexts, name);
    if (!context && !cli->wish.url) {
        cli_term_note("a new context needs --url URL");
        return EXIT_USAGE;
    }
    if (!context) {
        context = json_pack("{s:s}", "name", name);
        json_array_append_new(json_object_get(contexts, "contexts"), context);
    }
    if (cli->wish.url)
        json_object_set_new(context, "url", json_string(cli->wish.url));
    code = cmd_context_token(cli, context);
    if (code != EXIT_OK)
        return code;
    if (!json_is_string(json_object_get(contexts, "current")))
        json_object_set_new(contexts, "current", json_string(name));
    return cmd_context_save(contexts);
}

int
cmd_context_rm(struct cli *cli)
{
    CLEANUP(json_freep) json_t *contexts = NULL;
    struct fault fault;
    const char *name;

    if (cli_context_load(&contexts, &fault) < 0)
        return cli_ask_fail(&fault);
    for (size_t at = 0; (name = cli_args_word(&cli->args, at)); at++) {
        CLEANUP(mem_freep) char *question = mem_printf("Forget the context %s?", name);
        json_t *list = json_object_get(contexts, "contexts");
        const json_t *context = cli_context_find(contexts, name);

        if (!context)
            return cmd_context_missing(name);
        if (!cli_ask_confirm(cli, question))
            return EXIT_FAILED;
        for (size_t i = json_array_size(list); i > 0; i--) {
            if (json_array_get(list, i - 1) == context)
                json_array_remove(list, i - 1);
        }
        if (strcmp(json_in_string(contexts, "current", ""), name) == 0)
            json_object_set_new(contexts, "current", json_null());
    }
    return cmd_context_save(contexts);
}
