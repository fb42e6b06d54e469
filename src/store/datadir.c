#include "datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db.h"

static int
lock_refused(const char *path, int descriptor, struct fault *fault)
{
    char pid[16] = { 0 };
    ssize_t len = pread(descriptor, pid, sizeof(pid) - 1, 0);

    pid[len > 0 ? strcspn(pid, "\n") : 0] = '\0';
    return fault_set(fault, FAULT_CONFLICT, "store.lock",
                     "the data directory %s is in use by another berthd (process %s)", path,
                     pid[0] ? pid : "unknown");
}

/* Only for the other's message: the lock itself is the kernel's, and ends with us. */
static void
lock_sign(int descriptor)
{
    char pid[16];
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, pid, (size_t)len, 0) != len)
        return; /* a full disk: the message will say "unknown" */
}

int
datadir_take(const char *path, int *ret_lock, struct fault *fault)
{
    CLEANUP(mem_freep) char *name = mem_printf("%s/lock", path);
    int descriptor;

    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
        return db_fault_errno(errno, "store.lock", path, fault);
    descriptor = open(name, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return db_fault_errno(errno, "store.lock", name, fault);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        int rc = errno == EWOULDBLOCK ? lock_refused(path, descriptor, fault)
                                      : db_fault_errno(errno, "store.lock", name, fault);

        (void)close(descriptor);
        return rc;
    }
    lock_sign(descriptor);
    *ret_lock = descriptor;
    return 0;
}
