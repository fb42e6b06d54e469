/* berth host ls, show, add, drain, activate, rm, log */

#include <string.h>

#include "berth/cli/output.h"
#include "berth/cli/wait.h"

#include "cmd_given.h"

/* clang-format off */
static const struct cli_column host_columns[] = {
    { "NAME",      "name",                  CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "ID",        "id",                    CLI_AS_TEXT,  true,  0,              NULL },
    { "POOL",      "pool",                  CLI_AS_TEXT,  false, 0,              NULL },
    { "STATE",     "state",                 CLI_AS_STATE, false, 0,              NULL },
    { "WAITS FOR", "waiting_for",           CLI_AS_TEXT,  false, 0,              NULL },
    { "MEMORY",    "reserved.memory_bytes", CLI_AS_SIZES, false, CLI_GRID_RIGHT, "capacity.memory_bytes" },
    { "CPUS",      "reserved.cpus",         CLI_AS_SHARE, true,  CLI_GRID_RIGHT, "capacity.cpus" },
    { "SLOTS",     "reserved.slots",        CLI_AS_SHARE, true,  CLI_GRID_RIGHT, "capacity.slots" },
    { "INSTANCES", "instances",             CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "ERRORS",    "error.score",           CLI_AS_SHARE, false, CLI_GRID_RIGHT, "error.threshold" },
    { "AGE",       "created_at",            CLI_AS_AGE,   false, CLI_GRID_RIGHT, NULL },
    { "REACHABLE", "engine.reachable",      CLI_AS_YES,   true,  0,              NULL },
    { "ENGINE",    "engine.address",        CLI_AS_TEXT,  true,  0,              NULL },
    { "VERSION",   "engine.version",        CLI_AS_TEXT,  true,  0,              NULL },
    { "TYPE",      "machine_type",          CLI_AS_TEXT,  true,  0,              NULL },
    { "PRICE",     "price_per_hour",        CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "USES",      "uses",                  CLI_AS_TEXT,  true,  CLI_GRID_RIGHT, NULL },
    { "REASON",    "reason",                CLI_AS_TEXT,  true,  0,              NULL },
    { .title = NULL },
};

static const struct cli_column history_columns[] = {
    { "HISTORY, NEWEST FIRST", "at",   CLI_AS_TIME, false, CLI_GRID_KEEP, NULL },
    { "KIND",                  "kind", CLI_AS_TEXT, false, 0,             NULL },
    { "TEXT",                  "text", CLI_AS_TEXT, false, 0,             NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows host_rows = {
    .name = "name",
    .columns = host_columns,
    .none = "there is no such host; 'berth host add' adds one",
};

static const struct cli_rows history_rows = { .name = "seq", .columns = history_columns };

enum { HOST_HISTORY_MAX = 20 };

/* What is done to each host that the arguments name. */
struct host_deed {
    const char *verb;  /* of the path */
    const char *doing; /* "drain", for people */
    const json_t *body;
    bool asks; /* for confirmation */
};

int
cmd_host_ls(struct cli *cli)
{
    const char *path = "/v1/hosts?state=live";
    const char *pair;

    for (size_t at = 0; (pair = cli_args_next(&cli->args, "filter", &at));) {
        if (strncmp(pair, "state=", strlen("state=")) == 0)
            path = "/v1/hosts";
    }
    return cli_output_list(cli, &(struct cli_list){ .path = path, .rows = &host_rows });
}

/* Why its error score is what it is, and what became of it: the newest of its events. */
static int
cmd_host_history(struct cli *cli, const json_t *host)
{
    CLEANUP(mem_freep)
    char *path = mem_printf("/v1/events?host=%s&kind=host.&order=newest&limit=%d",
                            json_in_string(host, "id", ""), HOST_HISTORY_MAX);
    CLEANUP(json_freep) json_t *page = NULL;
    int code = cli_ask_json(cli, path, &page);
    const json_t *events = json_object_get(page, "items");

    if (code != EXIT_OK || json_array_size(events) == 0)
        return code;
    return cli_output_rows(cli, &history_rows, events);
}

/* The step at which its preparation failed last, if it never was prepared. */
static int
cmd_host_failure(struct cli *cli, const json_t *host)
{
    const char *id = json_in_string(host, "id", "");
    CLEANUP(mem_freep) char *path = mem_printf("/v1/hosts/%s/log?failed=true", id);
    CLEANUP(mem_freep) char *text = NULL;
    CLEANUP(mem_freep) char *where = NULL;
    CLEANUP(json_freep) json_t *steps = NULL;
    const json_t *last;
    int code;

    if (json_in_string(host, "active_at", NULL) || !json_in_string(host, "machine_type", NULL))
        return EXIT_OK;
    code = cli_ask_list(cli, path, 0, &steps);
    if (code != EXIT_OK || json_array_size(steps) == 0)
        return code;
    last = json_array_get(steps, json_array_size(steps) - 1);
    where = json_in_int(last, "step", 0) == 0
                ? mem_strdup("the connection")
                : mem_printf("step %lld of %lld (%s)", (long long)json_in_int(last, "step", 0),
                             (long long)json_in_int(last, "steps", 0),
                             json_in_string(last, "name", "?"));
    text = mem_printf("FAILED: run %lld, %s\n  %s\n  berth host log %s --failed  prints what it "
                      "wrote\n",
                      (long long)json_in_int(last, "run", 0), where,
                      json_in_string(last, "reason", "no reason is known"),
                      json_in_string(host, "name", id));
    return cli_term_write(&cli->term, text, strlen(text), false);
}

int
cmd_host_show(struct cli *cli)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("hosts", cli_args_word(&cli->args, 0), NULL);
    CLEANUP(json_freep) json_t *host = NULL;
    int code = cli_ask_json(cli, path, &host);

    if (code == EXIT_OK)
        code = cli_output_object(cli, "name", host);
    if (code != EXIT_OK || !(cli_output_is(cli, "table") || cli_output_is(cli, "wide")))
        return code;
    code = cmd_host_failure(cli, host);
    return code == EXIT_OK ? cmd_host_history(cli, host) : code;
}

static json_t *
cmd_host_body(const struct cli *cli)
{
    static const char *const texts[] = { "pool", "engine", "ca", "cert", "key" };
    json_t *body = json_pack("{s:s}", "name", cli_args_word(&cli->args, 0));
    json_t *labels = json_object();
    const char *pair;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = cli_args_text(&cli->args, texts[i]);

        if (text)
            json_object_set_new(body, texts[i], json_string(text));
    }
    if (cli_args_has(&cli->args, "plain"))
        json_object_set_new(body, "plain", json_true());
    for (size_t at = 0; (pair = cli_args_next(&cli->args, "label", &at));) {
        CLEANUP(mem_freep) char *key = mem_printf("%.*s", (int)strcspn(pair, "="), pair);

        json_object_set_new(labels, key, json_string(strchr(pair, '=') + 1));
    }
    json_object_set_new(body, "labels", labels);
    return body;
}

int
cmd_host_add(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = cmd_host_body(cli);
    CLEANUP(json_freep) json_t *items = json_array();
    struct cli_call call = { .method = "POST", .path = "/v1/hosts", .body = body, .keyed = true };
    json_t *host;
    int waited = EXIT_OK;
    int code;

    if (cli_args_has(&cli->args, "engine") == cli_args_has(&cli->args, "ssh")) {
        cli_term_note("'host add' needs --engine URL (an engine is there) or --ssh USER@ADDRESS");
        return EXIT_USAGE;
    }
    code = cli_args_has(&cli->args, "ssh") ? cmd_given_put(cli, body) : EXIT_OK;
    if (code != EXIT_OK)
        return code;
    if (cli_args_has(&cli->args, "dry-run")) {
        cli_term_note("would add this host:");
        return cli_output_json(cli, body);
    }
    code = cli_ask(cli, &call);
    host = json_incref(call.json);
    cli_client_call_fini(&call);
    if (code == EXIT_OK && cli_args_has(&cli->args, "wait"))
        waited = cli_wait_host(cli, &host);
    if (host)
        json_array_append_new(items, host);
    if (code == EXIT_OK)
        code = cli_output_rows(cli, &host_rows, items);
    return waited != EXIT_OK ? waited : code;
}

static int
cmd_host_do_one(struct cli *cli, const struct host_deed *deed, const char *name, json_t *items)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("hosts", name, deed->verb);
    CLEANUP(mem_freep) char *question = mem_printf("%s the host %s?", deed->doing, name);
    struct cli_call call = { .method = "POST", .path = path, .body = deed->body, .keyed = true };
    json_t *operation;
    json_t *host;
    int code;

    if (deed->asks && !cli_ask_confirm(cli, question))
        return EXIT_FAILED;
    code = cli_ask(cli, &call);
    operation = json_incref(json_object_get(call.json, "operation"));
    host = json_object_get(call.json, "host");
    if (code == EXIT_OK)
        json_array_append(items, host ? host : call.json);
    /* Only what makes an operation has --wait. */
    if (code == EXIT_OK && operation && cli_args_has(&cli->args, "wait"))
        code = cli_wait_operation(cli, &operation);
    json_decref(operation);
    cli_client_call_fini(&call);
    return code;
}

static int
cmd_host_rehearse(struct cli *cli, const struct host_deed *deed, const char *name)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("hosts", name, NULL);
    CLEANUP(json_freep) json_t *host = NULL;
    int code = cli_ask_json(cli, path, &host);

    if (code == EXIT_OK) {
        cli_term_note("would do: %s the host %s (%s, %lld instances)", deed->doing,
                      json_in_string(host, "name", name), json_in_string(host, "state", "?"),
                      (long long)json_in_int(host, "instances", 0));
    }
    return code;
}

static int
cmd_host_do(struct cli *cli, const struct host_deed *deed)
{
    CLEANUP(json_freep) json_t *items = json_array();
    const char *name;
    int code = EXIT_OK;

    for (size_t i = 0; code == EXIT_OK && (name = cli_args_word(&cli->args, i)); i++) {
        if (cli_args_has(&cli->args, "dry-run")) {
            code = cmd_host_rehearse(cli, deed, name);
        } else {
            code = cmd_host_do_one(cli, deed, name, items);
        }
    }
    if (code == EXIT_OK && !cli_args_has(&cli->args, "dry-run"))
        code = cli_output_rows(cli, &host_rows, items);
    return code;
}

int
cmd_host_drain(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = json_object();

    if (cli_args_has(&cli->args, "deadline")) {
        json_object_set_new(body, "deadline_s",
                            json_integer(cli_args_number(&cli->args, "deadline")));
    }
    return cmd_host_do(cli, &(struct host_deed){ "drain", "Drain", body, true });
}

int
cmd_host_activate(struct cli *cli)
{
    return cmd_host_do(cli, &(struct host_deed){ "activate", "Activate", NULL, false });
}

int
cmd_host_rm(struct cli *cli)
{
    CLEANUP(json_freep)
    json_t *body = json_pack("{s:b}", "force", cli_args_has(&cli->args, "force"));

    return cmd_host_do(cli, &(struct host_deed){ "remove", "Remove", body, true });
}
