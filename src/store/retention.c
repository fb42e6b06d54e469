#include "retention.h"

#include "berth/base/id.h"

#include "db.h"

/* Statements run once a round of housekeeping, so they are not kept prepared. @values: [2]. */
static int
retention_delete(sqlite3 *db, const char *sql, const int64_t values[2], struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    int rc;

    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    for (int i = 0; i < 2 && i < sqlite3_bind_parameter_count(statement); i++)
        (void)sqlite3_bind_int64(statement, i + 1, values[i]);
    rc = sqlite3_step(statement);
    return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "store.retention", fault);
}

/* Event numbers rise without a gap, so what is beyond the number kept is arithmetic. */
static int
retain_events(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    int64_t oldest;
    int64_t newest;
    int64_t last;

    if (db_int(db, "SELECT min(seq) FROM events", &oldest, fault) != 0 ||
        db_int(db, "SELECT max(seq) FROM events", &newest, fault) != 0)
        return -1;
    last = oldest + RETENTION_ROWS - 1 < newest - 1 ? oldest + RETENTION_ROWS - 1 : newest - 1;
    if (retention->events_max > 0 && newest - retention->events_max >= oldest) {
        int64_t beyond = newest - retention->events_max;

        if (retention_delete(db, "DELETE FROM events WHERE seq <= ?",
                             (int64_t[2]){ beyond < last ? beyond : last }, fault) != 0)
            return -1;
    }
    return retention_delete(db, "DELETE FROM events WHERE seq <= ?1 AND at_ms < ?2",
                            (int64_t[2]){ last, retention->events_before_ms }, fault);
}

/* Ids carry the time at which they were made, so only instances from before the limit are looked at. */
static int
retain_decisions(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    int64_t before = retention->decisions_before_ms;

    return retention_delete(db,
                            "DELETE FROM decisions WHERE (instance_id, generation) IN "
                            "(SELECT instance_id, generation FROM decisions "
                            "WHERE instance_id < ?1 AND at_ms < ?2 "
                            "ORDER BY instance_id LIMIT 2000)",
                            (int64_t[2]){ id_make(0, before, 0), before }, fault);
}

/* What has sizes and is kept up to a sum of them. */
struct retain_sized {
    const char *sum;  /* SQL: of all sizes */
    const char *list; /* SQL: id and size of the oldest 2000 */
    int64_t most;
};

/* The newest row that is to go so that the rest has at most @sized->most; 0: none. */
static int
retain_beyond(sqlite3 *db, const struct retain_sized *sized, int64_t *ret_id, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    int64_t excess;
    int64_t id = 0;
    int rc = SQLITE_DONE;

    if (db_int(db, sized->sum, &excess, fault) != 0 ||
        db_prepare(db, sized->list, &statement, fault) != 0)
        return -1;
    excess -= sized->most;
    while (excess > 0 && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
        id = sqlite3_column_int64(statement, 0);
        excess -= sqlite3_column_int64(statement, 1);
    }
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        return db_fault(db, rc, "store.retention", fault);
    *ret_id = id;
    return 0;
}

static int
retain_logs(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    const struct retain_sized sized = {
        .sum = "SELECT sum(bytes) FROM logs",
        .list = "SELECT id, bytes FROM logs ORDER BY id LIMIT 2000",
        .most = retention->logs_bytes_max,
    };
    int64_t beyond = 0;

    if (sized.most > 0 && retain_beyond(db, &sized, &beyond, fault) != 0)
        return -1;
    if (beyond > 0 &&
        retention_delete(db, "DELETE FROM logs WHERE id <= ?", (int64_t[2]){ beyond }, fault) != 0)
        return -1;
    return retention_delete(db,
                            "DELETE FROM logs WHERE id IN "
                            "(SELECT id FROM logs ORDER BY id LIMIT 2000) AND at_ms < ?",
                            (int64_t[2]){ retention->logs_before_ms }, fault);
}

static int
retain_steps(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    const struct retain_sized sized = {
        .sum = "SELECT sum(bytes) + 256 * count(*) FROM host_steps",
        .list = "SELECT id, bytes + 256 FROM host_steps ORDER BY id LIMIT 2000",
        .most = retention->steps_bytes_max,
    };
    int64_t beyond = 0;

    _Static_assert(STORE_STEP_COST == 256, "as the statements say");
    if (sized.most == 0)
        return 0;
    if (retain_beyond(db, &sized, &beyond, fault) != 0)
        return -1;
    return retention_delete(db, "DELETE FROM host_steps WHERE id <= ?", (int64_t[2]){ beyond },
                            fault);
}

static int
retain_answers(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    return retention_delete(db,
                            "DELETE FROM answers WHERE key IN "
                            "(SELECT key FROM answers WHERE at_ms < ? ORDER BY at_ms LIMIT 2000)",
                            (int64_t[2]){ retention->answers_before_ms }, fault);
}

int
retention_run(sqlite3 *db, const struct store_retention *retention, struct fault *fault)
{
    _Static_assert(RETENTION_ROWS == 2000, "as the statements say");
    if (retain_events(db, retention, fault) != 0 || retain_decisions(db, retention, fault) != 0 ||
        retain_logs(db, retention, fault) != 0 || retain_steps(db, retention, fault) != 0 ||
        retain_answers(db, retention, fault) != 0)
        return -1;
    return 0;
}
