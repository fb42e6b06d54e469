#include "berth/store/store.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "berth/base/log.h"
#include "berth/base/text.h"
#include "berth/loop/worker.h"
#include "berth/store/migrate.h"

#include "answers.h"
#include "backup.h"
#include "ballast.h"
#include "batch.h"
#include "datadir.h"
#include "db.h"
#include "history.h"
#include "load.h"
#include "rows.h"
#include "writer.h"

enum {
    STORE_PROBE_BUSY_MS = 100, /* it waits on the loop's thread */
    STORE_SPARES_MAX = 3,      /* one that is filled and two that are written */
};

struct store {
    struct store_port port;
    struct loop *loop;
    char *data_dir;
    char *path;
    char *vfs; /* NULL: the usual one */
    int lock;  /* descriptor; -1: none */
    struct ballast ballast;
    sqlite3 *writer_db; /* the writer thread's */
    sqlite3 *reader_db; /* the reader thread's */
    sqlite3 *front_db;  /* the loop thread's */
    struct writer writer;
    struct answers answers;
    struct worker *write_worker;
    struct worker *read_worker;
    struct worker *backup_worker;                 /* NULL until the first backup */
    uint64_t epoch;                               /* loads; see writer_run() */
    struct store_batch *spares[STORE_SPARES_MAX]; /* batches to be used again */
    size_t spare_count;
    _Atomic bool closing;
};

/* A history read on its way. */
struct history_job {
    struct worker_job job;
    struct store *store;
    struct store_history *asked; /* the caller's */
    struct store_history *copy;  /* owned: the reader thread's */
    int rc;
    struct fault fault;
};

struct backup_job {
    struct worker_job job;
    struct store *store;
    struct store_backup *asked;
    int64_t size_bytes;
    int rc;
    struct fault fault;
};

static int store_open(struct store *store, struct fault *fault);
static int store_open_writer(struct store *store, struct fault *fault);
static int store_open_others(struct store *store, struct fault *fault);
static void store_close(struct store *store);
static int store_load(void *self, struct model *model, struct store_info *ret_info,
                      struct fault *fault);
static struct store_batch *store_batch_new(void *self);
static void store_batch_free(void *self, struct store_batch *batch);
static void store_commit_start(void *self, struct store_commit *commit);
static void store_commit_run(struct worker_job *job);
static void store_commit_done(struct worker_job *job);
static void store_history_start(void *self, struct store_history *history);
static void store_history_run(struct worker_job *job);
static void store_history_done(struct worker_job *job);
static void store_backup_start(void *self, struct store_backup *backup);
static void store_backup_run(struct worker_job *job);
static void store_backup_done(struct worker_job *job);
static bool store_answer_find(void *self, const char *key, struct store_answer *ret_answer);
static bool store_probe(void *self, struct fault *fault);

static void
store_init(struct store *store, struct loop *loop, const struct store_options *options)
{
    int64_t ballast = options->ballast_bytes ? options->ballast_bytes : STORE_BALLAST_BYTES;

    store->port = (struct store_port){
        .self = store,
        .load = store_load,
        .batch_new = store_batch_new,
        .batch_free = store_batch_free,
        .put = rows_put,
        .drop = rows_drop,
        .put_event = rows_put_event,
        .put_decision = rows_put_decision,
        .put_log = rows_put_log,
        .put_step = rows_put_step,
        .put_answer = rows_put_answer,
        .put_retention = rows_put_retention,
        .put_compared = rows_put_compared,
        .commit_start = store_commit_start,
        .history_start = store_history_start,
        .backup_start = store_backup_start,
        .answer_find = store_answer_find,
        .probe = store_probe,
    };
    store->loop = loop;
    store->data_dir = mem_strdup(options->data_dir);
    store->path = mem_printf("%s/berth.db", options->data_dir);
    store->vfs = mem_strdup(options->vfs);
    store->lock = -1;
    store->epoch = 1;
    ballast_init(&store->ballast, options->data_dir, ballast > 0 ? ballast : 0);
}

int
store_new(struct loop *loop, const struct store_options *options, struct store **ret_store,
          struct fault *fault)
{
    CLEANUP(store_freep) struct store *store = mem_new0(sizeof(*store));
    struct fault why = { 0 };
    int rc;

    /* SQLite's count of its memory takes a lock for each allocation, and nobody asks for it.  It can
     * be switched off before SQLite's first use only; later this does nothing. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    store_init(store, loop, options);
    if (datadir_take(options->data_dir, &store->lock, fault) != 0)
        return -1;
    rc = store_open(store, &why);
    if (rc != 0 && why.kind == FAULT_STORAGE_FULL && ballast_drop(&store->ballast)) {
        log_warn("store", "the disk is full: the ballast file was given up");
        store_close(store);
        rc = store_open(store, &why);
    }
    if (rc != 0)
        return fault_set(fault, why.kind, why.where, "%s", why.text);
    if (ballast_fill(&store->ballast, &why) != 0)
        log_warn("store", "the ballast file was not made: %s", why.text);
    store->write_worker = worker_new(loop, "berth-write");
    store->read_worker = worker_new(loop, "berth-read");
    *ret_store = STEAL(store);
    return 0;
}

const struct store_port *
store_port(struct store *store)
{
    return &store->port;
}

/* --- Opening -------------------------------------------------------------------------------- */

static int
store_open(struct store *store, struct fault *fault)
{
    if (store_open_writer(store, fault) != 0)
        return -1;
    return store_open_others(store, fault);
}

static int
store_cluster_id_make(struct store *store, struct fault *fault)
{
    const struct random_port *random = loop_random(store->loop);
    uint8_t bytes[STORE_CLUSTER_ID_SIZE / 2];
    char id[STORE_CLUSTER_ID_SIZE];
    CLEANUP(mem_freep) char *sql = NULL;

    random->fill(random->self, bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), id);
    sql = mem_printf("INSERT INTO meta (key, value) VALUES ('cluster_id', '%s') "
                     "ON CONFLICT DO NOTHING",
                     id);
    return db_exec(store->writer_db, sql, "store.open", fault);
}

static int
store_open_writer(struct store *store, struct fault *fault)
{
    struct migrate_set set = { migrate_list, migrate_list_count };
    int64_t version;

    if (db_open(store->path, DB_CREATE, store->vfs, &store->writer_db, fault) != 0)
        return -1;
    if (sqlite3_db_readonly(store->writer_db, "main") == 1)
        return db_fault(NULL, SQLITE_READONLY, "store.open", fault);
    /* Looked at before anything changes it. */
    if (migrate_check(store->writer_db, store->path, set.count, &version, fault) != 0)
        return -1;
    if (db_exec(store->writer_db,
                "PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL;"
                "PRAGMA journal_size_limit = 33554432;"
                "PRAGMA temp_store = MEMORY;",
                "store.open", fault) != 0 ||
        migrate_run(store->writer_db, store->path, &set, fault) != 0 ||
        db_exec(store->writer_db, "PRAGMA foreign_keys = ON", "store.open", fault) != 0 ||
        store_cluster_id_make(store, fault) != 0)
        return -1;
    return writer_init(&store->writer, store->writer_db, fault);
}

static int
store_open_others(struct store *store, struct fault *fault)
{
    if (db_open(store->path, DB_READ, store->vfs, &store->reader_db, fault) != 0 ||
        db_open(store->path, DB_WRITE, store->vfs, &store->front_db, fault) != 0)
        return -1;
    /* It writes in store_probe() only, where a checkpoint would hold up the loop. */
    (void)sqlite3_busy_timeout(store->front_db, STORE_PROBE_BUSY_MS);
    (void)sqlite3_wal_autocheckpoint(store->front_db, 0);
    /* They read each row once, or few. */
    if (db_exec(store->reader_db, "PRAGMA cache_size = -256", "store.open", fault) != 0 ||
        db_exec(store->front_db, "PRAGMA synchronous = FULL; PRAGMA cache_size = -256",
                "store.open", fault) != 0)
        return -1;
    return answers_init(&store->answers, store->front_db, fault);
}

static void
store_close(struct store *store)
{
    answers_fini(&store->answers);
    writer_fini(&store->writer);
    db_close(STEAL(store->front_db));
    db_close(STEAL(store->reader_db));
    db_close(STEAL(store->writer_db)); /* the last one: leaves no -wal behind */
}

void
store_free(struct store *store)
{
    if (!store)
        return;
    atomic_store(&store->closing, true);
    worker_free(store->backup_worker);
    worker_free(store->read_worker);
    worker_free(store->write_worker);
    store_close(store);
    while (store->spare_count > 0)
        batch_free(store, store->spares[--store->spare_count]);
    ballast_fini(&store->ballast);
    if (store->lock >= 0)
        (void)close(store->lock);
    mem_free(store->data_dir);
    mem_free(store->path);
    mem_free(store->vfs);
    mem_free(store);
}

/* --- Loading -------------------------------------------------------------------------------- */

static int
store_info_read(struct store *store, struct store_info *ret_info, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct store_info info = { 0 };
    int rc;

    if (db_prepare(store->front_db, "SELECT key, value FROM meta", &statement, fault) != 0)
        return -1;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(statement, 0);
        const char *value = (const char *)sqlite3_column_text(statement, 1);

        if (strcmp(key, "cluster_id") == 0 && strlen(value) < sizeof(info.cluster_id)) {
            memcpy(info.cluster_id, value, strlen(value));
        } else if (strcmp(key, "restored") == 0) {
            info.restored = true;
        }
    }
    if (rc != SQLITE_DONE)
        return db_fault(store->front_db, rc, "store.load", fault);
    *ret_info = info;
    return 0;
}

static int
store_load(void *self, struct model *model, struct store_info *ret_info, struct fault *fault)
{
    struct store *store = self;

    if (store_info_read(store, ret_info, fault) != 0 ||
        load_all(store->front_db, model, fault) != 0)
        return -1;
    store->epoch++;
    return 0;
}

/* --- Commits -------------------------------------------------------------------------------- */

/* Under load a batch grows to some hundred kilobytes, some hundred times a second. */
static struct store_batch *
store_batch_new(void *self)
{
    struct store *store = self;

    return store->spare_count > 0 ? store->spares[--store->spare_count] : batch_new(store);
}

static void
store_batch_free(void *self, struct store_batch *batch)
{
    struct store *store = self;

    if (batch && batch_clear(batch) && store->spare_count < STORE_SPARES_MAX) {
        store->spares[store->spare_count++] = batch;
    } else {
        batch_free(store, batch);
    }
}

static void
store_commit_start(void *self, struct store_commit *commit)
{
    struct store *store = self;
    struct store_batch *batch = STEAL(commit->batch);

    assert(batch && batch->store == store && commit->done);
    batch->commit = commit;
    batch->epoch = store->epoch;
    batch->job.run = store_commit_run;
    batch->job.done = store_commit_done;
    worker_post(store->write_worker, &batch->job);
}

static int64_t
store_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
store_commit_run(struct worker_job *job)
{
    struct store_batch *batch = CONTAINER_OF(job, struct store_batch, job);
    struct store *store = batch->store;
    int64_t start_us = store_now_us();

    if (writer_run(&store->writer, batch) != 0 && batch->fault.kind == FAULT_STORAGE_FULL)
        (void)ballast_drop(&store->ballast);
    batch->took_us = store_now_us() - start_us;
}

static void
store_commit_done(struct worker_job *job)
{
    struct store_batch *batch = CONTAINER_OF(job, struct store_batch, job);
    struct store_commit *commit = batch->commit;
    bool failed = batch->fault.kind != FAULT_NONE;
    struct fault fault = batch->fault;

    commit->rows = failed ? 0 : batch->op_count;
    commit->took_us = batch->took_us;
    store_batch_free(batch->store, batch);
    commit->done(commit, failed ? &fault : NULL);
}

/* --- History -------------------------------------------------------------------------------- */

static void
store_history_start(void *self, struct store_history *history)
{
    struct history_job *job = mem_new0(sizeof(*job));

    assert(history->done);
    job->store = self;
    job->asked = history;
    job->copy = history_copy(history);
    job->job.run = store_history_run;
    job->job.done = store_history_done;
    worker_post(job->store->read_worker, &job->job);
}

static void
store_history_run(struct worker_job *worker_job)
{
    struct history_job *job = CONTAINER_OF(worker_job, struct history_job, job);

    job->rc = history_read(job->store->reader_db, job->copy, &job->fault);
}

static void
store_history_done(struct worker_job *worker_job)
{
    struct history_job *job = CONTAINER_OF(worker_job, struct history_job, job);
    struct store_history *asked = job->asked;

    asked->events = job->copy->events;
    asked->decisions = job->copy->decisions;
    asked->logs = job->copy->logs;
    asked->steps = job->copy->steps;
    asked->more = job->copy->more;
    asked->count = job->rc == 0 ? job->copy->count : 0;
    asked->oldest_seq = job->copy->oldest_seq;
    asked->done(asked, job->rc == 0 ? NULL : &job->fault);
    history_free(job->copy);
    mem_free(job);
}

/* --- Backups -------------------------------------------------------------------------------- */

static void
store_backup_start(void *self, struct store_backup *backup)
{
    struct store *store = self;
    struct backup_job *job = mem_new0(sizeof(*job));

    assert(backup->path && backup->done);
    if (!store->backup_worker)
        store->backup_worker = worker_new(store->loop, "berth-backup");
    job->store = store;
    job->asked = backup;
    job->job.run = store_backup_run;
    job->job.done = store_backup_done;
    worker_post(store->backup_worker, &job->job);
}

static void
store_backup_run(struct worker_job *worker_job)
{
    struct backup_job *job = CONTAINER_OF(worker_job, struct backup_job, job);
    CLEANUP(mem_freep) char *keys = mem_printf("%s/keys", job->store->data_dir);
    struct backup_task task = {
        .from = job->store->path,
        .keys = keys,
        .vfs = job->store->vfs,
        .to = job->asked->path,
        .stop = &job->store->closing,
    };

    job->rc = backup_run(&task, &job->size_bytes, &job->fault);
}

static void
store_backup_done(struct worker_job *worker_job)
{
    struct backup_job *job = CONTAINER_OF(worker_job, struct backup_job, job);
    struct store_backup *backup = job->asked;
    struct fault fault = job->fault;
    int rc = job->rc;

    backup->size_bytes = job->size_bytes;
    mem_free(job);
    backup->done(backup, rc == 0 ? NULL : &fault);
}

/* --- On the loop's thread ------------------------------------------------------------------- */

static bool
store_answer_find(void *self, const char *key, struct store_answer *ret_answer)
{
    struct store *store = self;

    return answers_find(&store->answers, key, ret_answer);
}

static bool
store_probe(void *self, struct fault *fault)
{
    struct store *store = self;

    return ballast_fill(&store->ballast, fault) == 0 &&
           db_exec(store->front_db,
                   "INSERT INTO meta (key, value) VALUES ('probe', '1') "
                   "ON CONFLICT (key) DO UPDATE SET value = value + 1",
                   "store.probe", fault) == 0;
}
