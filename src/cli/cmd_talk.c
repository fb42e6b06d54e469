/* berth logs, exec: what goes through as it is. */

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/cli/ask.h"
#include "berth/cli/lines.h"

#include "cmd.h"

enum { TALK_PATH_MAX = 4096 };

static bool
cmd_talk_on_data(struct cli_call *call, const char *data, size_t len)
{
    (void)call;
    /* At once, for those who follow; a closed pipe ends it. */
    return fwrite(data, 1, len, stdout) == len && fflush(stdout) == 0;
}

int
cmd_talk_logs(struct cli *cli)
{
    struct cli_call call = { .method = "GET", .accept = "text/plain", .on_data = cmd_talk_on_data };
    CLEANUP(mem_freep) char *plain = NULL;
    bool follow = cli_args_has(&cli->args, "follow");
    char id[ID_TEXT_SIZE];
    struct buf path;
    int code = cli_ask_instance_id(cli, cli_args_word(&cli->args, 0), id);

    if (code != EXIT_OK)
        return code;
    plain = cli_ask_path("instances", id, "logs");
    buf_init(&path, TALK_PATH_MAX);
    buf_append_string(&path, plain);
    cli_ask_query(&path, "follow", follow ? "true" : NULL);
    cli_ask_query(&path, "tail", cli_args_text(&cli->args, "tail"));
    cli_ask_query(&path, "since", cli_args_text(&cli->args, "since"));
    cli_ask_query(&path, "timestamps", cli_args_has(&cli->args, "timestamps") ? "true" : NULL);
    call.path = buf_text(&path);
    call.endless = follow;
    code = cli_ask(cli, &call);
    cli_client_call_fini(&call);
    buf_fini(&path);
    return code;
}

/* --- exec ---------------------------------------------------------------------------------------- */

/* The answer comes line by line: {"stream","data"}..., then {"exit_code"} or {"error","code"}. */
struct talk_exec {
    struct cli_call call;
    struct cli_lines lines;
    int code; /* of the command; -1: not told yet */
};

static void
cmd_talk_put(const json_t *text, FILE *file)
{
    if (json_is_string(text))
        (void)fwrite(json_string_value(text), 1, json_string_length(text), file);
    (void)fflush(file);
}

static void
cmd_talk_end(struct talk_exec *exec, const json_t *line)
{
    const char *error = json_in_string(line, "error", NULL);
    int64_t code = json_in_int(line, "exit_code", EXIT_FAILED);

    if (error) {
        enum fault_kind kind = fault_kind_from_code(json_in_string(line, "code", NULL));

        cli_term_note("%s", error);
        exec->code = (int)fault_rule(kind)->exit_code;
        return;
    }
    /* Ours end at 255; what a signal ended is told as 128 and more already. */
    exec->code = code >= 0 && code <= 255 ? (int)code : EXIT_FAILED;
}

static bool
cmd_talk_on_line(struct cli_lines *lines, const char *text, size_t len)
{
    struct talk_exec *exec = CONTAINER_OF(lines, struct talk_exec, lines);
    CLEANUP(json_freep) json_t *line = NULL;
    bool is_error;

    if (len == 0 || json_in_parse(text, len, &line, NULL) < 0)
        return true;
    is_error = strcmp(json_in_string(line, "stream", ""), "stderr") == 0;
    cmd_talk_put(json_object_get(line, "data"), is_error ? stderr : stdout);
    if (json_object_get(line, "exit_code") || json_object_get(line, "error"))
        cmd_talk_end(exec, line);
    return true;
}

static bool
cmd_talk_on_exec(struct cli_call *call, const char *data, size_t len)
{
    return cli_lines_feed(&CONTAINER_OF(call, struct talk_exec, call)->lines, data, len);
}

static json_t *
cmd_talk_body(const struct cli *cli)
{
    const char *user = cli_args_text(&cli->args, "user");
    const char *workdir = cli_args_text(&cli->args, "workdir");
    json_t *body = json_pack("{s:[]}", "command");
    const char *word;

    for (size_t i = 1; (word = cli_args_word(&cli->args, i)); i++)
        json_array_append_new(json_object_get(body, "command"), json_string(word));
    if (user)
        json_object_set_new(body, "user", json_string(user));
    if (workdir)
        json_object_set_new(body, "workdir", json_string(workdir));
    return body;
}

int
cmd_talk_exec(struct cli *cli)
{
    CLEANUP(json_freep) json_t *body = cmd_talk_body(cli);
    CLEANUP(mem_freep) char *path = NULL;
    struct talk_exec exec = { .code = -1 };
    char id[ID_TEXT_SIZE];
    int code = cli_ask_instance_id(cli, cli_args_word(&cli->args, 0), id);

    if (code != EXIT_OK)
        return code;
    path = cli_ask_path("instances", id, "exec");
    exec.call = (struct cli_call){
        .method = "POST",
        .path = path,
        .body = body,
        .accept = "application/x-ndjson",
        .endless = true,
        .on_data = cmd_talk_on_exec,
    };
    cli_lines_init(&exec.lines, cmd_talk_on_line);
    code = cli_ask(cli, &exec.call);
    cli_lines_end(&exec.lines);
    cli_lines_fini(&exec.lines);
    cli_client_call_fini(&exec.call);
    if (code == EXIT_OK && exec.code < 0) {
        cli_term_note("the answer ended before the command's exit code");
        return EXIT_UNREACHABLE;
    }
    return code == EXIT_OK ? exec.code : code;
}
