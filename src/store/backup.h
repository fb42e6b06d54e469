#pragma once

/*
 * A copy of the database in one file, with the keys directory in it, on the backup thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"

struct backup_task {
    const char *from; /* the database's path */
    const char *vfs;
    const char *keys;         /* the keys directory */
    const char *to;           /* a new file */
    const _Atomic bool *stop; /* gives up when it turns true; may be NULL */
};

/** backup_run() - make @task->to, with mode 0600 and durable; nothing is left of it on failure. */
int backup_run(const struct backup_task *task, int64_t *ret_size_bytes, struct fault *fault);
