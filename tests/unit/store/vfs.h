#pragma once

/*
 * A file layer for SQLite whose writes and syncs fail when the test says so, as
 * on a full or a broken disk.  Pass VFS_NAME in store_options.
 */

#include <stdint.h>

#define VFS_NAME "berth-test"

enum vfs_mode {
    VFS_GOOD,
    VFS_FULL,      /* writes fail: no room */
    VFS_BROKEN,    /* writes and syncs fail: I/O error */
    VFS_BAD_SYNC,  /* syncs fail */
    VFS_READ_ONLY, /* writes fail as on a file system that became read-only */
};

/** vfs_setup() - register it, once a process. */
void vfs_setup(void);
/** vfs_set() - @mode from the write or sync after the next @after on. From any thread. */
void vfs_set(enum vfs_mode mode, int64_t after);
/** vfs_full_while() - VFS_FULL, as long as there is a file @path (borrowed): what takes the room. */
void vfs_full_while(const char *path);
