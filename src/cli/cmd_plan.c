/* berth pool plan */

#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/advice.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum { PLAN_PATH_MAX = 512 };

/* Reasons are what a plan is read for: nothing is cut. */
/* clang-format off */
static const struct cli_column plan_columns[] = {
    { "ROUND",  "round",  CLI_AS_TEXT, false, CLI_GRID_KEEP | CLI_GRID_RIGHT, NULL },
    { "WHEN",   "when",   CLI_AS_TEXT, false, CLI_GRID_KEEP,                  NULL },
    { "ACTION", "kind",   CLI_AS_TEXT, false, CLI_GRID_KEEP,                  NULL },
    { "HOST",   "host",   CLI_AS_TEXT, false, CLI_GRID_KEEP,                  NULL },
    { "REASON", "reason", CLI_AS_TEXT, false, CLI_GRID_KEEP,                  NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows plan_rows = { .name = "kind", .columns = plan_columns };

/* --- For people ------------------------------------------------------------------------------------ */

static int64_t
cmd_plan_time(const json_t *object, const char *key)
{
    int64_t at_ms = 0;

    return text_time_parse(json_in_string(object, key, ""), &at_ms) ? at_ms : 0;
}

/* All actions as rows. What is launched has no name yet: its type stands there. */
static json_t *
cmd_plan_items(const json_t *plan)
{
    const json_t *rounds = json_object_get(plan, "rounds");
    int64_t first_ms = cmd_plan_time(json_array_get(rounds, 0), "at");
    json_t *items = json_array();
    const json_t *round;
    const json_t *action;
    char age[16];
    size_t i;
    size_t j;

    json_array_foreach(rounds, i, round)
    {
        CLEANUP(mem_freep)
        char *when =
            mem_printf("in %s", cli_format_age(cmd_plan_time(round, "at") - first_ms, age));

        json_array_foreach(json_object_get(round, "actions"), j, action)
        {
            const char *type = json_in_string(action, "machine_type", NULL);
            CLEANUP(mem_freep) char *new_host = type ? mem_printf("(a new %s)", type) : NULL;

            json_array_append_new(
                items, json_pack("{s:i,s:s,s:s,s:s?,s:s}", "round", (int)i + 1, "when",
                                 i == 0 ? "now" : when, "kind", json_in_string(action, "kind", "?"),
                                 "host", type ? new_host : json_in_string(action, "host", NULL),
                                 "reason", json_in_string(action, "reason", "")));
        }
    }
    return items;
}

static void
cmd_plan_held(const struct cli *cli, const json_t *plan, struct buf *out)
{
    const json_t *round = json_array_get(json_object_get(plan, "rounds"), 0);
    const json_t *held;
    size_t i;

    json_array_foreach(json_object_get(round, "held"), i, held)
    {
        const char *hold = json_in_string(held, "hold", "?");
        CLEANUP(mem_freep) char *lifts = cli_advice_hold(held, json_in_string(plan, "pool", "?"));
        CLEANUP(mem_freep)
        char *what = mem_printf("Held back by %s: %s", hold, json_in_string(held, "text", ""));

        cli_format_wrap(out, 0, what, cli->term.width);
        cli_format_wrap(out, 4, lifts, cli->term.width);
    }
}

static void
cmd_plan_refused(const struct cli *cli, const json_t *plan, struct buf *out)
{
    const char *pool = json_in_string(plan, "pool", "?");
    int64_t now_ms = cmd_plan_time(json_array_get(json_object_get(plan, "rounds"), 0), "at");
    const json_t *refused;
    size_t i;

    json_array_foreach(json_object_get(plan, "refused"), i, refused)
    {
        CLEANUP(mem_freep) char *what = cli_advice_refused(refused, pool, now_ms);
        CLEANUP(mem_freep) char *mend = cli_advice_mend(refused, pool);

        cli_format_wrap(out, 0, what, cli->term.width);
        cli_format_wrap(out, 4, mend, cli->term.width);
    }
}

static void
cmd_plan_amount(const json_t *round, const char *key, struct buf *out)
{
    const json_t *amount = json_object_get(round, key);
    int64_t bytes = json_in_int(amount, "memory_bytes", 0);
    char size[24];

    buf_append_string(out, text_size(bytes > 0 ? (uint64_t)bytes : 0, size));
    if (json_in_int(amount, "slots", 0) > 0)
        buf_printf(out, ", %lld slots", (long long)json_in_int(amount, "slots", 0));
}

static void
cmd_plan_sums(const json_t *plan, struct buf *out)
{
    const json_t *round = json_array_get(json_object_get(plan, "rounds"), 0);
    const json_t *money = json_object_get(plan, "money");
    int64_t next_ms = cmd_plan_time(plan, "next_at");
    int64_t limit = json_in_int(plan, "launches_per_hour", 0);
    double budget = json_number_value(json_object_get(money, "budget"));
    char age[16];

    buf_append_string(out, "Headroom: ");
    cmd_plan_amount(round, "headroom", out);
    buf_append_string(out, "; wanted: ");
    cmd_plan_amount(round, "wanted", out);
    buf_printf(out, "; waiting: %lld\n", (long long)json_in_int(plan, "waiting", 0));
    buf_printf(out, "Money this month: %.2f spent, up to %.2f more by what is there",
               json_number_value(json_object_get(money, "spent")),
               json_number_value(json_object_get(money, "committed")));
    if (budget > 0) {
        buf_printf(out, ", budget %.2f\n", budget);
    } else {
        buf_append_string(out, ", no budget\n");
    }
    buf_printf(out, "Launches in the last hour: %lld",
               (long long)json_in_int(plan, "launches_last_hour", 0));
    if (limit > 0)
        buf_printf(out, " of %lld", (long long)limit);
    buf_append_char(out, '\n');
    if (next_ms > 0) {
        buf_printf(out, "Time alone changes this plan in %s.\n",
                   cli_format_age(next_ms - cmd_plan_time(round, "at"), age));
    }
}

static int
cmd_plan_print(struct cli *cli, const json_t *plan)
{
    CLEANUP(json_freep) json_t *items = cmd_plan_items(plan);
    struct buf out;
    int code;

    buf_init(&out, 0);
    if (json_array_size(items) > 0) {
        cli_output_rows_text(cli, &plan_rows, items, &out);
    } else {
        buf_append_string(&out, "Nothing is to be done.\n");
    }
    buf_append_char(&out, '\n');
    cmd_plan_refused(cli, plan, &out);
    cmd_plan_held(cli, plan, &out);
    cmd_plan_sums(plan, &out);
    code = cli_term_write(&cli->term, buf_text(&out), out.len, cli->term.colour);
    buf_fini(&out);
    return code;
}

/* --- The command ------------------------------------------------------------------------------------ */

static bool
cmd_plan_is_for_people(const struct cli *cli)
{
    return cli_output_is(cli, "table") || cli_output_is(cli, "wide");
}

static int
cmd_plan_get(struct cli *cli, const char *pool, json_t **ret_plan)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", pool, "plan");
    struct buf whole;
    int code;

    buf_init(&whole, PLAN_PATH_MAX);
    buf_append_string(&whole, path);
    cli_ask_query(&whole, "rounds", cli_args_text(&cli->args, "rounds"));
    code = cli_ask_json(cli, buf_text(&whole), ret_plan);
    buf_fini(&whole);
    return code;
}

static int
cmd_plan_apply(struct cli *cli, const char *pool, const json_t *plan)
{
    CLEANUP(mem_freep) char *path = cli_ask_path("pools", pool, "plan/apply");
    CLEANUP(json_freep)
    json_t *body = json_pack("{s:s}", "revision", json_in_string(plan, "revision", ""));
    const json_t *round = json_array_get(json_object_get(plan, "rounds"), 0);
    size_t count = json_array_size(json_object_get(round, "actions"));
    CLEANUP(mem_freep)
    char *question =
        mem_printf("Carry out the %zu action%s of round 1 now?", count, count == 1 ? "" : "s");
    struct cli_call call = { .method = "POST", .path = path, .body = body, .keyed = true };
    int code;

    if (count == 0) {
        cli_term_note("nothing is to be done now");
        return EXIT_OK;
    }
    if (!cli_ask_confirm(cli, question))
        return EXIT_FAILED;
    code = cli_ask(cli, &call);
    if (code == EXIT_OK && cmd_plan_is_for_people(cli)) {
        cli_term_note("%s", json_in_string(call.json, "text", "done"));
    } else if (code == EXIT_OK) {
        code = cli_output_object(cli, "id", call.json);
    }
    cli_client_call_fini(&call);
    return code;
}

int
cmd_plan_plan(struct cli *cli)
{
    const char *pool = cli_args_word(&cli->args, 0);
    bool apply = cli_args_has(&cli->args, "apply");
    CLEANUP(json_freep) json_t *plan = NULL;
    int code = cmd_plan_get(cli, pool, &plan);

    if (code != EXIT_OK)
        return code;
    if (cmd_plan_is_for_people(cli)) {
        code = cmd_plan_print(cli, plan);
    } else if (!apply) {
        code = cli_output_object(cli, "revision", plan);
    }
    return code == EXIT_OK && apply ? cmd_plan_apply(cli, pool, plan) : code;
}
