#pragma once

/*
 * The keys directory inside a backup: a table that a copy of the database has, and no database at work.
 * What the files are is not known here: each is a path below the directory, and bytes (adr/0012).
 *
 *   the directory --put--> the copy ... the copy --take--> a new directory, --drop--> a database at work
 */

#include <stddef.h>

#include <sqlite3.h>

#include "berth/base/fault.h"

enum {
    KEYRING_FILE_MAX = 1 << 20, /* bytes */
    KEYRING_FILES_MAX = 20000,
    KEYRING_DEPTH = 3, /* names in a path */
    KEYRING_PATH_MAX = 255,
};

/** keyring_put() - the files below @folder into @db; of a folder that is not there, nothing.  A file
 * called .new is half of one, and left out; so is what is neither file nor folder.
 * Return: 0, or -1 with FAULT_STORAGE that names the file. */
int keyring_put(sqlite3 *db, const char *folder, struct fault *fault);

/** keyring_take() - what keyring_put() put into @db, as @folder, which is made with mode 0700, its files
 * with 0600, all durable.
 * @ret_files: 0: there are none, and no folder was made
 * Return: 0, or -1 with FAULT_STORAGE(_FULL), or FAULT_INVALID for what keyring_put() does not put. */
int keyring_take(sqlite3 *db, const char *folder, size_t *ret_files, struct fault *fault);

/** keyring_drop() - out of @db, without a trace in the file; hosts whose certificates were read from the
 * folder of keyring_put() read them from @folder from now on. */
int keyring_drop(sqlite3 *db, const char *folder, struct fault *fault);

/** keyring_remove() - @folder with all that is in it, as far as that works. */
void keyring_remove(const char *folder);
