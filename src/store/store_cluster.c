/* Whose database it is, without opening a store. */

#include <stdio.h>
#include <string.h>

#include "berth/store/store.h"

#include "db.h"

bool
store_cluster_id(const char *data_dir, char ret_id[STORE_CLUSTER_ID_SIZE])
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/berth.db", data_dir);
    CLEANUP(db_closep) sqlite3 *db = NULL;
    CLEANUP(db_finalizep) sqlite3_stmt *statement = NULL;
    const char *id;

    if (db_open(path, DB_READ, NULL, &db, NULL) < 0 ||
        db_prepare(db, "SELECT value FROM meta WHERE key = 'cluster_id'", &statement, NULL) < 0 ||
        sqlite3_step(statement) != SQLITE_ROW)
        return false;
    id = (const char *)sqlite3_column_text(statement, 0);
    if (!id || strlen(id) >= STORE_CLUSTER_ID_SIZE)
        return false;
    (void)snprintf(ret_id, STORE_CLUSTER_ID_SIZE, "%s", id);
    return true;
}
