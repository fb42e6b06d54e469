#include <string.h>

#include "berth/cli/ask.h"
#include "berth/cli/format.h"
#include "berth/cli/signal.h"
#include "berth/cli/wait.h"

enum {
    WAIT_FIRST_MS = 50,
    WAIT_MOST_MS = 1000,
};

struct wait_clock {
    int64_t began_ms;
    int64_t ends_ms;
    int64_t pause_ms;
};

static void
cli_wait_begin(const struct cli *cli, struct wait_clock *ret_clock)
{
    cli_signal_watch();
    ret_clock->began_ms = cli_format_now_ms();
    ret_clock->ends_ms = ret_clock->began_ms + cli_args_number(&cli->args, "wait") * 1000;
    ret_clock->pause_ms = WAIT_FIRST_MS;
}

static int
cli_wait_left(const struct cli *cli, const char *what)
{
    cli_term_progress_end(&cli->term);
    cli_term_note("%s: no longer waited for; it goes on", what);
    return CLI_SIGNAL_EXIT;
}

/* How it is now: GET @path. */
static int
cli_wait_ask(struct cli *cli, const char *path, json_t **ret_json, const char *what)
{
    int code = cli_ask_json(cli, path, ret_json);

    return code == CLI_SIGNAL_EXIT ? cli_wait_left(cli, what) : code;
}

/* Pause until it is time to ask again. Return: EXIT_OK, or why not; @what: for people. */
static int
cli_wait_pause(const struct cli *cli, struct wait_clock *clock, const char *what)
{
    int64_t left_ms = clock->ends_ms - cli_format_now_ms();

    if (left_ms <= 0) {
        cli_term_progress_end(&cli->term);
        cli_term_note("%s: not done in time; it goes on", what);
        return EXIT_UNREACHABLE;
    }
    if (!cli_signal_pause(left_ms < clock->pause_ms ? left_ms : clock->pause_ms))
        return cli_wait_left(cli, what);
    clock->pause_ms += clock->pause_ms / 2;
    if (clock->pause_ms > WAIT_MOST_MS)
        clock->pause_ms = WAIT_MOST_MS;
    return EXIT_OK;
}

static bool
cli_wait_is(const json_t *instance, const char *state)
{
    return strcmp(json_in_string(instance, "state", ""), state) == 0;
}

/* EXIT_OK: as wanted; EXIT_FAILED: it never will be; -1: not yet. */
static int
cli_wait_verdict(const json_t *instance, enum cli_wait_for wanted)
{
    bool ended = cli_wait_is(instance, "stopped") || cli_wait_is(instance, "failed");

    if (wanted == CLI_WAIT_ENDED)
        return ended ? EXIT_OK : -1;
    if (cli_wait_is(instance, "running"))
        return EXIT_OK;
    if (!ended)
        return -1;
    /* A short one may have done its work between two looks. */
    return cli_wait_is(instance, "stopped") && json_in_int(instance, "exit_code", -1) == 0
               ? EXIT_OK
               : EXIT_FAILED;
}

/* The instance at @index as it is now. */
static int
cli_wait_look(struct cli *cli, json_t *items, size_t index)
{
    const char *id = json_in_string(json_array_get(items, index), "id", "");
    CLEANUP(mem_freep) char *path = cli_ask_path("instances", id, NULL);
    json_t *now = NULL;
    int code = cli_wait_ask(cli, path, &now, id);

    if (code == EXIT_OK)
        json_array_set_new(items, index, now);
    return code;
}

static void
cli_wait_show(const struct cli *cli, const struct wait_clock *clock, const json_t *items,
              size_t index)
{
    const json_t *instance = json_array_get(items, index);
    const char *reason = json_in_string(instance, "reason", NULL);
    char age[16];

    cli_term_progress(&cli->term, "%s %s, %s%s%s (%zu of %zu are done)",
                      json_in_string(instance, "id", "?"), json_in_string(instance, "state", "?"),
                      cli_format_age(cli_format_now_ms() - clock->began_ms, age),
                      reason ? ": " : "", reason ? reason : "", index, json_array_size(items));
}

int
cli_wait_instances(struct cli *cli, json_t *items, enum cli_wait_for wanted)
{
    struct wait_clock clock;
    int result = EXIT_OK;

    cli_wait_begin(cli, &clock);
    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *id = json_in_string(json_array_get(items, i), "id", "?");
        bool is_new = i == 0; /* what is known of the others is as old as the wait for this one */
        int verdict;

        while ((verdict = cli_wait_verdict(json_array_get(items, i), wanted)) < 0) {
            int code;

            cli_wait_show(cli, &clock, items, i);
            code = is_new ? cli_wait_pause(cli, &clock, id) : EXIT_OK;
            is_new = true;
            if (code == EXIT_OK)
                code = cli_wait_look(cli, items, i);
            if (code != EXIT_OK)
                return code;
            id = json_in_string(json_array_get(items, i), "id", "?");
        }
        if (verdict == EXIT_OK)
            continue;
        cli_term_progress_end(&cli->term);
        cli_term_note("%s %s: %s", id, json_in_string(json_array_get(items, i), "state", "failed"),
                      json_in_string(json_array_get(items, i), "reason", "no reason is known"));
        result = EXIT_FAILED;
    }
    cli_term_progress_end(&cli->term);
    return result;
}

int
cli_wait_host(struct cli *cli, json_t **slot)
{
    struct wait_clock clock;
    int code;

    cli_wait_begin(cli, &clock);
    while (cli_wait_is(*slot, "spawned")) {
        const char *name = json_in_string(*slot, "name", "?");
        CLEANUP(mem_freep)
        char *path = cli_ask_path("hosts", json_in_string(*slot, "id", ""), NULL);
        json_t *now = NULL;

        cli_term_progress(&cli->term, "%s waits for %s", name,
                          json_in_string(*slot, "waiting_for", "its engine"));
        code = cli_wait_pause(cli, &clock, name);
        if (code == EXIT_OK)
            code = cli_wait_ask(cli, path, &now, name);
        if (code != EXIT_OK)
            return code;
        json_decref(*slot);
        *slot = now;
    }
    cli_term_progress_end(&cli->term);
    if (cli_wait_is(*slot, "active"))
        return EXIT_OK;
    cli_term_note("%s %s: %s", json_in_string(*slot, "name", "?"),
                  json_in_string(*slot, "state", "?"),
                  json_in_string(*slot, "reason", "no reason is known"));
    return EXIT_FAILED;
}

static void
cli_wait_show_operation(const struct cli *cli, const json_t *operation)
{
    int64_t total = json_in_int(operation, "total", 0);
    const char *kind = json_in_string(operation, "kind", "operation");
    const char *text = json_in_string(operation, "text", "");

    if (total > 0) {
        cli_term_progress(&cli->term, "%s: %lld of %lld %s", kind,
                          (long long)json_in_int(operation, "progress", 0), (long long)total, text);
    } else {
        cli_term_progress(&cli->term, "%s %s", kind, text);
    }
}

static int
cli_wait_end_operation(const struct cli *cli, const json_t *operation)
{
    cli_term_progress_end(&cli->term);
    if (cli_wait_is(operation, "done"))
        return EXIT_OK;
    cli_term_note("%s %s: %s", json_in_string(operation, "kind", "operation"),
                  json_in_string(operation, "state", "failed"),
                  json_in_string(operation, "text", "no reason is known"));
    return EXIT_FAILED;
}

int
cli_wait_operation(struct cli *cli, json_t **slot)
{
    struct wait_clock clock;

    if (!*slot)
        return EXIT_OK;
    cli_wait_begin(cli, &clock);
    while (cli_wait_is(*slot, "running")) {
        const char *id = json_in_string(*slot, "id", "");
        CLEANUP(mem_freep) char *path = cli_ask_path("operations", id, NULL);
        json_t *now = NULL;
        int code;

        cli_wait_show_operation(cli, *slot);
        code = cli_wait_pause(cli, &clock, id);
        if (code == EXIT_OK)
            code = cli_wait_ask(cli, path, &now, id);
        if (code != EXIT_OK)
            return code;
        json_decref(*slot);
        *slot = now;
    }
    return cli_wait_end_operation(cli, *slot);
}
