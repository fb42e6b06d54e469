#include "berth/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "berth/base/log.h"
#include "berth/store/migrate.h"

#include "datadir.h"
#include "db.h"
#include "keyring.h"

/* The paths of one restore; all owned. */
struct restore {
    char *path;  /* berth.db */
    char *wal;   /* its -wal */
    char *half;  /* the new database until it is whole */
    char *aside; /* where the old one goes */
    char *aside_wal;
    char *keys;       /* the keys directory */
    char *half_keys;  /* the backup's */
    char *aside_keys; /* where the old one goes */
    size_t key_files; /* of the backup; 0: it has none, and the old ones stay */
    bool moved;       /* there were old ones, and they are aside */
};

static int restore_copy(const struct restore *restore, const char *file, struct fault *fault);
static int restore_take_keys(struct restore *restore, const struct store_restore *asked,
                             struct fault *fault);
static int restore_swap(struct restore *restore, struct fault *fault);

/* Names for what was there, that nothing has yet: there may be two restores in a second. */
static void
restore_name_aside(struct restore *restore, const char *data_dir)
{
    char stamp[32] = { 0 };
    time_t now = time(NULL);
    struct tm parts;
    int more = 0;

    (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &parts));
    restore->aside = mem_printf("%s/berth.db.before-restore-%s", data_dir, stamp);
    restore->aside_keys = mem_printf("%s/keys.before-restore-%s", data_dir, stamp);
    while (access(restore->aside, F_OK) == 0 || access(restore->aside_keys, F_OK) == 0) {
        mem_free(restore->aside);
        mem_free(restore->aside_keys);
        more++;
        restore->aside = mem_printf("%s/berth.db.before-restore-%s.%d", data_dir, stamp, more);
        restore->aside_keys = mem_printf("%s/keys.before-restore-%s.%d", data_dir, stamp, more);
    }
    restore->aside_wal = mem_printf("%s-wal", restore->aside);
}

static void
restore_init(struct restore *restore, const char *data_dir)
{
    restore->path = mem_printf("%s/berth.db", data_dir);
    restore->wal = mem_printf("%s/berth.db-wal", data_dir);
    restore->half = mem_printf("%s/berth.db.restoring", data_dir);
    restore->keys = mem_printf("%s/keys", data_dir);
    restore->half_keys = mem_printf("%s/keys.restoring", data_dir);
    restore_name_aside(restore, data_dir);
}

static void
restore_fini(struct restore *restore)
{
    mem_free(restore->path);
    mem_free(restore->wal);
    mem_free(restore->half);
    mem_free(restore->aside);
    mem_free(restore->aside_wal);
    mem_free(restore->keys);
    mem_free(restore->half_keys);
    mem_free(restore->aside_keys);
}

static void
restore_clear(const struct restore *restore)
{
    (void)unlink(restore->half);
    keyring_remove(restore->half_keys);
}

int
store_restore(struct store_restore *asked, struct fault *fault)
{
    CLEANUP(restore_fini) struct restore restore = { 0 };
    int lock;
    int rc;

    if (datadir_take(asked->data_dir, &lock, fault) != 0)
        return -1;
    restore_init(&restore, asked->data_dir);
    restore_clear(&restore);
    rc = restore_copy(&restore, asked->file, fault);
    if (rc == 0)
        rc = restore_take_keys(&restore, asked, fault);
    if (rc == 0)
        rc = restore_swap(&restore, fault);
    if (rc == 0)
        rc = db_sync_dir(asked->data_dir, fault);
    if (rc == 0) {
        asked->has_keys = restore.key_files > 0;
    } else {
        restore_clear(&restore);
    }
    (void)close(lock);
    return rc;
}

/* Its own words for a wrong file: the usual ones advise what is just being done. */
static int
restore_check(sqlite3 *db, const char *file, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *check = NULL;
    const char *text = "";
    int64_t version = 0;

    if (migrate_check(db, file, migrate_list_count, &version, fault) != 0)
        return -1;
    if (version == 0)
        return fault_set(fault, FAULT_INVALID, "store.restore", "%s is not a Berth database", file);
    if (db_prepare(db, "PRAGMA integrity_check(1)", &check, fault) != 0)
        return -1;
    if (sqlite3_step(check) == SQLITE_ROW)
        text = (const char *)sqlite3_column_text(check, 0);
    if (strcmp(text, "ok") != 0) {
        return fault_set(fault, FAULT_INVALID, "store.restore", "%s is damaged: %s", file,
                         text[0] ? text : "it cannot be read");
    }
    return 0;
}

static int
restore_copy(const struct restore *restore, const char *file, struct fault *fault)
{
    CLEANUP(db_closep) sqlite3 *from = NULL;
    CLEANUP(db_closep) sqlite3 *to = NULL;
    struct fault why = { 0 };

    if (access(file, R_OK) != 0) {
        return fault_set(fault, FAULT_INVALID, "store.restore", "%s: %s", file,
                         strerrordesc_np(errno));
    }
    if (db_open(file, DB_READ, NULL, &from, &why) != 0 || restore_check(from, file, &why) != 0) {
        if (why.kind == FAULT_STORAGE) {
            return fault_set(fault, FAULT_INVALID, "store.restore",
                             "%s is damaged or is no database", file);
        }
        return fault_set(fault, FAULT_INVALID, "store.restore", "%s", why.text);
    }
    if (db_open(restore->half, DB_CREATE, NULL, &to, fault) != 0 ||
        db_copy(from, to, NULL, fault) != 0 ||
        db_exec(to,
                "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
                "INSERT INTO meta (key, value) VALUES ('restored', '1') ON CONFLICT DO NOTHING",
                "store.restore", fault) != 0)
        return -1;
    return db_sync_file(restore->half, fault);
}

/* What the old database still has in its -wal goes into it; a -wal that stayed would be taken for
 * the new one's.  Of a database that cannot be opened any more the -wal is moved aside with it. */
static int
restore_settle_old(const struct restore *restore, struct fault *fault)
{
    sqlite3 *old = NULL;
    struct fault why;

    if (db_open(restore->path, DB_WRITE, NULL, &old, &why) != 0 ||
        db_exec(old, "PRAGMA wal_checkpoint(TRUNCATE)", "store.restore", &why) != 0)
        log_warn("store", "the old database is kept as it is: %s", why.text);
    db_close(old);
    if (rename(restore->wal, restore->aside_wal) != 0 && errno != ENOENT)
        return db_fault_errno(errno, "store.restore", restore->wal, fault);
    return 0;
}

static int
restore_take_keys(struct restore *restore, const struct store_restore *asked, struct fault *fault)
{
    CLEANUP(db_closep) sqlite3 *db = NULL;
    struct fault why;

    if (db_open(restore->half, DB_WRITE, NULL, &db, fault) != 0 ||
        keyring_take(db, restore->half_keys, &restore->key_files, fault) != 0)
        return -1;
    if (restore->key_files > 0 && asked->check_keys &&
        asked->check_keys(restore->half_keys, &why) != 0) {
        return fault_set(fault, FAULT_INVALID, "store.restore", "the keys in %s are damaged: %s",
                         asked->file, why.text);
    }
    if (keyring_drop(db, restore->keys, fault) != 0)
        return -1;
    return db_sync_file(restore->half, fault);
}

static int
restore_rename(const char *from, const char *to, struct fault *fault)
{
    return rename(from, to) == 0 ? 0 : db_fault_errno(errno, "store.restore", to, fault);
}

/* A crash in between leaves a directory without keys, with which no daemon starts. */
static int
restore_swap_keys(struct restore *restore, struct fault *fault)
{
    if (restore->key_files == 0)
        return 0;
    if (access(restore->keys, F_OK) == 0) {
        if (restore_rename(restore->keys, restore->aside_keys, fault) != 0)
            return -1;
        restore->moved = true;
    }
    return restore_rename(restore->half_keys, restore->keys, fault);
}

/* The database could not be replaced: neither are the keys. */
static void
restore_put_keys_back(const struct restore *restore)
{
    if (restore->key_files > 0)
        (void)rename(restore->keys, restore->half_keys);
    if (restore->moved && rename(restore->aside_keys, restore->keys) != 0)
        log_error("store", "the old keys are in %s", restore->aside_keys);
}

static int
restore_swap(struct restore *restore, struct fault *fault)
{
    if (access(restore->path, F_OK) == 0) {
        if (restore_settle_old(restore, fault) != 0)
            return -1;
        /* A second name first: at no moment is there no database. */
        if (link(restore->path, restore->aside) != 0)
            return db_fault_errno(errno, "store.restore", restore->aside, fault);
    }
    if (restore_swap_keys(restore, fault) == 0 &&
        restore_rename(restore->half, restore->path, fault) == 0)
        return 0;
    restore_put_keys_back(restore);
    return -1;
}
