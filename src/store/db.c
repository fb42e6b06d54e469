#include "db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DB_BUSY_MS = 5000, /* only a backup's or a reader's moment, never another daemon */
    DB_COPY_PAGES = 512,
};

static bool
errno_is_full(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

int
db_fault_errno(int error, const char *where, const char *what, struct fault *fault)
{
    const char *text = strerrordesc_np(error);

    return fault_set(fault, errno_is_full(error) ? FAULT_STORAGE_FULL : FAULT_STORAGE, where,
                     "%s: %s", what, text ? text : "unknown error");
}

int
db_fault(sqlite3 *db, int rc, const char *where, struct fault *fault)
{
    const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    int error = db ? sqlite3_system_errno(db) : 0;
    int primary = rc & 0xff;

    assert(rc != SQLITE_OK && rc != SQLITE_ROW && rc != SQLITE_DONE);
    if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && errno_is_full(error))) {
        return fault_set(fault, FAULT_STORAGE_FULL, where,
                         "the disk that holds the database is full");
    }
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        return fault_set(
            fault, FAULT_STORAGE, where,
            "the database is damaged or is none (%s): stop berthd and put a backup in its "
            "place with berthd --restore FILE",
            text);
    }
    if (primary == SQLITE_READONLY || error == EROFS) {
        return fault_set(fault, FAULT_STORAGE, where,
                         "the database cannot be written: its file or file system is read-only");
    }
    if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) {
        return fault_set(fault, FAULT_STORAGE, where, "%s (%s)", text,
                         error ? strerrordesc_np(error) : sqlite3_errstr(rc));
    }
    return fault_set(fault, FAULT_STORAGE, where, "%s", text);
}

/* SQLite would make the file with the umask's mode; -wal and -shm then follow the file's. */
static int
db_make(const char *path, struct fault *fault)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (descriptor < 0)
        return db_fault_errno(errno, "store.open", path, fault);
    (void)close(descriptor);
    return 0;
}

int
db_open(const char *path, enum db_mode mode, const char *vfs, sqlite3 **ret_db, struct fault *fault)
{
    int flags = mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    CLEANUP(db_closep) sqlite3 *db = NULL;
    int rc;

    if (mode == DB_CREATE && db_make(path, fault) != 0)
        return -1;
    rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
    if (rc != SQLITE_OK)
        return db_fault(db, rc, "store.open", fault);
    (void)sqlite3_busy_timeout(db, DB_BUSY_MS);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    *ret_db = STEAL(db);
    return 0;
}

void
db_close(sqlite3 *db)
{
    int rc = sqlite3_close(db);

    assert(rc == SQLITE_OK);
    (void)rc;
}

int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no statement would run at all. */
db_exec(sqlite3 *db, const char *sql, const char *where, struct fault *fault)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : db_fault(db, rc, where, fault);
}

int
db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement, struct fault *fault)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);

    if (rc != SQLITE_OK)
        return db_fault(db, rc, "store.prepare", fault);
    *ret_statement = statement;
    return 0;
}

int
db_int(sqlite3 *db, const char *sql, int64_t *ret_value, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    int rc;

    if (db_prepare(db, sql, &statement, fault) != 0)
        return -1;
    rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return db_fault(db, rc, "store.read", fault);
    *ret_value = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    return 0;
}

/* One transaction is held over all steps: otherwise each commit by another connection would send
 * the copy back to its start. */
static int
copy_steps(sqlite3_backup *backup, const _Atomic bool *stop)
{
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && !(stop && atomic_load(stop)))
        rc = sqlite3_backup_step(backup, DB_COPY_PAGES);
    return rc;
}

int
db_copy(sqlite3 *from, sqlite3 *to, const _Atomic bool *stop, struct fault *fault)
{
    int64_t version;
    sqlite3_backup *backup;
    int rc;

    if (db_exec(from, "BEGIN", "store.copy", fault) != 0)
        return -1;
    if (db_int(from, "PRAGMA user_version", &version, fault) != 0) {
        (void)db_exec(from, "ROLLBACK", "store.copy", NULL);
        return -1;
    }
    backup = sqlite3_backup_init(to, "main", from, "main");
    rc = backup ? copy_steps(backup, stop) : sqlite3_extended_errcode(to);
    (void)sqlite3_backup_finish(backup);
    (void)db_exec(from, "ROLLBACK", "store.copy", NULL);
    if (rc == SQLITE_OK)
        return fault_set(fault, FAULT_CANCELLED, "store.copy", "the daemon is shutting down");
    return rc == SQLITE_DONE ? 0 : db_fault(to, rc, "store.copy", fault);
}

static int
sync_path(const char *path, int flags, struct fault *fault)
{
    int descriptor = open(path, flags | O_RDONLY | O_CLOEXEC);
    int error = descriptor < 0 || fsync(descriptor) != 0 ? errno : 0;

    if (descriptor >= 0)
        (void)close(descriptor);
    return error ? db_fault_errno(error, "store.sync", path, fault) : 0;
}

int
db_sync_dir(const char *dir, struct fault *fault)
{
    return sync_path(dir, O_DIRECTORY, fault);
}

int
db_sync_file(const char *path, struct fault *fault)
{
    return sync_path(path, 0, fault);
}
