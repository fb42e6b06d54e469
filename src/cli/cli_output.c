/* Rows and objects as -o asks for. */

#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"
#include "berth/base/yaml.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"
#include "berth/cli/signal.h"

enum {
    OUTPUT_CELL_MAX = 4096,
    OUTPUT_PATH_MAX = 4096,
};

bool
cli_output_is(const struct cli *cli, const char *format)
{
    const char *asked =
        cli_args_has(&cli->args, "quiet") ? "name" : cli_args_text(&cli->args, "output");

    return strcmp(asked, format) == 0;
}

/* --- Cells --------------------------------------------------------------------------------------- */

static enum cli_grid_style
cli_output_style(const char *state)
{
    static const struct {
        const char *state;
        enum cli_grid_style style;
    } styles[] = {
        { "running", CLI_GRID_GOOD },  { "active", CLI_GRID_GOOD },   { "done", CLI_GRID_GOOD },
        { "ok", CLI_GRID_GOOD },       { "starting", CLI_GRID_BUSY }, { "queued", CLI_GRID_BUSY },
        { "stopping", CLI_GRID_BUSY }, { "spawned", CLI_GRID_BUSY },  { "failed", CLI_GRID_BAD },
        { "inactive", CLI_GRID_BAD },
    };

    for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
        if (strcmp(styles[i].state, state) == 0)
            return styles[i].style;
    }
    return CLI_GRID_PLAIN;
}

static void
cli_output_time(const struct cli_column *column, const char *value, struct buf *out)
{
    int64_t now_ms = cli_format_now_ms();
    char age[16];
    int64_t at_ms;

    if (!value || !text_time_parse(value, &at_ms))
        return;
    if (column->as == CLI_AS_TIME) {
        buf_printf(out, "%.19sZ", value);
    } else if (column->as == CLI_AS_AGE) {
        buf_append_string(out, cli_format_age(now_ms - at_ms, age));
    } else {
        buf_append_string(out, cli_format_age(at_ms - now_ms, age));
    }
}

static void
cli_output_amount(enum cli_as as, const json_t *value, struct buf *out)
{
    char text[32];

    if (as == CLI_AS_SIZE || as == CLI_AS_SIZES || as == CLI_AS_BOTH) {
        if (json_is_integer(value) && json_integer_value(value) >= 0)
            buf_append_string(out, text_size((uint64_t)json_integer_value(value), text));
    } else if (as == CLI_AS_DURATION) {
        if (json_is_number(value) && json_number_value(value) > 0)
            buf_append_string(out, text_duration((int64_t)(json_number_value(value) * 1000), text));
    } else {
        cli_format_scalar(value, out);
    }
}

/* "127.0.0.1:32768->8080/tcp", and more after a comma. */
static void
cli_output_ports(const json_t *ports, struct buf *out)
{
    const json_t *port;
    size_t i;

    json_array_foreach(ports, i, port)
    {
        const char *address = json_in_string(port, "host_address", NULL);
        int64_t number = json_in_int(port, "host_port", 0);

        if (i > 0)
            buf_append_char(out, ',');
        if (address && number > 0) {
            buf_printf(out, strchr(address, ':') ? "[%s]:%lld->" : "%s:%lld->", address,
                       (long long)number);
        }
        buf_printf(out, "%lld/%s", (long long)json_in_int(port, "container", 0),
                   json_in_string(port, "protocol", "tcp"));
    }
}

static void
cli_output_cell(struct cli_grid *grid, const struct cli_column *column, const json_t *item)
{
    const json_t *value = cli_format_first(item, column->path);
    enum cli_grid_style style = CLI_GRID_PLAIN;
    struct buf out;

    buf_init(&out, OUTPUT_CELL_MAX);
    switch (column->as) {
    case CLI_AS_AGE:
    case CLI_AS_LEFT:
    case CLI_AS_TIME:
        cli_output_time(column, json_string_value(value), &out);
        break;
    case CLI_AS_PORTS:
        cli_output_ports(value, &out);
        break;
    case CLI_AS_YES:
        buf_append_string(&out, json_is_true(value) ? "yes" : "no");
        break;
    case CLI_AS_SHARE:
    case CLI_AS_SIZES:
    case CLI_AS_BOTH:
        cli_output_amount(column->as, value, &out);
        if (column->as == CLI_AS_BOTH || json_number_value(cli_format_path(item, column->of)) > 0) {
            buf_append_string(&out, " / ");
            cli_output_amount(column->as, cli_format_path(item, column->of), &out);
        }
        break;
    case CLI_AS_STATE:
    case CLI_AS_TEXT:
    case CLI_AS_SIZE:
    case CLI_AS_DURATION:
        cli_output_amount(column->as, value, &out);
        if (column->as == CLI_AS_STATE)
            style = cli_output_style(buf_text(&out));
        break;
    }
    cli_grid_cell(grid, style, buf_text(&out));
    buf_fini(&out);
}

/* --- Rows ---------------------------------------------------------------------------------------- */

static void
cli_output_table(const struct cli *cli, const struct cli_rows *rows, const json_t *items,
                 struct buf *out)
{
    bool wide = cli_output_is(cli, "wide");
    const struct cli_column *column;
    const json_t *item;
    size_t count = 0;
    size_t i;

    for (column = rows->columns; column->title; column++)
        count += wide || !column->wide;

    CLEANUP(cli_grid_freep) struct cli_grid *grid = cli_grid_new(count);

    for (column = rows->columns; column->title; column++) {
        if (wide || !column->wide)
            cli_grid_column(grid, column->title, column->flags);
    }
    json_array_foreach(items, i, item)
    {
        for (column = rows->columns; column->title; column++) {
            if (wide || !column->wide)
                cli_output_cell(grid, column, item);
        }
    }
    cli_grid_render(grid, cli->term.width, cli->term.colour, out);
}

static void
cli_output_names(const char *name, const json_t *items, struct buf *out)
{
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        size_t begin = out->len;

        cli_format_scalar(json_object_get(item, name), out);
        if (out->len > begin)
            buf_append_char(out, '\n');
    }
}

static void
cli_output_dump(const json_t *json, struct buf *out)
{
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    buf_append_string(out, text ? text : "null");
    buf_append_char(out, '\n');
    free(text);
}

void
cli_output_rows_text(const struct cli *cli, const struct cli_rows *rows, const json_t *items,
                     struct buf *out)
{
    if (cli_output_is(cli, "json")) {
        cli_output_dump(items, out);
    } else if (cli_output_is(cli, "yaml")) {
        yaml_encode(items, out);
    } else if (cli_output_is(cli, "name")) {
        cli_output_names(rows->name, items, out);
    } else {
        cli_output_table(cli, rows, items, out);
    }
}

static bool
cli_output_is_table(const struct cli *cli)
{
    return cli_output_is(cli, "table") || cli_output_is(cli, "wide");
}

/* Colours are ours, the cells are clean: only what is not a table needs care. */
static int
cli_output_write(const struct cli *cli, struct buf *out, bool trusted)
{
    int code = cli_term_write(&cli->term, buf_text(out), out->len, trusted);

    buf_fini(out);
    return code;
}

int
cli_output_rows(struct cli *cli, const struct cli_rows *rows, const json_t *items)
{
    struct buf out;

    buf_init(&out, 0);
    if (cli_output_is_table(cli) && json_array_size(items) == 0 && rows->none) {
        if (cli->term.out) {
            cli_term_note("%s", rows->none);
        } else {
            cli_output_rows_text(cli, rows, items, &out);
        }
    } else {
        cli_output_rows_text(cli, rows, items, &out);
    }
    return cli_output_write(cli, &out, cli_output_is_table(cli));
}

int
cli_output_object(struct cli *cli, const char *name, const json_t *json)
{
    CLEANUP(json_freep) json_t *shown = NULL;
    struct buf out;

    buf_init(&out, 0);
    if (cli_output_is(cli, "json")) {
        cli_output_dump(json, &out);
    } else if (cli_output_is(cli, "yaml")) {
        yaml_encode(json, &out);
    } else if (cli_output_is(cli, "name")) {
        cli_format_scalar(json_object_get(json, name), &out);
        buf_append_char(&out, '\n');
    } else {
        shown = cli_format_humane(json, cli_format_now_ms());
        cli_format_plain(shown, &out);
    }
    return cli_output_write(cli, &out, false);
}

int
cli_output_json(struct cli *cli, const json_t *json)
{
    struct buf out;

    buf_init(&out, 0);
    cli_output_dump(json, &out);
    return cli_output_write(cli, &out, false);
}

/* --- Lists --------------------------------------------------------------------------------------- */

/* Is @key one of the words in @filters? */
static bool
cli_output_knows(const char *filters, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = filters; at && *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strcspn(at, " ") == len && strncmp(at, key, len) == 0)
            return true;
    }
    return false;
}

static bool
cli_output_fits(const json_t *item, const char *key, const char *value)
{
    struct buf text;
    bool same;

    buf_init(&text, OUTPUT_CELL_MAX);
    cli_format_scalar(cli_format_path(item, key), &text);
    same = strcmp(buf_text(&text), value) == 0;
    buf_fini(&text);
    return same;
}

/* Drop the rows of @items that do not fit the filters that the server does not know. */
static int
cli_output_filter(const struct cli *cli, const char *pair, json_t *items)
{
    CLEANUP(mem_freep) char *key = mem_printf("%.*s", (int)strcspn(pair, "="), pair);
    const char *value = strchr(pair, '=') + 1;
    bool known = json_array_size(items) == 0;

    if (cli_output_knows(cli->args.command->filters, key))
        return EXIT_OK;
    for (size_t i = json_array_size(items); i > 0; i--) {
        const json_t *item = json_array_get(items, i - 1);

        known = known || cli_format_path(item, key);
        if (!cli_output_fits(item, key, value))
            json_array_remove(items, i - 1);
    }
    /* Labels differ from row to row; a member that no row has is a slip. */
    if (known || strchr(key, '.'))
        return EXIT_OK;
    cli_term_note("--filter: no row has a member '%s'%s%s", key,
                  cli->args.command->filters ? "; the daemon knows: " : "",
                  cli->args.command->filters ? cli->args.command->filters : "");
    return EXIT_USAGE;
}

/* All pages, or the one there is. */
static int
cli_output_get(struct cli *cli, const struct cli_list *list, const char *path, int64_t limit,
               json_t **ret_items)
{
    CLEANUP(json_freep) json_t *page = NULL;
    json_t *items;
    int code;

    if (!list->whole)
        return cli_ask_list(cli, path, limit, ret_items);
    code = cli_ask_json(cli, path, &page);
    items = json_object_get(page, "items");
    if (code == EXIT_OK)
        *ret_items = items ? json_incref(items) : json_array();
    return code;
}

/* The first @limit of @items (0: all), the last one first with @reverse. Owned. */
static json_t *
cli_output_cut(const json_t *items, size_t limit, bool reverse)
{
    size_t count = json_array_size(items);
    json_t *cut = json_array();

    if (limit > 0 && count > limit)
        count = limit;
    for (size_t i = 0; i < count; i++)
        json_array_append(cut, json_array_get(items, reverse ? count - 1 - i : i));
    return cut;
}

static int
cli_output_fetch(struct cli *cli, const struct cli_list *list, json_t **ret_items)
{
    CLEANUP(json_freep) json_t *items = NULL;
    int64_t limit =
        cli_args_has(&cli->args, "limit") ? cli_args_number(&cli->args, "limit") : list->limit;
    bool all = false;
    struct buf path;
    const char *pair;
    int code;

    buf_init(&path, OUTPUT_PATH_MAX);
    buf_append_string(&path, list->path);
    for (size_t at = 0; (pair = cli_args_next(&cli->args, "filter", &at));) {
        CLEANUP(mem_freep) char *key = mem_printf("%.*s", (int)strcspn(pair, "="), pair);

        if (cli_output_knows(cli->args.command->filters, key)) {
            cli_ask_query(&path, key, strchr(pair, '=') + 1);
        } else {
            all = true;
        }
    }
    code = cli_output_get(cli, list, buf_text(&path), all ? 0 : limit, &items);
    buf_fini(&path);
    for (size_t at = 0; code == EXIT_OK && (pair = cli_args_next(&cli->args, "filter", &at));)
        code = cli_output_filter(cli, pair, items);
    if (code != EXIT_OK)
        return code;
    *ret_items = cli_output_cut(items, (size_t)limit, list->newest);
    return EXIT_OK;
}

static int
cli_output_list_render(struct cli *cli, void *cookie, struct buf *out)
{
    const struct cli_list *list = cookie;
    CLEANUP(json_freep) json_t *items = NULL;
    int code = cli_output_fetch(cli, list, &items);

    if (code == EXIT_OK)
        cli_output_rows_text(cli, list->rows, items, out);
    return code;
}

int
cli_output_list(struct cli *cli, const struct cli_list *list)
{
    CLEANUP(json_freep) json_t *items = NULL;
    struct cli_list copy = *list;
    int code;

    if (cli->args.command->sets & CLI_SET_WATCH && cli_args_has(&cli->args, "watch"))
        return cli_output_watch(cli, cli_output_list_render, &copy);
    code = cli_output_fetch(cli, list, &items);
    return code == EXIT_OK ? cli_output_rows(cli, list->rows, items) : code;
}

/* --- Watching ------------------------------------------------------------------------------------ */

/* @now over @before on a terminal, else below it. */
static int
cli_output_refresh(const struct cli *cli, const struct buf *now, bool first)
{
    struct buf out;

    buf_init(&out, 0);
    if (cli->term.out && first)
        buf_append_string(&out, "\033[2J");
    if (cli->term.out) {
        buf_append_string(&out, "\033[H");
    } else if (!first) {
        buf_append_char(&out, '\n');
    }
    for (const char *at = buf_text(now); *at;) {
        size_t len = strcspn(at, "\n");

        buf_append(&out, at, len);
        if (cli->term.out)
            buf_append_string(&out, "\033[K");
        at += len;
        if (*at == '\n') {
            buf_append_char(&out, '\n');
            at++;
        }
    }
    if (cli->term.out)
        buf_append_string(&out, "\033[J");
    return cli_output_write(cli, &out, true);
}

int
cli_output_watch(struct cli *cli, int (*render)(struct cli *cli, void *cookie, struct buf *out),
                 void *cookie)
{
    bool again = cli_args_has(&cli->args, "watch");
    int64_t interval_ms = cli_args_number(&cli->args, "watch") * 1000;
    struct buf before;
    struct buf now;
    bool first = true;
    int code;

    if (again)
        cli_signal_watch();
    buf_init(&before, 0);
    do {
        buf_init(&now, 0);
        code = render(cli, cookie, &now);
        if (code == EXIT_OK && !again) {
            code = cli_term_write(&cli->term, buf_text(&now), now.len, cli->term.colour);
        } else if (code == EXIT_OK && (first || strcmp(buf_text(&before), buf_text(&now)) != 0)) {
            code = cli_output_refresh(cli, &now, first);
        }
        first = false;
        buf_fini(&before);
        before = now;
    } while (again && code == EXIT_OK && cli_signal_pause(interval_ms));
    buf_fini(&before);
    return code == EXIT_OK && again ? CLI_SIGNAL_EXIT : code;
}
