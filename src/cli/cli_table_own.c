/* The table of commands: what concerns the command line itself. */

#include "berth/cli/table.h"

#include "cmd.h"

/* clang-format off */
static const char *const own_shells[] = { "bash", "zsh", "fish", NULL };
static const char *const own_methods[] = { "GET", "POST", "PUT", "DELETE", "HEAD", NULL };

static const struct cli_arg api_args[] = {
    { "METHOD", CLI_ONE, CLI_WORDS_NONE, own_methods, "GET, POST, PUT, DELETE or HEAD." },
    { "PATH", CLI_ONE, CLI_WORDS_NONE, NULL, "Path with its query; /v1/ may be left out." },
    { .name = NULL },
};

static const struct cli_flag api_flags[] = {
    { .name = "data", .letter = 'd', .type = CLI_TEXT, .value = "JSON", .doc = "The body: JSON, @FILE, or @- for standard input." },
    { .name = NULL },
};

static const struct cli_arg completion_args[] = {
    { "SHELL", CLI_ONE, CLI_WORDS_NONE, own_shells, "bash, zsh or fish." },
    { .name = NULL },
};

static const struct cli_arg context_new[] = {
    { "NAME", CLI_ONE, CLI_WORDS_CONTEXT, NULL, "Name of the context." },
    { .name = NULL },
};

static const struct cli_flag context_set_flags[] = {
    { .name = "token-file", .type = CLI_TEXT, .words = CLI_WORDS_FILE, .value = "FILE", .doc = "The token is read from this file each time." },
    { .name = "token-stdin", .type = CLI_SWITCH, .doc = "Keep the token that stands on standard input." },
    { .name = NULL },
};

static const struct cli_arg context_some[] = {
    { "NAME", CLI_SOME, CLI_WORDS_CONTEXT, NULL, "Names of contexts." },
    { .name = NULL },
};

static const struct cli_arg help_args[] = {
    { "COMMAND", CLI_ANY, CLI_WORDS_COMMAND, NULL, "The command; none: all of them." },
    { .name = NULL },
};

static const struct cli_arg complete_args[] = {
    { "WORD", CLI_ANY, CLI_WORDS_NONE, NULL, "The words after the program's name; the last is to be completed." },
    { .name = NULL },
};

static const struct cli_arg generate_args[] = {
    { "FOLDER", CLI_ONE, CLI_WORDS_FILE, NULL, "Where to write the manual pages and completions." },
    { .name = NULL },
};

const struct cli_command cli_table_own[] = {
    { "api", "Send any request and print the answer", "For what no command is there. A POST carries an Idempotency-Key.",
      "berth api GET '/v1/instances?state=queued'\nberth api POST hosts/h-01h7q2m8k3v9a/drain -d '{\"deadline_s\": 60}'",
      NULL, api_args, api_flags, 0, false, cmd_api_api },
    { "version", "Print the versions of berth and of the daemon", NULL, "berth version -o json",
      NULL, NULL, NULL, CLI_SET_OUTPUT, false, cmd_system_version },
    { "completion", "Print the completion of a shell", "It completes commands, flags and values; names of instances, hosts and so on are asked of the daemon.",
      "source <(berth completion bash)\nberth completion fish > ~/.config/fish/completions/berth.fish",
      NULL, completion_args, NULL, 0, false, cmd_own_completion },
    { "help", "Explain a command", NULL, "berth help host drain",
      NULL, help_args, NULL, 0, false, cmd_own_help },
    { "context ls", "List contexts", NULL, "berth context ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT, false, cmd_context_ls },
    { "context use", "Make a context the current one", NULL, "berth context use office",
      NULL, context_new, NULL, 0, false, cmd_context_use },
    { "context set", "Make or change a context",
      "The first context becomes the current one. The token is kept in the context file (mode 0600), or read from a file of its own.",
      "berth context set office --url https://berth.example.org --token-file ~/.berth.token\n"
      "berth context set here --url unix:/var/lib/berth/berthd.sock --token-stdin < token",
      NULL, context_new, context_set_flags, 0, false, cmd_context_set },
    { "context rm", "Forget contexts", NULL, "berth context rm office --yes",
      NULL, context_some, NULL, 0, false, cmd_context_rm },
    { "__complete", "Answer the shells' completion", NULL, NULL, NULL, complete_args, NULL, 0, true, cmd_own_complete },
    { "__generate", "Write manual pages and completions", NULL, NULL, NULL, generate_args, NULL, 0, true, cmd_own_generate },
    { .path = NULL },
};
/* clang-format on */
