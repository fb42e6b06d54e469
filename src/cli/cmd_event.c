/* berth events */

#include <stdlib.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/yaml.h"
#include "berth/cli/format.h"
#include "berth/cli/lines.h"
#include "berth/cli/output.h"
#include "berth/cli/signal.h"

#include "cmd.h"

enum {
    EVENT_PATH_MAX = 2048,
    EVENT_LAST = 100, /* without --limit */
    EVENT_AGAIN_MS = 500,
    EVENT_AGAIN_MOST_MS = 10000,
    EVENT_ID_SIZE = 24,
};

/* clang-format off */
static const struct cli_column event_columns[] = {
    { "TIME",     "at",       CLI_AS_TIME, false, CLI_GRID_KEEP,  NULL },
    { "SEQ",      "seq",      CLI_AS_TEXT, true,  CLI_GRID_RIGHT, NULL },
    { "KIND",     "kind",     CLI_AS_TEXT, false, 0,              NULL },
    { "OF",       "instance|host|pool", CLI_AS_TEXT, false, 0,    NULL },
    { "POOL",     "pool",     CLI_AS_TEXT, true,  0,              NULL },
    { "HOST",     "host",     CLI_AS_TEXT, true,  0,              NULL },
    { "INSTANCE", "instance", CLI_AS_TEXT, true,  0,              NULL },
    { "OWNER",    "owner",    CLI_AS_TEXT, true,  0,              NULL },
    { "TEXT",     "text",     CLI_AS_TEXT, false, 0,              NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows event_rows = { .name = "seq", .columns = event_columns };

/* Server-sent events (HTML Living Standard, section 9.2). */
struct event_watch {
    struct cli_call call;
    struct cli_lines lines;
    struct cli *cli;
    char last[EVENT_ID_SIZE]; /* id of the last event that was printed; "" : none */
    char id[EVENT_ID_SIZE];   /* of the event that is being read */
    bool gap;                 /* it tells that events are missing */
    bool heard;               /* something came on this connection */
    json_t *data;             /* owned */
};

/* Append the flags and filters that narrow the events. */
static int
cmd_event_path(struct cli *cli, const char *order, struct buf *path)
{
    const char *instance = cli_args_text(&cli->args, "instance");
    char id[ID_TEXT_SIZE];

    buf_init(path, EVENT_PATH_MAX);
    buf_append_string(path, "/v1/events");
    cli_ask_query(path, "order", order);
    cli_ask_query(path, "kind", cli_args_text(&cli->args, "kind"));
    cli_ask_query(path, "host", cli_args_text(&cli->args, "host"));
    if (instance) {
        int code = cli_ask_instance_id(cli, instance, id);

        if (code != EXIT_OK)
            return code;
        cli_ask_query(path, "instance", id);
    }
    return EXIT_OK;
}

/* One event in a line. */
static bool
cmd_event_print(const struct event_watch *watch)
{
    static const char *const members[] = { "kind", "instance|host|pool", "owner", "text" };
    const json_t *data = watch->data;
    struct buf out;
    int code;

    buf_init(&out, 0);
    if (cli_output_is(watch->cli, "json")) {
        char *text = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(15));

        buf_append_string(&out, text);
        free(text);
    } else if (cli_output_is(watch->cli, "yaml")) {
        buf_append_string(&out, "---\n");
        yaml_encode(data, &out);
    } else if (cli_output_is(watch->cli, "name")) {
        cli_format_scalar(json_object_get(data, "seq"), &out);
    } else {
        buf_printf(&out, "%.19sZ", json_in_string(data, "at", ""));
        for (size_t i = 0; i < ARRAY_LEN(members); i++) {
            const char *text = json_string_value(cli_format_first(data, members[i]));

            if (text)
                buf_printf(&out, "  %s", text);
        }
    }
    if (out.len > 0 && out.data[out.len - 1] != '\n')
        buf_append_char(&out, '\n');
    code = cli_term_write(&watch->cli->term, buf_text(&out), out.len, false);
    buf_fini(&out);
    return code == EXIT_OK;
}

/* The event is whole. */
static bool
cmd_event_dispatch(struct event_watch *watch)
{
    bool more = true;

    if (watch->gap) {
        cli_term_note("some events are missing: they are no longer kept");
    } else if (watch->data) {
        more = cmd_event_print(watch);
    }
    if (watch->data && watch->id[0])
        memcpy(watch->last, watch->id, sizeof(watch->last));
    json_decref(watch->data);
    watch->data = NULL;
    watch->gap = false;
    watch->id[0] = '\0';
    return more;
}

static bool
cmd_event_on_line(struct cli_lines *lines, const char *line, size_t len)
{
    struct event_watch *watch = CONTAINER_OF(lines, struct event_watch, lines);

    if (len == 0)
        return cmd_event_dispatch(watch);
    if (strncmp(line, "id: ", 4) == 0 && len - 4 < sizeof(watch->id)) {
        memcpy(watch->id, line + 4, len - 4 + 1);
    } else if (strcmp(line, "event: gap") == 0) {
        watch->gap = true;
    } else if (strncmp(line, "data: ", 6) == 0 && !watch->data) {
        (void)json_in_parse(line + 6, len - 6, &watch->data, NULL);
    }
    return true;
}

static bool
cmd_event_on_data(struct cli_call *call, const char *data, size_t len)
{
    struct event_watch *watch = CONTAINER_OF(call, struct event_watch, call);

    watch->heard = true;
    return cli_lines_feed(&watch->lines, data, len);
}

/* One connection, until it ends. Return: EXIT_OK when it is to be made again. */
static int
cmd_event_connect(struct event_watch *watch, const char *path, bool first)
{
    struct fault fault = { 0 };
    int code;

    watch->call = (struct cli_call){
        .method = "GET",
        .path = path,
        .accept = "text/event-stream",
        .last_event = watch->last[0] ? watch->last : NULL,
        .endless = true,
        .on_data = cmd_event_on_data,
    };
    cli_lines_init(&watch->lines, cmd_event_on_line);
    (void)cli_ask_quietly(watch->cli, &watch->call, &fault);
    if (fault.kind != FAULT_NONE && (first || watch->call.status != 0)) {
        code = cli_ask_problem(watch->cli, &watch->call, &fault);
    } else {
        code = watch->call.stopped ? EXIT_FAILED : EXIT_OK;
    }
    cli_lines_fini(&watch->lines);
    cli_client_call_fini(&watch->call);
    json_decref(watch->data);
    watch->data = NULL;
    return code;
}

static int
cmd_event_watch(struct cli *cli)
{
    struct event_watch watch = { .cli = cli };
    const char *after = cli_args_text(&cli->args, "after");
    int64_t pause_ms = EVENT_AGAIN_MS;
    bool first = true;
    struct buf path;
    int code = cmd_event_path(cli, NULL, &path);

    if (after && strlen(after) < sizeof(watch.last))
        memcpy(watch.last, after, strlen(after) + 1);
    cli_signal_watch();
    while (code == EXIT_OK && !cli_signal_caught()) {
        watch.heard = false;
        code = cmd_event_connect(&watch, buf_text(&path), first);
        first = first && !watch.heard;
        pause_ms = watch.heard ? EVENT_AGAIN_MS : pause_ms * 2;
        if (pause_ms > EVENT_AGAIN_MOST_MS)
            pause_ms = EVENT_AGAIN_MOST_MS;
        if (code == EXIT_OK)
            (void)cli_signal_pause(pause_ms);
    }
    buf_fini(&path);
    return cli_signal_caught() ? CLI_SIGNAL_EXIT : code;
}

int
cmd_event_events(struct cli *cli)
{
    struct buf path;
    int code;

    if (cli_args_has(&cli->args, "watch"))
        return cmd_event_watch(cli);
    code = cmd_event_path(cli, "newest", &path);
    if (code == EXIT_OK) {
        code = cli_output_list(cli, &(struct cli_list){ .path = buf_text(&path),
                                                        .rows = &event_rows,
                                                        .limit = EVENT_LAST,
                                                        .newest = true });
    }
    buf_fini(&path);
    return code;
}
