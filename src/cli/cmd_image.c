/* berth image ls, load, pull */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "berth/base/text.h"
#include "berth/cli/output.h"
#include "berth/cli/signal.h"
#include "berth/cli/wait.h"

#include "cmd.h"

enum { IMAGE_PATH_MAX = 1024 };

/* clang-format off */
static const struct cli_column image_columns[] = {
    { "REFERENCE", "reference",  CLI_AS_TEXT, false, CLI_GRID_KEEP,  NULL },
    { "ID",        "id",         CLI_AS_TEXT, false, 0,              NULL },
    { "SIZE",      "size_bytes", CLI_AS_SIZE, false, CLI_GRID_RIGHT, NULL },
    { "HOSTS",     "hosts",      CLI_AS_TEXT, false, CLI_GRID_RIGHT, NULL },
    { "AGE",       "created_at", CLI_AS_AGE,  false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows image_rows = { .name = "reference", .columns = image_columns };

struct image_load {
    struct cli_call call;
    const struct cli *cli;
};

static void
cmd_image_path(const struct cli *cli, struct buf *path)
{
    buf_init(path, IMAGE_PATH_MAX);
    buf_append_string(path, "/v1/images");
    cli_ask_query(path, "pool", cli_args_text(&cli->args, "pool"));
}

int
cmd_image_ls(struct cli *cli)
{
    struct buf path;
    int code;

    cmd_image_path(cli, &path);
    code = cli_output_list(
        cli, &(struct cli_list){ .path = buf_text(&path), .rows = &image_rows, .whole = true });
    buf_fini(&path);
    return code;
}

/* What follows from a request that was accepted. */
static int
cmd_image_follow(struct cli *cli, struct cli_call *call)
{
    json_t *operation = json_incref(call->json);
    int code = EXIT_OK;
    int shown;

    cli_client_call_fini(call);
    if (cli_args_has(&cli->args, "wait"))
        code = cli_wait_operation(cli, &operation);
    shown = cli_output_object(cli, "id", operation);
    json_decref(operation);
    return code != EXIT_OK ? code : shown;
}

static void
cmd_image_on_sent(struct cli_call *call, int64_t sent_bytes)
{
    const struct image_load *load = CONTAINER_OF(call, struct image_load, call);
    char sent[24];
    char all[24];

    if (call->upload_bytes > 0) {
        cli_term_progress(&load->cli->term, "sent %s of %s", text_size((uint64_t)sent_bytes, sent),
                          text_size((uint64_t)call->upload_bytes, all));
    } else {
        cli_term_progress(&load->cli->term, "sent %s", text_size((uint64_t)sent_bytes, sent));
    }
}

/* Its length, or -1 when only its end will tell. */
static int64_t
cmd_image_size(FILE *file)
{
    struct stat stat;

    return fstat(fileno(file), &stat) == 0 && S_ISREG(stat.st_mode) ? (int64_t)stat.st_size : -1;
}

int
cmd_image_load(struct cli *cli)
{
    const char *name = cli_args_word(&cli->args, 0);
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(name, "rbe");
    struct image_load load = { .cli = cli };
    struct buf path;
    int code;

    if (!file) {
        cli_term_note("cannot read %s: %s", name, strerrordesc_np(errno));
        return EXIT_NOT_FOUND;
    }
    cmd_image_path(cli, &path);
    load.call = (struct cli_call){
        .method = "POST",
        .path = buf_text(&path),
        .keyed = true,
        .upload = file,
        .upload_bytes = cmd_image_size(file),
        .upload_type = "application/x-tar",
        .on_sent = cmd_image_on_sent,
    };
    cli_signal_watch();
    code = cli_ask(cli, &load.call);
    cli_term_progress_end(&cli->term);
    if (!is_stdin)
        (void)fclose(file);
    buf_fini(&path);
    if (code == CLI_SIGNAL_EXIT)
        cli_term_note("interrupted: the archive was not sent as a whole");
    if (code == EXIT_OK)
        return cmd_image_follow(cli, &load.call);
    cli_client_call_fini(&load.call);
    return code;
}

int
cmd_image_pull(struct cli *cli)
{
    CLEANUP(json_freep)
    json_t *body = json_pack("{s:s,s:s}", "reference", cli_args_word(&cli->args, 0), "pool",
                             cli_args_text(&cli->args, "pool"));
    struct cli_call call = {
        .method = "POST", .path = "/v1/images/pull", .body = body, .keyed = true
    };
    int code = cli_ask(cli, &call);

    if (code == EXIT_OK)
        return cmd_image_follow(cli, &call);
    cli_client_call_fini(&call);
    return code;
}
