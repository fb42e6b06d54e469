/*
 * What bare SQLite needs for the work that berthd gives it.
 *
 *   bench_bare write DB LAUNCHES   the rows of so many launches, 1,000 rows to a transaction
 *   bench_bare load DB             all rows that a start loads, into memory
 *
 * Prints one JSON object.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "berth/base/mem.h"

#include "bench.h"
#include "bench_rows.h"
#include "tables.h"

enum { BATCH_ROWS = 1000, GROUP = 500, PIECE = 1 << 20 };

/* Texts and blobs, packed. */
struct rows_memory {
    char *at;
    size_t left;
};

struct loaded {
    int64_t *numbers; /* all rows, a value for each column; for a text its place in memory */
    size_t count;
    size_t cap;
    struct rows_memory arena;
    size_t rows;
};

static int
bare_fail(sqlite3 *db, const char *what)
{
    (void)fprintf(stderr, "bench_bare: %s: %s\n", what, sqlite3_errmsg(db));
    return 1;
}

/* In groups, as requests for many come: all of a group are placed, then all run. */
static size_t
write_launches(struct rows *rows, int64_t count)
{
    size_t written = 0;
    size_t in_batch = 0;

    rows_begin(rows);
    for (int64_t first = 0; first < count; first += GROUP) {
        for (int64_t i = 0; i < INT64_C(2) * GROUP; i++) {
            int64_t id = rows->next_id + first + i % GROUP;
            size_t now = i < GROUP ? rows_place(rows, id) : rows_run(rows, id);

            written += now;
            in_batch += now;
            if (in_batch < BATCH_ROWS)
                continue;
            rows_commit(rows);
            rows_begin(rows);
            in_batch = 0;
        }
    }
    rows_commit(rows);
    return written;
}

static int
bare_write(const char *path, int64_t count)
{
    struct rows rows;
    int64_t began_ns;
    double took_s;
    size_t written;

    count = (count + GROUP - 1) / GROUP * GROUP;
    rows_open(&rows, path);
    began_ns = bench_clock_ns();
    written = write_launches(&rows, count);
    took_s = (double)(bench_clock_ns() - began_ns) / 1e9;
    (void)printf("{\"launches\": %lld, \"rows\": %zu, \"seconds\": %.4f, \"rate\": %.1f}\n",
                 (long long)count, written, took_s, (double)count / took_s);
    rows_close(&rows);
    return 0;
}

static int64_t
rows_memory_copy(struct rows_memory *arena, const void *data, size_t len)
{
    char *to;

    if (!arena->at || arena->left < len) {
        arena->left = len > PIECE ? len : PIECE;
        arena->at = mem_resize(NULL, arena->left, 1);
    }
    to = arena->at;
    memcpy(to, data, len);
    arena->at += len;
    arena->left -= len;
    return (int64_t)(intptr_t)to;
}

static void
load_row(struct loaded *loaded, sqlite3_stmt *statement, int columns)
{
    if (loaded->cap - loaded->count < (size_t)columns) {
        loaded->cap = loaded->cap ? 2 * loaded->cap : 1 << 16;
        loaded->numbers = mem_resize(loaded->numbers, loaded->cap, sizeof(*loaded->numbers));
    }
    for (int i = 0; i < columns; i++) {
        int type = sqlite3_column_type(statement, i);
        int64_t *to = &loaded->numbers[loaded->count++];

        if (type == SQLITE_TEXT || type == SQLITE_BLOB) {
            const void *data = sqlite3_column_blob(statement, i);

            *to =
                rows_memory_copy(&loaded->arena, data, (size_t)sqlite3_column_bytes(statement, i));
        } else {
            *to = sqlite3_column_int64(statement, i);
        }
    }
    loaded->rows++;
}

static int
load_all(sqlite3 *db, struct loaded *loaded)
{
    for (int kind = 0; kind < ROW_KIND_COUNT; kind++) {
        CLEANUP(mem_freep) char *sql = tables_read((enum row_kind)kind);
        sqlite3_stmt *statement = NULL;

        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
            return bare_fail(db, sql);
        while (sqlite3_step(statement) == SQLITE_ROW)
            load_row(loaded, statement, sqlite3_column_count(statement));
        (void)sqlite3_finalize(statement);
    }
    return 0;
}

static int
bare_load(const char *path)
{
    int64_t began_ns = bench_clock_ns();
    struct loaded loaded = { 0 };
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return bare_fail(db, path);
    if (load_all(db, &loaded) != 0)
        return 1;
    (void)printf("{\"rows\": %zu, \"ms\": %.2f}\n", loaded.rows,
                 (double)(bench_clock_ns() - began_ns) / 1e6);
    (void)sqlite3_close(db);
    mem_free(loaded.numbers);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return bare_write(argv[2], strtoll(argv[3], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "load") == 0)
        return bare_load(argv[2]);
    (void)fputs("usage: bench_bare write DB LAUNCHES | load DB\n", stderr);
    return 2;
}
