/* berth pool ls, show, set; route ls */

#include <string.h>

#include "berth/base/text.h"
#include "berth/base/yaml.h"
#include "berth/cli/file.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum { POOL_PATH_MAX = 512 };

/* clang-format off */
static const struct cli_column pool_columns[] = {
    { "NAME",       "name",                         CLI_AS_TEXT, false, CLI_GRID_KEEP,  NULL },
    { "PROVIDER",   "provider",                     CLI_AS_TEXT, false, 0,              NULL },
    { "HOSTS",      "hosts",                        CLI_AS_TEXT, false, CLI_GRID_RIGHT, NULL },
    { "OVERCOMMIT", "policy.overcommit.memory",     CLI_AS_TEXT, false, CLI_GRID_RIGHT, NULL },
    { "RESERVE",    "policy.reserve.memory_bytes",  CLI_AS_SIZE, false, CLI_GRID_RIGHT, NULL },
    { "THRESHOLD",  "policy.error_threshold",       CLI_AS_TEXT, true,  CLI_GRID_RIGHT, NULL },
    { "LABELS",     "policy.labels",                CLI_AS_TEXT, true,  0,              NULL },
    { "AGE",        "created_at",                   CLI_AS_AGE,  false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows pool_rows = { .name = "name", .columns = pool_columns };

int
cmd_pool_ls(struct cli *cli)
{
    return cli_output_list(cli, &(struct cli_list){ .path = "/v1/pools", .rows = &pool_rows });
}

/* How it stands: hosts, headroom, money against the ceilings, what holds it back. */
static int
cmd_pool_add_status(struct cli *cli, json_t *pool)
{
    CLEANUP(json_freep) json_t *status = NULL;
    struct buf path;
    int code;

    buf_init(&path, POOL_PATH_MAX);
    buf_append_string(&path, "/v1/status");
    cli_ask_query(&path, "pool", json_in_string(pool, "name", ""));
    code = cli_ask_json(cli, buf_text(&path), &status);
    buf_fini(&path);
    if (code == EXIT_OK)
        json_object_set(pool, "status", json_array_get(json_object_get(status, "pools"), 0));
    return code;
}

int
cmd_pool_show(struct cli *cli)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", cli_args_word(&cli->args, 0), NULL);
    CLEANUP(json_freep) json_t *pool = NULL;
    int code = cli_ask_json(cli, path, &pool);

    if (code == EXIT_OK)
        code = cmd_pool_add_status(cli, pool);
    return code == EXIT_OK ? cli_output_object(cli, "name", pool) : code;
}

int
cmd_pool_routes(struct cli *cli)
{
    static const struct cli_column columns[] = {
        { "ID", "id", CLI_AS_TEXT, false, CLI_GRID_KEEP, NULL },
        { "URL", "url", CLI_AS_TEXT, false, 0, NULL },
        { "INSTANCE", "instance", CLI_AS_TEXT, false, 0, NULL },
        { .title = NULL },
    };
    static const struct cli_rows rows = { .name = "id", .columns = columns };
    CLEANUP(json_freep) json_t *items = NULL;
    int code = cli_ask_list_if_seen(cli, "/v1/routes", &items);

    if (code != EXIT_OK)
        return code;
    if (!items) {
        cli_term_note("this daemon has no routes yet");
        return EXIT_NOT_FOUND;
    }
    return cli_output_list(cli, &(struct cli_list){ .path = "/v1/routes", .rows = &rows });
}

/* --- set ----------------------------------------------------------------------------------------- */

/* The value as its member wants it: sizes and durations by the member's name, else YAML. */
static json_t *
cmd_pool_value(const char *key, const char *text, struct fault *fault)
{
    CLEANUP(json_freep) json_t *holder = json_pack("{s:s}", key, text);
    json_t *parsed = NULL;

    if (cli_format_exact(holder, fault) < 0)
        return NULL;
    if (!json_is_string(json_object_get(holder, key)))
        return json_incref(json_object_get(holder, key));
    if (text[0] == '\0')
        return json_null();
    if (yaml_parse(key, text, strlen(text), &parsed, fault) < 0)
        return NULL;
    json_object_set_new(holder, key, parsed);
    return cli_format_exact(holder, fault) < 0 ? NULL : json_incref(json_object_get(holder, key));
}

/* Put "a.b=value" into @policy. */
static int
cmd_pool_put_pair(json_t *policy, const char *pair, struct fault *fault)
{
    size_t key_len = strcspn(pair, "=");
    CLEANUP(mem_freep) char *key = mem_printf("%.*s", (int)key_len, pair);
    json_t *value;
    char *at = key;
    char *dot;

    if (key_len == 0 || pair[key_len] != '=')
        return fault_set(fault, FAULT_INVALID, "cli.pool", "'%.60s' is not KEY=VALUE", pair);
    while ((dot = strchr(at, '.'))) {
        *dot = '\0';
        if (!json_is_object(json_object_get(policy, at)))
            json_object_set_new(policy, at, json_object());
        policy = json_object_get(policy, at);
        at = dot + 1;
    }
    value = cmd_pool_value(at, pair + key_len + 1, fault);
    if (!value)
        return -1;
    json_object_set_new(policy, at, value);
    return 0;
}

/* The policy to send: the file's, else the one that is there, with the pairs put in. */
static int
cmd_pool_policy(const struct cli *cli, const json_t *pool, json_t **ret_policy)
{
    CLEANUP(json_freep) json_t *policy = json_deep_copy(json_object_get(pool, "policy"));
    const char *file = cli_args_text(&cli->args, "file");
    CLEANUP(json_freep) json_t *list = NULL;
    struct fault fault;
    struct buf text;
    const char *pair;

    if (file) {
        int result = cli_file_read(file, &text, &fault);

        if (result == 0) {
            result = cli_file_documents(file, buf_text(&text), text.len, &list, &fault);
            buf_fini(&text);
        }
        if (result < 0)
            return cli_ask_fail(&fault);
        json_decref(policy);
        policy = json_incref(json_array_get(list, 0));
    }
    if (!policy)
        policy = json_object();
    if (cli_format_exact(policy, &fault) < 0)
        return cli_ask_fail(&fault);
    for (size_t i = 1; (pair = cli_args_word(&cli->args, i)); i++) {
        if (cmd_pool_put_pair(policy, pair, &fault) < 0)
            return cli_ask_fail(&fault);
    }
    *ret_policy = STEAL(policy);
    return EXIT_OK;
}

/* A slip of the pen makes a pool, and none is ever removed. */
static bool
cmd_pool_set_is_meant(const struct cli *cli, const char *name)
{
    CLEANUP(mem_freep)
    char *question = mem_printf("There is no pool %s yet. Make one?", name);

    return cli_args_has(&cli->args, "dry-run") || cli_ask_confirm(cli, question);
}

static void
cmd_pool_set_notes(const json_t *pool, bool made)
{
    const char *name = json_in_string(pool, "name", "?");

    if (json_in_bool(pool, "configured", false)) {
        cli_term_note("the daemon's configuration names this pool: at its next start or reload "
                      "the policy is again what the file says");
    }
    if (made) {
        cli_term_note("pool %s is new: its machines are added by hand, with 'berth host add NAME "
                      "--pool %s'; one that rents machines begins in the daemon's configuration",
                      name, name);
    }
}

int
cmd_pool_set(struct cli *cli)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", cli_args_word(&cli->args, 0), NULL);
    struct cli_call get = { .method = "GET", .path = path };
    struct cli_call put = { .method = "PUT", .path = path };
    CLEANUP(json_freep) json_t *policy = NULL;
    struct fault fault = { 0 };
    int code;

    if (cli->args.word_count < 2 && !cli_args_has(&cli->args, "file")) {
        cli_term_note("'pool set' needs KEY=VALUE or --file FILE");
        return EXIT_USAGE;
    }
    (void)cli_ask_quietly(cli, &get, &fault);
    if (fault.kind != FAULT_NONE && get.status != 404) {
        code = cli_ask_problem(cli, &get, &fault);
    } else {
        code = cmd_pool_policy(cli, get.json, &policy);
    }
    if (code == EXIT_OK && get.status == 404 &&
        !cmd_pool_set_is_meant(cli, cli_args_word(&cli->args, 0)))
        code = EXIT_FAILED;
    if (code == EXIT_OK && cli_args_has(&cli->args, "dry-run")) {
        cli_term_note("would set this policy:");
        code = cli_output_object(cli, "name", policy);
    } else if (code == EXIT_OK) {
        put.body = policy;
        put.if_match = get.etag[0] ? get.etag : NULL;
        code = cli_ask(cli, &put);
        if (code == EXIT_OK) {
            cmd_pool_set_notes(put.json, get.status == 404);
            code = cli_output_object(cli, "name", put.json);
        }
    }
    cli_client_call_fini(&get);
    cli_client_call_fini(&put);
    return code;
}
