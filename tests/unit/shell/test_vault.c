/* The keys directory: made once, the same ever after, private, and never half of a file; what is wrong
 * with it is said with the command that mends it. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/shell/vault.h"
#include "support/folder.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1790000000000)

struct world {
    char folder[FOLDER_SIZE];
    struct vault *vault;
};

static void
test_fill(void *self, void *ret_data, size_t len)
{
    uint8_t *next = self;
    uint8_t *bytes = ret_data;

    for (size_t i = 0; i < len; i++)
        bytes[i] = (*next)++;
}

static uint8_t test_next = 1;
static const struct random_port test_random = { .self = &test_next, .fill = test_fill };

static int
world_setup(void **state)
{
    static struct world world;

    world = (struct world){ 0 };
    folder_make(world.folder);
    assert_int_equal(vault_open(world.folder, &test_random, &world.vault, NULL), 0);
    *state = &world;
    return 0;
}

static int
world_teardown(void **state)
{
    struct world *world = *state;

    vault_close(world->vault);
    folder_remove(world->folder);
    return 0;
}

static int
world_open_again(struct world *world, struct fault *fault)
{
    vault_close(STEAL(world->vault));
    return vault_open(world->folder, &test_random, &world->vault, fault);
}

static char *
world_path(const struct world *world, const char *name)
{
    return mem_printf("%s/keys/%s", world->folder, name);
}

static mode_t
test_mode(const char *path)
{
    struct stat at;

    assert_int_equal(lstat(path, &at), 0);
    return at.st_mode & 07777;
}

static char *
test_text(const char *path)
{
    char text[16384] = "";
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    assert_in_range(fread(text, 1, sizeof(text) - 1, file), 1, sizeof(text) - 2);
    (void)fclose(file);
    return mem_strdup(text);
}

static void
test_the_same_after_a_restart(void **state)
{
    struct world *world = *state;
    char first[VAULT_SECRET_SIZE];

    assert_int_equal(secret_len(vault_secret(world->vault)), VAULT_SECRET_SIZE);
    memcpy(first, secret_bytes(vault_secret(world->vault)), sizeof(first));
    assert_int_equal(world_open_again(world, NULL), 0);
    assert_int_equal(secret_len(vault_secret(world->vault)), VAULT_SECRET_SIZE);
    assert_memory_equal(first, secret_bytes(vault_secret(world->vault)), sizeof(first));
}

static void
test_a_pool_keeps_its_authority(void **state)
{
    struct world *world = *state;
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    CLEANUP(mem_freep) char *ca = test_text(pool->ca_path);
    CLEANUP(mem_freep) char *client = test_text(pool->client_path);
    assert_string_equal(ca, pool->authority.certificate);
    assert_non_null(strstr(client, "BEGIN CERTIFICATE"));
    assert_non_null(strstr(client, "BEGIN PRIVATE KEY"));

    assert_int_equal(world_open_again(world, NULL), 0);
    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    CLEANUP(mem_freep) char *client_again = test_text(pool->client_path);
    assert_string_equal(ca, pool->authority.certificate);
    assert_string_equal(client, client_again);
}

static void
test_the_client_is_renewed(void **state)
{
    struct world *world = *state;
    const struct vault_pool *pool;
    int64_t ends_ms;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    ends_ms = pool->client_ends_at_ms;
    assert_int_equal(ends_ms, NOW_MS + 365 * DAY_MS);
    assert_int_equal(vault_pool(world->vault, "web", ends_ms - 31 * DAY_MS, &pool, NULL), 0);
    assert_int_equal(pool->client_ends_at_ms, ends_ms);
    assert_int_equal(vault_pool(world->vault, "web", ends_ms - 30 * DAY_MS, &pool, NULL), 0);
    assert_int_equal(pool->client_ends_at_ms, ends_ms + 335 * DAY_MS);
    /* What is on the disk is what is known. */
    assert_int_equal(world_open_again(world, NULL), 0);
    assert_int_equal(vault_pool(world->vault, "web", ends_ms - 29 * DAY_MS, &pool, NULL), 0);
    assert_int_equal(pool->client_ends_at_ms, ends_ms + 335 * DAY_MS);
}

/* One that could not be written (a full disk) is not taken for there: it is made when it can be. */
static void
test_a_renewal_that_failed_is_repeated(void **state)
{
    struct world *world = *state;
    const struct vault_pool *pool;
    CLEANUP(mem_freep) char *in_the_way = NULL;
    CLEANUP(mem_freep) char *before = NULL;
    CLEANUP(mem_freep) char *after = NULL;
    int64_t ends_ms;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    ends_ms = pool->client_ends_at_ms;
    in_the_way = mem_printf("%s.new", pool->client_path);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    assert_int_equal(vault_pool(world->vault, "web", ends_ms - DAY_MS, &pool, NULL), -1);
    assert_int_equal(rmdir(in_the_way), 0);
    before = test_text(pool->client_path);
    assert_int_equal(vault_pool(world->vault, "web", ends_ms - DAY_MS, &pool, NULL), 0);
    after = test_text(pool->client_path);
    assert_string_not_equal(before, after);
    assert_int_equal(pool->client_ends_at_ms, ends_ms + 364 * DAY_MS);
}

static void
test_nobody_else_may_read(void **state)
{
    static const char *const folders[] = { "", "pools", "pools/web" };
    static const char *const files[] = { "secret", "ssh.key", "pools/web/ca.pem",
                                         "pools/web/ca.key", "pools/web/client.pem" };
    struct world *world = *state;
    const struct vault_pool *pool;
    char text[] = "a key";
    CLEANUP(secret_freep) struct secret *key = secret_new(text, strlen(text));

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    assert_int_equal(vault_keep(world->vault, "ssh.key", key, NULL), 0);
    assert_int_equal(vault_keep(world->vault, "ssh.key", key, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        CLEANUP(mem_freep) char *path = world_path(world, folders[i]);

        assert_int_equal(test_mode(path), 0700);
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(mem_freep) char *path = world_path(world, files[i]);

        assert_int_equal(test_mode(path), 0600);
    }
}

/* What is wrong with the file @name after @harm, which says what the fault must name. */
static void
/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): the other way round no test passes. */
test_refused(struct world *world, const char *name, const char *says)
{
    CLEANUP(mem_freep) char *path = world_path(world, name);
    const struct vault_pool *pool;
    struct fault fault = { 0 };

    if (world_open_again(world, &fault) == 0)
        assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, &fault), -1);
    assert_int_equal(fault.kind, FAULT_STORAGE);
    if (!strstr(fault.text, path) || !strstr(fault.text, says))
        fail_msg("%s does not name %s and \"%s\"", fault.text, path, says);
}

static void
test_modes_are_checked(void **state)
{
    static const struct {
        const char *name;
        mode_t bad;
        mode_t good;
        const char *says;
    } cases[] = {
        { "secret", 0640, 0600, "chmod 600" },
        { "pools/web/ca.key", 0604, 0600, "chmod 600" },
        { "pools", 0750, 0700, "chmod 700" },
        { "pools/web", 0701, 0700, "chmod 700" },
    };
    struct world *world = *state;
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(mem_freep) char *path = world_path(world, cases[i].name);

        assert_int_equal(chmod(path, cases[i].bad), 0);
        test_refused(world, cases[i].name, cases[i].says);
        assert_int_equal(chmod(path, cases[i].good), 0);
        assert_int_equal(world_open_again(world, NULL), 0);
    }
}

static void
test_truncated_files_are_refused(void **state)
{
    static const char *const names[] = { "secret", "pools/web/ca.pem", "pools/web/ca.key" };
    struct world *world = *state;
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CLEANUP(mem_freep) char *path = world_path(world, names[i]);
        CLEANUP(mem_freep) char *text = test_text(path);
        FILE *file;

        assert_int_equal(truncate(path, 40), 0);
        /* Of the authority's two files the certificate's is named. */
        test_refused(world, i == 0 ? "secret" : "pools/web/ca.pem", "backup");
        file = fopen(path, "we");
        assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
        assert_int_equal(world_open_again(world, NULL), 0);
        assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    }
}

/* No link is followed, and a lost key is not replaced behind the operator's back. */
static void
test_links_and_gaps(void **state)
{
    struct world *world = *state;
    CLEANUP(mem_freep) char *key = world_path(world, "pools/web/ca.key");
    CLEANUP(mem_freep) char *aside = world_path(world, "aside");
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    assert_int_equal(rename(key, aside), 0);
    test_refused(world, "pools/web/ca.key", "missing: take it from a backup");
    assert_int_equal(symlink(aside, key), 0);
    test_refused(world, "pools/web/ca.key", "ymbolic link");
}

/* Only what can be made anew without a loss is. */
static void
test_a_broken_client_is_made_anew(void **state)
{
    struct world *world = *state;
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    assert_int_equal(truncate(pool->client_path, 100), 0);
    assert_int_equal(world_open_again(world, NULL), 0);
    assert_int_equal(vault_pool(world->vault, "web", NOW_MS + DAY_MS, &pool, NULL), 0);
    assert_int_equal(pool->client_ends_at_ms, NOW_MS + 366 * DAY_MS);
}

/* --- Without opening it ----------------------------------------------------------------------------- */

/* What is not there is named, and not made by looking. */
static void
test_what_is_missing(void **state)
{
    struct world *world = *state;
    CLEANUP(mem_freep) char *secret = world_path(world, "secret");
    CLEANUP(mem_freep) char *ca = world_path(world, "pools/web/ca.pem");
    CLEANUP(mem_freep) char *missing = vault_missing(world->folder, "web");
    CLEANUP(mem_freep) char *gone = NULL;
    const struct vault_pool *pool;

    assert_string_equal(missing, ca);
    assert_null(vault_missing(world->folder, NULL));
    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    assert_null(vault_missing(world->folder, "web"));
    assert_int_equal(unlink(secret), 0);
    gone = vault_missing(world->folder, NULL);
    assert_string_equal(gone, secret);
    assert_int_equal(access(secret, F_OK), -1);
}

/* A copy is whole, or the file is named that is not. */
static void
test_check(void **state)
{
    static const struct {
        const char *name;
        const char *says;
    } cases[] = {
        { "pools/web/ca.key", "missing" },
        { "pools/web/ca.pem", "does not belong" }, /* another pool's in its place */
        { "secret", "has no secret" },
    };
    struct world *world = *state;
    CLEANUP(mem_freep) char *folder = world_path(world, "");
    CLEANUP(mem_freep) char *other = world_path(world, "pools/other/ca.pem");
    const struct vault_pool *pool;

    assert_int_equal(vault_pool(world->vault, "web", NOW_MS, &pool, NULL), 0);
    assert_int_equal(vault_pool(world->vault, "other", NOW_MS, &pool, NULL), 0);
    folder[strlen(folder) - 1] = '\0';
    assert_int_equal(vault_check(folder, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(mem_freep) char *path = world_path(world, cases[i].name);
        CLEANUP(mem_freep) char *aside = mem_printf("%s/aside", world->folder);
        struct fault fault = { 0 };

        assert_int_equal(rename(path, aside), 0);
        if (strstr(cases[i].says, "belong"))
            assert_int_equal(link(other, path), 0);
        assert_int_equal(vault_check(folder, &fault), -1);
        if (!strstr(fault.text, cases[i].says))
            fail_msg("%s: %s", cases[i].name, fault.text);
        assert_int_equal(rename(aside, path), 0);
        assert_int_equal(vault_check(folder, NULL), 0);
    }
}

static void
test_a_loss_is_remembered(void **state)
{
    struct world *world = *state;

    assert_int_equal(vault_since(world->vault), 0);
    assert_int_equal(vault_forgive(world->vault, 12345, NULL), 0);
    assert_int_equal(world_open_again(world, NULL), 0);
    assert_int_equal(vault_since(world->vault), 12345);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_after_a_restart),
        TEST(test_a_pool_keeps_its_authority),
        TEST(test_the_client_is_renewed),
        TEST(test_nobody_else_may_read),
        TEST(test_modes_are_checked),
        TEST(test_truncated_files_are_refused),
        TEST(test_links_and_gaps),
        TEST(test_a_broken_client_is_made_anew),
        TEST(test_a_renewal_that_failed_is_repeated),
        TEST(test_what_is_missing),
        TEST(test_check),
        TEST(test_a_loss_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
