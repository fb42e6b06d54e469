/*
 * berth status: pools, hosts, headroom, money, what is wrong and what to do,
 * gathered into one object first, so that -o json tells the same.
 */

#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/advice.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum {
    STATUS_QUEUE_MAX = 500, /* rows that are looked at */
    STATUS_WRONG_MAX = 20,  /* that are printed */
    STATUS_WIDTH = 80,      /* of lines, where there is no terminal */
};

/* clang-format off */
static const struct cli_column status_columns[] = {
    { "POOL",      "name",      CLI_AS_TEXT, false, CLI_GRID_KEEP,  NULL },
    { "PROVIDER",  "provider",  CLI_AS_TEXT, true,  0,              NULL },
    { "HOSTS",     "hosts",     CLI_AS_TEXT, false, CLI_GRID_KEEP,  NULL },
    { "FREE",      "free",      CLI_AS_TEXT, false, 0,              NULL },
    { "SLOTS",     "slots",     CLI_AS_TEXT, false, CLI_GRID_RIGHT, NULL },
    { "HEADROOM",  "headroom",  CLI_AS_TEXT, false, 0,              NULL },
    { "QUEUE",     "queue",     CLI_AS_TEXT, false, 0,              NULL },
    { "INST", "instances", CLI_AS_TEXT, false, CLI_GRID_RIGHT, NULL },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows status_rows = { .name = "name", .columns = status_columns };

/* --- Gathering --------------------------------------------------------------------------------------- */

static void
cmd_status_wrong(json_t *status, const char *kind, const char *what, const char *todo)
{
    json_array_append_new(json_object_get(status, "wrong"),
                          json_pack("{s:s,s:s,s:s}", "kind", kind, "what", what, "do", todo));
}

/* What the daemon says about itself. */
static void
cmd_status_health(struct cli *cli, json_t *status)
{
    struct cli_call health = { .method = "GET", .path = "/readyz" };
    struct cli_call doctor = { .method = "GET", .path = "/v1/doctor" };
    struct fault fault = { 0 };
    const json_t *check;
    size_t i;

    (void)cli_ask_quietly(cli, &health, &fault);
    if (health.json && strcmp(json_in_string(health.json, "status", "ok"), "ok") != 0) {
        CLEANUP(mem_freep)
        char *what = mem_printf("the daemon is %s: %s", json_in_string(health.json, "status", "?"),
                                json_in_string(health.json, "reason", "no reason is known"));

        cmd_status_wrong(status, "daemon", what, "see its log: journalctl -u berthd");
    }
    (void)cli_ask_quietly(cli, &doctor, &fault);
    json_array_foreach(json_object_get(doctor.json, "checks"), i, check)
    {
        CLEANUP(mem_freep)
        char *what = mem_printf("doctor: %s: %s", json_in_string(check, "check", "?"),
                                json_in_string(check, "detail", ""));

        if (!json_in_bool(check, "ok", true))
            cmd_status_wrong(status, "doctor", what, "berth doctor");
    }
    cli_client_call_fini(&health);
    cli_client_call_fini(&doctor);
}

static void
cmd_status_waiting(json_t *status, const json_t *pool)
{
    const json_t *queue = json_object_get(pool, "queue");
    int64_t length = json_in_int(queue, "length", 0);
    int64_t oldest_s = json_in_int(queue, "oldest_s", 0);
    CLEANUP(mem_freep) char *what = NULL;
    CLEANUP(mem_freep) char *todo = NULL;
    char age[16];

    json_object_set_new(status, "queued", json_integer(json_in_int(status, "queued", 0) + length));
    if (length == 0)
        return;
    what = mem_printf("%lld wait%s for room in pool %s, the oldest for %s", (long long)length,
                      length == 1 ? "s" : "", json_in_string(pool, "name", "?"),
                      cli_format_age(oldest_s * 1000, age));
    todo = mem_printf("berth explain %s", json_in_string(queue, "oldest", "?"));
    cmd_status_wrong(status, "queue", what, todo);
}

static void
cmd_status_held(json_t *status, const json_t *pool)
{
    const char *name = json_in_string(pool, "name", "?");
    bool refused = json_array_size(json_object_get(pool, "refused")) > 0;
    const json_t *held;
    size_t i;

    json_array_foreach(json_object_get(pool, "held"), i, held)
    {
        const char *hold = json_in_string(held, "hold", "?");
        CLEANUP(mem_freep) char *todo = cli_advice_hold(held, name);
        CLEANUP(mem_freep)
        char *what = mem_printf("pool %s is to grow and is held back by %s: %s", name, hold,
                                json_in_string(held, "text", ""));

        /* What the provider refuses is said in its own words. */
        if (!refused || strcmp(hold, "cloud") != 0)
            cmd_status_wrong(status, "held", what, todo);
    }
}

static void
cmd_status_refused(json_t *status, const json_t *pool, int64_t now_ms)
{
    const char *name = json_in_string(pool, "name", "?");
    const json_t *refused;
    size_t i;

    json_array_foreach(json_object_get(pool, "refused"), i, refused)
    {
        CLEANUP(mem_freep) char *what = cli_advice_refused(refused, name, now_ms);
        CLEANUP(mem_freep) char *todo = cli_advice_mend(refused, name);

        cmd_status_wrong(status, "refused", what, todo);
    }
}

/* All that an operator sees. */
static void
cmd_status_pools(json_t *status, const json_t *answer)
{
    int64_t now_ms;
    json_t *wrong;
    const json_t *pool;
    size_t i;

    if (!text_time_parse(json_in_string(answer, "at", ""), &now_ms))
        now_ms = cli_format_now_ms();
    json_object_set(status, "pools", json_object_get(answer, "pools"));
    json_object_set_new(status, "queued", json_integer(0));
    json_array_foreach(json_object_get(answer, "pools"), i, pool)
    {
        cmd_status_refused(status, pool, now_ms);
        cmd_status_held(status, pool);
        cmd_status_waiting(status, pool);
    }
    json_array_foreach(json_object_get(answer, "wrong"), i, wrong)
    {
        CLEANUP(mem_freep) char *what = cli_advice_what(wrong);
        CLEANUP(mem_freep) char *todo = cli_advice_todo(wrong);

        json_object_set_new(wrong, "what", json_string(what));
        json_object_set_new(wrong, "do", json_string(todo));
        json_array_append(json_object_get(status, "wrong"), wrong);
    }
}

/* Of their own, users see what waits. */
static int
cmd_status_own(struct cli *cli, json_t *status)
{
    CLEANUP(json_freep) json_t *items = NULL;
    CLEANUP(json_freep) json_t *pool = NULL;
    const json_t *first;
    int64_t at_ms;
    int code = cli_ask_list(cli, "/v1/instances?state=queued", STATUS_QUEUE_MAX, &items);

    if (code != EXIT_OK)
        return code;
    first = json_array_get(items, 0);
    if (!text_time_parse(json_in_string(first, "created_at", ""), &at_ms))
        at_ms = cli_format_now_ms();
    pool = json_pack("{s:s,s:{s:I,s:I,s:s}}", "name", json_in_string(first, "pool", "?"), "queue",
                     "length", (json_int_t)json_array_size(items), "oldest_s",
                     (json_int_t)((cli_format_now_ms() - at_ms) / 1000), "oldest",
                     json_in_string(first, "id", "?"));
    cmd_status_waiting(status, pool);
    return EXIT_OK;
}

static int
cmd_status_gather(struct cli *cli, json_t *status)
{
    CLEANUP(json_freep) json_t *version = NULL;
    struct cli_call call = { .method = "GET", .path = "/v1/status" };
    struct fault fault = { 0 };
    int code = cli_ask_json(cli, "/v1/version", &version);

    if (code != EXIT_OK)
        return code;
    json_object_set(status, "cluster", json_object_get(version, "cluster"));
    json_object_set(status, "version", json_object_get(version, "version"));
    json_object_set_new(status, "url", json_string(cli->target.url));
    json_object_set_new(status, "wrong", json_array());
    cmd_status_health(cli, status);
    code = cli_ask_quietly(cli, &call, &fault);
    if (fault.kind == FAULT_NONE) {
        cmd_status_pools(status, call.json);
    } else if (fault.kind == FAULT_FORBIDDEN || fault.kind == FAULT_NOT_FOUND) {
        code = cmd_status_own(cli, status);
    } else {
        code = cli_ask_problem(cli, &call, &fault);
    }
    cli_client_call_fini(&call);
    return code;
}

/* --- For people --------------------------------------------------------------------------------------- */

/* "8 up, 1 new, 2 out" */
static void
cmd_status_hosts_text(const json_t *pool, struct buf *out)
{
    static const char *const words[][2] = {
        { "active", "up" },
        { "spawned", "new" },
        { "inactive", "out" },
    };
    const json_t *hosts = json_object_get(pool, "hosts");

    buf_clear(out);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        int64_t count = json_in_int(hosts, words[i][0], 0);

        if (count > 0)
            buf_printf(out, "%s%lld %s", out->len > 0 ? ", " : "", (long long)count, words[i][1]);
    }
    if (out->len == 0)
        buf_append_string(out, "none");
}

static void
cmd_status_size(int64_t bytes, struct buf *out)
{
    char size[24];

    buf_append_string(out, text_size(bytes > 0 ? (uint64_t)bytes : 0, size));
}

/* "3 GiB / 4 GiB" */
static void
cmd_status_free_text(const json_t *pool, struct buf *out)
{
    const json_t *capacity = json_object_get(pool, "capacity");
    int64_t all = json_in_int(capacity, "memory_bytes", 0);

    buf_clear(out);
    cmd_status_size(all - json_in_int(json_object_get(pool, "reserved"), "memory_bytes", 0), out);
    buf_append_string(out, " / ");
    cmd_status_size(all, out);
}

static void
cmd_status_slots_text(const json_t *pool, struct buf *out)
{
    int64_t all = json_in_int(json_object_get(pool, "capacity"), "slots", 0);
    int64_t used = json_in_int(json_object_get(pool, "reserved"), "slots", 0);

    buf_clear(out);
    if (all > 0)
        buf_printf(out, "%lld / %lld", (long long)(used < all ? all - used : 0), (long long)all);
}

/* What counts as free, against what is wanted: in slots where slots are wanted; nothing where nothing
 * is. */
static void
cmd_status_headroom_text(const json_t *pool, struct buf *out)
{
    const json_t *headroom = json_object_get(pool, "headroom");
    const json_t *wanted = json_object_get(pool, "wanted");
    int64_t slots = json_in_int(wanted, "slots", 0);
    int64_t bytes = json_in_int(wanted, "memory_bytes", 0);

    buf_clear(out);
    if (slots > 0) {
        buf_printf(out, "%lld / %lld slots", (long long)json_in_int(headroom, "slots", 0),
                   (long long)slots);
        return;
    }
    if (bytes > 0) {
        cmd_status_size(json_in_int(headroom, "memory_bytes", 0), out);
        buf_append_string(out, " / ");
        cmd_status_size(bytes, out);
    }
}

static void
cmd_status_queue_text(const json_t *pool, struct buf *out)
{
    const json_t *queue = json_object_get(pool, "queue");
    int64_t length = json_in_int(queue, "length", 0);
    char age[16];

    buf_clear(out);
    buf_printf(out, "%lld", (long long)length);
    if (length > 0)
        buf_printf(out, ", %s", cli_format_age(json_in_int(queue, "oldest_s", 0) * 1000, age));
}

static json_t *
cmd_status_items(const json_t *status)
{
    static const struct {
        const char *key;
        void (*text)(const json_t *pool, struct buf *out);
    } cells[] = {
        { "hosts", cmd_status_hosts_text }, { "free", cmd_status_free_text },
        { "slots", cmd_status_slots_text }, { "headroom", cmd_status_headroom_text },
        { "queue", cmd_status_queue_text },
    };
    json_t *items = json_array();
    const json_t *pool;
    struct buf text;
    size_t i;

    buf_init(&text, 0);
    json_array_foreach(json_object_get(status, "pools"), i, pool)
    {
        json_t *item = json_object();

        json_object_set(item, "name", json_object_get(pool, "name"));
        json_object_set(item, "provider", json_object_get(pool, "provider"));
        json_object_set(item, "instances", json_object_get(pool, "instances"));
        for (size_t j = 0; j < ARRAY_LEN(cells); j++) {
            cells[j].text(pool, &text);
            json_object_set_new(item, cells[j].key, json_string(buf_text(&text)));
        }
        json_array_append_new(items, item);
    }
    buf_fini(&text);
    return items;
}

/* A line for each pool that costs or may cost something. */
static void
cmd_status_money(const json_t *status, size_t width, struct buf *out)
{
    const json_t *pool;
    size_t i;

    json_array_foreach(json_object_get(status, "pools"), i, pool)
    {
        const json_t *money = json_object_get(pool, "money");
        double spent = json_number_value(json_object_get(money, "spent"));
        double committed = json_number_value(json_object_get(money, "committed"));
        double budget = json_number_value(json_object_get(money, "budget"));
        int64_t launches = json_in_int(pool, "launches_last_hour", 0);
        int64_t limit = json_in_int(pool, "launches_per_hour", 0);
        struct buf line;

        if (spent + committed + budget <= 0 && launches == 0)
            continue;
        buf_init(&line, 0);
        buf_printf(&line, "Money of %s this month: %.2f spent, up to %.2f more by what is there",
                   json_in_string(pool, "name", "?"), spent, committed);
        if (budget > 0)
            buf_printf(&line, ", of %.2f", budget);
        buf_printf(&line, "; launches in the last hour: %lld", (long long)launches);
        if (limit > 0)
            buf_printf(&line, " of %lld", (long long)limit);
        cli_format_wrap(out, 0, buf_text(&line), width);
        buf_fini(&line);
    }
}

static void
cmd_status_wrongs(const json_t *status, size_t width, struct buf *out)
{
    const json_t *wrong = json_object_get(status, "wrong");
    const json_t *item;
    size_t i;

    if (json_array_size(wrong) == 0)
        buf_append_string(out, "Nothing is wrong, and nothing to do.\n");
    json_array_foreach(wrong, i, item)
    {
        size_t begin = out->len;

        if (i >= STATUS_WRONG_MAX)
            continue;
        cli_format_wrap(out, 2, json_in_string(item, "what", "?"), width);
        out->data[begin] = '!';
        cli_format_wrap(out, 4, json_in_string(item, "do", "?"), width);
    }
    if (json_array_size(wrong) > STATUS_WRONG_MAX) {
        buf_printf(out, "! and %zu more: berth status -o json\n",
                   json_array_size(wrong) - STATUS_WRONG_MAX);
    }
}

static void
cmd_status_text(const struct cli *cli, const json_t *status, struct buf *out)
{
    size_t width = cli->term.width > 0 ? cli->term.width : STATUS_WIDTH;
    CLEANUP(json_freep) json_t *items = cmd_status_items(status);

    buf_printf(out, "Berth %s, cluster %s, at %s\n\n", json_in_string(status, "version", "?"),
               json_in_string(status, "cluster", "?"), json_in_string(status, "url", "?"));
    if (json_array_size(items) > 0) {
        cli_output_rows_text(cli, &status_rows, items, out);
        buf_append_char(out, '\n');
    } else {
        buf_printf(out, "Queue: %lld\n", (long long)json_in_int(status, "queued", 0));
    }
    cmd_status_money(status, width, out);
    cmd_status_wrongs(status, width, out);
}

static int
cmd_status_render(struct cli *cli, void *cookie, struct buf *out)
{
    CLEANUP(json_freep) json_t *status = json_object();
    int code = cmd_status_gather(cli, status);

    (void)cookie;
    if (code == EXIT_OK)
        cmd_status_text(cli, status, out);
    return code;
}

int
cmd_status_status(struct cli *cli)
{
    CLEANUP(json_freep) json_t *status = json_object();
    int code;

    if (cli_output_is(cli, "table") || cli_output_is(cli, "wide"))
        return cli_output_watch(cli, cmd_status_render, NULL);
    code = cmd_status_gather(cli, status);
    return code == EXIT_OK ? cli_output_object(cli, "cluster", status) : code;
}
