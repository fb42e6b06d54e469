/* Which pools have machines that Berth prepares, without a model. */

#include <string.h>

#include "berth/store/store.h"

#include "db.h"

/* A machine that has no id yet was perhaps never launched: with new keys it is launched anew. */
static const char machines_sql[] =
    "SELECT p.name, count(*), sum(h.endpoint_ca IS NOT NULL), sum(h.machine ->> 'ssh' IS NULL), "
    "p.place ->> 'region', p.place ->> 'endpoint' FROM hosts h "
    "JOIN pools p ON p.id = h.pool_id "
    "WHERE h.state <> 'removed' AND h.machine IS NOT NULL AND "
    "(h.machine ->> 'id' IS NOT NULL OR h.machine ->> 'ssh' IS NOT NULL) "
    "GROUP BY p.name ORDER BY p.name";

/* Owned. */
static char *
machines_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text ? mem_strdup(text) : NULL;
}

static int
machines_read(sqlite3 *db, struct store_machines *machines, struct fault *fault)
{
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    struct store_machines_pool *pool;
    int rc;

    if (db_int(db, "SELECT max(id) FROM hosts", &machines->last_host_id, fault) < 0 ||
        db_prepare(db, machines_sql, &statement, fault) < 0)
        return -1;
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        machines->pools = mem_resize(machines->pools, machines->count + 1, sizeof(*pool));
        pool = &machines->pools[machines->count++];
        pool->name = mem_strdup((const char *)sqlite3_column_text(statement, 0));
        pool->hosts = sqlite3_column_int64(statement, 1);
        pool->certified = sqlite3_column_int64(statement, 2);
        pool->rented = sqlite3_column_int64(statement, 3);
        pool->place = (struct pool_place){ .region = machines_text(statement, 4),
                                           .endpoint = machines_text(statement, 5) };
        machines->hosts += pool->hosts;
    }
    return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "store.machines", fault);
}

int
store_machines_read(const char *data_dir, struct store_machines *ret_machines, struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/berth.db", data_dir);
    CLEANUP(db_closep) sqlite3 *db = NULL;
    struct store_machines machines = { 0 };

    if (db_open(path, DB_READ, NULL, &db, fault) < 0 || machines_read(db, &machines, fault) < 0) {
        store_machines_fini(&machines);
        return -1;
    }
    *ret_machines = machines;
    return 0;
}

void
store_machines_fini(struct store_machines *machines)
{
    for (size_t i = 0; i < machines->count; i++) {
        mem_free(machines->pools[i].name);
        pool_place_clear(&machines->pools[i].place);
    }
    mem_free(machines->pools);
    *machines = (struct store_machines){ 0 };
}
