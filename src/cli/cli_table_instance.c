/* The table of commands: instances. */

#include "berth/cli/table.h"

#include "cmd.h"

#define INSTANCES "state owner host blueprint pool"

/* clang-format off */
static const struct cli_arg table_one[] = {
    { "INSTANCE", CLI_ONE, CLI_WORDS_INSTANCE, NULL, "Id of the instance, or the name of one that is alive." },
    { .name = NULL },
};

static const struct cli_arg table_some[] = {
    { "INSTANCE", CLI_SOME, CLI_WORDS_INSTANCE, NULL, "Ids of instances, or names of those that are alive." },
    { .name = NULL },
};

static const struct cli_arg run_args[] = {
    { "BLUEPRINT", CLI_ONE, CLI_WORDS_BLUEPRINT, NULL, "Name of the blueprint." },
    { .name = NULL },
};

static const struct cli_flag run_flags[] = {
    { .name = "count", .letter = 'n', .type = CLI_NUMBER, .value = "N", .fallback = "1", .min = 1, .max = 1000,
      .doc = "How many: all of them or none." },
    { .name = "name", .type = CLI_TEXT, .value = "NAME", .doc = "A name; with --count -1, -2, ... are appended." },
    { .name = "owner", .type = CLI_TEXT, .value = "OWNER", .doc = "Whose it is; the token's owner when not given." },
    { .name = "lifetime", .type = CLI_DURATION, .value = "DURATION", .doc = "Stop it after so long, at the latest when the blueprint says." },
    { .name = "pool", .type = CLI_TEXT, .words = CLI_WORDS_POOL, .value = "POOL", .doc = "Where to run it; the blueprint's pool when not given." },
    { .name = "version", .type = CLI_NUMBER, .value = "N", .min = 1, .max = INT64_MAX, .doc = "Version of the blueprint; the latest when not given." },
    { .name = NULL },
};

static const struct cli_flag ps_flags[] = {
    { .name = "all", .letter = 'a', .type = CLI_SWITCH, .doc = "Those that have ended, too." },
    { .name = NULL },
};

static const struct cli_flag extend_flags[] = {
    { .name = "lifetime", .type = CLI_DURATION, .value = "DURATION", .doc = "End so long from now; 0: no end." },
    { .name = "until", .type = CLI_TEXT, .value = "TIME", .doc = "End then, e.g. 2030-01-31T18:00:00Z." },
    { .name = NULL },
};

static const struct cli_flag logs_flags[] = {
    { .name = "follow", .letter = 'f', .type = CLI_SWITCH, .doc = "Go on as more comes, until the instance ends." },
    { .name = "tail", .letter = 'n', .type = CLI_NUMBER, .value = "N", .min = 0, .max = INT32_MAX, .doc = "Only the last N lines." },
    { .name = "since", .type = CLI_TEXT, .value = "TIME", .doc = "Only what came since then: a time, or how long ago (10m)." },
    { .name = "timestamps", .letter = 't', .type = CLI_SWITCH, .doc = "Put the time before each line." },
    { .name = NULL },
};

static const struct cli_arg exec_args[] = {
    { "INSTANCE", CLI_ONE, CLI_WORDS_INSTANCE, NULL, "Id or name of the instance." },
    { "COMMAND", CLI_REST, CLI_WORDS_NONE, NULL, "Program and arguments; no shell comes between." },
    { .name = NULL },
};

static const struct cli_flag exec_flags[] = {
    { .name = "user", .letter = 'u', .type = CLI_TEXT, .value = "USER", .doc = "Run as this user of the container; the image's when not given." },
    { .name = "workdir", .type = CLI_TEXT, .value = "PATH", .doc = "Run in this folder of the container; the image's when not given." },
    { .name = NULL },
};

const struct cli_command cli_table_instance[] = {
    { "run", "Start instances of a blueprint",
      "Prints the id of each new instance, one a line. An instance starts at once where there is room, else it waits in "
      "the queue; --wait returns when all are running, with exit code 1 as soon as one has failed.\n"
      "A run that was answered happens once: it carries an Idempotency-Key and is repeated when the answer is lost.",
      "berth run notebook --owner ann --lifetime 8h --wait\nberth run demo --count 20 -q",
      NULL, run_args, run_flags, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_run_run },
    { "ps", "List instances",
      "Instances that are alive, or with --all or a filter for a state those that have ended as well.",
      "berth ps\nberth ps -a --filter owner=ann -o wide\nberth ps -q --filter state=failed",
      INSTANCES, NULL, ps_flags, CLI_SET_OUTPUT | CLI_SET_LIST | CLI_SET_WATCH, false, cmd_instance_ps },
    { "show", "Show all about instances", NULL, "berth show i-01h7q2m8k3v9a -o json",
      NULL, table_some, NULL, CLI_SET_OUTPUT | CLI_SET_WATCH, false, cmd_instance_show },
    { "stop", "Stop instances and remove their containers",
      "Harmless for one that has stopped already. With --wait it returns when they have ended.",
      "berth stop i-01h7q2m8k3v9a --wait\nberth stop $(berth ps -q --filter owner=ann)",
      NULL, table_some, NULL, CLI_SET_OUTPUT | CLI_SET_WAIT | CLI_SET_DRY_RUN, false, cmd_instance_stop },
    { "extend", "Move the end of instances", "Give one of --lifetime and --until.", "berth extend i-01h7q2m8k3v9a --lifetime 2h",
      NULL, table_some, extend_flags, CLI_SET_OUTPUT, false, cmd_instance_extend },
    { "logs", "Print what an instance wrote", "Its standard output and standard error, as they are; of ended ones up to a bound.",
      "berth logs i-01h7q2m8k3v9a --tail 100 -f\nberth logs web --since 10m",
      NULL, table_one, logs_flags, 0, false, cmd_talk_logs },
    { "exec", "Run a command in an instance",
      "Prints what it wrote and ends with its exit code. Flags after the instance belong to the command.",
      "berth exec i-01h7q2m8k3v9a ls -l /\nberth exec -u root web -- sh -c 'id; exit 3'",
      NULL, exec_args, exec_flags, 0, false, cmd_talk_exec },
    { "stats", "Show what instances use", "Memory, processors, network and disk, of two samples half a second apart; JSON and YAML: one sample.",
      "berth stats $(berth ps -q)\nberth stats web --watch",
      NULL, table_some, NULL, CLI_SET_OUTPUT | CLI_SET_WATCH, false, cmd_instance_stats },
    { "explain", "Say why an instance is where it is, or still waits",
      "The decision that was made, and how things stand now: for each host what speaks against it, and the nearest miss. Of what waits, operators "
      "see what its pool does about it, too: hosts that come, what holds back more or is refused by the provider, and what helps.",
      "berth explain i-01h7q2m8k3v9a",
      NULL, table_one, NULL, CLI_SET_OUTPUT, false, cmd_instance_explain },
    { .path = NULL },
};
/* clang-format on */
