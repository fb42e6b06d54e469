/* berth pool shutdown */

#include "berth/cli/output.h"
#include "berth/cli/wait.h"

#include "cmd.h"

enum { SHUTDOWN_PATH_MAX = 512 };

/* "Shut down the pool rent (3 hosts, 12 instances)?"; owned. */
static char *
cmd_shutdown_question(const char *name, const json_t *status)
{
    const json_t *pool = json_array_get(json_object_get(status, "pools"), 0);
    const json_t *hosts = json_object_get(pool, "hosts");
    int64_t count = json_in_int(hosts, "spawned", 0) + json_in_int(hosts, "active", 0) +
                    json_in_int(hosts, "inactive", 0);

    return mem_printf("Shut down the pool %s (%lld hosts, %lld instances)", name, (long long)count,
                      (long long)json_in_int(pool, "instances", 0));
}

static int
cmd_shutdown_status(struct cli *cli, const char *name, json_t **ret_status)
{
    struct buf path;
    int code;

    buf_init(&path, SHUTDOWN_PATH_MAX);
    buf_append_string(&path, "/v1/status");
    cli_ask_query(&path, "pool", name);
    code = cli_ask_json(cli, buf_text(&path), ret_status);
    buf_fini(&path);
    return code;
}

static int
cmd_shutdown_post(struct cli *cli, const char *name, json_t **ret_operation)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", name, "shutdown");
    CLEANUP(json_freep) json_t *body = json_object();
    struct cli_call call = { .method = "POST", .path = path, .body = body, .keyed = true };
    int code;

    if (cli_args_has(&cli->args, "deadline")) {
        json_object_set_new(body, "deadline_s",
                            json_integer(cli_args_number(&cli->args, "deadline")));
    }
    code = cli_ask(cli, &call);
    *ret_operation = json_incref(call.json);
    cli_client_call_fini(&call);
    return code;
}

int
cmd_shutdown_shutdown(struct cli *cli)
{
    const char *name = cli_args_word(&cli->args, 0);
    CLEANUP(json_freep) json_t *status = NULL;
    CLEANUP(json_freep) json_t *operation = NULL;
    CLEANUP(mem_freep) char *question = NULL;
    int code = cmd_shutdown_status(cli, name, &status);
    int waited = EXIT_OK;

    if (code != EXIT_OK)
        return code;
    question = cmd_shutdown_question(name, status);
    if (cli_args_has(&cli->args, "dry-run")) {
        cli_term_note("would do: %s", question);
        return EXIT_OK;
    }
    if (!cli_ask_confirm(cli, question))
        return EXIT_FAILED;
    code = cmd_shutdown_post(cli, name, &operation);
    if (code == EXIT_OK && cli_args_has(&cli->args, "wait"))
        waited = cli_wait_operation(cli, &operation);
    if (code == EXIT_OK)
        code = cli_output_object(cli, "id", operation);
    return waited != EXIT_OK ? waited : code;
}
