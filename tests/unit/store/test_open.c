/*
 * Opening: what is made, what is refused and in which words, and how an older
 * file becomes a newer one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "berth/store/migrate.h"

#include "dump.h"
#include "kit.h"
#include "sample.h"
#include "vfs.h"

static void
write_text(FILE *file, const char *text)
{
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static unsigned
mode_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

/* Proves: a new directory and its files are their owner's alone, and the file says whose it is. */
static void
test_a_new_store(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *inner = mem_strdup(kit_path(kit, "data"));
    CLEANUP(mem_freep) char *file = mem_printf("%s/berth.db", inner);
    CLEANUP(mem_freep) char *wal = mem_printf("%s/berth.db-wal", inner);
    CLEANUP(mem_freep) char *lock = mem_printf("%s/lock", inner);
    mode_t before = umask(0);

    kit->options.data_dir = inner;
    kit_open(kit);
    (void)umask(before);
    assert_int_equal(mode_of(inner), 0700);
    assert_int_equal(mode_of(file), 0600);
    assert_int_equal(mode_of(wal), 0600);
    assert_int_equal(mode_of(lock), 0600);
    assert_int_equal(kit_int(file, "PRAGMA application_id"), MIGRATE_APPLICATION_ID);
    assert_int_equal(kit_int(file, "PRAGMA user_version"), (int64_t)migrate_list_count);
    kit_close(kit);
    assert_int_equal(access(wal, F_OK), -1);
    (void)unlink(file);
    (void)unlink(lock);
    assert_int_equal(rmdir(inner), 0);
    kit->options.data_dir = kit->dir;
}

/* Proves: the cluster's id is 16 hex digits, and the same ever after. */
static void
test_the_cluster_id_stays(void **state)
{
    struct kit *kit = *state;
    struct store_info first;
    struct store_info second;

    kit_open(kit);
    model_free(kit_load(kit, &first));
    kit_close(kit);
    kit_open(kit);
    model_free(kit_load(kit, &second));
    assert_int_equal(strspn(first.cluster_id, "0123456789abcdef"), 16);
    assert_string_equal(first.cluster_id, second.cluster_id);
    assert_false(first.restored);
}

/* Proves: a second daemon is refused and told which process is in its way; after the first has gone it
 * may have the directory. */
static void
test_a_second_daemon_is_refused(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *pid = mem_printf("process %ld", (long)getpid());
    struct fault fault;

    kit_open(kit);
    kit_open_fault(kit, &fault);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_non_null(strstr(fault.text, pid));
    assert_non_null(strstr(fault.text, kit->dir));
    assert_int_equal(
        store_restore(&(struct store_restore){ .data_dir = kit->dir, .file = "/dev/null" }, &fault),
        -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    kit_close(kit);
    kit_open(kit);
}

/* Proves: files that are not ours are refused and left as they were. */
static void
test_a_foreign_file_is_refused(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "berth.db"));
    struct fault fault;

    kit_exec(path, "CREATE TABLE other (x); INSERT INTO other VALUES (7)");
    kit_open_fault(kit, &fault);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_non_null(strstr(fault.text, "is not a Berth database"));
    assert_int_equal(kit_int(path, "SELECT x FROM other"), 7);
    assert_int_equal(kit_int(path, "SELECT count(*) FROM sqlite_schema"), 1);

    write_text(fopen(path, "we"),
               "These are 26 words of prose, not of SQLite, and long enough to be looked at: "
               "a hundred bytes or more.");
    kit_open_fault(kit, &fault);
    assert_int_equal(fault.kind, FAULT_STORAGE);
    assert_non_null(strstr(fault.text, "--restore"));
}

/* Proves: a database of a newer program is refused, in words that say what to do. */
static void
test_a_newer_schema_is_refused(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "berth.db"));
    struct fault fault;

    kit_open(kit);
    kit_close(kit);
    kit_exec(path, "PRAGMA user_version = 999");
    kit_open_fault(kit, &fault);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
    assert_non_null(strstr(fault.text, "schema version 999"));
    assert_non_null(strstr(fault.text, "newer"));
}

/* Proves: damage is told with its remedy, whether it is met at the start or while loading. */
static void
test_damage_is_told(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "berth.db"));
    struct model *model = sample_model();
    struct store_info info;
    struct fault fault;
    int64_t page;
    int descriptor;

    kit_open(kit);
    kit_commit_model(kit, model);
    kit_close(kit);
    page = kit_int(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'instances'");
    descriptor = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(
        pwrite(descriptor, "damaged, and this is no page header", 32, (page - 1) * 4096), 32);
    assert_int_equal(close(descriptor), 0);
    model_free(model);
    model = model_new();
    kit_open(kit);
    assert_int_equal(kit->port->load(kit->port->self, model, &info, &fault), -1);
    assert_int_equal(fault.kind, FAULT_STORAGE);
    assert_non_null(strstr(fault.text, "damaged"));
    assert_non_null(strstr(fault.text, "berthd --restore FILE"));
    model_free(model);
}

/* --- Migrations ----------------------------------------------------------------------------- */

static char *
read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct buf text;
    char piece[4096];
    size_t len;

    if (!file)
        fail_msg("%s cannot be read", path);
    buf_init(&text, 0);
    while ((len = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_append(&text, piece, len);
    (void)fclose(file);
    return buf_take(&text);
}

/* Proves: a file that the first schema wrote is read today, every row of it, and what was before an
 * upgrade is kept. */
static void
test_a_file_of_the_first_schema(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *sql = read_file(BERTH_TEST_SOURCE "/tests/store/v0001.sql");
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "berth.db"));
    CLEANUP(mem_freep) char *kept = mem_strdup(kit_path(kit, "berth.db.v1.bak"));
    CLEANUP(mem_freep) char *before = NULL;
    CLEANUP(mem_freep) char *after = NULL;
    struct model *model = sample_first_model();
    struct store_info info;
    struct model *loaded;

    kit_exec(path, sql);
    assert_int_equal(kit_int(path, "PRAGMA user_version"), 1);
    kit_open(kit);
    assert_int_equal(kit_int(path, "PRAGMA user_version"), (int64_t)migrate_list_count);
    assert_int_equal(access(kept, F_OK), migrate_list_count > 1 ? 0 : -1);
    loaded = kit_load(kit, &info);
    assert_string_equal(info.cluster_id, "0123456789abcdef");
    assert_int_equal(loaded->last_seq, 3);
    before = dump_model(model);
    after = dump_model(loaded);
    assert_string_equal(after, before);
    model_free(loaded);
    model_free(model);
}

static const struct migration two_steps[] = {
    { "0001_one", "CREATE TABLE t (x INTEGER) STRICT; INSERT INTO t VALUES (1)" },
    { "0002_two", "ALTER TABLE t ADD COLUMN y INTEGER; UPDATE t SET y = 2" },
    { "0003_bad", "UPDATE t SET y = 3; INSERT INTO nowhere VALUES (1)" },
};

static int
migrate_to(const char *path, size_t count, struct fault *fault)
{
    struct migrate_set set = { two_steps, count };
    sqlite3 *db = NULL;
    int rc;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    rc = migrate_run(db, path, &set, fault);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return rc;
}

/* Proves: a fresh file gets all steps without a copy; an older one gets the missing steps and a copy
 * of what it was; a step that fails leaves nothing of itself. */
static void
test_steps(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *path = mem_strdup(kit_path(kit, "m.db"));
    CLEANUP(mem_freep) char *kept = mem_strdup(kit_path(kit, "m.db.v1.bak"));
    struct fault fault;

    assert_int_equal(migrate_to(path, 1, &fault), 0);
    assert_int_equal(access(kept, F_OK), -1);
    assert_int_equal(migrate_to(path, 2, &fault), 0);
    assert_int_equal(kit_int(path, "PRAGMA user_version"), 2);
    assert_int_equal(kit_int(path, "SELECT y FROM t"), 2);
    assert_int_equal(kit_int(kept, "PRAGMA user_version"), 1);
    assert_int_equal(kit_int(kept, "SELECT count(*) FROM pragma_table_info('t')"), 1);
    assert_int_equal(mode_of(kept), 0600);

    assert_int_equal(migrate_to(path, 3, &fault), -1);
    assert_string_equal(fault.where, "0003_bad");
    assert_int_equal(kit_int(path, "PRAGMA user_version"), 2);
    assert_int_equal(kit_int(path, "SELECT y FROM t"), 2);
    assert_int_equal(migrate_to(path, 1, &fault), -1);
    assert_int_equal(fault.kind, FAULT_CONFLICT);
}

/* Proves: with the disk full at the start the ballast goes, and then the store opens. */
static void
test_a_full_disk_at_the_start(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *ballast = mem_strdup(kit_path(kit, "ballast"));
    struct fault fault;

    kit->options.vfs = VFS_NAME;
    vfs_set(VFS_FULL, 0);
    kit_open_fault(kit, &fault);
    assert_int_equal(fault.kind, FAULT_STORAGE_FULL);

    write_text(fopen(ballast, "we"), "as large as it is");
    vfs_full_while(ballast);
    kit_open(kit);
    assert_int_equal(access(ballast, F_OK), -1);
    vfs_set(VFS_GOOD, 0);
}

static int
group_setup(void **state)
{
    (void)state;
    vfs_setup();
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_new_store, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_the_cluster_id_stays, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_second_daemon_is_refused, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_foreign_file_is_refused, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_newer_schema_is_refused, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_told, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_file_of_the_first_schema, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_steps, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_full_disk_at_the_start, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
