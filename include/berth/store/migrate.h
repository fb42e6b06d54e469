#pragma once

/*
 * Numbered migrations: sql/NNNN_what.sql, in the program as migrate_list.  The
 * schema's version is how many of them were applied (PRAGMA user_version).
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"

struct sqlite3;

enum { MIGRATE_APPLICATION_ID = 0x62657274 }; /* "bert", in the file's header */

struct migration {
    const char *name; /* of the file */
    const char *sql;
};

extern const struct migration migrate_list[]; /* made from sql/ by the build */
extern const size_t migrate_list_count;

struct migrate_set {
    const struct migration *list; /* [count] */
    size_t count;
};

/**
 * migrate_check() - whether this is an empty file, or a Berth database that we can read
 * @ret_version: 0: empty
 *
 * Return: 0, or -1: FAULT_CONFLICT: another program's file, or a newer schema; or a storage fault.
 */
int migrate_check(struct sqlite3 *db, const char *path, size_t newest, int64_t *ret_version,
                  struct fault *fault);

/**
 * migrate_run() - bring @db to version set->count, each step in a transaction of its own
 *
 * A database that is older, but not empty, is first copied to @path.v<N>.bak.
 */
int migrate_run(struct sqlite3 *db, const char *path, const struct migrate_set *set,
                struct fault *fault);
