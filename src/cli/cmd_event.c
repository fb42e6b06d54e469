/* berth events */

#include <stdlib.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/yaml.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"
#include "berth/cli/sse.h"

#include "cmd.h"

enum {
    EVENT_PATH_MAX = 2048,
    EVENT_LAST = 100, /* without --limit */
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

struct event_watch {
    struct cli_sse sse;
    struct cli *cli;
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
static int
cmd_event_print(const struct event_watch *watch, const json_t *data)
{
    static const char *const members[] = { "kind", "instance|host|pool", "owner", "text" };
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
    return code;
}

static bool
cmd_event_on_event(struct cli_sse *sse, const char *name, const json_t *data)
{
    struct event_watch *watch = CONTAINER_OF(sse, struct event_watch, sse);

    if (strcmp(name, "gap") == 0) {
        cli_term_note("some events are missing: they are no longer kept");
    } else if (data) {
        sse->code = cmd_event_print(watch, data);
    }
    return sse->code == EXIT_OK;
}

static int
cmd_event_watch(struct cli *cli)
{
    struct event_watch watch = { .cli = cli, .sse.on_event = cmd_event_on_event };
    const char *after = cli_args_text(&cli->args, "after");
    struct buf path;
    int code = cmd_event_path(cli, NULL, &path);

    if (after && strlen(after) < sizeof(watch.sse.last))
        memcpy(watch.sse.last, after, strlen(after) + 1);
    watch.sse.path = buf_text(&path);
    if (code == EXIT_OK)
        code = cli_sse_follow(cli, &watch.sse);
    buf_fini(&path);
    return code;
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
