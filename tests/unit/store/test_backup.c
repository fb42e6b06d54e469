/*
 * Backups of a store at work, and the way back.
 */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dump.h"
#include "kit.h"
#include "sample.h"

/* The one file in the folder that matches; "" when there is none. Owned. */
static char *
only_file(struct kit *kit, const char *pattern)
{
    glob_t found;
    char *path = NULL;

    // NOLINTNEXTLINE(concurrency-mt-unsafe): only this thread is in it
    if (glob(kit_path(kit, pattern), 0, NULL, &found) == 0 && found.gl_pathc == 1)
        path = mem_strdup(found.gl_pathv[0]);
    globfree(&found);
    return path ? path : mem_strdup("");
}

static char *
loaded_text(struct kit *kit, struct store_info *ret_info)
{
    struct model *model = kit_load(kit, ret_info);
    char *text = dump_model(model);

    model_free(model);
    return text;
}

static void
image_put(struct kit *kit, int64_t id)
{
    struct store_batch *batch = kit->port->batch_new(kit->port->self);
    struct image *image = image_new(id);

    image->pool_id = SAMPLE_POOL;
    image->digest = mem_strdup("after the backup");
    kit->port->put(batch, ROW_IMAGE, image);
    image_free(image);
    kit_commit(kit, batch);
}

/* Proves: a backup has all that was committed before it, in one file for its owner alone, and is never
 * written over. */
static void
test_backup(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "copy.db"));
    CLEANUP(mem_freep) char *wal = mem_strdup(kit_path(kit, "copy.db-wal"));
    struct model *model = sample_model();
    struct fault fault;
    struct stat status;

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    assert_int_equal(kit_backup(kit, path, &fault), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(access(wal, F_OK), -1);
    assert_int_equal(kit_int(path, "SELECT count(*) FROM instances"), 2);
    assert_int_equal(kit_backup(kit, path, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_int_equal(kit_backup(kit, "/nowhere/at/all.db", &fault), -1);
    assert_int_equal(fault.kind, FAULT_STORAGE);
}

struct busy {
    struct kit_commit commits[64];
    struct store_backup backup;
    size_t done_before; /* commits that were done when the backup was */
    bool done;
    bool failed;
};

static void
busy_on_backup(struct store_backup *backup, const struct fault *fault)
{
    struct busy *busy = CONTAINER_OF(backup, struct busy, backup);

    busy->done = true;
    busy->failed = fault != NULL;
    for (size_t i = 0; i < ARRAY_LEN(busy->commits); i++)
        busy->done_before += busy->commits[i].done;
}

static bool
busy_is_done(void *cookie)
{
    const struct busy *busy = cookie;

    return busy->done && busy->commits[ARRAY_LEN(busy->commits) - 1].done;
}

/* Proves: a backup of a store that is being written is a whole one, from one moment. */
static void
test_backup_of_a_busy_store(void **state)
{
    static char blob[50000];
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "copy.db"));
    struct busy busy = { .backup = { .path = path, .done = busy_on_backup } };
    int64_t count;

    kit_open(kit);
    for (size_t i = 0; i < ARRAY_LEN(busy.commits); i++) {
        struct store_batch *batch = kit->port->batch_new(kit->port->self);

        for (uint32_t at = 0; at < 4; at++)
            kit->port->put_log(batch, &(struct store_log){ 1, at, 0, blob, sizeof(blob) });
        if (i == ARRAY_LEN(busy.commits) / 2)
            kit->port->backup_start(kit->port->self, &busy.backup);
        kit_start(kit, &busy.commits[i], batch);
    }
    assert_true(loop_run_until(kit->loop, busy_is_done, &busy, KIT_WAIT_MS));
    assert_false(busy.failed);
    count = kit_int(path, "SELECT count(*) FROM logs");
    assert_int_equal(count % 4, 0);
    assert_int_equal(kit_int(path, "SELECT count(*) FROM pragma_integrity_check "
                                   "WHERE integrity_check <> 'ok'"),
                     0);
}

static int
restore(const struct kit *kit, const char *file, struct fault *fault)
{
    return store_restore(&(struct store_restore){ .data_dir = kit->dir, .file = file }, fault);
}

/* Proves: after a restore the rows are those of the backup, the cluster is the same, what was there is
 * kept aside, and the mark stays until the comparison with the hosts was committed. */
static void
test_restore(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "copy.db"));
    CLEANUP(mem_freep) char *before = NULL;
    CLEANUP(mem_freep) char *after = NULL;
    CLEANUP(mem_freep) char *aside = NULL;
    struct model *model = sample_model();
    struct store_info first;
    struct store_info info;
    struct store_batch *batch;
    struct fault fault;

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    before = loaded_text(kit, &first);
    assert_int_equal(kit_backup(kit, path, &fault), 0);
    image_put(kit, 1234);
    kit_close(kit);

    assert_int_equal(restore(kit, path, &fault), 0);
    aside = only_file(kit, "berth.db.before-restore-*");
    assert_int_equal(kit_int(aside, "SELECT count(*) FROM images WHERE id = 1234"), 1);
    kit_open(kit);
    after = loaded_text(kit, &info);
    assert_string_equal(after, before);
    assert_true(info.restored);
    assert_string_equal(info.cluster_id, first.cluster_id);

    batch = kit->port->batch_new(kit->port->self);
    kit->port->put_compared(batch);
    kit_commit(kit, batch);
    model_free(kit_load(kit, &info));
    assert_false(info.restored);
}

static void
file_copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    char piece[4096];
    size_t len;

    assert_true(in && out);
    while ((len = fread(piece, 1, sizeof(piece), in)) > 0)
        assert_int_equal(fwrite(piece, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    (void)fclose(in);
}

/* Proves: with what a kill -9 left in the -wal, the old database is kept whole, and the new one does
 * not take it for its own. */
static void
test_restore_after_a_crash(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "copy.db"));
    CLEANUP(mem_freep) char *db = mem_strdup(kit_path(kit, "berth.db"));
    CLEANUP(mem_freep) char *wal = mem_printf("%s-wal", db);
    CLEANUP(mem_freep) char *left = mem_printf("%s/left", kit->dir);
    CLEANUP(mem_freep) char *left_wal = mem_printf("%s/left-wal", kit->dir);
    CLEANUP(mem_freep) char *aside = NULL;
    struct model *model = sample_model();
    struct fault fault;

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    assert_int_equal(kit_backup(kit, path, &fault), 0);
    image_put(kit, 1234);
    /* The files of a process that is gone: copies of those of one that is not. */
    file_copy(db, left);
    file_copy(wal, left_wal);
    kit_close(kit);
    assert_int_equal(rename(left, db), 0);
    assert_int_equal(rename(left_wal, wal), 0);
    assert_int_equal(restore(kit, path, &fault), 0);
    aside = only_file(kit, "berth.db.before-restore-*");
    assert_int_equal(kit_int(aside, "SELECT count(*) FROM images WHERE id = 1234"), 1);
    assert_int_equal(kit_int(db, "SELECT count(*) FROM images WHERE id = 1234"), 0);
}

/* Proves: what is no backup is refused in words, and the database stays in place. */
static void
test_a_wrong_file_is_refused(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *db = mem_strdup(kit_path(kit, "berth.db"));
    CLEANUP(mem_freep) char *wrong = mem_strdup(kit_path(kit, "wrong.db"));
    CLEANUP(mem_freep) char *none = mem_strdup(kit_path(kit, "none.db"));
    CLEANUP(mem_freep) char *newer = mem_strdup(kit_path(kit, "newer.db"));
    CLEANUP(mem_freep) char *aside = NULL;
    struct fault fault;
    FILE *file;

    kit_open(kit);
    assert_int_equal(kit_backup(kit, newer, &fault), 0);
    kit_close(kit);
    assert_int_equal(restore(kit, none, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
    assert_non_null(strstr(fault.text, "none.db"));

    kit_exec(wrong, "CREATE TABLE other (x)");
    assert_int_equal(restore(kit, wrong, &fault), -1);
    assert_non_null(strstr(fault.text, "is not a Berth database"));

    kit_exec(newer, "PRAGMA user_version = 77");
    assert_int_equal(restore(kit, newer, &fault), -1);
    assert_non_null(strstr(fault.text, "schema version 77"));

    file = fopen(wrong, "we");
    assert_non_null(file);
    assert_true(fputs("SQLite format 3", file) >= 0 && fclose(file) == 0);
    assert_int_equal(restore(kit, wrong, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
    aside = only_file(kit, "berth.db.*");
    assert_string_equal(aside, "");
    assert_int_equal(kit_int(db, "SELECT count(*) FROM meta WHERE key = 'restored'"), 0);
}

/* Proves: a restore is the way out of damage, also into a directory that is not there yet. */
static void
test_restore_over_damage(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *copy = mem_strdup(kit_path(kit, "copy.db"));
    CLEANUP(mem_freep) char *db = mem_strdup(kit_path(kit, "berth.db"));
    struct model *model = sample_model();
    struct store_info info;
    struct fault fault;
    FILE *file;

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    assert_int_equal(kit_backup(kit, copy, &fault), 0);
    kit_close(kit);
    file = fopen(db, "we");
    assert_non_null(file);
    assert_true(fputs("nothing that anybody could read as a database any more", file) >= 0);
    assert_int_equal(fclose(file), 0);
    kit_open_fault(kit, &fault);

    assert_int_equal(restore(kit, copy, &fault), 0);
    kit_open(kit);
    model = kit_load(kit, &info);
    assert_int_equal(model->instances.live, 2);
    model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_backup, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_backup_of_a_busy_store, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_restore, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_restore_after_a_crash, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_file_is_refused, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_restore_over_damage, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
