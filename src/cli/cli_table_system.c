/* The table of commands: tokens, events, health, operations, backups. */

#include "berth/cli/table.h"

#include "cmd.h"

/* clang-format off */
static const char *const token_roles[] = { "user", "operator", "admin", NULL };

static const struct cli_arg token_new[] = {
    { "NAME", CLI_ONE, CLI_WORDS_NONE, NULL, "A name for people." },
    { .name = NULL },
};

static const struct cli_arg token_some[] = {
    { "TOKEN", CLI_SOME, CLI_WORDS_TOKEN, NULL, "Ids of tokens." },
    { .name = NULL },
};

static const struct cli_flag token_create_flags[] = {
    { .name = "role", .type = CLI_CHOICE, .value = "ROLE", .fallback = "user", .choices = token_roles, .doc = "What it may do." },
    { .name = "owner", .type = CLI_TEXT, .value = "OWNER", .doc = "Whose instances it makes and, for a user, sees; NAME when not given." },
    { .name = "pool", .type = CLI_TEXT, .repeats = true, .words = CLI_WORDS_POOL, .value = "POOL", .doc = "Only this pool; all when not given." },
    { .name = "expires", .type = CLI_DURATION, .value = "DURATION", .doc = "It ends so long from now; never when not given." },
    { .name = NULL },
};

static const struct cli_flag events_flags[] = {
    { .name = "kind", .type = CLI_TEXT, .value = "KIND", .doc = "Only this kind, e.g. instance.running." },
    { .name = "host", .type = CLI_TEXT, .words = CLI_WORDS_HOST, .value = "HOST", .doc = "Only of this host (id or name)." },
    { .name = "instance", .type = CLI_TEXT, .words = CLI_WORDS_INSTANCE, .value = "INSTANCE", .doc = "Only of this instance (id or name)." },
    { .name = "watch", .letter = 'w', .type = CLI_SWITCH, .doc = "Print what happens from now on, until Ctrl-C." },
    { .name = "after", .type = CLI_NUMBER, .value = "SEQ", .min = 0, .max = INT64_MAX, .doc = "With --watch: begin with the event after this one." },
    { .name = NULL },
};

static const struct cli_arg operation_one[] = {
    { "OPERATION", CLI_ONE, CLI_WORDS_OPERATION, NULL, "Id of the operation." },
    { .name = NULL },
};

static const struct cli_arg operation_some[] = {
    { "OPERATION", CLI_SOME, CLI_WORDS_OPERATION, NULL, "Ids of operations." },
    { .name = NULL },
};

static const struct cli_arg backup_file[] = {
    { "FILE", CLI_ONE, CLI_WORDS_FILE, NULL, "A new file, mode 0600; - is standard output." },
    { .name = NULL },
};

const struct cli_command cli_table_system[] = {
    { "status", "Show how things stand, and what to do", "Pools, hosts, what is free, the queue, and what is wrong.",
      "berth status\nberth status --watch",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_WATCH, false, cmd_status_status },
    { "events", "Print what happened", "The newest last. --watch begins with what happens next, and goes on after an interruption where it was.",
      "berth events --kind host.active\nberth events --watch -o json",
      "kind host instance", NULL, events_flags, CLI_SET_OUTPUT | CLI_SET_LIST, false, cmd_event_events },
    { "doctor", "Check that the daemon keeps its promises", "Exit code 1 when a check fails.", "berth doctor",
      NULL, NULL, NULL, CLI_SET_OUTPUT, false, cmd_system_doctor },
    { "housekeep", "Make a round of housekeeping now", NULL, "berth housekeep --wait",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_WAIT, false, cmd_system_housekeep },
    { "token ls", "List tokens", "Never their secrets: they are shown once, when they are made.", "berth token ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST, false, cmd_token_ls },
    { "token create", "Make a token and print its secret", "The secret is shown this once: the daemon keeps its digest only.",
      "(umask 077; berth token create ann --role user --expires 90d > ann.token)",
      NULL, token_new, token_create_flags, CLI_SET_OUTPUT, false, cmd_token_create },
    { "token rm", "Revoke tokens, at once", NULL, "berth token rm t-01h7q2m8k3v9a --yes",
      NULL, token_some, NULL, CLI_SET_DRY_RUN, false, cmd_token_rm },
    { "operation ls", "List operations", NULL, "berth operation ls",
      NULL, NULL, NULL, CLI_SET_OUTPUT | CLI_SET_LIST | CLI_SET_WATCH, false, cmd_operation_ls },
    { "operation show", "Show how far an operation is", NULL, "berth operation show o-01h7q2m8k3v9a --wait",
      NULL, operation_one, NULL, CLI_SET_OUTPUT | CLI_SET_WAIT, false, cmd_operation_show },
    { "operation cancel", "Cancel operations", NULL, "berth operation cancel o-01h7q2m8k3v9a",
      NULL, operation_some, NULL, CLI_SET_OUTPUT, false, cmd_operation_cancel },
    { "backup create", "Write a consistent copy of the daemon's database and of the keys of its hosts",
      "The daemon goes on meanwhile. To restore: stop it, 'berthd --config FILE --restore BACKUP', start it; it finds "
      "what still runs. The file is for its owner alone (0600): whoever reads it can log in to the hosts.",
      "berth backup create berth-$(date +%F).db",
      NULL, backup_file, NULL, 0, false, cmd_backup_create },
    { .path = NULL },
};
/* clang-format on */
