#include "keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/secret.h"

#include "db.h"

static const char keyring_make_sql[] =
    "PRAGMA secure_delete = ON;"
    "DROP TABLE IF EXISTS keyring;"
    "CREATE TABLE keyring (path TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;";

static const char keyring_drop_sql[] = "PRAGMA secure_delete = ON;"
                                       "DROP TABLE IF EXISTS keyring;"
                                       "DELETE FROM meta WHERE key = 'keys_folder';";

/* @column: of the hosts' paths; ?1: the new folder; the old one is in the backup. */
#define KEYRING_MOVE_SQL(column)                                                                   \
    "UPDATE hosts SET " column " = ?1 || substr(" column ", 1 + length(m.value)) "                 \
    "FROM meta m WHERE m.key = 'keys_folder' AND "                                                 \
    "substr(" column ", 1, 1 + length(m.value)) = m.value || '/'"

static const char *const keyring_move_sql[] = {
    KEYRING_MOVE_SQL("endpoint_ca"),
    KEYRING_MOVE_SQL("endpoint_cert"),
    KEYRING_MOVE_SQL("endpoint_key"),
};

static int
keyring_refuse(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, FAULT_STORAGE, "store.keys", "%s: %s", path, why);
}

/* A statement without results, with one text. */
static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no statement would run at all. */
keyring_exec(sqlite3 *db, const char *sql, const char *text, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    int rc;

    if (db_prepare(db, sql, &statement, fault) < 0)
        return -1;
    (void)sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    rc = sqlite3_step(statement);
    return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "store.keys", fault);
}

/* --- Into the copy -------------------------------------------------------------------------------- */

/* @ret_bytes: owned */
static int
keyring_read(const char *path, struct secret **ret_bytes, struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat at;
    CLEANUP(mem_freep) char *bytes = NULL;
    size_t size = 0;
    size_t len = 0;
    ssize_t got = 1;

    if (fd < 0)
        return keyring_refuse(path, strerrordesc_np(errno), fault);
    if (fstat(fd, &at) == 0 && at.st_size <= KEYRING_FILE_MAX)
        size = (size_t)at.st_size + 1; /* so that its end is seen */
    bytes = mem_new0(size + 1);
    while (len < size && (got = read(fd, bytes + len, size - len)) > 0)
        len += (size_t)got;
    (void)close(fd);
    if (got == 0)
        *ret_bytes = secret_new(bytes, len);
    secret_wipe(bytes, len);
    return got == 0 ? 0 : keyring_refuse(path, "cannot be read, or is too long for a key", fault);
}

static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, the file is not found */
keyring_put_file(sqlite3 *db, const char *path, const char *name, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    CLEANUP(secret_freep) struct secret *bytes = NULL;
    int rc;

    if (keyring_read(path, &bytes, fault) < 0 ||
        db_prepare(db, "INSERT INTO keyring (path, bytes) VALUES (?1, ?2)", &statement, fault) < 0)
        return -1;
    (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_blob64(statement, 2, secret_bytes(bytes), secret_len(bytes), SQLITE_STATIC);
    rc = sqlite3_step(statement);
    return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "store.keys", fault);
}

static bool
keyring_is_half(const char *path)
{
    static const char ending[] = ".new";
    size_t len = strlen(path);

    return len >= strlen(ending) && strcmp(path + len - strlen(ending), ending) == 0;
}

/* What of its path is below the folder. */
static const char *
keyring_name(const FTSENT *entry)
{
    const char *path = entry->fts_path;
    const char *at = path + strlen(path);

    for (int level = entry->fts_level; level > 0; level--)
        at = memrchr(path, '/', (size_t)(at - path));
    return at + 1;
}

static int
keyring_put_entry(sqlite3 *db, FTS *tree, FTSENT *entry, struct fault *fault)
{
    switch (entry->fts_info) {
    case FTS_D:
        if (entry->fts_level >= KEYRING_DEPTH)
            (void)fts_set(tree, entry, FTS_SKIP);
        return 0;
    case FTS_F:
        if (entry->fts_level == 0)
            return keyring_refuse(entry->fts_path, "is not a folder", fault);
        if (keyring_is_half(entry->fts_name))
            return 0;
        return keyring_put_file(db, entry->fts_path, keyring_name(entry), fault);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return keyring_refuse(entry->fts_path, strerrordesc_np(entry->fts_errno), fault);
    default:
        return 0;
    }
}

static int
keyring_put_all(sqlite3 *db, const char *folder, struct fault *fault)
{
    char *const roots[] = { mem_unconst(folder), NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    int result = tree ? 0 : keyring_refuse(folder, strerrordesc_np(errno), fault);

    while (result == 0 && (entry = fts_read(tree)))
        result = keyring_put_entry(db, tree, entry, fault);
    if (tree)
        (void)fts_close(tree);
    return result;
}

int
keyring_put(sqlite3 *db, const char *folder, struct fault *fault)
{
    if (access(folder, F_OK) < 0 && errno == ENOENT)
        return 0;
    if (db_exec(db, keyring_make_sql, "store.keys", fault) < 0 ||
        db_exec(db, "BEGIN", "store.keys", fault) < 0 || keyring_put_all(db, folder, fault) < 0 ||
        keyring_exec(db, "INSERT OR REPLACE INTO meta (key, value) VALUES ('keys_folder', ?1)",
                     folder, fault) < 0)
        return -1;
    return db_exec(db, "COMMIT", "store.keys", fault);
}

/* --- Out of it ------------------------------------------------------------------------------------ */

/* A path that keyring_put() could have put: nothing of it leads elsewhere. */
static bool
keyring_is_path(const char *path)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const char *at = path;
    int names = 0;

    if (strlen(path) > KEYRING_PATH_MAX)
        return false;
    while (names < KEYRING_DEPTH) {
        size_t len = strspn(at, letters);

        if (len == 0 || at[0] == '.')
            return false;
        at += len;
        names++;
        if (*at == '\0')
            return true;
        if (*at++ != '/')
            return false;
    }
    return false;
}

static int
keyring_folder_make(const char *path, struct fault *fault)
{
    if (mkdir(path, S_IRWXU) < 0 && errno != EEXIST)
        return db_fault_errno(errno, "store.keys", path, fault);
    return 0;
}

static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): bytes and their number */
keyring_write(const char *path, const char *bytes, size_t len, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    ssize_t put = 0;
    int error;

    if (fd < 0)
        return db_fault_errno(errno, "store.keys", path, fault);
    errno = 0;
    while (len > 0 && (put = write(fd, bytes, len)) > 0) {
        bytes += put;
        len -= (size_t)put;
    }
    error = len > 0 || fsync(fd) < 0 ? errno : 0;
    if (close(fd) < 0 && !error)
        error = errno;
    return error ? db_fault_errno(error, "store.keys", path, fault) : 0;
}

/* One file, with the folders on the way to it. */
static int
keyring_take_file(sqlite3_stmt *row, const char *folder, struct fault *fault)
{
    const char *name = (const char *)sqlite3_column_text(row, 0);
    const char *bytes = sqlite3_column_blob(row, 1);
    size_t len = (size_t)sqlite3_column_bytes(row, 1);
    CLEANUP(mem_freep) char *path = NULL;

    if (!name || !keyring_is_path(name) || len > KEYRING_FILE_MAX) {
        return fault_set(fault, FAULT_INVALID, "store.restore",
                         "the backup has a key in a place where none can be");
    }
    path = mem_printf("%s/%s", folder, name);
    for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (keyring_folder_make(path, fault) < 0)
            return -1;
        *slash = '/';
    }
    if (keyring_write(path, bytes, len, fault) < 0)
        return -1;
    *strrchr(path, '/') = '\0';
    return db_sync_dir(path, fault);
}

static int
keyring_take_all(sqlite3 *db, const char *folder, size_t *ret_files, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    size_t files = 0;
    int rc;

    if (db_prepare(db, "SELECT path, bytes FROM keyring ORDER BY path", &statement, fault) < 0 ||
        keyring_folder_make(folder, fault) < 0)
        return -1;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (files++ == KEYRING_FILES_MAX) {
            return fault_set(fault, FAULT_INVALID, "store.restore",
                             "the backup has more than %d keys", KEYRING_FILES_MAX);
        }
        if (keyring_take_file(statement, folder, fault) < 0)
            return -1;
    }
    *ret_files = files;
    return rc == SQLITE_DONE ? db_sync_dir(folder, fault) : db_fault(db, rc, "store.keys", fault);
}

int
keyring_take(sqlite3 *db, const char *folder, size_t *ret_files, struct fault *fault)
{
    int64_t there = 0;

    if (db_int(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'keyring'",
               &there, fault) < 0)
        return -1;
    if (there)
        return keyring_take_all(db, folder, ret_files, fault);
    *ret_files = 0;
    return 0;
}

int
keyring_drop(sqlite3 *db, const char *folder, struct fault *fault)
{
    for (size_t i = 0; i < ARRAY_LEN(keyring_move_sql); i++) {
        if (keyring_exec(db, keyring_move_sql[i], folder, fault) < 0)
            return -1;
    }
    return db_exec(db, keyring_drop_sql, "store.keys", fault);
}

void
keyring_remove(const char *folder)
{
    char *const roots[] = { mem_unconst(folder), NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    const FTSENT *entry;

    while (tree && (entry = fts_read(tree))) {
        if (entry->fts_info != FTS_D)
            (void)(entry->fts_info == FTS_DP ? rmdir(entry->fts_path) : unlink(entry->fts_path));
    }
    if (tree)
        (void)fts_close(tree);
}
