#pragma once

/*
 * The rows that one launch leaves in Berth's database, written by nothing but
 * SQLite: what berthd wrote for the newest running instance serves as the
 * pattern, and is written again under new numbers, with berthd's statements.
 *
 * A launch is two writes: when it is placed (the instance, its decision, what
 * is told about it) and when it runs (the instance again, and that event).
 */

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

enum { ROWS_COLUMNS_MAX = 32, ROWS_EVENTS_MAX = 8 };

enum rows_statement { ROWS_INSTANCE, ROWS_DECISION, ROWS_EVENT, ROWS_STATEMENT_COUNT };

/* A value of the pattern; blobs and texts are owned. */
struct rows_cell {
    int type; /* SQLITE_INTEGER, ... */
    int64_t number;
    char *data;
    int len;
};

struct rows_row {
    struct rows_cell cells[ROWS_COLUMNS_MAX];
    int count;
};

struct rows {
    sqlite3 *db;
    sqlite3_stmt *statements[ROWS_STATEMENT_COUNT];
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    struct rows_row running; /* the instance */
    struct rows_row placed;  /* the same when it was starting; borrows from it */
    char starting[9];
    struct rows_row decision;
    struct rows_row events[ROWS_EVENTS_MAX];
    size_t event_count;
    size_t events_placed; /* how many of them are told when it is placed */
    int64_t next_id;
    int64_t next_seq;
};

/** rows_open() - @path: a database of berthd's with a running instance in it. Ends the program with
 * a message when that is not so. */
void rows_open(struct rows *rows, const char *path);
void rows_close(struct rows *rows);

void rows_begin(struct rows *rows);
void rows_commit(struct rows *rows);
/** rows_place() / rows_run() - the rows of instance @id, when it is placed and when it runs.
 * Return: how many. */
size_t rows_place(struct rows *rows, int64_t id);
size_t rows_run(struct rows *rows, int64_t id);
