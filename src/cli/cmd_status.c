/*
 * berth status: pools, hosts, what is free, the queue, what is wrong and what to
 * do, gathered into one object first, so that -o json tells the same.
 */

#include <string.h>

#include "berth/base/text.h"
#include "berth/cli/format.h"
#include "berth/cli/output.h"

#include "cmd.h"

enum {
    STATUS_QUEUE_MAX = 500, /* rows that are looked at */
    STATUS_WRONG_MAX = 20,  /* lines that are printed */
};

/* clang-format off */
static const struct cli_column status_columns[] = {
    { "POOL",        "name",              CLI_AS_TEXT,  false, CLI_GRID_KEEP,  NULL },
    { "HOSTS",       "hosts",             CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "ACTIVE",      "active",            CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "SPAWNED",     "spawned",           CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "INACTIVE",    "inactive",          CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "INSTANCES",   "instances",         CLI_AS_TEXT,  false, CLI_GRID_RIGHT, NULL },
    { "FREE MEMORY", "free_memory_bytes", CLI_AS_SIZES, false, CLI_GRID_RIGHT, "memory_bytes" },
    { "LARGEST",     "largest_bytes",     CLI_AS_SIZE,  false, CLI_GRID_RIGHT, NULL },
    { "FREE SLOTS",  "free_slots",        CLI_AS_SHARE, false, CLI_GRID_RIGHT, "slots" },
    { .title = NULL },
};
/* clang-format on */

static const struct cli_rows status_rows = { .name = "name", .columns = status_columns };

static void
cmd_status_add(json_t *object, const char *key, int64_t more)
{
    json_object_set_new(object, key, json_integer(json_in_int(object, key, 0) + more));
}

static void
cmd_status_wrong(json_t *status, const char *what, const char *todo)
{
    json_array_append_new(json_object_get(status, "wrong"),
                          json_pack("{s:s,s:s}", "what", what, "do", todo));
}

/* Only hosts that take work have room. */
static void
cmd_status_count(json_t *pool, const json_t *host)
{
    const json_t *capacity = json_object_get(host, "capacity");
    const json_t *reserved = json_object_get(host, "reserved");
    int64_t memory = json_in_int(capacity, "memory_bytes", 0);
    int64_t free_memory = memory - json_in_int(reserved, "memory_bytes", 0);
    int64_t slots = json_in_int(capacity, "slots", 0);
    const char *state = json_in_string(host, "state", "");

    if (json_object_get(pool, state))
        cmd_status_add(pool, state, 1);
    cmd_status_add(pool, "hosts", 1);
    cmd_status_add(pool, "instances", json_in_int(host, "instances", 0));
    if (strcmp(state, "active") != 0)
        return;
    cmd_status_add(pool, "memory_bytes", memory);
    cmd_status_add(pool, "free_memory_bytes", free_memory);
    if (slots > 0) {
        cmd_status_add(pool, "slots", slots);
        cmd_status_add(pool, "free_slots", slots - json_in_int(reserved, "slots", 0));
    }
    if (free_memory > json_in_int(pool, "largest_bytes", 0))
        json_object_set_new(pool, "largest_bytes", json_integer(free_memory));
}

static void
cmd_status_judge(json_t *status, const json_t *host)
{
    const char *name = json_in_string(host, "name", "?");
    const char *state = json_in_string(host, "state", "");
    const json_t *error = json_object_get(host, "error");
    const char *trial = json_in_string(json_object_get(host, "trial"), "state", "");
    double score = json_number_value(json_object_get(error, "score"));
    double threshold = json_number_value(json_object_get(error, "threshold"));
    CLEANUP(mem_freep) char *what = NULL;
    CLEANUP(mem_freep) char *todo = NULL;

    if (strcmp(state, "inactive") == 0) {
        what = mem_printf("host %s is inactive: %s", name,
                          json_in_string(host, "reason", "no reason is known"));
        todo = mem_printf("berth host activate %s, or berth host rm %s", name, name);
    } else if (!json_in_bool(json_object_get(host, "engine"), "reachable", true)) {
        what = mem_printf("host %s can't be reached", name);
        todo = mem_printf("look at its engine; berth host log %s", name);
    } else if (strcmp(trial, "suspended") == 0) {
        what = mem_printf("host %s takes no work: its error score is %.1f; it is suspended until a "
                          "canary container runs well",
                          name, score);
        todo = mem_printf("berth host show %s; berth host activate %s vouches for it", name, name);
    } else if (strcmp(trial, "probation") == 0) {
        what = mem_printf("host %s takes little work: it is on probation", name);
        todo = mem_printf("berth host show %s", name);
    } else if (threshold > 0 && score >= threshold) {
        what = mem_printf("host %s takes no work: its error score is %.1f", name, score);
        todo = mem_printf("berth host log %s", name);
    } else if (strcmp(state, "spawned") == 0) {
        what = mem_printf("host %s is not ready: it waits for %s", name,
                          json_in_string(host, "waiting_for", "its engine"));
        todo = mem_printf("berth host log %s", name);
    }
    if (what)
        cmd_status_wrong(status, what, todo);
}

static json_t *
cmd_status_pool(json_t *pools, const char *name)
{
    json_t *pool;
    size_t i;

    json_array_foreach(pools, i, pool)
    {
        if (strcmp(json_in_string(pool, "name", ""), name) == 0)
            return pool;
    }
    pool = json_pack("{s:s,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:i,s:n}", "name", name, "hosts", 0,
                     "active", 0, "spawned", 0, "inactive", 0, "instances", 0, "memory_bytes", 0,
                     "free_memory_bytes", 0, "largest_bytes", 0, "slots", 0, "free_slots");
    json_array_append_new(pools, pool);
    return pool;
}

static int
cmd_status_hosts(struct cli *cli, json_t *status)
{
    CLEANUP(json_freep) json_t *pools = NULL;
    CLEANUP(json_freep) json_t *hosts = NULL;
    json_t *counts = json_array();
    const json_t *row;
    size_t i;
    int code = cli_ask_list_if_seen(cli, "/v1/pools", &pools);

    json_object_set_new(status, "pools", counts);
    if (code == EXIT_OK && pools)
        code = cli_ask_list_if_seen(cli, "/v1/hosts?state=live", &hosts);
    if (code != EXIT_OK || !pools)
        return code;
    json_array_foreach(pools, i, row)
    {
        (void)cmd_status_pool(counts, json_in_string(row, "name", "?"));
    }
    json_array_foreach(hosts, i, row)
    {
        cmd_status_count(cmd_status_pool(counts, json_in_string(row, "pool", "?")), row);
        cmd_status_judge(status, row);
    }
    if (json_array_size(hosts) == 0) {
        cmd_status_wrong(status, "there is no host",
                         "berth host add, or pools in the daemon's configuration");
    }
    return EXIT_OK;
}

static int
cmd_status_queue(struct cli *cli, json_t *status)
{
    CLEANUP(json_freep) json_t *items = NULL;
    CLEANUP(mem_freep) char *what = NULL;
    CLEANUP(mem_freep) char *todo = NULL;
    const json_t *first;
    int64_t at_ms;
    char age[16];
    int code = cli_ask_list(cli, "/v1/instances?state=queued", STATUS_QUEUE_MAX, &items);

    if (code != EXIT_OK)
        return code;
    json_object_set_new(status, "queued", json_integer((json_int_t)json_array_size(items)));
    first = json_array_get(items, 0);
    if (!first || !text_time_parse(json_in_string(first, "created_at", ""), &at_ms))
        return EXIT_OK;
    what = mem_printf("%zu%s wait in the queue, the oldest for %s", json_array_size(items),
                      json_array_size(items) == STATUS_QUEUE_MAX ? " or more" : "",
                      cli_format_age(cli_format_now_ms() - at_ms, age));
    todo = mem_printf("berth explain %s", json_in_string(first, "id", "?"));
    cmd_status_wrong(status, what, todo);
    return EXIT_OK;
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

        cmd_status_wrong(status, what, "see its log");
    }
    (void)cli_ask_quietly(cli, &doctor, &fault);
    json_array_foreach(json_object_get(doctor.json, "checks"), i, check)
    {
        CLEANUP(mem_freep)
        char *what = mem_printf("doctor: %s: %s", json_in_string(check, "check", "?"),
                                json_in_string(check, "detail", ""));

        if (!json_in_bool(check, "ok", true))
            cmd_status_wrong(status, what, "berth doctor");
    }
    cli_client_call_fini(&health);
    cli_client_call_fini(&doctor);
}

static int
cmd_status_gather(struct cli *cli, json_t *status)
{
    CLEANUP(json_freep) json_t *version = NULL;
    int code = cli_ask_json(cli, "/v1/version", &version);

    if (code != EXIT_OK)
        return code;
    json_object_set(status, "cluster", json_object_get(version, "cluster"));
    json_object_set(status, "version", json_object_get(version, "version"));
    json_object_set_new(status, "url", json_string(cli->target.url));
    json_object_set_new(status, "wrong", json_array());
    cmd_status_health(cli, status);
    code = cmd_status_hosts(cli, status);
    return code == EXIT_OK ? cmd_status_queue(cli, status) : code;
}

static void
cmd_status_text(const struct cli *cli, const json_t *status, struct buf *out)
{
    const json_t *wrong = json_object_get(status, "wrong");
    const json_t *item;
    size_t i;

    buf_printf(out, "Berth %s, cluster %s, at %s\n\n", json_in_string(status, "version", "?"),
               json_in_string(status, "cluster", "?"), json_in_string(status, "url", "?"));
    if (json_array_size(json_object_get(status, "pools")) > 0) {
        cli_output_rows_text(cli, &status_rows, json_object_get(status, "pools"), out);
        buf_append_char(out, '\n');
    }
    buf_printf(out, "Queue: %lld\n", (long long)json_in_int(status, "queued", 0));
    if (json_array_size(wrong) == 0)
        buf_append_string(out, "Nothing is wrong.\n");
    json_array_foreach(wrong, i, item)
    {
        if (i < STATUS_WRONG_MAX) {
            buf_printf(out, "! %s\n    %s\n", json_in_string(item, "what", ""),
                       json_in_string(item, "do", ""));
        }
    }
    if (json_array_size(wrong) > STATUS_WRONG_MAX) {
        buf_printf(out, "! and %zu more: berth status -o json\n",
                   json_array_size(wrong) - STATUS_WRONG_MAX);
    }
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
