/* What is in the keys directory is private, and there at once or not at all. */

#include "vault_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
vault_file_why(void)
{
    return strerrordesc_np(errno);
}

int
vault_file_refuse(const char *path, const char *why, struct fault *fault)
{
    return fault_set(fault, FAULT_STORAGE, "vault", "%s: %s", path, why);
}

int
vault_file_folder(const char *path, struct fault *fault)
{
    struct stat at;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return vault_file_refuse(path, vault_file_why(), fault);
    if (lstat(path, &at) < 0)
        return vault_file_refuse(path, vault_file_why(), fault);
    if (!S_ISDIR(at.st_mode) || at.st_uid != geteuid())
        return vault_file_refuse(path, "is not a directory of berthd's user", fault);
    if (at.st_mode & 077) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s: others may look into it (mode %04o): chmod 700 it", path,
                         (unsigned)at.st_mode & 07777);
    }
    return 0;
}

static int
vault_file_fd_check(const char *path, int fd, struct fault *fault)
{
    struct stat at;

    if (fstat(fd, &at) < 0)
        return vault_file_refuse(path, vault_file_why(), fault);
    if (!S_ISREG(at.st_mode) || at.st_uid != geteuid())
        return vault_file_refuse(path, "is not a file of berthd's user", fault);
    if (at.st_mode & 077) {
        return fault_set(fault, FAULT_STORAGE, "vault",
                         "%s: others may read it (mode %04o): chmod 600 it", path,
                         (unsigned)at.st_mode & 07777);
    }
    return 0;
}

int
vault_file_read(const char *path, struct secret **ret_text, struct fault *fault)
{
    char bytes[VAULT_FILE_MAX];
    size_t len = 0;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int result;

    if (fd < 0 && errno == ENOENT) {
        *ret_text = NULL;
        return 0;
    }
    if (fd < 0)
        return vault_file_refuse(path, vault_file_why(), fault);
    result = vault_file_fd_check(path, fd, fault);
    while (result == 0 && len < sizeof(bytes) &&
           (got = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
        len += (size_t)got;
    if (result == 0 && got < 0) {
        result = vault_file_refuse(path, vault_file_why(), fault);
    } else if (result == 0 && len == sizeof(bytes)) {
        result = vault_file_refuse(path, "is too long for what it should be", fault);
    }
    (void)close(fd);
    if (result == 0) {
        *ret_text = secret_new(bytes, len);
    } else {
        secret_wipe(bytes, sizeof(bytes));
    }
    return result;
}

/* So that the rename is on the disk. */
static bool
vault_file_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool
vault_file_fd_write(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);

        if (put <= 0)
            return false;
        bytes += put;
        len -= (size_t)put;
    }
    return fsync(fd) == 0;
}

int
vault_file_write(const char *folder, const char *name, const struct secret *text,
                 struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s", folder, name);
    CLEANUP(mem_freep) char *fresh = mem_printf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good;

    if (fd < 0)
        return vault_file_refuse(fresh, vault_file_why(), fault);
    good = fchmod(fd, 0600) == 0 && vault_file_fd_write(fd, secret_bytes(text), secret_len(text));
    good = close(fd) == 0 && good;
    if (!good || rename(fresh, path) < 0 || !vault_file_sync(folder))
        return vault_file_refuse(path, vault_file_why(), fault);
    return 0;
}
