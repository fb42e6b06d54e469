#include "berth/store/migrate.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "db.h"

int
migrate_check(sqlite3 *db, const char *path, size_t newest, int64_t *ret_version,
              struct fault *fault)
{
    int64_t application;
    int64_t version;
    int64_t objects;

    if (db_int(db, "PRAGMA application_id", &application, fault) != 0 ||
        db_int(db, "PRAGMA user_version", &version, fault) != 0 ||
        db_int(db, "SELECT count(*) FROM sqlite_schema", &objects, fault) != 0)
        return -1;
    if (application != MIGRATE_APPLICATION_ID && (application || version || objects))
        return fault_set(fault, FAULT_CONFLICT, "store.open", "%s is not a Berth database", path);
    if (version > (int64_t)newest) {
        return fault_set(fault, FAULT_CONFLICT, "store.open",
                         "%s has schema version %" PRId64 ", this berthd knows up to %zu: "
                         "use the newer berthd, or restore a backup from before the upgrade",
                         path, version, newest);
    }
    *ret_version = version;
    return 0;
}

/* The copy gets its name when it is whole, so that a crash leaves no half of one. */
static int
migrate_keep(sqlite3 *db, const char *path, int64_t version, struct fault *fault)
{
    CLEANUP(mem_freep) char *half = mem_printf("%s.v%" PRId64 ".bak.new", path, version);
    CLEANUP(mem_freep) char *whole = mem_printf("%s.v%" PRId64 ".bak", path, version);
    sqlite3 *copy = NULL;
    int rc;

    (void)unlink(half);
    rc = db_open(half, DB_CREATE, NULL, &copy, fault);
    if (rc == 0)
        rc = db_copy(db, copy, NULL, fault);
    if (rc == 0)
        rc = db_exec(copy, "PRAGMA journal_mode = DELETE", "store.migrate", fault);
    db_close(copy);
    if (rc == 0)
        rc = db_sync_file(half, fault);
    if (rc == 0 && rename(half, whole) != 0)
        rc = fault_set(fault, FAULT_STORAGE, "store.migrate", "%s cannot be made", whole);
    if (rc != 0)
        (void)unlink(half);
    return rc;
}

static int
migrate_step(sqlite3 *db, const struct migration *step, size_t version, struct fault *fault)
{
    CLEANUP(mem_freep)
    char *mark = mem_printf("PRAGMA application_id = %d; PRAGMA user_version = %zu",
                            MIGRATE_APPLICATION_ID, version);
    int64_t broken = 0;

    if (db_exec(db, "BEGIN IMMEDIATE", step->name, fault) != 0)
        return -1;
    if (db_exec(db, step->sql, step->name, fault) != 0 ||
        db_exec(db, mark, step->name, fault) != 0 ||
        db_int(db, "SELECT count(*) FROM pragma_foreign_key_check", &broken, fault) != 0 ||
        (broken &&
         fault_set(fault, FAULT_STORAGE, step->name,
                   "the migration would leave %" PRId64 " rows without what they refer to",
                   broken)) ||
        db_exec(db, "COMMIT", step->name, fault) != 0) {
        (void)db_exec(db, "ROLLBACK", step->name, NULL);
        return -1;
    }
    return 0;
}

int
migrate_run(sqlite3 *db, const char *path, const struct migrate_set *set, struct fault *fault)
{
    int64_t version = 0;

    assert(set->count > 0);
    if (migrate_check(db, path, set->count, &version, fault) != 0)
        return -1;
    if (version == (int64_t)set->count)
        return 0;
    if (version > 0 && migrate_keep(db, path, version, fault) != 0)
        return -1;
    for (size_t i = (size_t)version; i < set->count; i++) {
        if (migrate_step(db, &set->list[i], i + 1, fault) != 0)
            return -1;
    }
    return 0;
}
