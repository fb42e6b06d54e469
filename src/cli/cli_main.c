/* The program: read the command line, carry the command out. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "berth/cli/ask.h"
#include "berth/cli/help.h"

static int
cli_main_print(const struct cli *cli, struct buf *text, bool asked)
{
    int code = EXIT_USAGE;

    if (asked) {
        code = cli_term_write(&cli->term, buf_text(text), text->len, false);
    } else {
        (void)fputs(buf_text(text), stderr);
    }
    buf_fini(text);
    return code;
}

/* --help, or no command at all. */
static int
cli_main_help(const struct cli *cli)
{
    struct buf text;

    buf_init(&text, 0);
    if (cli->args.command) {
        cli_help_command(cli->args.command, &text);
    } else if (cli->args.group) {
        cli_help_group(cli->args.group, &text);
    } else {
        cli_help_overview(&text);
    }
    return cli_main_print(cli, &text, cli->args.help);
}

static int
cli_main_usage(const struct cli *cli, const struct fault *fault)
{
    const struct cli_command *command = cli->args.command;
    struct buf text;

    buf_init(&text, 0);
    if (command) {
        buf_append_string(&text, "usage: ");
        cli_help_usage(command, &text);
        buf_printf(&text, "\n'berth %s --help' explains it.\n", command->path);
    } else {
        buf_append_string(&text, "'berth help' lists the commands.\n");
    }
    (void)cli_ask_fail(fault);
    return cli_main_print(cli, &text, false);
}

/* A token on the command line: kept apart, and no longer to be seen by others in the list of
 * processes. Owned; NULL: none. */
static char *
cli_main_token(const struct cli_args *args)
{
    char *token = NULL;

    for (size_t i = 0; i < args->value_count; i++) {
        const struct cli_value *value = &args->values[i];

        if (strcmp(value->flag->name, "token") != 0)
            continue;
        mem_free(token);
        token = mem_strdup(value->text);
        /* It lies in argv, which is ours to change. */
        memset(mem_unconst(value->text), 'x', strlen(value->text));
    }
    return token;
}

static int
cli_main_run(struct cli *cli)
{
    int code;

    cli->wish.url = cli_args_text(&cli->args, "url");
    cli->wish.context = cli_args_text(&cli->args, "context");
    cli->timeout_s = cli_args_number(&cli->args, "timeout");
    code = cli->args.command->run(cli);
    cli_client_free(cli->client);
    cli_context_target_fini(&cli->target);
    return code;
}

int
cli_main(int argc, char **argv)
{
    size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    char *const *words = argv + (argc > 0);
    struct cli cli = { 0 };
    struct fault fault;
    char *token = NULL;
    int code;

    /* A reader that has seen enough (head) is no failure; writes tell us. */
    (void)sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
    cli_term_init(&cli.term);
    if (count == 1 && (strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0)) {
        return cli_term_write(&cli.term, "berth " BERTH_VERSION "\n",
                              strlen("berth " BERTH_VERSION "\n"), false);
    }
    if (cli_args_parse(words, count, &cli.args, &fault) < 0) {
        code = cli_main_usage(&cli, &fault);
    } else if (cli.args.help || !cli.args.command) {
        code = cli_main_help(&cli);
    } else {
        token = cli_main_token(&cli.args);
        cli.wish.token = token;
        code = cli_main_run(&cli);
    }
    if (token)
        secret_wipe(token, strlen(token));
    mem_free(token);
    cli_args_fini(&cli.args);
    curl_global_cleanup();
    return code;
}
