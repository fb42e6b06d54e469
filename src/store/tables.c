#include "tables.h"

#include <assert.h>
#include <string.h>

#include "berth/base/buf.h"

enum { TABLES_COLUMNS_MAX = 40, TABLES_FIXED_MAX = 4 };

struct table {
    const char *name;
    const char *columns[TABLES_COLUMNS_MAX]; /* the key first, NULL at the end */
    /* Those that never change: not set again, which spares a look at the rows they refer to. */
    const char *fixed[TABLES_FIXED_MAX];
};

static const struct table tables[ROW_KIND_COUNT] = {
    [ROW_POOL] = { .name = "pools",
                   .columns = { "id", "name", "provider", "policy", "machines", "rev",
                                "created_at_ms", "grown_at_ms", "spent_micro", "spent_month",
                                "setback", "shut_down", "place" } },
    [ROW_BLUEPRINT] = { .name = "blueprints",
                        .columns = { "id", "name", "version", "created_at_ms", "latest", "deleted",
                                     "spec" } },
    [ROW_HOST] = { .name = "hosts",
                   .columns = { "id",
                                "pool_id",
                                "name",
                                "address",
                                "waiting_for",
                                "reason",
                                "engine_version",
                                "engine_api",
                                "engine_id",
                                "endpoint_engine",
                                "endpoint_ca",
                                "endpoint_cert",
                                "endpoint_key",
                                "endpoint_plain",
                                "labels",
                                "total_memory_bytes",
                                "total_cpus_milli",
                                "total_slots",
                                "score_milli",
                                "score_at_ms",
                                "score_last_at_ms",
                                "score_last_kind",
                                "created_at_ms",
                                "active_at_ms",
                                "ends_at_ms",
                                "removed_at_ms",
                                "rev",
                                "state",
                                "remove_when_empty",
                                "lost",
                                "configured",
                                "cause",
                                "first_used_at_ms",
                                "uses",
                                "machine",
                                "trial" } },
    [ROW_INSTANCE] = { .name = "instances",
                       .columns = { "id",           "blueprint_id",
                                    "pool_id",      "host_id",
                                    "last_host_id", "owner",
                                    "reason",       "name",
                                    "ports",        "created_at_ms",
                                    "moved_at_ms",  "started_at_ms",
                                    "ended_at_ms",  "ends_at_ms",
                                    "lifetime_ms",  "retry_at_ms",
                                    "exit_code",    "generation",
                                    "restarts",     "oom_kills",
                                    "rev",          "container_id",
                                    "state",        "desired",
                                    "attempts",     "oom_told",
                                    "end_announced" },
                       .fixed = { "blueprint_id", "pool_id" } },
    [ROW_TOKEN] = { .name = "tokens",
                    .columns = { "id", "digest", "role", "name", "owner", "pools", "created_at_ms",
                                 "expires_at_ms" } },
    [ROW_OPERATION] = { .name = "operations",
                        .columns = { "id", "kind", "state", "owner", "pool", "host_id", "subject",
                                     "text", "progress", "total", "created_at_ms", "ended_at_ms",
                                     "ends_at_ms" } },
    [ROW_IMAGE] = { .name = "images",
                    .columns = { "id", "pool_id", "digest", "refs", "size_bytes",
                                 "created_at_ms" } },
};

static const struct table events = { .name = "events",
                                     .columns = { "seq", "at_ms", "kind", "pool_id", "host_id",
                                                  "instance_id", "owner", "text" } };
static const struct table answers = { "answers",
                                      { "key", "digest", "at_ms", "status", "location", "body" },
                                      { NULL } };

static void
columns_write(struct buf *sql, const struct table *table)
{
    for (size_t i = 0; table->columns[i]; i++)
        buf_printf(sql, "%s%s", i ? ", " : "", table->columns[i]);
}

static void
insert_write(struct buf *sql, const struct table *table)
{
    buf_printf(sql, "INSERT INTO %s (", table->name);
    columns_write(sql, table);
    buf_append_string(sql, ") VALUES (?");
    for (size_t i = 1; table->columns[i]; i++)
        buf_append_string(sql, ", ?");
    buf_append_char(sql, ')');
}

static bool
column_is_fixed(const struct table *table, const char *column)
{
    for (size_t i = 0; i < TABLES_FIXED_MAX && table->fixed[i]; i++) {
        if (strcmp(table->fixed[i], column) == 0)
            return true;
    }
    return false;
}

static void
upsert_write(struct buf *sql, const struct table *table)
{
    const char *comma = "";

    insert_write(sql, table);
    buf_printf(sql, " ON CONFLICT (%s) DO UPDATE SET ", table->columns[0]);
    for (size_t i = 1; table->columns[i]; i++) {
        if (column_is_fixed(table, table->columns[i]))
            continue;
        buf_printf(sql, "%s%s = excluded.%s", comma, table->columns[i], table->columns[i]);
        comma = ", ";
    }
}

static const char *
fixed_sql(enum batch_statement statement)
{
    switch ((int)statement) {
    case BATCH_DECISION:
        return "INSERT INTO decisions (instance_id, generation, at_ms, json) VALUES (?, ?, ?, ?) "
               "ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, json = excluded.json";
    case BATCH_LOG:
        return "INSERT INTO logs (instance_id, generation, at_ms, bytes, data) "
               "VALUES (?, ?, ?, ?, ?)";
    case BATCH_STEP:
        return "INSERT OR REPLACE INTO host_steps (host_id, run, step, steps, name, started_at_ms, "
               "took_ms, ended, reason, cut_bytes, bytes, output) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    case BATCH_COMPARED:
        return "DELETE FROM meta WHERE key = 'restored'";
    case BATCH_DROP_DECISIONS:
        return "DELETE FROM decisions WHERE instance_id = ?";
    case BATCH_DROP_LOGS:
        return "DELETE FROM logs WHERE instance_id = ?";
    case BATCH_DROP_STEPS:
        return "DELETE FROM host_steps WHERE host_id = ?";
    default:
        assert(!"a statement");
        return "";
    }
}

char *
tables_write(enum batch_statement statement)
{
    struct buf sql;

    buf_init(&sql, 0);
    if ((int)statement < BATCH_DROP) {
        upsert_write(&sql, &tables[statement - BATCH_PUT]);
    } else if ((int)statement < BATCH_EVENT) {
        buf_printf(&sql, "DELETE FROM %s WHERE id = ?", tables[statement - BATCH_DROP].name);
    } else if (statement == BATCH_EVENT) {
        insert_write(&sql, &events);
    } else if (statement == BATCH_ANSWER) {
        upsert_write(&sql, &answers);
    } else {
        buf_append_string(&sql, fixed_sql(statement));
    }
    return buf_take(&sql);
}

char *
tables_read(enum row_kind kind)
{
    struct buf sql;

    buf_init(&sql, 0);
    buf_append_string(&sql, "SELECT ");
    columns_write(&sql, &tables[kind]);
    buf_printf(&sql, " FROM %s ORDER BY id", tables[kind].name);
    return buf_take(&sql);
}

const char *
tables_name(enum row_kind kind)
{
    return tables[kind].name;
}
