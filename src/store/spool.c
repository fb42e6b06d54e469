#include "berth/store/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/base/digest.h"

#include "db.h"

static const char spool_new_prefix[] = ".new-";

/* Written back in shares of this, so that the sync at the end does not hold up the loop. */
enum { SPOOL_WRITE_BACK = 4 << 20 };

struct spool {
    struct spool_port port;
    char *dir;       /* owned */
    char *last_path; /* owned: what spool_path() gave last */
};

struct spool_write {
    struct spool *spool;
    struct digest *digest;
    char *path;
    int descriptor;
    int64_t size;
    int64_t written_back;
};

static int spool_begin(void *self, struct spool_write **ret_write, struct fault *fault);
static int spool_append(struct spool_write *write, const void *data, size_t len,
                        struct fault *fault);
static int spool_finish(struct spool_write *write, char ret_name[SPOOL_NAME_SIZE],
                        int64_t *ret_size, struct fault *fault);
static void spool_abort(struct spool_write *write);
static void spool_remove(void *self, const char *name);
static const char *spool_path(void *self, const char *name);

/* What an earlier run began and did not finish. */
static void
spool_clean(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): a stream of its own
        if (strncmp(entry->d_name, spool_new_prefix, strlen(spool_new_prefix)) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    (void)closedir(dir);
}

int
spool_new(const char *data_dir, struct spool **ret_spool, struct fault *fault)
{
    CLEANUP(spool_freep) struct spool *spool = mem_new0(sizeof(*spool));

    spool->port = (struct spool_port){
        .self = spool,
        .begin = spool_begin,
        .append = spool_append,
        .finish = spool_finish,
        .abort = spool_abort,
        .remove = spool_remove,
        .path = spool_path,
    };
    spool->dir = mem_printf("%s/images", data_dir);
    if (mkdir(spool->dir, S_IRWXU) != 0 && errno != EEXIST)
        return db_fault_errno(errno, "spool", spool->dir, fault);
    spool_clean(spool->dir);
    *ret_spool = STEAL(spool);
    return 0;
}

void
spool_free(struct spool *spool)
{
    if (!spool)
        return;
    mem_free(spool->dir);
    mem_free(spool->last_path);
    mem_free(spool);
}

const struct spool_port *
spool_port(struct spool *spool)
{
    return &spool->port;
}

static void
write_free(struct spool_write *write)
{
    if (!write)
        return;
    if (write->descriptor >= 0)
        (void)close(write->descriptor);
    digest_free(write->digest);
    mem_free(write->path);
    mem_free(write);
}

static int
spool_begin(void *self, struct spool_write **ret_write, struct fault *fault)
{
    struct spool *spool = self;
    struct spool_write *write = mem_new0(sizeof(*write));

    write->spool = spool;
    write->digest = digest_new();
    write->path = mem_printf("%s/%sXXXXXX", spool->dir, spool_new_prefix);
    write->descriptor = mkostemp(write->path, O_CLOEXEC);
    if (write->descriptor < 0) {
        int rc = db_fault_errno(errno, "spool", spool->dir, fault);

        write_free(write);
        return rc;
    }
    *ret_write = write;
    return 0;
}

static int
spool_append(struct spool_write *write, const void *data, size_t len, struct fault *fault)
{
    for (size_t at = 0; at < len;) {
        ssize_t done =
            pwrite(write->descriptor, (const char *)data + at, len - at, write->size + (int64_t)at);

        if (done > 0) {
            at += (size_t)done;
        } else if (done == 0 || errno != EINTR) {
            return db_fault_errno(done == 0 ? EIO : errno, "spool", write->path, fault);
        }
    }
    digest_add(write->digest, data, len);
    write->size += (int64_t)len;
    if (write->size - write->written_back >= SPOOL_WRITE_BACK) {
        (void)sync_file_range(write->descriptor, write->written_back,
                              write->size - write->written_back, SYNC_FILE_RANGE_WRITE);
        write->written_back = write->size;
    }
    return 0;
}

static int
spool_finish(struct spool_write *write, char ret_name[SPOOL_NAME_SIZE], int64_t *ret_size,
             struct fault *fault)
{
    uint8_t digest[TEXT_SHA256_SIZE];
    char name[SPOOL_NAME_SIZE];

    _Static_assert(SPOOL_NAME_SIZE == 2 * TEXT_SHA256_SIZE + 1, "a name is a digest in hex");
    digest_end(write->digest, digest);
    text_hex(digest, sizeof(digest), name);
    if (fsync(write->descriptor) != 0 || rename(write->path, spool_path(write->spool, name)) != 0) {
        int error = errno;

        spool_abort(write);
        return db_fault_errno(error, "spool", name, fault);
    }
    memcpy(ret_name, name, sizeof(name));
    *ret_size = write->size;
    if (db_sync_dir(write->spool->dir, fault) != 0) {
        write_free(write);
        return -1;
    }
    write_free(write);
    return 0;
}

static void
spool_abort(struct spool_write *write)
{
    (void)unlink(write->path);
    write_free(write);
}

static void
spool_remove(void *self, const char *name)
{
    (void)unlink(spool_path(self, name));
}

static const char *
spool_path(void *self, const char *name)
{
    struct spool *spool = self;

    assert(strlen(name) == SPOOL_NAME_SIZE - 1 && !strchr(name, '/'));
    mem_free(spool->last_path);
    spool->last_path = mem_printf("%s/%s", spool->dir, name);
    return spool->last_path;
}
