/* berth backup create */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/text.h"
#include "berth/cli/ask.h"

#include "cmd.h"

/* The copy as it comes. It gets its name when it is whole. */
struct backup_sink {
    struct cli_call call;
    const struct cli *cli;
    FILE *file;
    int64_t bytes;
};

static bool
cmd_backup_on_data(struct cli_call *call, const char *data, size_t len)
{
    struct backup_sink *sink = CONTAINER_OF(call, struct backup_sink, call);
    char size[24];

    if (fwrite(data, 1, len, sink->file) != len)
        return false;
    sink->bytes += (int64_t)len;
    cli_term_progress(&sink->cli->term, "%s", text_size((uint64_t)sink->bytes, size));
    return true;
}

static FILE *
cmd_backup_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (!file) {
        struct fault fault;

        fault_set(&fault, FAULT_FORBIDDEN, "cli.backup", "cannot make %s: %s", path,
                  strerrordesc_np(errno));
        cli_term_note("%s", fault.text);
        if (fd >= 0)
            (void)close(fd);
    }
    return file;
}

static int
cmd_backup_fetch(struct cli *cli, struct backup_sink *sink)
{
    int code = cli_ask(cli, &sink->call);

    cli_term_progress_end(&cli->term);
    if (code == EXIT_OK && (sink->call.stopped || fflush(sink->file) != 0)) {
        cli_term_note("cannot write: %s", strerrordesc_np(errno));
        code = EXIT_FAILED;
    }
    if (code == EXIT_OK && sink->bytes == 0) {
        cli_term_note("the daemon sent nothing");
        code = EXIT_FAILED;
    }
    cli_client_call_fini(&sink->call);
    return code;
}

int
cmd_backup_create(struct cli *cli)
{
    const char *name = cli_args_word(&cli->args, 0);
    CLEANUP(mem_freep) char *part = mem_printf("%s.part", name);
    struct backup_sink sink = {
        .call = { .method = "POST",
                  .path = "/v1/backups",
                  .accept = "application/vnd.sqlite3",
                  .endless = true,
                  .on_data = cmd_backup_on_data },
        .cli = cli,
        .file = stdout,
    };
    char size[24];
    int code;

    if (strcmp(name, "-") == 0)
        return cmd_backup_fetch(cli, &sink);
    if (access(name, F_OK) == 0) {
        cli_term_note("%s is there already", name);
        return EXIT_CONFLICT;
    }
    sink.file = cmd_backup_open(part);
    if (!sink.file)
        return EXIT_FAILED;
    code = cmd_backup_fetch(cli, &sink);
    if (code == EXIT_OK && fsync(fileno(sink.file)) < 0)
        code = EXIT_FAILED;
    if (fclose(sink.file) != 0)
        code = code == EXIT_OK ? EXIT_FAILED : code;
    if (code != EXIT_OK || rename(part, name) != 0) {
        (void)unlink(part);
        return code == EXIT_OK ? EXIT_FAILED : code;
    }
    cli_term_note("%s: %s", name, text_size((uint64_t)sink.bytes, size));
    return EXIT_OK;
}
