/* berth host log: the preparation of a host, step by step. */

#include <stdlib.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/base/yaml.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"
#include "berth/cli/sse.h"

#include "cmd.h"

enum { LOG_PATH_MAX = 1024, LOG_TENTHS_BELOW_MS = 10000 };

/* What is printed of the steps, and where it is. */
struct host_log {
    struct cli_sse sse;
    struct cli *cli;
    const char *host;
    int64_t run;   /* whose heading was printed; 0: none yet */
    bool outputs;  /* of all steps, not only of those that failed */
    char said[96]; /* the last line that the step under way wrote */
};

static const struct cli_column log_columns[] = {
    { "RUN", "run", CLI_AS_TEXT, false, CLI_GRID_KEEP, NULL },
    { .title = NULL },
};

static const struct cli_rows log_rows = { .name = "name", .columns = log_columns };

static const char *
cmd_host_log_took(const json_t *step, char ret[16])
{
    int64_t ms = (int64_t)(json_number_value(json_object_get(step, "took_s")) * 1000);
    struct buf out = { .data = ret, .cap = 16, .limit = 15 };

    if (ms >= LOG_TENTHS_BELOW_MS)
        return cli_format_age(ms, ret);
    buf_printf(&out, "%lld.%llds", (long long)ms / 1000, (long long)ms % 1000 / 100);
    return ret;
}

/* @state as it is shown: what failed stands out without colours, too. */
static void
cmd_host_log_mark(const struct host_log *log, const char *state, struct buf *out)
{
    static const struct {
        const char *state;
        const char *shown;
        const char *colour;
    } marks[] = {
        { "ok", "ok", "\033[32m" },           { "changed", "changed", "\033[33m" },
        { "skipped", "skipped", "\033[2m" },  { "failed", "FAILED", "\033[1;31m" },
        { "running", "running", "\033[36m" },
    };
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(marks) && strcmp(marks[i].state, state) != 0)
        i++;
    if (log->cli->term.colour)
        buf_append_string(out, marks[i].colour);
    buf_printf(out, "%-7s", marks[i].shown);
    if (log->cli->term.colour)
        buf_append_string(out, "\033[0m");
}

/* A member as one line, or as lines that begin with a bar. */
static void
cmd_host_log_text(const json_t *step, const char *key, struct buf *out)
{
    CLEANUP(mem_freep) char *text = mem_strdup(json_in_string(step, key, ""));
    char *line = text;

    text_utf8_clean(text, true);
    while (*line) {
        size_t len = strcspn(line, "\n");

        buf_printf(out, "          | %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void
cmd_host_log_line(const json_t *step, const char *key, struct buf *out)
{
    CLEANUP(mem_freep) char *text = mem_strdup(json_in_string(step, key, ""));

    text_utf8_clean(text, false);
    buf_append_string(out, text);
}

static void
cmd_host_log_heading(struct host_log *log, const json_t *step, struct buf *out)
{
    int64_t run = json_in_int(step, "run", 0);

    if (run == log->run)
        return;
    buf_printf(out, "%sRun %lld, %.19sZ\n", log->run ? "\n" : "", (long long)run,
               json_in_string(step, "started_at", ""));
    log->run = run;
}

static void
cmd_host_log_step(struct host_log *log, const json_t *step, struct buf *out)
{
    const char *state = json_in_string(step, "state", "");
    bool failed = strcmp(state, "failed") == 0;
    int64_t number = json_in_int(step, "step", 0);
    int64_t cut = json_in_int(step, "cut_bytes", 0);
    char place[32] = "-";
    struct buf text = { .data = place, .cap = sizeof(place), .limit = sizeof(place) - 1 };
    char took[16];
    char size[32];

    cmd_host_log_heading(log, step, out);
    if (number > 0)
        buf_printf(&text, "%lld/%lld", (long long)number, (long long)json_in_int(step, "steps", 0));
    buf_printf(out, "%7s  ", place);
    cmd_host_log_mark(log, state, out);
    buf_printf(out, "  %6s  ", cmd_host_log_took(step, took));
    cmd_host_log_line(step, "name", out);
    buf_append_char(out, '\n');
    if (failed) {
        buf_append_string(out, "          ");
        cmd_host_log_line(step, "reason", out);
        buf_append_char(out, '\n');
    }
    if (!failed && !log->outputs)
        return;
    if (cut > 0) {
        buf_printf(out, "          | (%s before this are not kept)\n",
                   text_size((uint64_t)cut, size));
    }
    cmd_host_log_text(step, "output", out);
}

/* @clean: its control characters are ours. */
static int
cmd_host_log_write(const struct host_log *log, struct buf *out, bool clean)
{
    int code = cli_term_write(&log->cli->term, buf_text(out), out->len, clean);

    buf_fini(out);
    return code;
}

static void
cmd_host_log_path(const struct host_log *log, bool follow, struct buf *path)
{
    const struct cli_args *args = &log->cli->args;
    CLEANUP(mem_freep) char *plain = cli_ask_path("hosts", log->host, "log");

    buf_init(path, LOG_PATH_MAX);
    buf_append_string(path, plain);
    cli_ask_query(path, "run", cli_args_text(args, "run"));
    cli_ask_query(path, "failed", cli_args_has(args, "failed") ? "true" : NULL);
    cli_ask_query(path, "follow", follow ? "true" : NULL);
}

static int
cmd_host_log_all(struct host_log *log, const json_t *items)
{
    struct cli *cli = log->cli;
    const json_t *step;
    struct buf out;
    size_t i;

    if (!cli_output_is(cli, "table") && !cli_output_is(cli, "wide"))
        return cli_output_rows(cli, &log_rows, items);
    if (json_array_size(items) == 0) {
        cli_term_note(
            "no such step of %s is known; steps are those of the playbook that prepares a "
            "machine over SSH",
            log->host);
    }
    buf_init(&out, 0);
    json_array_foreach(items, i, step)
    {
        cmd_host_log_step(log, step, &out);
    }
    return cmd_host_log_write(log, &out, true);
}

/* --- Followed -------------------------------------------------------------------------------- */

/* An event for programs: one document. */
static int
cmd_host_log_document(const struct host_log *log, const json_t *data)
{
    struct buf out;
    char *text;

    buf_init(&out, 0);
    if (cli_output_is(log->cli, "yaml")) {
        buf_append_string(&out, "---\n");
        yaml_encode(data, &out);
    } else if (cli_output_is(log->cli, "name")) {
        cmd_host_log_line(data, "name", &out);
        buf_append_char(&out, '\n');
    } else {
        text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(15));
        buf_printf(&out, "%s\n", text);
        free(text);
    }
    return cmd_host_log_write(log, &out, false);
}

static void
cmd_host_log_progress(struct host_log *log, const json_t *step)
{
    const char *output = json_in_string(step, "output", "");
    size_t len = strlen(output);
    size_t begin;

    if (!*output)
        log->said[0] = '\0';
    while (len > 0 && output[len - 1] == '\n')
        len--;
    for (begin = len; begin > 0 && output[begin - 1] != '\n'; begin--)
        ;
    if (len > begin) {
        len = len - begin < sizeof(log->said) ? len - begin : sizeof(log->said) - 1;
        memcpy(log->said, output + begin, len);
        log->said[len] = '\0';
    }
    cli_term_progress(&log->cli->term, "step %lld of %lld, %s%s%s",
                      (long long)json_in_int(step, "step", 0),
                      (long long)json_in_int(step, "steps", 0), json_in_string(step, "name", ""),
                      log->said[0] ? ": " : " ...", log->said);
}

static bool
cmd_host_log_end(struct host_log *log, const json_t *data)
{
    bool prepared = json_in_bool(data, "prepared", false);

    if (prepared) {
        cli_term_note("%s is prepared", log->host);
    } else {
        cli_term_note("%s was not prepared: %s", log->host,
                      json_in_string(data, "reason", "no reason is known"));
    }
    log->sse.code = prepared ? EXIT_OK : EXIT_FAILED;
    return false;
}

static bool
cmd_host_log_on_event(struct cli_sse *sse, const char *name, const json_t *data)
{
    struct host_log *log = CONTAINER_OF(sse, struct host_log, sse);
    bool people = cli_output_is(log->cli, "table") || cli_output_is(log->cli, "wide");
    struct buf out;

    if (strcmp(name, "progress") == 0) {
        cmd_host_log_progress(log, data);
        return true;
    }
    cli_term_progress_end(&log->cli->term);
    if (strcmp(name, "end") == 0)
        return cmd_host_log_end(log, data);
    if (strcmp(name, "step") != 0)
        return true;
    if (!people) {
        sse->code = cmd_host_log_document(log, data);
    } else {
        buf_init(&out, 0);
        cmd_host_log_step(log, data, &out);
        sse->code = cmd_host_log_write(log, &out, true);
    }
    return sse->code == EXIT_OK;
}

int
cmd_host_log(struct cli *cli)
{
    struct host_log log = {
        .cli = cli,
        .host = cli_args_word(&cli->args, 0),
        .outputs = cli_output_is(cli, "wide"),
        .sse.on_event = cmd_host_log_on_event,
    };
    CLEANUP(json_freep) json_t *items = NULL;
    bool follow = cli_args_has(&cli->args, "follow");
    struct buf path;
    int code;

    cmd_host_log_path(&log, follow, &path);
    if (follow) {
        log.sse.path = buf_text(&path);
        code = cli_sse_follow(cli, &log.sse);
        cli_term_progress_end(&cli->term);
    } else {
        code = cli_ask_list(cli, buf_text(&path), 0, &items);
        if (code == EXIT_OK)
            code = cmd_host_log_all(&log, items);
    }
    buf_fini(&path);
    return code;
}
