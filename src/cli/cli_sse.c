#include <string.h>

#include "berth/cli/ask.h"
#include "berth/cli/signal.h"
#include "berth/cli/sse.h"

enum { SSE_AGAIN_MS = 500, SSE_AGAIN_MOST_MS = 10000 };

/* The event is whole. */
static bool
cli_sse_dispatch(struct cli_sse *sse)
{
    bool more = true;

    if (sse->data || sse->name[0])
        more = sse->on_event(sse, sse->name, sse->data);
    if (sse->data && sse->id[0])
        memcpy(sse->last, sse->id, sizeof(sse->last));
    json_decref(sse->data);
    sse->data = NULL;
    sse->id[0] = '\0';
    sse->name[0] = '\0';
    return more;
}

static void
cli_sse_field(const char *line, size_t len, const char *field, char *to, size_t size)
{
    size_t skip = strlen(field);

    if (strncmp(line, field, skip) == 0 && len - skip < size)
        memcpy(to, line + skip, len - skip + 1);
}

static bool
cli_sse_on_line(struct cli_lines *lines, const char *line, size_t len)
{
    struct cli_sse *sse = CONTAINER_OF(lines, struct cli_sse, lines);

    if (len == 0)
        return cli_sse_dispatch(sse);
    cli_sse_field(line, len, "id: ", sse->id, sizeof(sse->id));
    cli_sse_field(line, len, "event: ", sse->name, sizeof(sse->name));
    if (strncmp(line, "data: ", 6) == 0 && !sse->data)
        (void)json_in_parse(line + 6, len - 6, &sse->data, NULL);
    return true;
}

static bool
cli_sse_on_data(struct cli_call *call, const char *data, size_t len)
{
    struct cli_sse *sse = CONTAINER_OF(call, struct cli_sse, call);

    sse->heard = true;
    return cli_lines_feed(&sse->lines, data, len);
}

/* One connection, until it ends. Return: EXIT_OK when it is to be made again. */
static int
cli_sse_connect(struct cli_sse *sse, bool first)
{
    struct fault fault = { 0 };
    int code = EXIT_OK;

    sse->call = (struct cli_call){
        .method = "GET",
        .path = sse->path,
        .accept = "text/event-stream",
        .last_event = sse->last[0] ? sse->last : NULL,
        .endless = true,
        .on_data = cli_sse_on_data,
    };
    cli_lines_init(&sse->lines, cli_sse_on_line);
    (void)cli_ask_quietly(sse->cli, &sse->call, &fault);
    if (!sse->call.stopped && fault.kind != FAULT_NONE && (first || sse->call.status != 0))
        code = cli_ask_problem(sse->cli, &sse->call, &fault);
    cli_lines_fini(&sse->lines);
    cli_client_call_fini(&sse->call);
    json_decref(sse->data);
    sse->data = NULL;
    return code;
}

int
cli_sse_follow(struct cli *cli, struct cli_sse *sse)
{
    int64_t pause_ms = SSE_AGAIN_MS;
    bool first = true;
    int code = EXIT_OK;

    sse->cli = cli;
    cli_signal_watch();
    while (code == EXIT_OK && !cli_signal_caught()) {
        sse->heard = false;
        code = cli_sse_connect(sse, first);
        if (sse->call.stopped)
            return sse->code;
        first = first && !sse->heard;
        pause_ms = sse->heard ? SSE_AGAIN_MS : pause_ms * 2;
        if (pause_ms > SSE_AGAIN_MOST_MS)
            pause_ms = SSE_AGAIN_MOST_MS;
        if (code == EXIT_OK)
            (void)cli_signal_pause(pause_ms);
    }
    return cli_signal_caught() ? CLI_SIGNAL_EXIT : code;
}
