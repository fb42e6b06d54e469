#include "history.h"

#include <assert.h>
#include <string.h>

#include "berth/base/buf.h"

#include "db.h"

enum { HISTORY_LOGS_MAX = 1000 };

/* The strings and arrays are const in the port's struct; those of a copy are ours. */
static void
own_free(const void *data)
{
    mem_free(mem_unconst(data));
}

struct store_history *
history_copy(const struct store_history *in)
{
    struct store_history *history = mem_dup(in, sizeof(*in));

    assert((in->kind != HISTORY_EVENTS && in->kind != HISTORY_STEPS) ||
           (in->limit >= 1 && in->limit <= 1000));
    assert(in->filter.pool_count <= ARRAY_LEN(in->filter.pools));
    history->filter.kind = mem_strdup(in->filter.kind);
    history->filter.owner = mem_strdup(in->filter.owner);
    history->events = NULL;
    history->decisions = NULL;
    history->logs = NULL;
    history->steps = NULL;
    history->count = 0;
    history->more = false;
    history->oldest_seq = 0;
    return history;
}

void
history_free(struct store_history *history)
{
    for (size_t i = 0; history->events && i < history->count; i++) {
        own_free(history->events[i].kind);
        own_free(history->events[i].owner);
        own_free(history->events[i].text);
    }
    for (size_t i = 0; history->decisions && i < history->count; i++)
        own_free(history->decisions[i].json);
    for (size_t i = 0; history->logs && i < history->count; i++)
        own_free(history->logs[i].data);
    for (size_t i = 0; history->steps && i < history->count; i++) {
        own_free(history->steps[i].name);
        own_free(history->steps[i].reason);
        own_free(history->steps[i].output);
    }
    own_free(history->steps);
    own_free(history->events);
    own_free(history->decisions);
    own_free(history->logs);
    own_free(history->filter.kind);
    own_free(history->filter.owner);
    mem_free(history);
}

/* --- Events --------------------------------------------------------------------------------- */

/* ?1: after, ?2: limit, ?3: kind or lower end of the kinds, ?4: their upper end, ?5: host,
 * ?6: instance, ?7: pool, ?8: owner, from ?9: pools. */
enum { BIND_POOLS = 9 };

static bool
kind_is_prefix(const char *kind)
{
    size_t len = strlen(kind);

    return len > 0 && kind[len - 1] == '.';
}

static void
events_sql(const struct store_history *history, struct buf *sql)
{
    const struct store_filter *filter = &history->filter;

    buf_append_string(sql, "SELECT seq, at_ms, kind, pool_id, host_id, instance_id, owner, text "
                           "FROM events WHERE ");
    buf_append_string(sql, history->newest_first ? "seq < ?1" : "seq > ?1");
    if (filter->kind) {
        buf_append_string(sql, kind_is_prefix(filter->kind) ? " AND kind >= ?3 AND kind < ?4"
                                                            : " AND kind = ?3");
    }
    if (filter->host_id)
        buf_append_string(sql, " AND host_id = ?5");
    if (filter->instance_id)
        buf_append_string(sql, " AND instance_id = ?6");
    if (filter->pool_id)
        buf_append_string(sql, " AND pool_id = ?7");
    if (filter->owner)
        buf_append_string(sql, " AND owner = ?8");
    if (filter->pool_count > 0) {
        buf_append_string(sql, " AND (pool_id IS NULL OR pool_id IN (");
        for (size_t i = 0; i < filter->pool_count; i++)
            buf_printf(sql, "%s?%zu", i ? ", " : "", BIND_POOLS + i);
        buf_append_string(sql, "))");
    }
    buf_printf(sql, " ORDER BY seq%s LIMIT ?2", history->newest_first ? " DESC" : "");
}

/* Parameters that the statement does not have are refused by SQLite, which is fine. */
static void
events_bind(const struct store_history *history, sqlite3_stmt *statement)
{
    const struct store_filter *filter = &history->filter;

    bool from_end = history->newest_first && history->after == 0;

    (void)sqlite3_bind_int64(statement, 1, from_end ? INT64_MAX : history->after);
    (void)sqlite3_bind_int64(statement, 2, history->limit);
    (void)sqlite3_bind_int64(statement, 5, filter->host_id);
    (void)sqlite3_bind_int64(statement, 6, filter->instance_id);
    (void)sqlite3_bind_int64(statement, 7, filter->pool_id);
    for (size_t i = 0; i < filter->pool_count; i++)
        (void)sqlite3_bind_int64(statement, (int)(BIND_POOLS + i), filter->pools[i]);
    if (filter->owner)
        (void)sqlite3_bind_text(statement, 8, filter->owner, -1, SQLITE_STATIC);
    if (!filter->kind)
        return;
    (void)sqlite3_bind_text(statement, 3, filter->kind, -1, SQLITE_STATIC);
    if (kind_is_prefix(filter->kind)) {
        CLEANUP(mem_freep) char *end = mem_strdup(filter->kind);

        end[strlen(end) - 1] = '.' + 1;
        (void)sqlite3_bind_text(statement, 4, end, -1, SQLITE_TRANSIENT);
    }
}

static const char *
column_copy(sqlite3_stmt *statement, int at)
{
    return mem_strdup((const char *)sqlite3_column_text(statement, at));
}

static int
events_read(sqlite3 *db, struct store_history *history, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct event *events = mem_new0((size_t)history->limit * sizeof(*events));
    struct buf sql;
    int rc;

    history->events = events;
    buf_init(&sql, 0);
    events_sql(history, &sql);
    rc = db_prepare(db, buf_text(&sql), &statement, fault);
    buf_fini(&sql);
    if (rc != 0)
        return -1;
    events_bind(history, statement);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        assert((int64_t)history->count < history->limit);
        events[history->count++] = (struct event){
            .seq = sqlite3_column_int64(statement, 0),
            .at_ms = sqlite3_column_int64(statement, 1),
            .kind = column_copy(statement, 2),
            .pool_id = sqlite3_column_int64(statement, 3),
            .host_id = sqlite3_column_int64(statement, 4),
            .instance_id = sqlite3_column_int64(statement, 5),
            .owner = column_copy(statement, 6),
            .text = column_copy(statement, 7),
        };
    }
    if (rc != SQLITE_DONE)
        return db_fault(db, rc, "store.history", fault);
    return db_int(db, "SELECT min(seq) FROM events", &history->oldest_seq, fault);
}

/* --- Of one instance ------------------------------------------------------------------------ */

static int
decision_read(sqlite3 *db, struct store_history *history, struct fault *fault)
{
    static const char sql[] = "SELECT instance_id, generation, at_ms, json FROM decisions "
                              "WHERE instance_id = ? ORDER BY generation DESC LIMIT 1";
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct store_decision *decision = mem_new0(sizeof(*decision));
    int rc;

    history->decisions = decision;
    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    (void)sqlite3_bind_int64(statement, 1, history->instance_id);
    rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_fault(db, rc, "store.history", fault);
    if (rc == SQLITE_ROW) {
        decision->instance_id = sqlite3_column_int64(statement, 0);
        decision->generation = (uint32_t)sqlite3_column_int64(statement, 1);
        decision->at_ms = sqlite3_column_int64(statement, 2);
        decision->json = column_copy(statement, 3);
        history->count = 1;
    }
    return 0;
}

static struct store_log
log_read(sqlite3_stmt *statement)
{
    size_t len = (size_t)sqlite3_column_bytes(statement, 3);

    return (struct store_log){
        .instance_id = sqlite3_column_int64(statement, 0),
        .generation = (uint32_t)sqlite3_column_int64(statement, 1),
        .at_ms = sqlite3_column_int64(statement, 2),
        .data = len ? mem_dup(sqlite3_column_blob(statement, 3), len) : mem_strdup(""),
        .len = len,
    };
}

static int
logs_read(sqlite3 *db, struct store_history *history, struct fault *fault)
{
    static const char sql[] = "SELECT instance_id, generation, at_ms, data FROM logs "
                              "WHERE instance_id = ? ORDER BY id DESC LIMIT ?";
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct store_log *logs = mem_new0(HISTORY_LOGS_MAX * sizeof(*logs));
    int rc;

    history->logs = logs;
    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    (void)sqlite3_bind_int64(statement, 1, history->instance_id);
    (void)sqlite3_bind_int64(statement, 2, HISTORY_LOGS_MAX);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
        logs[history->count++] = log_read(statement);
    if (rc != SQLITE_DONE)
        return db_fault(db, rc, "store.history", fault);
    for (size_t i = 0; i < history->count / 2; i++) {
        struct store_log log = logs[i];

        logs[i] = logs[history->count - 1 - i];
        logs[history->count - 1 - i] = log;
    }
    return 0;
}

/* --- Of one host ---------------------------------------------------------------------------- */

static enum shell_end
step_ended(const char *name)
{
    int ended = SHELL_OK;

    while (ended < SHELL_FAILED && strcmp(shell_end_name((enum shell_end)ended), name) != 0)
        ended++;
    return (enum shell_end)ended;
}

static struct store_step
step_read(sqlite3_stmt *statement)
{
    size_t len = (size_t)sqlite3_column_bytes(statement, 9);

    return (struct store_step){
        .run = (uint32_t)sqlite3_column_int64(statement, 0),
        .step = (uint32_t)sqlite3_column_int64(statement, 1),
        .steps = (uint32_t)sqlite3_column_int64(statement, 2),
        .name = column_copy(statement, 3),
        .started_at_ms = sqlite3_column_int64(statement, 4),
        .took_ms = sqlite3_column_int64(statement, 5),
        .ended = step_ended((const char *)sqlite3_column_text(statement, 6)),
        .reason = column_copy(statement, 7),
        .cut_bytes = sqlite3_column_int64(statement, 8),
        .output = len ? mem_dup(sqlite3_column_blob(statement, 9), len) : mem_strdup(""),
        .len = len,
    };
}

static int
steps_read(sqlite3 *db, struct store_history *history, struct fault *fault)
{
    static const char sql[] =
        "SELECT run, step, steps, name, started_at_ms, took_ms, ended, reason, cut_bytes, output "
        "FROM host_steps WHERE host_id = ?1 AND (run, step) > (?2 >> 32, ?2 & 0xffffffff) "
        "AND (?3 = 0 OR run = ?3) AND (?4 = 0 OR ended = 'failed') ORDER BY run, step";
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct store_step *steps = mem_new0((size_t)history->limit * sizeof(*steps));
    size_t bytes = 0;
    int rc;

    history->steps = steps;
    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    (void)sqlite3_bind_int64(statement, 1, history->host_id);
    (void)sqlite3_bind_int64(statement, 2, history->after);
    (void)sqlite3_bind_int64(statement, 3, history->run);
    (void)sqlite3_bind_int64(statement, 4, history->failed);
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        history->more = (int64_t)history->count == history->limit || bytes >= STORE_STEPS_BYTES;
        if (history->more)
            break;
        steps[history->count] = step_read(statement);
        steps[history->count].host_id = history->host_id;
        bytes += steps[history->count++].len;
    }
    return rc == SQLITE_DONE || history->more ? 0 : db_fault(db, rc, "store.history", fault);
}

int
history_read(sqlite3 *db, struct store_history *history, struct fault *fault)
{
    if (history->kind == HISTORY_EVENTS)
        return events_read(db, history, fault);
    if (history->kind == HISTORY_DECISION)
        return decision_read(db, history, fault);
    if (history->kind == HISTORY_STEPS)
        return steps_read(db, history, fault);
    return logs_read(db, history, fault);
}
