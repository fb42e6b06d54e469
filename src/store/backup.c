#include "backup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"
#include "keyring.h"

/* The folder of @path; owned. */
static char *
backup_dir(const char *path)
{
    char *dir = mem_strdup(path);
    char *slash = strrchr(dir, '/');

    if (slash && slash != dir) {
        *slash = '\0';
        return dir;
    }
    mem_free(dir);
    return mem_strdup(slash ? "/" : ".");
}

static int
backup_claim(const char *path, struct fault *fault)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (descriptor < 0 && errno == EEXIST)
        return fault_set(fault, FAULT_CONFLICT, "store.backup", "%s is there already", path);
    if (descriptor < 0)
        return db_fault_errno(errno, "store.backup", path, fault);
    (void)close(descriptor);
    return 0;
}

static int
backup_copy(const struct backup_task *task, struct fault *fault)
{
    CLEANUP(db_closep) sqlite3 *from = NULL;
    CLEANUP(db_closep) sqlite3 *to = NULL;

    if (db_open(task->from, DB_READ, task->vfs, &from, fault) != 0 ||
        db_open(task->to, DB_WRITE, NULL, &to, fault) != 0 ||
        db_copy(from, to, task->stop, fault) != 0)
        return -1;
    /* One file, which can be read where nothing can be written. */
    if (db_exec(to, "PRAGMA journal_mode = DELETE", "store.backup", fault) != 0)
        return -1;
    /* After the rows, so that what they rest on is there. */
    return keyring_put(to, task->keys, fault);
}

int
backup_run(const struct backup_task *task, int64_t *ret_size_bytes, struct fault *fault)
{
    CLEANUP(mem_freep) char *dir = backup_dir(task->to);
    struct stat status;

    if (backup_claim(task->to, fault) != 0)
        return -1;
    if (backup_copy(task, fault) != 0 || db_sync_file(task->to, fault) != 0 ||
        db_sync_dir(dir, fault) != 0) {
        (void)unlink(task->to);
        return -1;
    }
    if (stat(task->to, &status) != 0)
        return db_fault_errno(errno, "store.backup", task->to, fault);
    *ret_size_bytes = status.st_size;
    return 0;
}
