#pragma once

/*
 * SQLite with Berth's faults: open, prepare, run, read.
 */

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "berth/base/fault.h"

enum db_mode {
    DB_CREATE, /* read and write, made when it is not there, mode 0600 */
    DB_WRITE,
    DB_READ,
};

/** db_open() - a connection for one thread at a time. */
int db_open(const char *path, enum db_mode mode, const char *vfs, sqlite3 **ret_db,
            struct fault *fault);
/** db_close() - NULL is fine; statements must be finalized. */
void db_close(sqlite3 *db);

static inline void
db_closep(sqlite3 **slot)
{
    db_close(*slot);
}

static inline void
db_finalizep(sqlite3_stmt **slot)
{
    (void)sqlite3_finalize(*slot);
}

/** db_fault() - what @rc means, in words that say what to do. @db may be NULL. Return: -1. */
int db_fault(sqlite3 *db, int rc, const char *where, struct fault *fault);

/** db_exec() - statements without results. */
int db_exec(sqlite3 *db, const char *sql, const char *where, struct fault *fault);
/** db_prepare() - one statement, to be kept. */
int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement, struct fault *fault);
/** db_int() - the first column of the first row; 0 when there is none. */
int db_int(sqlite3 *db, const char *sql, int64_t *ret_value, struct fault *fault);

/** db_copy() - the whole of @from into the empty @to by the online backup API, in steps; @from may
 * be written meanwhile. Gives up with FAULT_CANCELLED when *@stop (may be NULL) turns true. */
int db_copy(sqlite3 *from, sqlite3 *to, const _Atomic bool *stop, struct fault *fault);

/** db_sync_dir() - make the names in @dir durable. */
int db_sync_dir(const char *dir, struct fault *fault);
/** db_sync_file() - make the contents of @path durable. */
int db_sync_file(const char *path, struct fault *fault);
/** db_fault_errno() - FAULT_STORAGE(_FULL) for a system call's @error. Return: -1. */
int db_fault_errno(int error, const char *where, const char *what, struct fault *fault);
