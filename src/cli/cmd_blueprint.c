/* berth blueprint ls, show, apply, rm */

#include <string.h>

#include "berth/cli/file.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"
#include "berth/domain/blueprint.h"

#include "cmd.h"

/* clang-format off */
static const struct cli_column blueprint_columns[] = {
    { "NAME",      "name",         CLI_AS_TEXT,     false, CLI_GRID_KEEP,  NULL },
    { "VERSION",   "version",      CLI_AS_TEXT,     false, CLI_GRID_RIGHT, NULL },
    { "IMAGE",     "image",        CLI_AS_TEXT,     false, 0,              NULL },
    { "MEMORY",    "memory_bytes", CLI_AS_SIZE,     false, CLI_GRID_RIGHT, NULL },
    { "CPUS",      "cpus",         CLI_AS_TEXT,     true,  CLI_GRID_RIGHT, NULL },
    { "POOL",      "pool",         CLI_AS_TEXT,     false, 0,              NULL },
    { "LIFETIME",  "lifetime_s",   CLI_AS_DURATION, true,  CLI_GRID_RIGHT, NULL },
    { "INSTANCES", "instances",    CLI_AS_TEXT,     false, CLI_GRID_RIGHT, NULL },
    { "AGE",       "created_at",   CLI_AS_AGE,      false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows blueprint_rows = {
    .name = "name",
    .columns = blueprint_columns,
    .none = "there is no blueprint yet: 'berth blueprint apply -f FILE' makes one",
};

/* What the daemon tells beside what was written. */
static const char *const blueprint_told[] = { "version", "created_at", "instances" };

int
cmd_blueprint_ls(struct cli *cli)
{
    return cli_output_list(cli,
                           &(struct cli_list){ .path = "/v1/blueprints", .rows = &blueprint_rows });
}

int
cmd_blueprint_show(struct cli *cli)
{
    CLEANUP(mem_freep)
    char *path = cli_ask_path("blueprints", cli_args_word(&cli->args, 0), NULL);
    CLEANUP(json_freep) json_t *blueprint = NULL;
    int code = cli_ask_json(cli, path, &blueprint);

    return code == EXIT_OK ? cli_output_object(cli, "name", blueprint) : code;
}

/* All documents of all files. */
static int
cmd_blueprint_read(const struct cli *cli, json_t *all)
{
    const char *name;
    struct fault fault;
    struct buf text;

    if (!cli_args_has(&cli->args, "file")) {
        cli_term_note("'blueprint apply' needs --file FILE; - is standard input");
        return EXIT_USAGE;
    }
    for (size_t at = 0; (name = cli_args_next(&cli->args, "file", &at));) {
        CLEANUP(json_freep) json_t *list = NULL;
        int result;

        if (cli_file_read(name, &text, &fault) < 0)
            return cli_ask_fail(&fault);
        result = cli_file_documents(name, buf_text(&text), text.len, &list, &fault);
        buf_fini(&text);
        if (result < 0)
            return cli_ask_fail(&fault);
        json_array_extend(all, list);
    }
    if (json_array_size(all) > 0)
        return EXIT_OK;
    cli_term_note("there is no blueprint in it");
    return EXIT_USAGE;
}

/* Without what was told, sizes and durations as numbers. */
static int
cmd_blueprint_normalize(json_t *blueprint)
{
    struct fault fault;

    if (!json_is_object(blueprint) || !json_is_string(json_object_get(blueprint, "name"))) {
        cli_term_note("a blueprint is an object with a name");
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < ARRAY_LEN(blueprint_told); i++)
        json_object_del(blueprint, blueprint_told[i]);
    return cli_format_exact(blueprint, &fault) < 0 ? cli_ask_fail(&fault) : EXIT_OK;
}

/* The daemon's own rules, here. */
static int
cmd_blueprint_check(const json_t *blueprint)
{
    struct problems problems = { 0 };
    struct blueprint_spec spec;

    schema_defaults(&blueprint_schema, &spec);
    if (schema_decode(&blueprint_schema, blueprint, &spec, "", &problems) == 0)
        (void)blueprint_check(&spec, &problems);
    schema_free(&blueprint_schema, &spec);
    for (size_t i = 0; i < problems.count; i++) {
        cli_term_note("%s: %s: %s", json_in_string(blueprint, "name", "?"), problems.at[i].pointer,
                      problems.at[i].detail);
    }
    return problems.count > 0 ? EXIT_USAGE : EXIT_OK;
}

/* The version that is there; 0: none. */
static int
cmd_blueprint_version(struct cli *cli, const char *path, int64_t *ret_version)
{
    struct cli_call call = { .method = "GET", .path = path };
    struct fault fault = { 0 };
    int code = cli_ask_quietly(cli, &call, &fault);

    *ret_version = json_in_int(call.json, "version", 0);
    if (fault.kind == FAULT_NOT_FOUND && call.status == 404) {
        *ret_version = 0;
        code = EXIT_OK;
    } else if (fault.kind != FAULT_NONE) {
        code = cli_ask_problem(cli, &call, &fault);
    }
    cli_client_call_fini(&call);
    return code;
}

static void
cmd_blueprint_tell(struct buf *out, const char *name, int64_t before, int64_t now)
{
    if (before == 0) {
        buf_printf(out, "blueprint %s created\n", name);
    } else if (before == now) {
        buf_printf(out, "blueprint %s unchanged, version %lld\n", name, (long long)now);
    } else {
        buf_printf(out, "blueprint %s changed, version %lld\n", name, (long long)now);
    }
}

static int
cmd_blueprint_put(struct cli *cli, const json_t *blueprint, json_t *items, struct buf *out)
{
    const char *name = json_in_string(blueprint, "name", "");
    CLEANUP(mem_freep) char *path = cli_ask_path("blueprints", name, NULL);
    struct cli_call call = { .method = "PUT", .path = path, .body = blueprint };
    int64_t before;
    int code = cmd_blueprint_version(cli, path, &before);

    if (code != EXIT_OK)
        return code;
    if (cli_args_has(&cli->args, "dry-run")) {
        buf_printf(out, "blueprint %s is good; it would be %s\n", name,
                   before ? "changed if it differs" : "created");
        return EXIT_OK;
    }
    code = cli_ask(cli, &call);
    if (code == EXIT_OK) {
        json_array_append(items, call.json);
        cmd_blueprint_tell(out, json_in_string(call.json, "name", name), before,
                           json_in_int(call.json, "version", 0));
    }
    cli_client_call_fini(&call);
    return code;
}

int
cmd_blueprint_apply(struct cli *cli)
{
    CLEANUP(json_freep) json_t *all = json_array();
    CLEANUP(json_freep) json_t *items = json_array();
    bool formed = cli_args_has(&cli->args, "output") || cli_args_has(&cli->args, "quiet");
    json_t *blueprint;
    struct buf out;
    size_t i;
    int code = cmd_blueprint_read(cli, all);

    /* All are checked before the first is sent. */
    json_array_foreach(all, i, blueprint)
    {
        if (code == EXIT_OK)
            code = cmd_blueprint_normalize(blueprint);
        if (code == EXIT_OK && cli_args_has(&cli->args, "dry-run"))
            code = cmd_blueprint_check(blueprint);
    }
    buf_init(&out, 0);
    json_array_foreach(all, i, blueprint)
    {
        if (code == EXIT_OK)
            code = cmd_blueprint_put(cli, blueprint, items, &out);
    }
    if (formed && code == EXIT_OK) {
        code = cli_output_rows(cli, &blueprint_rows, items);
    } else if (!formed) {
        (void)cli_term_write(&cli->term, buf_text(&out), out.len, false);
    }
    buf_fini(&out);
    return code;
}

int
cmd_blueprint_rm(struct cli *cli)
{
    const char *name;

    for (size_t i = 0; (name = cli_args_word(&cli->args, i)); i++) {
        CLEANUP(mem_freep) char *path = cli_ask_path("blueprints", name, NULL);
        CLEANUP(mem_freep) char *question = mem_printf("Remove the blueprint %s?", name);
        struct cli_call call = { .method = "DELETE", .path = path };
        int code;

        if (cli_args_has(&cli->args, "dry-run")) {
            call.method = "GET";
        } else if (!cli_ask_confirm(cli, question)) {
            return EXIT_FAILED;
        }
        code = cli_ask(cli, &call);
        cli_client_call_fini(&call);
        if (code != EXIT_OK)
            return code;
        if (cli_args_has(&cli->args, "dry-run"))
            cli_term_note("would remove the blueprint %s", name);
    }
    return EXIT_OK;
}
