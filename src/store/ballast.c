#include "ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "db.h"

enum { BALLAST_CHUNK = 64 << 10 };

void
ballast_init(struct ballast *ballast, const char *data_dir, int64_t size_bytes)
{
    ballast->path = mem_printf("%s/ballast", data_dir);
    ballast->half = mem_printf("%s/ballast.new", data_dir);
    ballast->size_bytes = size_bytes;
}

void
ballast_fini(struct ballast *ballast)
{
    mem_free(ballast->path);
    mem_free(ballast->half);
    *ballast = (struct ballast){ 0 };
}

static bool
ballast_is_there(const struct ballast *ballast)
{
    struct stat status;

    return stat(ballast->path, &status) == 0 && status.st_size == ballast->size_bytes;
}

static int
ballast_room(const struct ballast *ballast, struct fault *fault)
{
    CLEANUP(mem_freep) char *dir = mem_strdup(ballast->path);
    struct statvfs status;

    *strrchr(dir, '/') = '\0';
    if (statvfs(dir, &status) != 0)
        return db_fault_errno(errno, "store.ballast", dir, fault);
    if ((double)status.f_bavail * (double)status.f_frsize < 2.0 * (double)ballast->size_bytes) {
        return fault_set(fault, FAULT_STORAGE_FULL, "store.ballast",
                         "the disk that holds the database is almost full");
    }
    return 0;
}

/* Written out, and not with zeros: a file system that compresses or leaves holes would promise room
 * that it does not have. */
static int
ballast_write(int descriptor, int64_t size_bytes)
{
    uint32_t noise[BALLAST_CHUNK / sizeof(uint32_t)];
    uint32_t state = 0x9e3779b9;
    int error = posix_fallocate(descriptor, 0, size_bytes);

    for (int64_t at = 0; error == 0 && at < size_bytes;) {
        size_t len = size_bytes - at < BALLAST_CHUNK ? (size_t)(size_bytes - at) : BALLAST_CHUNK;
        ssize_t written;

        for (size_t i = 0; i < ARRAY_LEN(noise); i++) {
            state = state * 1664525U + 1013904223U;
            noise[i] = state;
        }
        written = write(descriptor, noise, len);
        if (written > 0) {
            at += written;
        } else if (written == 0 || errno != EINTR) {
            error = written == 0 ? EIO : errno;
        }
    }
    return error || fsync(descriptor) == 0 ? error : errno;
}

int
ballast_fill(const struct ballast *ballast, struct fault *fault)
{
    int descriptor;
    int error;

    if (ballast->size_bytes == 0 || ballast_is_there(ballast))
        return 0;
    if (ballast_room(ballast, fault) != 0)
        return -1;
    descriptor = open(ballast->half, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0)
        return db_fault_errno(errno, "store.ballast", ballast->half, fault);
    error = ballast_write(descriptor, ballast->size_bytes);
    (void)close(descriptor);
    if (error == 0 && rename(ballast->half, ballast->path) != 0)
        error = errno;
    if (error == 0)
        return 0;
    (void)unlink(ballast->half);
    return db_fault_errno(error, "store.ballast", ballast->path, fault);
}

bool
ballast_drop(const struct ballast *ballast)
{
    (void)unlink(ballast->half);
    return unlink(ballast->path) == 0;
}
