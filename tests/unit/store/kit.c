#include "kit.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "sample.h"

int
kit_setup(void **state)
{
    struct kit *kit = mem_new0(sizeof(*kit));

    (void)snprintf(kit->dir, sizeof(kit->dir), "/tmp/berth-store-XXXXXX");
    assert_non_null(mkdtemp(kit->dir));
    kit->loop = loop_new();
    kit->options.data_dir = kit->dir;
    kit->options.ballast_bytes = -1;
    *state = kit;
    return 0;
}

static void
dir_remove(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of its own
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

int
kit_teardown(void **state)
{
    struct kit *kit = *state;

    kit_close(kit);
    loop_free(kit->loop);
    dir_remove(kit_path(kit, "images"));
    dir_remove(kit->dir);
    mem_free(kit);
    return 0;
}

const char *
kit_path(struct kit *kit, const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", kit->dir, name);
    return path;
}

void
kit_open(struct kit *kit)
{
    struct fault fault = { 0 };

    if (store_new(kit->loop, &kit->options, &kit->store, &fault) != 0)
        fail_msg("store_new: %s", fault.text);
    kit->port = store_port(kit->store);
}

void
kit_open_fault(struct kit *kit, struct fault *fault)
{
    struct store *store = NULL;

    assert_int_equal(store_new(kit->loop, &kit->options, &store, fault), -1);
    assert_null(store);
}

void
kit_close(struct kit *kit)
{
    store_free(kit->store);
    kit->store = NULL;
}

/* --- Commits -------------------------------------------------------------------------------- */

static void
commit_on_done(struct store_commit *base, const struct fault *fault)
{
    static uint64_t turn;
    struct kit_commit *commit = CONTAINER_OF(base, struct kit_commit, commit);

    assert_false(commit->done);
    commit->done = true;
    commit->failed = fault != NULL;
    if (fault)
        commit->fault = *fault;
    commit->turn = turn++;
}

void
kit_start(struct kit *kit, struct kit_commit *commit, struct store_batch *batch)
{
    *commit = (struct kit_commit){ .commit = { .batch = batch, .done = commit_on_done } };
    kit->port->commit_start(kit->port->self, &commit->commit);
}

static bool
commit_is_done(void *cookie)
{
    return ((struct kit_commit *)cookie)->done;
}

void
kit_wait(struct kit *kit, struct kit_commit *commit)
{
    assert_true(loop_run_until(kit->loop, commit_is_done, commit, KIT_WAIT_MS));
}

void
kit_commit(struct kit *kit, struct store_batch *batch)
{
    struct kit_commit commit;

    kit_start(kit, &commit, batch);
    kit_wait(kit, &commit);
    if (commit.failed)
        fail_msg("commit: %s", commit.fault.text);
}

void
kit_commit_model(struct kit *kit, const struct model *model)
{
    struct store_batch *batch = kit->port->batch_new(kit->port->self);

    sample_put(kit->port, batch, model);
    kit_commit(kit, batch);
}

struct model *
kit_load(struct kit *kit, struct store_info *ret_info)
{
    struct model *model = model_new();
    struct store_info info;
    struct fault fault;

    if (kit->port->load(kit->port->self, model, ret_info ? ret_info : &info, &fault) != 0)
        fail_msg("load: %s", fault.text);
    return model;
}

/* --- The rest ------------------------------------------------------------------------------- */

struct kit_history {
    struct store_history *history;
    void (*see)(const struct store_history *history, void *cookie);
    void *cookie;
    bool done;
};

static void
history_on_done(struct store_history *history, const struct fault *fault)
{
    struct kit_history *wait = history->adapter;

    if (fault)
        fail_msg("history: %s", fault->text);
    wait->see(history, wait->cookie);
    wait->done = true;
}

static bool
history_is_done(void *cookie)
{
    return ((struct kit_history *)cookie)->done;
}

void
kit_history(struct kit *kit, struct store_history *history,
            void (*see)(const struct store_history *history, void *cookie), void *cookie)
{
    struct kit_history wait = { .history = history, .see = see, .cookie = cookie };

    history->adapter = &wait;
    history->done = history_on_done;
    kit->port->history_start(kit->port->self, history);
    assert_false(wait.done);
    assert_true(loop_run_until(kit->loop, history_is_done, &wait, KIT_WAIT_MS));
}

struct kit_backup {
    struct store_backup backup;
    struct fault *fault;
    bool done;
    bool failed;
};

static void
backup_on_done(struct store_backup *base, const struct fault *fault)
{
    struct kit_backup *backup = CONTAINER_OF(base, struct kit_backup, backup);

    backup->done = true;
    backup->failed = fault != NULL;
    if (fault && backup->fault)
        *backup->fault = *fault;
}

static bool
backup_is_done(void *cookie)
{
    return ((struct kit_backup *)cookie)->done;
}

int
kit_backup(struct kit *kit, const char *path, struct fault *fault)
{
    struct kit_backup backup = { .backup = { .path = path, .done = backup_on_done },
                                 .fault = fault };

    kit->port->backup_start(kit->port->self, &backup.backup);
    assert_true(loop_run_until(kit->loop, backup_is_done, &backup, KIT_WAIT_MS));
    if (!backup.failed)
        assert_true(backup.backup.size_bytes > 0);
    return backup.failed ? -1 : 0;
}

void
kit_exec(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", path, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t
kit_int(const char *path, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    int64_t value;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return value;
}
