/* berth ps, show, stop, extend, explain, stats */

#include <string.h>

#include "berth/base/id.h"
#include "berth/base/text.h"
#include "berth/cli/advice.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"
#include "berth/cli/signal.h"
#include "berth/cli/wait.h"

#include "cmd.h"

enum { STATS_PAUSE_MS = 500 };

/* clang-format off */
static const struct cli_column instance_columns[] = {
    { "ID",        "id",                CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "NAME",      "name",              CLI_AS_TEXT,  false, 0,              NULL },
    { "BLUEPRINT", "blueprint",         CLI_AS_TEXT,  false, 0,              NULL },
    { "VERSION",   "blueprint_version", CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "OWNER",     "owner",             CLI_AS_TEXT,  false, 0,              NULL },
    { "STATE",     "state",             CLI_AS_STATE, false, 0,              NULL },
    { "POOL",      "pool",              CLI_AS_TEXT,  true,  0,              NULL },
    { "HOST",      "host",              CLI_AS_TEXT,  true,  0,              NULL },
    { "MEMORY",    "memory_bytes",      CLI_AS_SIZE,  false, CLI_GRID_RIGHT, NULL },
    { "QUEUE",     "queue.position",    CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "OOM",       "oom_kills",         CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "RESTARTS",  "restarts",          CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "EXIT",      "exit_code",         CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "AGE",       "created_at",        CLI_AS_AGE,   false, CLI_GRID_RIGHT, NULL },
    { "LEFT",      "ends_at",           CLI_AS_LEFT,  false, CLI_GRID_RIGHT, NULL },
    { "PORTS",     "ports",             CLI_AS_PORTS, false, 0,              NULL },
    { "REASON",    "reason",            CLI_AS_TEXT,  true,  0,              NULL },
    { .title = NULL },
};

static const struct cli_column stats_columns[] = {
    { "ID",       "id",                CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "CPU",      "cpu",               CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "MEMORY",   "memory_bytes",      CLI_AS_SIZES, false, CLI_GRID_RIGHT, "memory_limit_bytes" },
    { "PIDS",     "pids",              CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "NETWORK",  "network_in_bytes",  CLI_AS_BOTH, false, CLI_GRID_RIGHT, "network_out_bytes" },
    { "DISK",     "block_in_bytes",    CLI_AS_BOTH, false, CLI_GRID_RIGHT, "block_out_bytes" },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows instance_rows = {
    .name = "id",
    .columns = instance_columns,
    .none = "there is no such instance; 'berth ps -a' shows those that have ended, too",
};

static const struct cli_rows stats_rows = { .name = "id", .columns = stats_columns };

int
cmd_instance_ps(struct cli *cli)
{
    bool all = cli_args_has(&cli->args, "all");
    const char *pair;

    for (size_t at = 0; (pair = cli_args_next(&cli->args, "filter", &at));)
        all = all || strncmp(pair, "state=", strlen("state=")) == 0;
    return cli_output_list(cli, &(struct cli_list){
                                    .path = all ? "/v1/instances" : "/v1/instances?state=live",
                                    .rows = &instance_rows,
                                });
}

/* The instances that the arguments name, as an array. */
static int
cmd_instance_each(struct cli *cli, const char *verb, json_t **ret_items)
{
    CLEANUP(json_freep) json_t *items = json_array();
    char id[ID_TEXT_SIZE];
    const char *word;

    for (size_t i = 0; (word = cli_args_word(&cli->args, i)); i++) {
        CLEANUP(mem_freep) char *path = NULL;
        json_t *item = NULL;
        int code = cli_ask_instance_id(cli, word, id);

        if (code != EXIT_OK)
            return code;
        path = cli_ask_path("instances", id, verb);
        code = cli_ask_json(cli, path, &item);
        if (code != EXIT_OK)
            return code;
        /* A sample does not tell whose it is. */
        if (verb && !json_object_get(item, "instance"))
            json_object_set_new(item, "id", json_string(id));
        json_array_append_new(items, item);
    }
    *ret_items = STEAL(items);
    return EXIT_OK;
}

/* One as an object, several as a list. */
static const json_t *
cmd_instance_fold(const json_t *items)
{
    return json_array_size(items) == 1 ? json_array_get(items, 0) : items;
}

static int
cmd_instance_show_render(struct cli *cli, void *cookie, struct buf *out)
{
    CLEANUP(json_freep) json_t *items = NULL;
    CLEANUP(json_freep) json_t *humane = NULL;
    int code = cmd_instance_each(cli, NULL, &items);

    (void)cookie;
    if (code != EXIT_OK)
        return code;
    humane = cli_format_humane(cmd_instance_fold(items), cli_format_now_ms());
    cli_format_plain(humane, out);
    return EXIT_OK;
}

int
cmd_instance_show(struct cli *cli)
{
    CLEANUP(json_freep) json_t *items = NULL;
    int code;

    if (cli_args_has(&cli->args, "watch"))
        return cli_output_watch(cli, cmd_instance_show_render, NULL);
    code = cmd_instance_each(cli, NULL, &items);
    if (code != EXIT_OK)
        return code;
    if (cli_output_is(cli, "name") || cli_output_is(cli, "wide"))
        return cli_output_rows(cli, &instance_rows, items);
    return cli_output_object(cli, "id", cmd_instance_fold(items));
}

static int
cmd_instance_stop_one(struct cli *cli, const char *word, json_t *items)
{
    CLEANUP(mem_freep) char *path = NULL;
    struct cli_call call = { .method = "DELETE" };
    char id[ID_TEXT_SIZE];
    int code = cli_ask_instance_id(cli, word, id);

    if (code != EXIT_OK)
        return code;
    path = cli_ask_path("instances", id, NULL);
    call.path = path;
    if (cli_args_has(&cli->args, "dry-run")) {
        cli_term_note("would stop %s", id);
        return EXIT_OK;
    }
    code = cli_ask(cli, &call);
    if (code == EXIT_OK) {
        json_array_append_new(items,
                              call.json ? json_incref(call.json) : json_pack("{s:s}", "id", id));
    }
    cli_client_call_fini(&call);
    return code;
}

int
cmd_instance_stop(struct cli *cli)
{
    CLEANUP(json_freep) json_t *items = json_array();
    int result = EXIT_OK;
    const char *word;
    int code;

    for (size_t i = 0; (word = cli_args_word(&cli->args, i)); i++) {
        code = cmd_instance_stop_one(cli, word, items);
        result = result != EXIT_OK ? result : code;
        if (code == EXIT_UNREACHABLE)
            return code;
    }
    if (cli_args_has(&cli->args, "wait") && json_array_size(items) > 0) {
        code = cli_wait_instances(cli, items, CLI_WAIT_ENDED);
        result = result != EXIT_OK ? result : code;
    }
    if (cli_args_has(&cli->args, "output") || cli_args_has(&cli->args, "quiet")) {
        code = cli_output_rows(cli, &instance_rows, items);
        result = result != EXIT_OK ? result : code;
    }
    return result;
}

int
cmd_instance_extend(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = json_object();
    CLEANUP(json_freep) json_t *items = json_array();
    const char *until = cli_args_text(&cli->args, "until");
    const char *word;

    if (cli_args_has(&cli->args, "lifetime") == (until != NULL)) {
        cli_term_note("'extend' needs one of --lifetime and --until");
        return EXIT_USAGE;
    }
    if (until) {
        json_object_set_new(body, "ends_at", json_string(until));
    } else {
        json_object_set_new(body, "lifetime_s",
                            json_integer(cli_args_number(&cli->args, "lifetime")));
    }
    for (size_t i = 0; (word = cli_args_word(&cli->args, i)); i++) {
        CLEANUP(mem_freep) char *path = NULL;
        struct cli_call call = { .method = "POST", .body = body, .keyed = true };
        char id[ID_TEXT_SIZE];
        int code = cli_ask_instance_id(cli, word, id);

        if (code != EXIT_OK)
            return code;
        path = cli_ask_path("instances", id, "extend");
        call.path = path;
        code = cli_ask(cli, &call);
        if (code == EXIT_OK)
            json_array_append(items, call.json);
        cli_client_call_fini(&call);
        if (code != EXIT_OK)
            return code;
    }
    return cli_output_rows(cli, &instance_rows, items);
}

/* What is in the way of what waits, with what helps. */
static void
cmd_instance_explain_growth(const json_t *growth)
{
    const char *pool = json_in_string(growth, "pool", "?");
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(growth, "held"), i, item)
    {
        CLEANUP(mem_freep) char *todo = cli_advice_hold(item, pool);

        json_object_set_new(item, "do", json_string(todo));
    }
    json_array_foreach(json_object_get(growth, "refused"), i, item)
    {
        CLEANUP(mem_freep) char *todo = cli_advice_mend(item, pool);

        json_object_set_new(item, "do", json_string(todo));
    }
}

int
cmd_instance_explain(struct cli *cli)
{
    CLEANUP(json_freep) json_t *items = NULL;
    int code = cmd_instance_each(cli, "explain", &items);

    if (code == EXIT_OK)
        cmd_instance_explain_growth(json_object_get(json_array_get(items, 0), "growth"));
    return code == EXIT_OK ? cli_output_object(cli, "instance", json_array_get(items, 0)) : code;
}

/* Share of one processor between two samples of an instance, in per cent. */
static void
cmd_instance_stats_cpu(const json_t *before, json_t *now)
{
    int64_t used_ns = json_in_int(now, "cpu_ns", 0) - json_in_int(before, "cpu_ns", 0);
    int64_t all_ns = json_in_int(now, "system_cpu_ns", 0) - json_in_int(before, "system_cpu_ns", 0);
    int64_t cpus = json_in_int(now, "cpus", 1);

    if (used_ns >= 0 && all_ns > 0) {
        json_object_set_new(
            now, "cpu",
            json_sprintf("%.1f %%", 100.0 * (double)used_ns * (double)cpus / (double)all_ns));
    }
}

static int
cmd_instance_stats_render(struct cli *cli, void *cookie, struct buf *out)
{
    CLEANUP(json_freep) json_t *before = NULL;
    CLEANUP(json_freep) json_t *now = NULL;
    bool samples = cli_output_is(cli, "table") || cli_output_is(cli, "wide");
    int code = cmd_instance_each(cli, "stats", &now);

    (void)cookie;
    if (code == EXIT_OK && samples) {
        before = STEAL(now);
        if (!cli_signal_pause(STATS_PAUSE_MS))
            return CLI_SIGNAL_EXIT;
        code = cmd_instance_each(cli, "stats", &now);
    }
    if (code != EXIT_OK)
        return code;
    for (size_t i = 0; before && i < json_array_size(now); i++)
        cmd_instance_stats_cpu(json_array_get(before, i), json_array_get(now, i));
    cli_output_rows_text(cli, &stats_rows, now, out);
    return EXIT_OK;
}

int
cmd_instance_stats(struct cli *cli)
{
    return cli_output_watch(cli, cmd_instance_stats_render, NULL);
}
