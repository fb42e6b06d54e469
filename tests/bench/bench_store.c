/*
 * What the store costs over bare SQLite, in one process and on one disk: the
 * rows of launches (an instance, an event and a decision each) through the port
 * and by hand, in rounds that alternate; and loading 10,000 hosts and 100,000
 * instances against a loop that only reads the columns.  Prints `figure value`
 * lines, medians of the rounds: rows a second, milliseconds, nanoseconds.
 * Argument: an empty folder on the disk in question.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

#include "berth/store/store.h"

enum {
    ROUNDS = 7,
    LAUNCHES = 20000, /* of a round; fewer in small batches */
    LAUNCHES_SINGLE = 2000,
    ROWS_PER_LAUNCH = 3,
    HOSTS = 10000,
    INSTANCES = 100000,
    IN_FLIGHT = 2,
    WAIT_MS = 600000,
};

static const char decision_json[] =
    "{\"host\":\"h-01h7q2m8k3v9a\",\"free_after_bytes\":1073741824,\"has_image\":true,"
    "\"replicas\":0,\"counts\":{\"fits\":9990,\"state\":3,\"errors\":2,\"memory\":5}}";

struct bench {
    struct loop *loop;
    struct store *store;
    const struct store_port *port;
    struct model *model;
    struct pool *pool;
    struct blueprint *blueprint;
    struct host *host;
    struct instance *instance; /* written again and again under new ids */
    sqlite3 *bare;
    sqlite3_stmt *bare_rows[ROWS_PER_LAUNCH];
    int64_t next; /* id and event number */
    int64_t bare_next;
    size_t in_flight;
    int64_t put_ns; /* collecting on the loop's thread */
};

struct bench_commit {
    struct store_commit commit;
    struct bench *bench;
};

static int64_t
clock_ns(void)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void
must(int rc, const char *what)
{
    if (rc == 0)
        return;
    (void)fprintf(stderr, "bench_store: %s failed: %d\n", what, rc);
    abort();
}

static int
double_compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;

    return (difference > 0) - (difference < 0);
}

static double
median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(*values), double_compare);
    return values[ROUNDS / 2];
}

/* --- Rows ----------------------------------------------------------------------------------- */

static void
model_fill(struct bench *bench)
{
    struct blueprint_spec spec;

    bench->model = model_new();
    bench->pool = pool_new("default", PROVIDER_LOCAL);
    bench->pool->id = 1;
    model_pool_add(bench->model, bench->pool, true);
    schema_defaults(&blueprint_schema, &spec);
    spec.name = mem_strdup("bench");
    spec.image = mem_strdup("busybox");
    spec.memory_bytes = 64 << 20;
    bench->blueprint = blueprint_new(&spec);
    bench->blueprint->id = 2;
    bench->blueprint->version = 1;
    bench->blueprint->latest = true;
    model_blueprint_add(bench->model, bench->blueprint, true);
}

static struct host *
host_make(struct bench *bench, int64_t id)
{
    CLEANUP(mem_freep) char *name = mem_printf("host-%" PRId64, id);
    struct host *host = host_new(bench->pool, name);

    host->id = id;
    host->state = HOST_ACTIVE;
    host->address = mem_strdup("10.20.30.40");
    host->engine_id = mem_printf("ENGINE-%" PRId64, id);
    host->endpoint.engine = mem_strdup("tcp://10.20.30.40:2376");
    host->endpoint.ca = "/etc/berth/ca.pem";
    host->labels.at = mem_new0(sizeof(*host->labels.at));
    host->labels.at[0] = (struct schema_pair){ mem_strdup("zone"), mem_strdup("a") };
    host->labels.count = 1;
    host->total = (struct host_amount){ INT64_C(64) << 30, 16000, 0 };
    host->created_at_ms = 1700000000000;
    model_host_add(bench->model, host, true);
    return host;
}

static struct instance *
instance_make(struct bench *bench, int64_t id, struct host *host, const char *owner)
{
    struct instance *instance = instance_new(id);
    struct instance_port port = { 8080, 32768, 0 };

    instance->blueprint = bench->blueprint;
    instance->pool = bench->pool;
    instance->host = host;
    instance->last_host_id = host->id;
    instance->owner = owner;
    instance->reason = "placed";
    *instance_ports_new(instance, 1) = port;
    instance->created_at_ms = instance->moved_at_ms = 1700000000000 + id;
    instance->started_at_ms = 1700000000500 + id;
    instance->generation = 1;
    instance->state = INSTANCE_STARTING;
    memset(instance->container_id, (int)(id & 0x7f) + 1, sizeof(instance->container_id));
    model_instance_add(bench->model, instance, true);
    return instance;
}

/* --- Through the port ----------------------------------------------------------------------- */

static void
on_commit(struct store_commit *base, const struct fault *fault)
{
    struct bench_commit *commit = CONTAINER_OF(base, struct bench_commit, commit);

    if (fault) {
        (void)fprintf(stderr, "bench_store: %s\n", fault->text);
        abort();
    }
    commit->bench->in_flight--;
    mem_free(commit);
}

static bool
has_room(void *cookie)
{
    return ((struct bench *)cookie)->in_flight < IN_FLIGHT;
}

static bool
is_idle(void *cookie)
{
    return ((struct bench *)cookie)->in_flight == 0;
}

static void
commit_start(struct bench *bench, struct store_batch *batch)
{
    struct bench_commit *commit = mem_new0(sizeof(*commit));

    commit->bench = bench;
    commit->commit = (struct store_commit){ .batch = batch, .done = on_commit };
    bench->in_flight++;
    bench->port->commit_start(bench->port->self, &commit->commit);
}

static void
launch_put(struct bench *bench, struct store_batch *batch)
{
    int64_t id = bench->next++;

    bench->instance->id = id;
    bench->port->put(batch, ROW_INSTANCE, bench->instance);
    bench->port->put_event(batch, &(struct event){ id, 1700000000000 + id, "instance.starting", 1,
                                                   3, id, "owner-17", "placed" });
    bench->port->put_decision(batch,
                              &(struct store_decision){ id, 1, 1700000000000 + id, decision_json });
}

/* Rows a second. */
static double
port_round(int launches, struct bench *bench, int per_commit)
{
    int64_t start = clock_ns();

    for (int done = 0; done < launches; done += per_commit) {
        struct store_batch *batch = bench->port->batch_new(bench->port->self);
        int64_t put = clock_ns();

        for (int i = 0; i < per_commit; i++)
            launch_put(bench, batch);
        bench->put_ns += clock_ns() - put;
        (void)loop_run_until(bench->loop, has_room, bench, WAIT_MS);
        commit_start(bench, batch);
    }
    (void)loop_run_until(bench->loop, is_idle, bench, WAIT_MS);
    return (double)launches * ROWS_PER_LAUNCH * 1e9 / (double)(clock_ns() - start);
}

/* --- By hand -------------------------------------------------------------------------------- */

static void
bare_exec(struct bench *bench, const char *sql)
{
    must(sqlite3_exec(bench->bare, sql, NULL, NULL, NULL), sql);
}

static void
bare_open(struct bench *bench, const char *dir)
{
    static const char *const rows[ROWS_PER_LAUNCH] = {
        ("INSERT INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
         "?, ?, ?, ?, ?, ?, ?, ?)"),
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        "INSERT INTO decisions VALUES (?, ?, ?, ?)",
    };
    CLEANUP(mem_freep) char *path = mem_printf("%s/bare.db", dir);

    must(sqlite3_open_v2(path, &bench->bare,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL),
         "open");
    bare_exec(bench, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    bare_exec(bench, "CREATE TABLE instances (id INTEGER PRIMARY KEY, b, p, h, l, o, r, n, ports, "
                     "t1, t2, t3, t4, t5, t6, t7, e, g, s, k, v, c, state, d, a, x, y)");
    bare_exec(bench, "CREATE TABLE events (seq INTEGER PRIMARY KEY, a, k, p, h, i, o, t)");
    bare_exec(bench, "CREATE TABLE decisions (i, g, a, j, PRIMARY KEY (i, g)) WITHOUT ROWID");
    for (size_t i = 0; i < ROWS_PER_LAUNCH; i++)
        must(sqlite3_prepare_v2(bench->bare, rows[i], -1, &bench->bare_rows[i], NULL), rows[i]);
}

static void
bare_step(sqlite3_stmt *statement)
{
    must(sqlite3_step(statement) != SQLITE_DONE, "step");
    (void)sqlite3_reset(statement);
}

static void
bare_text(sqlite3_stmt *statement, int at, const char *text)
{
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void
bare_instance(const struct bench *bench, int64_t id)
{
    const struct instance *instance = bench->instance;
    sqlite3_stmt *row = bench->bare_rows[0];

    for (int at = 1; at <= 27; at++)
        (void)sqlite3_bind_int64(row, at, 0);
    (void)sqlite3_bind_int64(row, 1, id);
    (void)sqlite3_bind_int64(row, 2, 2);
    for (int at = 3; at <= 5; at++)
        (void)sqlite3_bind_int64(row, at, 3);
    bare_text(row, 6, instance->owner);
    bare_text(row, 7, instance->reason);
    (void)sqlite3_bind_null(row, 8);
    (void)sqlite3_bind_blob(row, 9, "12345", 5, SQLITE_STATIC);
    (void)sqlite3_bind_int64(row, 10, instance->created_at_ms);
    (void)sqlite3_bind_int64(row, 11, instance->moved_at_ms);
    (void)sqlite3_bind_int64(row, 12, instance->started_at_ms);
    (void)sqlite3_bind_blob(row, 22, instance->container_id, 32, SQLITE_STATIC);
    bare_text(row, 23, "starting");
    bare_text(row, 24, "running");
    bare_step(row);
}

static void
bare_launch(struct bench *bench)
{
    int64_t id = bench->bare_next++;
    sqlite3_stmt *event = bench->bare_rows[1];
    sqlite3_stmt *decision = bench->bare_rows[2];

    bare_instance(bench, id);
    (void)sqlite3_bind_int64(event, 1, id);
    (void)sqlite3_bind_int64(event, 2, 1700000000000 + id);
    bare_text(event, 3, "instance.starting");
    (void)sqlite3_bind_int64(event, 4, 1);
    (void)sqlite3_bind_int64(event, 5, 3);
    (void)sqlite3_bind_int64(event, 6, id);
    bare_text(event, 7, "owner-17");
    bare_text(event, 8, "placed");
    bare_step(event);
    (void)sqlite3_bind_int64(decision, 1, id);
    (void)sqlite3_bind_int64(decision, 2, 1);
    (void)sqlite3_bind_int64(decision, 3, 1700000000000 + id);
    bare_text(decision, 4, decision_json);
    bare_step(decision);
}

static double
bare_round(int launches, struct bench *bench, int per_commit)
{
    int64_t start = clock_ns();

    for (int done = 0; done < launches; done += per_commit) {
        bare_exec(bench, "BEGIN IMMEDIATE");
        for (int i = 0; i < per_commit; i++)
            bare_launch(bench);
        bare_exec(bench, "COMMIT");
    }
    return (double)launches * ROWS_PER_LAUNCH * 1e9 / (double)(clock_ns() - start);
}

/* --- Figures -------------------------------------------------------------------------------- */

static void
bench_writes(struct bench *bench)
{
    static const int batches[] = { 1, 100, 1000 };

    for (size_t b = 0; b < ARRAY_LEN(batches); b++) {
        int launches = batches[b] == 1 ? LAUNCHES_SINGLE : LAUNCHES;
        double port[ROUNDS];
        double bare[ROUNDS];

        bench->put_ns = 0;
        for (size_t round = 0; round < ROUNDS; round++) {
            bare[round] = bare_round(launches, bench, batches[b]);
            port[round] = port_round(launches, bench, batches[b]);
        }
        (void)printf("store_rows_per_s_batch_%d %.0f\n", batches[b], median(port));
        (void)printf("bare_rows_per_s_batch_%d %.0f\n", batches[b], median(bare));
        (void)printf("store_put_ns_batch_%d %.0f\n", batches[b],
                     (double)bench->put_ns / ROUNDS / launches / ROWS_PER_LAUNCH);
    }
}

static void
rows_fill(struct bench *bench)
{
    struct store_batch *batch = bench->port->batch_new(bench->port->self);
    struct host **hosts = mem_new0(HOSTS * sizeof(struct host *));

    for (int64_t i = 0; i < HOSTS; i++) {
        hosts[i] = host_make(bench, 10 + i);
        bench->port->put(batch, ROW_HOST, hosts[i]);
    }
    for (int64_t i = 0; i < INSTANCES; i++) {
        char owner[32];

        (void)snprintf(owner, sizeof(owner), "owner-%d", (int)(i % 5000));
        bench->port->put(batch, ROW_INSTANCE,
                         instance_make(bench, 1000000 + i, hosts[i % HOSTS], owner));
    }
    commit_start(bench, batch);
    (void)loop_run_until(bench->loop, is_idle, bench, WAIT_MS);
    mem_free(hosts);
}

/* Reads each column of each row, as its type, and keeps nothing. */
static int64_t
bare_select(const char *path, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    int64_t sum = 0;

    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL), path);
    must(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int at = 0; at < sqlite3_column_count(statement); at++) {
            if (sqlite3_column_type(statement, at) == SQLITE_INTEGER) {
                sum += sqlite3_column_int64(statement, at);
            } else if (sqlite3_column_blob(statement, at)) {
                sum += sqlite3_column_bytes(statement, at);
            }
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return sum;
}

static void
bench_load(struct bench *bench, const char *dir)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/data/berth.db", dir);
    double port[ROUNDS];
    double bare[ROUNDS];

    for (size_t round = 0; round < ROUNDS; round++) {
        struct model *model = model_new();
        struct store_info info;
        int64_t start = clock_ns();

        if (bare_select(path, "SELECT * FROM hosts") ==
            bare_select(path, "SELECT * FROM instances"))
            abort();
        bare[round] = (double)(clock_ns() - start) / 1e6;
        start = clock_ns();
        must(bench->port->load(bench->port->self, model, &info, NULL), "load");
        port[round] = (double)(clock_ns() - start) / 1e6;
        model_free(model);
    }
    (void)printf("store_load_ms %.1f\n", median(port));
    (void)printf("bare_load_ms %.1f\n", median(bare));
}

static void
store_fill(struct bench *bench)
{
    struct store_batch *batch = bench->port->batch_new(bench->port->self);

    model_fill(bench);
    bench->host = host_make(bench, 3);
    bench->instance = instance_make(bench, 4, bench->host, "owner-17");
    bench->port->put(batch, ROW_POOL, bench->pool);
    bench->port->put(batch, ROW_BLUEPRINT, bench->blueprint);
    bench->port->put(batch, ROW_HOST, bench->host);
    commit_start(bench, batch);
    (void)loop_run_until(bench->loop, is_idle, bench, WAIT_MS);
}

/* A store of its own for the load, so that it has the rows it says and no other. */
static void
bench_store(struct bench *bench, const char *data_dir, void (*run)(struct bench *, const char *),
            const char *dir)
{
    struct store_options options = { .data_dir = data_dir, .ballast_bytes = -1 };
    struct fault fault;

    bench->loop = loop_new();
    if (store_new(bench->loop, &options, &bench->store, &fault) != 0) {
        (void)fprintf(stderr, "bench_store: %s\n", fault.text);
        abort();
    }
    bench->port = store_port(bench->store);
    store_fill(bench);
    run(bench, dir);
    model_free(bench->model);
    store_free(bench->store);
    loop_free(bench->loop);
}

static void
run_writes(struct bench *bench, const char *dir)
{
    bare_open(bench, dir);
    bench_writes(bench);
    for (size_t i = 0; i < ROWS_PER_LAUNCH; i++)
        (void)sqlite3_finalize(bench->bare_rows[i]);
    (void)sqlite3_close(bench->bare);
    bench->instance->id = 4;
}

static void
run_load(struct bench *bench, const char *dir)
{
    rows_fill(bench);
    bench_load(bench, dir);
}

int
main(int argc, char **argv)
{
    CLEANUP(mem_freep) char *writes = NULL;
    CLEANUP(mem_freep) char *data = NULL;
    struct bench bench = { .next = 100, .bare_next = 100 };

    if (argc != 2) {
        (void)fprintf(stderr, "usage: bench_store EMPTY-FOLDER\n");
        return 2;
    }
    writes = mem_printf("%s/writes", argv[1]);
    data = mem_printf("%s/data", argv[1]);
    bench_store(&bench, writes, run_writes, argv[1]);
    bench_store(&bench, data, run_load, argv[1]);
    return 0;
}
