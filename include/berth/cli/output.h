#pragma once

/*
 * Rows and objects as -o asks for: a table by a table of columns, JSON, YAML or
 * names.
 */

#include "berth/cli/ask.h"
#include "berth/cli/grid.h"

enum cli_as {
    CLI_AS_TEXT,
    CLI_AS_STATE,    /* coloured */
    CLI_AS_AGE,      /* a time, as its age */
    CLI_AS_LEFT,     /* a time, as what is left until then */
    CLI_AS_TIME,     /* a time, to the second */
    CLI_AS_SIZE,     /* bytes */
    CLI_AS_SHARE,    /* member @path of member @of, which is left out when it is 0: no bound */
    CLI_AS_SIZES,    /* the same in bytes */
    CLI_AS_BOTH,     /* two sizes in bytes */
    CLI_AS_DURATION, /* seconds */
    CLI_AS_PORTS,    /* of an instance */
    CLI_AS_YES,      /* yes or no */
};

struct cli_column {
    const char *title;
    const char *path; /* as cli_format_first() takes it */
    enum cli_as as;
    bool wide;      /* with -o wide only */
    unsigned flags; /* CLI_GRID_* */
    const char *of; /* SHARE, SIZES, BOTH */
};

struct cli_rows {
    const char *name;                 /* member that -q and -o name print */
    const struct cli_column *columns; /* ends with title NULL */
    const char *none; /* what to say on stderr when a table has no row; NULL: nothing */
};

/** cli_output_rows() - print the array @items. Return: an exit code. */
int cli_output_rows(struct cli *cli, const struct cli_rows *rows, const json_t *items);

/** cli_output_rows_text() - the same as text, for --watch. */
void cli_output_rows_text(const struct cli *cli, const struct cli_rows *rows, const json_t *items,
                          struct buf *out);

/** cli_output_object() - print @json: for people a member a line, with readable values. @name: the member
 * that -q and -o name print. */
int cli_output_object(struct cli *cli, const char *name, const json_t *json);

/** cli_output_is() - -o is @format ("table", "wide", ...); -q counts as "name". */
bool cli_output_is(const struct cli *cli, const char *format);

/** cli_output_json() - print @json as JSON, for programs. */
int cli_output_json(struct cli *cli, const json_t *json);

/* A list to print, by its resource. */
struct cli_list {
    const char *path;
    const struct cli_rows *rows;
    int64_t limit; /* most rows without --limit; 0: all */
    bool whole;    /* it has no pages */
    bool newest;   /* it begins with the newest, which is printed last */
};

/** cli_output_list() - get the list, filter it, print it; again and again with --watch. The command
 * has CLI_SET_OUTPUT and CLI_SET_LIST. */
int cli_output_list(struct cli *cli, const struct cli_list *list);

/** cli_output_watch() - call @render until Ctrl-C and print what it appends whenever that changed:
 * over the last one on a terminal.  Without --watch once.  @render returns an exit code; any but
 * EXIT_OK ends it. */
int cli_output_watch(struct cli *cli, int (*render)(struct cli *cli, void *cookie, struct buf *out),
                     void *cookie);
