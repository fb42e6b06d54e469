#pragma once

/*
 * Server-sent events (HTML Living Standard, section 9.2), over as many connections as it takes.
 */

#include "berth/cli/cli.h"
#include "berth/cli/lines.h"

enum { CLI_SSE_ID_SIZE = 24, CLI_SSE_NAME_SIZE = 64 };

struct cli_sse {
    const char *path; /* in: borrowed */
    /* In: the next event, @data NULL when it is not JSON; all borrowed. Return: false to stop. */
    bool (*on_event)(struct cli_sse *sse, const char *name, const json_t *data);
    char last[CLI_SSE_ID_SIZE]; /* in and out: the id to go on behind; "": none */
    int code;                   /* what cli_sse_follow() returns when on_event has stopped it */
    /* Its own. */
    struct cli *cli;
    struct cli_call call;
    struct cli_lines lines;
    char id[CLI_SSE_ID_SIZE];     /* of the event that is being read */
    char name[CLI_SSE_NAME_SIZE]; /* the same */
    bool heard;                   /* something came on this connection */
    json_t *data;                 /* owned */
};

/** cli_sse_follow() - read events until on_event stops it, and go on after an interruption where it
 * was. Return: @sse->code, CLI_SIGNAL_EXIT, or the exit code of a request that was refused, which
 * was told. */
int cli_sse_follow(struct cli *cli, struct cli_sse *sse);
