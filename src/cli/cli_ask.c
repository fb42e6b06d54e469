/* What handlers ask of the daemon, and how failures are told. */

#include <stdio.h>
#include <string.h>

#include "berth/base/id.h"
#include "berth/base/text.h"
#include "berth/cli/ask.h"
#include "berth/cli/signal.h"

enum {
    ASK_PATH_MAX = 16 * 1024,
    ASK_PAGE = 500,
    ASK_LINE_MAX = 1000,
};

/* What to do about it. */
static const struct {
    enum fault_kind kind;
    const char *hint;
} ask_hints[] = {
    { FAULT_UNAUTHORIZED,
      "give a token with BERTH_TOKEN_FILE, BERTH_TOKEN or 'berth context set NAME --url URL'; the "
      "daemon's first one is in <data_dir>/admin.token" },
    { FAULT_FORBIDDEN, "another token may do it: 'berth token ls' shows the roles to an admin" },
    { FAULT_UNREACHABLE, "is berthd running there? --url, BERTH_URL or a context choose another" },
    { FAULT_PRECONDITION, "look at it again and repeat what you wanted to change" },
    { FAULT_RATE_LIMITED, "try again a little later" },
    { FAULT_NO_CAPACITY, "'berth status' shows what is free; 'berth host add' adds to it" },
    { FAULT_STORAGE_FULL, "make room on the daemon's disk; it goes on by itself" },
    { FAULT_QUOTA, "stop one that is not needed any more: 'berth ps'" },
    { FAULT_LOST, "it may have happened all the same: look before you repeat it" },
    { FAULT_TIMEOUT, "it may still happen; --timeout waits longer" },
};

int
cli_ask_fail(const struct fault *fault)
{
    cli_term_note("%s", fault->text);
    return (int)fault_rule(fault->kind)->exit_code;
}

static void
cli_ask_hint(enum fault_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(ask_hints); i++) {
        if (ask_hints[i].kind == kind)
            (void)fprintf(stderr, "       %s\n", ask_hints[i].hint);
    }
}

/* Where the names are that the command takes. */
static void
cli_ask_hint_names(const struct cli *cli)
{
    static const char *const lists[] = {
        [CLI_WORDS_INSTANCE] = "ps --all",      [CLI_WORDS_HOST] = "host ls",
        [CLI_WORDS_BLUEPRINT] = "blueprint ls", [CLI_WORDS_POOL] = "pool ls",
        [CLI_WORDS_TOKEN] = "token ls",         [CLI_WORDS_OPERATION] = "operation ls",
    };
    const struct cli_arg *args = cli->args.command ? cli->args.command->args : NULL;

    if (args && args->name && args->words < ARRAY_LEN(lists) && lists[args->words])
        (void)fprintf(stderr, "       'berth %s' lists what there is\n", lists[args->words]);
}

static void
cli_ask_line(const char *format, const char *first, const char *second)
{
    char line[ASK_LINE_MAX];
    struct buf out = { .data = line, .cap = sizeof(line), .limit = sizeof(line) - 1 };

    line[0] = '\0';
    buf_append_string(&out, first);
    buf_append_string(&out, format);
    buf_append_string(&out, second);
    text_utf8_clean(line, false);
    (void)fprintf(stderr, "       %s\n", line);
}

int
cli_ask_problem(const struct cli *cli, const struct cli_call *call, const struct fault *fault)
{
    const char *title = json_in_string(call->json, "title", NULL);
    const json_t *errors = json_object_get(call->json, "errors");
    const json_t *error;
    size_t i;

    /* Whoever pressed Ctrl-C knows; what it means for the command, the command says. */
    if (fault->kind == FAULT_CANCELLED && call->status == 0)
        return CLI_SIGNAL_EXIT;
    if (title && strcmp(title, fault->text) != 0) {
        cli_term_note("%s: %s", title, fault->text);
    } else {
        cli_term_note("%s", fault->text);
    }
    json_array_foreach(errors, i, error)
    {
        const char *pointer = json_in_string(error, "pointer", "");
        const char *detail = json_in_string(error, "detail", "is wrong");
        size_t len = strlen(pointer);

        /* The first one may be the daemon's whole sentence. */
        if (i == 0 && len > 0 && strncmp(fault->text, pointer, len) == 0 &&
            strstr(fault->text + len, detail))
            continue;
        cli_ask_line(": ", len > 0 ? pointer : "the request", detail);
    }
    cli_ask_hint(fault->kind);
    if (fault->kind == FAULT_NOT_FOUND)
        cli_ask_hint_names(cli);
    if (call->request_id[0] && cli_args_has(&cli->args, "debug"))
        cli_ask_line(" ", "request id", call->request_id);
    return (int)fault_rule(fault->kind)->exit_code;
}

int
cli_ask_quietly(struct cli *cli, struct cli_call *call, struct fault *fault)
{
    if (!cli->client) {
        if (cli_context_resolve(&cli->wish, &cli->target, fault) < 0)
            return (int)fault_rule(fault->kind)->exit_code;
        cli->client =
            cli_client_new(&cli->target, cli->timeout_s, cli_args_has(&cli->args, "debug"));
    }
    if (cli_client_call(cli->client, call, fault) < 0)
        return (int)fault_rule(fault->kind)->exit_code;
    return EXIT_OK;
}

int
cli_ask(struct cli *cli, struct cli_call *call)
{
    struct fault fault = { 0 };
    int code = cli_ask_quietly(cli, call, &fault);

    if (fault.kind == FAULT_NONE)
        return code;
    cli_term_progress_end(&cli->term);
    return cli_ask_problem(cli, call, &fault);
}

int
cli_ask_json(struct cli *cli, const char *path, json_t **ret_json)
{
    struct cli_call call = { .method = "GET", .path = path };
    int code = cli_ask(cli, &call);

    if (code == EXIT_OK)
        *ret_json = call.json ? json_incref(call.json) : json_object();
    cli_client_call_fini(&call);
    return code;
}

void
cli_ask_query(struct buf *path, const char *key, const char *value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    if (!value)
        return;
    buf_append_char(path, strchr(buf_text(path), '?') ? '&' : '?');
    buf_printf(path, "%s=", key);
    for (; *value; value++) {
        if (strchr(plain, *value)) {
            buf_append_char(path, *value);
        } else {
            buf_printf(path, "%%%02X", (unsigned char)*value);
        }
    }
}

char *
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): they stand as in the path. */
cli_ask_path(const char *resource, const char *name, const char *verb)
{
    struct buf escaped;
    struct buf path;

    buf_init(&escaped, ASK_PATH_MAX);
    buf_init(&path, ASK_PATH_MAX);
    cli_ask_query(&escaped, "", name);
    buf_printf(&path, "/v1/%s/%s", resource, buf_text(&escaped) + strlen("?="));
    if (verb)
        buf_printf(&path, "/%s", verb);
    buf_fini(&escaped);
    return buf_take(&path);
}

/* One page behind @cursor (NULL: the first) of at most @most rows. */
static int
cli_ask_page(struct cli *cli, const char *path, int64_t most, const char *cursor,
             struct cli_call *call, struct fault *fault)
{
    char size[24];
    struct buf page;
    int code;

    buf_init(&page, ASK_PATH_MAX);
    buf_append_string(&page, path);
    (void)snprintf(size, sizeof(size), "%lld", (long long)(most < ASK_PAGE ? most : ASK_PAGE));
    cli_ask_query(&page, "limit", size);
    cli_ask_query(&page, "cursor", cursor);
    *call = (struct cli_call){ .method = "GET", .path = buf_text(&page) };
    code = cli_ask_quietly(cli, call, fault);
    call->path = path;
    buf_fini(&page);
    return code;
}

static int
cli_ask_pages(struct cli *cli, const char *path, int64_t limit, json_t **ret_items, bool may_hide)
{
    CLEANUP(json_freep) json_t *items = json_array();
    CLEANUP(mem_freep) char *cursor = NULL;
    struct fault fault = { 0 };
    int64_t left = limit > 0 ? limit : ASK_PAGE;

    do {
        struct cli_call call;
        int code = cli_ask_page(cli, path, left, cursor, &call, &fault);
        bool hidden = may_hide && (fault.kind == FAULT_FORBIDDEN || fault.kind == FAULT_NOT_FOUND);

        if (fault.kind != FAULT_NONE)
            code = hidden ? EXIT_OK : cli_ask_problem(cli, &call, &fault);
        json_array_extend(items, json_object_get(call.json, "items"));
        mem_free(cursor);
        cursor = mem_strdup(json_in_string(call.json, "next", NULL));
        cli_client_call_fini(&call);
        if (fault.kind != FAULT_NONE) {
            *ret_items = NULL;
            return code;
        }
        left = limit > 0 ? limit - (int64_t)json_array_size(items) : ASK_PAGE;
    } while (cursor && left > 0);
    *ret_items = STEAL(items);
    return EXIT_OK;
}

int
cli_ask_list(struct cli *cli, const char *path, int64_t limit, json_t **ret_items)
{
    return cli_ask_pages(cli, path, limit, ret_items, false);
}

int
cli_ask_list_if_seen(struct cli *cli, const char *path, json_t **ret_items)
{
    return cli_ask_pages(cli, path, 0, ret_items, true);
}

int
cli_ask_instance_id(struct cli *cli, const char *word, char *ret_id)
{
    CLEANUP(json_freep) json_t *items = NULL;
    struct fault fault;
    struct buf path;
    const char *found;
    int64_t id;
    int code;

    if (id_decode(ID_INSTANCE, word, &id)) {
        memcpy(ret_id, word, ID_TEXT_SIZE);
        return EXIT_OK;
    }
    /* A user types what he sees; what can't be a name is not asked for. */
    if (text_is_name(word)) {
        buf_init(&path, ASK_PATH_MAX);
        buf_append_string(&path, "/v1/instances?state=live");
        cli_ask_query(&path, "name", word);
        code = cli_ask_list(cli, buf_text(&path), 2, &items);
        buf_fini(&path);
        if (code != EXIT_OK)
            return code;
    }
    found = json_in_string(json_array_get(items, 0), "id", "");
    if (json_array_size(items) > 1) {
        fault_set(&fault, FAULT_CONFLICT, "cli", "several instances are named '%s': use an id",
                  word);
    } else if (!id_decode(ID_INSTANCE, found, &id)) {
        fault_set(&fault, FAULT_NOT_FOUND, "cli",
                  "no instance that is alive is named '%s'; one that ended goes by its id: berth "
                  "ps --all",
                  word);
    } else {
        memcpy(ret_id, found, ID_TEXT_SIZE);
        return EXIT_OK;
    }
    return cli_ask_fail(&fault);
}

bool
cli_ask_confirm(const struct cli *cli, const char *what)
{
    char answer[16];

    if (!cli->term.in || cli_args_has(&cli->args, "yes"))
        return true;
    (void)fprintf(stderr, "%s [y/N] ", what);
    if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return true;
    cli_term_note("nothing was done");
    return false;
}
