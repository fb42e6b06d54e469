/*
 * The keys directory in backups: it goes along, comes back as it was, and is nowhere else.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit.h"
#include "sample.h"

#define SECRET "5ec2e7-0f-the-cluster-that-stands-nowhere-else"

static const char *const files[][2] = {
    { "secret", SECRET },
    { "pools/web/ca.pem", "a certificate" },
    { "pools/web/ca.key", "its key" },
};

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no test passes. */
file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no test passes. */
file_expect(const char *folder, const char *name, const char *text)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    char bytes[1000] = "";
    FILE *file = fopen(path, "re");
    struct stat at;

    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof(bytes) - 1, file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(bytes, text);
    assert_int_equal(stat(path, &at), 0);
    assert_int_equal(at.st_mode & 07777, 0600);
}

static void
keys_write(struct kit *kit)
{
    static const char *const folders[] = { "keys", "keys/pools", "keys/pools/web" };

    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        (void)mkdir(kit_path(kit, folders[i]), 0700);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(mem_freep) char *path = mem_printf("%s/keys/%s", kit->dir, files[i][0]);

        file_write(path, files[i][1]);
        assert_int_equal(chmod(path, 0600), 0);
    }
}

static void
keys_expect(const char *data_dir)
{
    CLEANUP(mem_freep) char *folder = mem_printf("%s/keys", data_dir);
    CLEANUP(mem_freep) char *web = mem_printf("%s/pools/web", folder);
    struct stat at;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        file_expect(folder, files[i][0], files[i][1]);
    assert_int_equal(stat(folder, &at), 0);
    assert_int_equal(at.st_mode & 07777, 0700);
    assert_int_equal(stat(web, &at), 0);
    assert_int_equal(at.st_mode & 07777, 0700);
}

/* How many names in @folder begin with @start. */
static int
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no test passes. */
names(const char *folder, const char *start)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int count = 0;

    assert_non_null(dir);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): tests have one thread */
    while ((entry = readdir(dir)))
        count += strncmp(entry->d_name, start, strlen(start)) == 0;
    assert_int_equal(closedir(dir), 0);
    return count;
}

static bool
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): swapped, no test passes. */
file_has(const char *path, const char *word)
{
    static char bytes[1 << 22];
    FILE *file = fopen(path, "re");
    size_t len;

    assert_non_null(file);
    len = fread(bytes, 1, sizeof(bytes), file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(len, 1, sizeof(bytes) - 1);
    return memmem(bytes, len, word, strlen(word)) != NULL;
}

static const char *
backup(struct kit *kit)
{
    static char path[100];

    (void)snprintf(path, sizeof(path), "%s/copy.db", kit->dir);
    kit_open(kit);
    assert_int_equal(kit_backup(kit, path, NULL), 0);
    return path;
}

/* Proves: a backup has the keys; restored into an empty folder they are as they were, with their modes; the
 * database has no trace of them, and its hosts' certificates are read from where they are now.  What was
 * only half written is not taken along. */
static void
test_keys_go_along(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *other = mem_printf("%s/other", kit->dir);
    CLEANUP(mem_freep) char *db = mem_printf("%s/berth.db", other);
    CLEANUP(mem_freep) char *half = mem_printf("%s/keys/pools/web/ca.key.new", kit->dir);
    CLEANUP(mem_freep) char *sql = NULL;
    struct store_restore asked = { .data_dir = other };
    struct model *model = sample_model();

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    sql = mem_printf("UPDATE hosts SET endpoint_ca = '%s/keys/pools/web/ca.pem', endpoint_cert = "
                     "'/elsewhere/keys/x'",
                     kit->dir);
    kit_exec(kit_path(kit, "berth.db"), sql);
    kit_close(kit);
    keys_write(kit);
    file_write(half, "a half");
    asked.file = backup(kit);
    assert_true(file_has(asked.file, SECRET));
    assert_false(file_has(asked.file, "a half"));

    assert_int_equal(store_restore(&asked, NULL), 0);
    assert_true(asked.has_keys);
    keys_expect(other);
    assert_false(file_has(db, SECRET));
    assert_int_equal(kit_int(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'keyring'"), 0);
    mem_free(sql);
    sql =
        mem_printf("SELECT count(*) FROM hosts WHERE endpoint_ca = '%s/keys/pools/web/ca.pem' AND "
                   "endpoint_cert = '/elsewhere/keys/x'",
                   other);
    assert_int_equal(kit_int(db, sql), kit_int(db, "SELECT count(*) FROM hosts"));
    assert_int_equal(names(other, "keys"), 1);
}

/* Proves: keys that are there are kept beside the backup's, and a crash of an earlier restore is no harm. */
static void
test_old_keys_are_kept(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *secret = mem_strdup(kit_path(kit, "keys/secret"));
    CLEANUP(mem_freep) char *left = mem_strdup(kit_path(kit, "keys.restoring"));
    CLEANUP(mem_freep) char *left_file = mem_strdup(kit_path(kit, "keys.restoring/secret"));
    struct store_restore asked = { .data_dir = kit->dir };

    keys_write(kit);
    asked.file = backup(kit);
    kit_close(kit);
    file_write(secret, "another one");
    assert_int_equal(mkdir(left, 0700), 0);
    file_write(left_file, "of an earlier try");
    assert_int_equal(store_restore(&asked, NULL), 0);
    keys_expect(kit->dir);
    assert_int_equal(names(kit->dir, "keys.before-restore-"), 1);
    assert_int_equal(names(kit->dir, "keys.restoring"), 0);
}

/* Proves: of a backup from before keys went along the rows are taken, and the keys that are there stay. */
static void
test_a_backup_without_keys(void **state)
{
    struct kit *kit = *state;
    struct store_restore asked = { .data_dir = kit->dir, .file = backup(kit) };

    kit_close(kit);
    keys_write(kit);
    assert_int_equal(store_restore(&asked, NULL), 0);
    assert_false(asked.has_keys);
    keys_expect(kit->dir);
    assert_int_equal(names(kit->dir, "keys"), 1);
    assert_int_equal(names(kit->dir, "berth.db.before-restore-"), 1);
}

static int
never_whole(const char *folder, struct fault *fault)
{
    CLEANUP(mem_freep) char *secret = mem_printf("%s/secret", folder);

    assert_int_equal(access(secret, R_OK), 0);
    return fault_set(fault, FAULT_STORAGE, "test", "half of a key");
}

/* Proves: with keys that are damaged, or lead out of their folder, nothing is replaced. */
static void
test_wrong_keys_change_nothing(void **state)
{
    static const char *const paths[] = { "../out", "a/../../out", "/out", "a//out", "a/b/c/out",
                                         "",       ".hidden",     "a b" };
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *secret = mem_strdup(kit_path(kit, "keys/secret"));
    struct store_restore asked = { .data_dir = kit->dir, .check_keys = never_whole };
    struct fault fault;

    keys_write(kit);
    asked.file = backup(kit);
    kit_close(kit);
    file_write(secret, "the one of now");
    assert_int_equal(store_restore(&asked, &fault), -1);
    assert_int_equal(fault.kind, FAULT_INVALID);
    assert_non_null(strstr(fault.text, "half of a key"));
    asked.check_keys = NULL;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CLEANUP(mem_freep)
        char *sql = mem_printf("UPDATE keyring SET path = '%s' WHERE rowid = 1", paths[i]);

        kit_exec(asked.file, sql);
        assert_int_equal(store_restore(&asked, &fault), -1);
        assert_int_equal(fault.kind, FAULT_INVALID);
    }
    file_expect(kit->dir, "keys/secret", "the one of now");
    assert_int_equal(names(kit->dir, "keys"), 1);
    assert_int_equal(names(kit->dir, "berth.db."), 0);
    assert_int_equal(names(kit->dir, "out"), 0);
    assert_int_equal(
        kit_int(kit_path(kit, "berth.db"), "SELECT count(*) FROM meta WHERE key = 'restored'"), 0);
}

/* Proves: a key that cannot be read fails the backup in words: one without it would be none. */
static void
test_an_unreadable_key_fails_the_backup(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *secret = mem_strdup(kit_path(kit, "keys/secret"));
    CLEANUP(mem_freep) char *copy = mem_strdup(kit_path(kit, "copy.db"));
    struct fault fault;

    keys_write(kit);
    assert_int_equal(truncate(secret, (1 << 20) + 1), 0);
    kit_open(kit);
    assert_int_equal(kit_backup(kit, copy, &fault), -1);
    assert_int_equal(fault.kind, FAULT_STORAGE);
    assert_non_null(strstr(fault.text, secret));
    assert_int_equal(access(copy, F_OK), -1);
    assert_int_equal(truncate(secret, 1 << 20), 0);
    assert_int_equal(kit_backup(kit, copy, &fault), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_keys_go_along),
        TEST(test_old_keys_are_kept),
        TEST(test_a_backup_without_keys),
        TEST(test_wrong_keys_change_nothing),
        TEST(test_an_unreadable_key_fails_the_backup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
