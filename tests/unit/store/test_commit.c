/*
 * Commits: their order, what happens after one has failed, the full disk and
 * its ballast, and that what was acknowledged survives kill -9.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kit.h"
#include "sample.h"
#include "vfs.h"

enum { CHAIN = 5, KILL_ROUNDS = 6 };

static int
setup(void **state)
{
    int rc = kit_setup(state);
    struct kit *kit = *state;

    vfs_set(VFS_GOOD, 0);
    kit->options.vfs = VFS_NAME;
    return rc;
}

static int
teardown(void **state)
{
    vfs_set(VFS_GOOD, 0);
    return kit_teardown(state);
}

static struct store_batch *
image_batch(struct kit *kit, int64_t id)
{
    struct store_batch *batch = kit->port->batch_new(kit->port->self);
    struct image image = { .id = id, .pool_id = SAMPLE_POOL, .size_bytes = id };

    image.digest = mem_strdup("digest");
    kit->port->put(batch, ROW_IMAGE, &image);
    mem_free(image.digest);
    return batch;
}

/* A store with a pool in it. */
static void
open_with_pool(struct kit *kit)
{
    struct model *model = model_new();

    kit_open(kit);
    (void)sample_pool(model, SAMPLE_POOL, "default");
    kit_commit_model(kit, model);
    model_free(model);
}

static size_t
images_kept(struct kit *kit)
{
    struct model *model = kit_load(kit, NULL);
    size_t count = model->images.live;

    model_free(model);
    return count;
}

/* Proves: many commits at once end in their order, each exactly once, and count their rows. */
static void
test_order(void **state)
{
    struct kit *kit = *state;
    struct kit_commit commits[50];

    open_with_pool(kit);
    for (size_t i = 0; i < ARRAY_LEN(commits); i++)
        kit_start(kit, &commits[i], image_batch(kit, 100 + (int64_t)i));
    assert_false(commits[0].done);
    kit_wait(kit, &commits[ARRAY_LEN(commits) - 1]);
    for (size_t i = 0; i < ARRAY_LEN(commits); i++) {
        assert_true(commits[i].done && !commits[i].failed);
        assert_int_equal(commits[i].turn, commits[0].turn + i);
        assert_int_equal(commits[i].commit.rows, 1);
        assert_true(commits[i].commit.took_us > 0);
        assert_null(commits[i].commit.batch);
    }
    assert_int_equal(images_kept(kit), ARRAY_LEN(commits));
}

/* Proves: after a failed commit those behind it fail in the same way, though the disk is good again,
 * until the model was loaded anew; nothing of them was written. */
static void
test_failure_chain(void **state)
{
    static const struct {
        enum vfs_mode mode;
        enum fault_kind kind;
        const char *says;
    } cases[] = {
        { VFS_FULL, FAULT_STORAGE_FULL, "full" },
        { VFS_BROKEN, FAULT_STORAGE, "disk I/O error" },
        { VFS_BAD_SYNC, FAULT_STORAGE, "disk I/O error" },
        { VFS_READ_ONLY, FAULT_STORAGE, "read-only" },
    };
    struct kit *kit = *state;
    struct kit_commit commits[CHAIN];

    open_with_pool(kit);
    for (size_t at = 0; at < ARRAY_LEN(cases); at++) {
        kit_commit(kit, image_batch(kit, 1000 + (int64_t)at));
        vfs_set(cases[at].mode, 0);
        kit_start(kit, &commits[0], image_batch(kit, 100));
        kit_wait(kit, &commits[0]);
        vfs_set(VFS_GOOD, 0);
        for (int64_t i = 1; i < CHAIN; i++)
            kit_start(kit, &commits[i], image_batch(kit, 100 + i));
        kit_wait(kit, &commits[CHAIN - 1]);
        for (int64_t i = 0; i < CHAIN; i++) {
            assert_true(commits[i].failed);
            assert_int_equal(commits[i].fault.kind, cases[at].kind);
            assert_non_null(strstr(commits[i].fault.text, cases[at].says));
            assert_int_equal(commits[i].commit.rows, 0);
        }
        assert_int_equal(images_kept(kit), at + 1);
    }
    kit_commit(kit, image_batch(kit, 2000));
    kit_close(kit);
    kit_open(kit);
    assert_int_equal(images_kept(kit), ARRAY_LEN(cases) + 1);
}

/* Proves: a commit fails as a whole wherever in it the disk breaks, and the store goes on afterwards:
 * the n-th write of a large commit fails, for each n. */
static void
test_each_write_may_fail(void **state)
{
    struct kit *kit = *state;
    struct kit_commit commit = { .failed = true };
    int64_t count = 0;

    open_with_pool(kit);
    for (int64_t nth = 0; commit.failed; nth++) {
        struct store_batch *batch = kit->port->batch_new(kit->port->self);
        char blob[10000] = { 0 };

        for (int64_t i = 0; i < 4; i++) {
            struct store_log log = { .instance_id = 1 + i, .data = blob, .len = sizeof(blob) };

            kit->port->put_log(batch, &log);
        }
        vfs_set(VFS_BROKEN, nth);
        kit_start(kit, &commit, batch);
        kit_wait(kit, &commit);
        vfs_set(VFS_GOOD, 0);
        model_free(kit_load(kit, NULL));
        count = kit_int(kit_path(kit, "berth.db"), "SELECT count(*) FROM logs");
        assert_int_equal(count, commit.failed ? 0 : 4);
        assert_true(nth < 1000);
    }
    assert_int_equal(count, 4);
    assert_int_equal(kit_int(kit_path(kit, "berth.db"),
                             "SELECT count(*) FROM pragma_integrity_check "
                             "WHERE integrity_check <> 'ok'"),
                     0);
}

/* Proves: the full disk costs one commit; then the ballast has made room for small ones, and when the
 * cause is gone probe() restores the ballast and says so. */
static void
test_ballast_cycle(void **state)
{
    struct kit *kit = *state;
    CLEANUP(mem_freep) char *ballast = mem_strdup(kit_path(kit, "ballast"));
    struct kit_commit commit;
    struct fault fault = { 0 };

    kit->options.ballast_bytes = 1 << 20;
    open_with_pool(kit);
    assert_int_equal(access(ballast, F_OK), 0);
    assert_true(kit->port->probe(kit->port->self, &fault));

    vfs_full_while(ballast);
    kit_start(kit, &commit, image_batch(kit, 100));
    kit_wait(kit, &commit);
    assert_true(commit.failed);
    assert_int_equal(commit.fault.kind, FAULT_STORAGE_FULL);
    assert_int_equal(access(ballast, F_OK), -1);
    assert_int_equal(images_kept(kit), 0);
    kit_commit(kit, image_batch(kit, 101));

    vfs_set(VFS_FULL, 0);
    assert_false(kit->port->probe(kit->port->self, &fault));
    assert_int_equal(fault.kind, FAULT_STORAGE_FULL);
    vfs_set(VFS_GOOD, 0);
    assert_true(kit->port->probe(kit->port->self, &fault));
    assert_int_equal(access(ballast, F_OK), 0);
    kit_commit(kit, image_batch(kit, 102));
    assert_int_equal(images_kept(kit), 2);
}

/* Proves: store_free() does not lose what was started: each done() comes, each commit is there. */
static void
test_free_finishes(void **state)
{
    struct kit *kit = *state;
    struct kit_commit commits[CHAIN];

    open_with_pool(kit);
    for (int64_t i = 0; i < CHAIN; i++)
        kit_start(kit, &commits[i], image_batch(kit, 100 + i));
    kit_close(kit);
    for (int64_t i = 0; i < CHAIN; i++)
        assert_true(commits[i].done && !commits[i].failed);
    kit_open(kit);
    assert_int_equal(images_kept(kit), CHAIN);
}

/* Proves: the WAL stays bounded while much more than that is written. */
static void
test_wal_is_bounded(void **state)
{
    static char blob[100000];
    struct kit *kit = *state;
    struct stat wal;

    open_with_pool(kit);
    for (int i = 0; i < 300; i++) {
        struct store_batch *batch = kit->port->batch_new(kit->port->self);
        struct store_log log = { .instance_id = 1, .data = blob, .len = sizeof(blob) };

        kit->port->put_log(batch, &log);
        kit_commit(kit, batch);
    }
    assert_in_range(kit_int(kit_path(kit, "berth.db"), "SELECT sum(bytes) FROM logs"), 30000000,
                    30000000);
    assert_int_equal(stat(kit_path(kit, "berth.db-wal"), &wal), 0);
    assert_in_range(wal.st_size, 1, 16 << 20);
}

/* --- kill -9 -------------------------------------------------------------------------------- */

struct killed {
    struct kit *kit;
    struct kit_commit commits[4];
    int64_t next;
    int acks; /* the pipe */
};

/* In the child: commits without end, each id told only when its commit is done. */
static void
child_main(struct killed *killed)
{
    struct kit *kit = killed->kit;

    kit_open(kit);
    for (;; killed->next += ARRAY_LEN(killed->commits)) {
        for (size_t i = 0; i < ARRAY_LEN(killed->commits); i++)
            kit_start(kit, &killed->commits[i], image_batch(kit, killed->next + (int64_t)i));
        for (size_t i = 0; i < ARRAY_LEN(killed->commits); i++) {
            int64_t id = killed->next + (int64_t)i;

            kit_wait(kit, &killed->commits[i]);
            if (killed->commits[i].failed ||
                write(killed->acks, &id, sizeof(id)) != (ssize_t)sizeof(id))
                _exit(1);
        }
    }
}

/* A child works until so many ids were told, and is killed in the middle of the next. */
static int64_t
run_and_kill(struct kit *kit, int64_t first, int64_t wanted)
{
    struct killed killed = { .kit = kit, .next = first };
    int64_t last = first - 1;
    int pipes[2];
    int status;
    pid_t child;

    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        kit->loop = loop_new();
        killed.acks = pipes[1];
        child_main(&killed);
    }
    assert_true(child > 0);
    (void)close(pipes[1]);
    while (last < first + wanted - 1)
        assert_int_equal(read(pipes[0], &last, sizeof(last)), sizeof(last));
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(pipes[0], &last, sizeof(last)) == (ssize_t)sizeof(last))
        ; /* told before it died */
    (void)close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

/* Proves: whatever was acknowledged before a kill -9 is there afterwards, and the file is whole. */
static void
test_kill(void **state)
{
    struct kit *kit = *state;
    int64_t last = 999;

    open_with_pool(kit);
    kit_close(kit);
    for (int round = 0; round < KILL_ROUNDS; round++) {
        struct model *model;
        int64_t before = last;

        last = run_and_kill(kit, before + 1 + 10, 20 + 37 * round);
        kit_open(kit);
        model = kit_load(kit, NULL);
        for (int64_t id = before + 11; id <= last; id++) {
            if (!idmap_find(&model->images, id))
                fail_msg("image %d was acknowledged and is lost", (int)id);
        }
        model_free(model);
        kit_close(kit);
        assert_int_equal(kit_int(kit_path(kit, "berth.db"),
                                 "SELECT count(*) FROM pragma_integrity_check "
                                 "WHERE integrity_check <> 'ok'"),
                         0);
    }
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
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_each_write_may_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ballast_cycle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_finishes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wal_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
