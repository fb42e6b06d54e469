/* berth pool drift */

#include "berth/cli/output.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column drift_columns[] = {
    { "HOST",     "name",     CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "POOL",     "pool",     CLI_AS_TEXT,  false, 0,              NULL },
    { "STATE",    "state",    CLI_AS_STATE, false, 0,              NULL },
    { "PLAYBOOK", "revision", CLI_AS_TEXT,  false, 0,              NULL },
    { "WANTED",   "wanted",   CLI_AS_TEXT,  false, 0,              NULL },
    { "DRIFT",    "drift",    CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "RUNNING",  "running",  CLI_AS_YES,   false, 0,              NULL },
    { "FAILURES", "failures", CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows drift_rows = {
    .name = "name",
    .columns = drift_columns,
    .none = "each host has its pool's playbook of today",
};

static int
cmd_drift_add(struct cli *cli, const char *pool, json_t *items)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", pool, "drift");
    CLEANUP(json_freep) json_t *answer = NULL;
    int code = cli_ask_json(cli, path, &answer);
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        json_object_set(item, "pool", json_object_get(answer, "pool"));
        json_object_set(item, "wanted", json_object_get(answer, "revision"));
        json_array_append(items, item);
    }
    return code;
}

int
cmd_drift_drift(struct cli *cli)
{
    const char *named = cli_args_word(&cli->args, 0);
    CLEANUP(json_freep) json_t *items = json_array();
    CLEANUP(json_freep) json_t *pools = NULL;
    const json_t *pool;
    size_t i;
    int code = named ? cmd_drift_add(cli, named, items) : cli_ask_list(cli, "/v1/pools", 0, &pools);

    json_array_foreach(pools, i, pool)
    {
        if (code == EXIT_OK)
            code = cmd_drift_add(cli, json_in_string(pool, "name", ""), items);
    }
    return code == EXIT_OK ? cli_output_rows(cli, &drift_rows, items) : code;
}
