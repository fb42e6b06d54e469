#include "bench_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/mem.h"

#include "tables.h"

static void
rows_must(struct rows *rows, int rc, const char *what)
{
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
        return;
    (void)fprintf(stderr, "bench: %s: %s\n", what, sqlite3_errmsg(rows->db));
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static sqlite3_stmt *
rows_prepare(struct rows *rows, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    rows_must(rows,
              sqlite3_prepare_v3(rows->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL),
              sql);
    return statement;
}

static void
rows_cell_read(struct rows_cell *cell, sqlite3_stmt *statement, int column)
{
    cell->type = sqlite3_column_type(statement, column);
    cell->number = sqlite3_column_int64(statement, column);
    if (cell->type != SQLITE_TEXT && cell->type != SQLITE_BLOB)
        return;
    cell->len = sqlite3_column_bytes(statement, column);
    cell->data = mem_new0((size_t)cell->len + 1);
    memcpy(cell->data, sqlite3_column_blob(statement, column), (size_t)cell->len);
}

/* The rows that @sql selects, at most @most. Return: how many. */
static size_t
rows_read(struct rows *rows, const char *sql, struct rows_row *ret_rows, size_t most)
{
    sqlite3_stmt *statement = rows_prepare(rows, sql);
    size_t count = 0;

    while (count < most && sqlite3_step(statement) == SQLITE_ROW) {
        struct rows_row *row = &ret_rows[count++];

        row->count = sqlite3_column_count(statement);
        for (int i = 0; i < row->count; i++)
            rows_cell_read(&row->cells[i], statement, i);
    }
    (void)sqlite3_finalize(statement);
    return count;
}

static int64_t
rows_number(struct rows *rows, const char *sql)
{
    struct rows_row row = { 0 };

    return rows_read(rows, sql, &row, 1) ? row.cells[0].number : 0;
}

/* The instance in the order in which its statement binds it; owned. */
static char *
rows_instance_sql(int64_t id)
{
    CLEANUP(mem_freep) char *all = tables_read(ROW_INSTANCE);

    *strstr(all, " ORDER BY ") = '\0';
    return mem_printf("%s WHERE id = %lld", all, (long long)id);
}

/* As it was before its container was known. */
static void
rows_placed_make(struct rows *rows, const char *sql)
{
    sqlite3_stmt *columns = rows_prepare(rows, sql);

    rows->placed = rows->running;
    for (int i = 0; i < sqlite3_column_count(columns); i++) {
        const char *name = sqlite3_column_name(columns, i);

        if (strcmp(name, "container_id") == 0 || strcmp(name, "ports") == 0) {
            rows->placed.cells[i] = (struct rows_cell){ .type = SQLITE_NULL };
        } else if (strcmp(name, "state") == 0) {
            rows->placed.cells[i] =
                (struct rows_cell){ .type = SQLITE_TEXT, .data = rows->starting, .len = 8 };
        }
    }
    (void)sqlite3_finalize(columns);
}

static void
rows_pattern(struct rows *rows)
{
    int64_t id = rows_number(rows, "SELECT max(id) FROM instances WHERE state = 'running'");
    CLEANUP(mem_freep) char *instance = rows_instance_sql(id);
    CLEANUP(mem_freep)
    char *decision = mem_printf("SELECT * FROM decisions WHERE instance_id = %lld", (long long)id);
    CLEANUP(mem_freep)
    char *events = mem_printf("SELECT * FROM events WHERE instance_id = %lld ORDER BY "
                              "kind = 'instance.running', seq",
                              (long long)id);
    CLEANUP(mem_freep)
    char *placed = mem_printf("SELECT count(*) FROM events WHERE instance_id = %lld AND kind != "
                              "'instance.running'",
                              (long long)id);

    if (!rows_read(rows, instance, &rows->running, 1) ||
        !rows_read(rows, decision, &rows->decision, 1)) {
        (void)fputs("bench: the database has no running instance to take for a pattern\n", stderr);
        exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
    rows->event_count = rows_read(rows, events, rows->events, ROWS_EVENTS_MAX);
    rows->events_placed = (size_t)rows_number(rows, placed);
    rows_placed_make(rows, instance);
}

void
rows_open(struct rows *rows, const char *path)
{
    CLEANUP(mem_freep) char *instance = tables_write(BATCH_PUT + ROW_INSTANCE);
    CLEANUP(mem_freep) char *decision = tables_write(BATCH_DECISION);
    CLEANUP(mem_freep) char *event = tables_write(BATCH_EVENT);

    *rows = (struct rows){ .starting = "starting" };
    rows_must(rows,
              sqlite3_open_v2(path, &rows->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL),
              path);
    rows_must(rows,
              sqlite3_exec(rows->db,
                           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "PRAGMA journal_size_limit = 33554432; PRAGMA temp_store = MEMORY;",
                           NULL, NULL, NULL),
              "pragmas");
    rows_pattern(rows);
    rows->next_id = rows_number(rows, "SELECT max(id) FROM instances") + 1;
    rows->next_seq = rows_number(rows, "SELECT max(seq) FROM events") + 1;
    rows->statements[ROWS_INSTANCE] = rows_prepare(rows, instance);
    rows->statements[ROWS_DECISION] = rows_prepare(rows, decision);
    rows->statements[ROWS_EVENT] = rows_prepare(rows, event);
    rows->begin = rows_prepare(rows, "BEGIN IMMEDIATE");
    rows->commit = rows_prepare(rows, "COMMIT");
}

static void
rows_step(struct rows *rows, sqlite3_stmt *statement)
{
    rows_must(rows, sqlite3_step(statement), "a row");
    (void)sqlite3_reset(statement);
}

static int
rows_bind(sqlite3_stmt *statement, int at, const struct rows_cell *cell)
{
    switch (cell->type) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(statement, at, cell->number);
    case SQLITE_TEXT:
        return sqlite3_bind_text(statement, at, cell->data, cell->len, SQLITE_STATIC);
    case SQLITE_BLOB:
        return sqlite3_bind_blob(statement, at, cell->data, cell->len, SQLITE_STATIC);
    default:
        return sqlite3_bind_null(statement, at);
    }
}

/* @id_at, @seq_at: parameters with numbers of their own; 0: none. */
static void
rows_write(struct rows *rows, enum rows_statement which, const struct rows_row *row, int id_at,
           int64_t id)
{
    sqlite3_stmt *statement = rows->statements[which];
    int rc = SQLITE_OK;

    for (int at = 1; at <= row->count && rc == SQLITE_OK; at++) {
        if (at == id_at) {
            rc = sqlite3_bind_int64(statement, at, id);
        } else if (at == 1 && which == ROWS_EVENT) {
            rc = sqlite3_bind_int64(statement, at, rows->next_seq++);
        } else {
            rc = rows_bind(statement, at, &row->cells[at - 1]);
        }
    }
    rows_must(rows, rc, "a value");
    rows_step(rows, statement);
}

enum { EVENT_INSTANCE_AT = 6 };

size_t
rows_place(struct rows *rows, int64_t id)
{
    rows_write(rows, ROWS_INSTANCE, &rows->placed, 1, id);
    for (size_t i = 0; i < rows->events_placed; i++)
        rows_write(rows, ROWS_EVENT, &rows->events[i], EVENT_INSTANCE_AT, id);
    rows_write(rows, ROWS_DECISION, &rows->decision, 1, id);
    return rows->events_placed + 2;
}

size_t
rows_run(struct rows *rows, int64_t id)
{
    rows_write(rows, ROWS_INSTANCE, &rows->running, 1, id);
    for (size_t i = rows->events_placed; i < rows->event_count; i++)
        rows_write(rows, ROWS_EVENT, &rows->events[i], EVENT_INSTANCE_AT, id);
    return rows->event_count - rows->events_placed + 1;
}

void
rows_begin(struct rows *rows)
{
    rows_step(rows, rows->begin);
}

void
rows_commit(struct rows *rows)
{
    rows_step(rows, rows->commit);
}

static void
rows_row_free(struct rows_row *row)
{
    for (int i = 0; i < row->count; i++)
        mem_free(row->cells[i].data);
}

void
rows_close(struct rows *rows)
{
    for (size_t i = 0; i < ROWS_STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(rows->statements[i]);
    (void)sqlite3_finalize(rows->begin);
    (void)sqlite3_finalize(rows->commit);
    rows_row_free(&rows->running);
    rows_row_free(&rows->decision);
    for (size_t i = 0; i < rows->event_count; i++)
        rows_row_free(&rows->events[i]);
    (void)sqlite3_close(rows->db);
}
