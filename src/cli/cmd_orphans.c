/* berth pool orphans */

#include <string.h>

#include "berth/cli/output.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column orphans_columns[] = {
    { "MACHINE",     "id",           CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "POOL",        "pool",         CLI_AS_TEXT,  false, 0,              NULL },
    { "TYPE",        "machine_type", CLI_AS_TEXT,  false, 0,              NULL },
    { "ZONE",        "zone",         CLI_AS_TEXT,  true,  0,              NULL },
    { "ADDRESS",     "address",      CLI_AS_TEXT,  true,  0,              NULL },
    { "STATE",       "state",        CLI_AS_STATE, false, 0,              NULL },
    { "AGE",         "launched_at",  CLI_AS_AGE,   false, CLI_GRID_RIGHT, NULL },
    { "SEEN FOR",    "seen_since",   CLI_AS_AGE,   false, CLI_GRID_RIGHT, NULL },
    { "FORMER HOST", "host",         CLI_AS_TEXT,  true,  0,              NULL },
    { "VERDICT",     "verdict",      CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "WHY",         "text",         CLI_AS_TEXT,  false, 0,              NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows orphans_rows = {
    .name = "id",
    .columns = orphans_columns,
    .none = "each machine with the cluster's tag has its host",
};

/* The pools to look at: the one that is named, else those that rent. @ret_pools: owned array of names */
static int
cmd_orphans_pools(struct cli *cli, json_t **ret_pools)
{
    const char *named = cli_args_word(&cli->args, 0);
    CLEANUP(json_freep) json_t *pools = NULL;
    const json_t *pool;
    size_t i;
    int code;

    *ret_pools = json_array();
    if (named)
        return json_array_append_new(*ret_pools, json_string(named)) == 0 ? EXIT_OK : EXIT_FAILED;
    code = cli_ask_list(cli, "/v1/pools", 0, &pools);
    json_array_foreach(pools, i, pool)
    {
        if (strcmp(json_in_string(pool, "provider", ""), "ec2") == 0)
            json_array_append(*ret_pools, json_object_get(pool, "name"));
    }
    return code;
}

static void
cmd_orphans_note(const json_t *answer)
{
    const char *pool = json_in_string(answer, "pool", "?");

    if (!json_in_bool(answer, "complete", false))
        cli_term_note("pool %s: the listing is not complete: there may be more", pool);
    if (json_in_int(answer, "stopped", 0) > 0) {
        cli_term_note(
            "pool %s: %lld machines have no host, and no more than %lld are given back at "
            "once. Is this the right database? If so: berth pool orphans %s --all",
            pool, (long long)json_in_int(answer, "stopped", 0),
            (long long)json_in_int(answer, "most", 0), pool);
    }
}

static void
cmd_orphans_take(const json_t *answer, json_t *items)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(answer, "items"), i, item)
    {
        json_object_set(item, "pool", json_object_get(answer, "pool"));
        json_array_append(items, item);
    }
}

static int
cmd_orphans_list(struct cli *cli, json_t *items)
{
    CLEANUP(json_freep) json_t *pools = NULL;
    const json_t *pool;
    size_t i;
    int code = cmd_orphans_pools(cli, &pools);

    json_array_foreach(pools, i, pool)
    {
        CLEANUP(mem_freep) char *path = cli_ask_path("pools", json_string_value(pool), "orphans");
        CLEANUP(json_freep) json_t *answer = NULL;

        if (code == EXIT_OK)
            code = cli_ask_json(cli, path, &answer);
        if (code != EXIT_OK)
            break;
        cmd_orphans_note(answer);
        cmd_orphans_take(answer, items);
    }
    return code;
}

/* --- Their end ------------------------------------------------------------------------------------- */

static bool
cmd_orphans_is_named(const struct cli *cli, const char *id)
{
    const char *named;

    for (size_t at = 0; (named = cli_args_next(&cli->args, "terminate", &at));) {
        if (strcmp(named, id) == 0)
            return true;
    }
    return false;
}

/* With --all what may not end yet is left alone; what is named goes to the daemon, which says why not. */
static bool
cmd_orphans_is_meant(const struct cli *cli, const json_t *item)
{
    const char *verdict = json_in_string(item, "verdict", "");

    if (cmd_orphans_is_named(cli, json_in_string(item, "id", "")))
        return true;
    return cli_args_has(&cli->args, "all") &&
           (strcmp(verdict, "stopped") == 0 || strcmp(verdict, "due") == 0);
}

/* {"POOL":["MACHINE",...]} of those that are meant. @ret_count: of machines */
static json_t *
cmd_orphans_meant(const struct cli *cli, const json_t *items, size_t *ret_count)
{
    json_t *meant = json_object();
    const json_t *item;
    size_t i;

    *ret_count = 0;
    json_array_foreach(items, i, item)
    {
        const char *pool = json_in_string(item, "pool", "");

        if (!cmd_orphans_is_meant(cli, item))
            continue;
        if (!json_object_get(meant, pool))
            json_object_set_new(meant, pool, json_array());
        json_array_append(json_object_get(meant, pool), json_object_get(item, "id"));
        (*ret_count)++;
    }
    return meant;
}

/* Each that is named must be listed: a typing error ends nothing. */
static int
cmd_orphans_check(const struct cli *cli, const json_t *items)
{
    const char *named;

    for (size_t at = 0; (named = cli_args_next(&cli->args, "terminate", &at));) {
        const json_t *item;
        bool found = false;
        size_t i;

        json_array_foreach(items, i, item)
        {
            found = found || strcmp(json_in_string(item, "id", ""), named) == 0;
        }
        if (!found) {
            cli_term_note("%s is not listed: either it has a host, or it is not ours", named);
            return EXIT_NOT_FOUND;
        }
    }
    return EXIT_OK;
}

/* @meant: see cmd_orphans_meant(). */
static int
cmd_orphans_post(struct cli *cli, const json_t *meant, const char *pool, json_t *items)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", pool, "orphans/terminate");
    CLEANUP(json_freep)
    json_t *body = json_pack("{s:O}", "machines", json_object_get(meant, pool));
    struct cli_call call = { .method = "POST", .path = path, .body = body, .keyed = true };
    int code = cli_ask(cli, &call);

    if (code == EXIT_OK)
        cmd_orphans_take(call.json, items);
    cli_client_call_fini(&call);
    return code;
}

/* @items: those that are listed; replaced by how they are in the end. */
static int
cmd_orphans_end(struct cli *cli, json_t *items)
{
    size_t count = 0;
    CLEANUP(json_freep) json_t *meant = cmd_orphans_meant(cli, items, &count);
    CLEANUP(mem_freep)
    char *question = mem_printf("End %zu machine%s for good?", count, count == 1 ? "" : "s");
    const char *pool;
    json_t *machines;
    int code = cmd_orphans_check(cli, items);

    if (code != EXIT_OK)
        return code;
    if (count == 0) {
        cli_term_note("there is none to be ended");
        return EXIT_OK;
    }
    if (cli_args_has(&cli->args, "dry-run")) {
        cli_term_note("would end %zu machine%s", count, count == 1 ? "" : "s");
        return EXIT_OK;
    }
    if (!cli_ask_confirm(cli, question))
        return EXIT_FAILED;
    json_array_clear(items);
    json_object_foreach(meant, pool, machines)
    {
        if (code == EXIT_OK)
            code = cmd_orphans_post(cli, meant, pool, items);
    }
    return code;
}

int
cmd_orphans_orphans(struct cli *cli)
{
    CLEANUP(json_freep) json_t *items = json_array();
    int code = cmd_orphans_list(cli, items);

    if (code == EXIT_OK &&
        (cli_args_has(&cli->args, "terminate") || cli_args_has(&cli->args, "all")))
        code = cmd_orphans_end(cli, items);
    return code == EXIT_OK ? cli_output_rows(cli, &orphans_rows, items) : code;
}
