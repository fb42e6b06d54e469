#include "vfs.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <sqlite3.h>

#include "berth/base/mem.h"

/* The real file's memory follows. */
struct vfs_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static _Atomic int vfs_mode;
static _Atomic int64_t vfs_left;        /* good writes and syncs until the mode holds */
static _Atomic(const char *) vfs_cause; /* NULL: the mode holds whatever is there */
static sqlite3_vfs vfs_shim;

void
vfs_set(enum vfs_mode mode, int64_t after)
{
    atomic_store(&vfs_cause, NULL);
    atomic_store(&vfs_left, after);
    atomic_store(&vfs_mode, (int)mode);
}

void
vfs_full_while(const char *path)
{
    vfs_set(VFS_GOOD, 0);
    atomic_store(&vfs_cause, path);
    atomic_store(&vfs_mode, VFS_FULL);
}

/* What the next write or sync returns. */
static int
vfs_verdict(bool sync)
{
    int mode = atomic_load(&vfs_mode);
    const char *cause = atomic_load(&vfs_cause);

    if (cause && access(cause, F_OK) != 0)
        return SQLITE_OK;
    if (mode == VFS_GOOD || atomic_fetch_sub(&vfs_left, 1) > 0)
        return SQLITE_OK;
    if (mode == VFS_FULL)
        return sync ? SQLITE_OK : SQLITE_FULL;
    if (mode == VFS_READ_ONLY)
        return sync ? SQLITE_OK : SQLITE_READONLY;
    if (mode == VFS_BAD_SYNC)
        return sync ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    return sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
}

static sqlite3_file *
vfs_real(sqlite3_file *file)
{
    return ((struct vfs_file *)(void *)file)->real;
}

static int
file_close(sqlite3_file *file)
{
    return vfs_real(file)->pMethods->xClose(vfs_real(file));
}

static int
file_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
    return vfs_real(file)->pMethods->xRead(vfs_real(file), data, len, at);
}

static int
file_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    int rc = vfs_verdict(false);

    return rc == SQLITE_OK ? vfs_real(file)->pMethods->xWrite(vfs_real(file), data, len, at) : rc;
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return vfs_real(file)->pMethods->xTruncate(vfs_real(file), size);
}

static int
file_sync(sqlite3_file *file, int flags)
{
    int rc = vfs_verdict(true);

    return rc == SQLITE_OK ? vfs_real(file)->pMethods->xSync(vfs_real(file), flags) : rc;
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return vfs_real(file)->pMethods->xFileSize(vfs_real(file), ret_size);
}

static int
file_lock(sqlite3_file *file, int level)
{
    return vfs_real(file)->pMethods->xLock(vfs_real(file), level);
}

static int
file_unlock(sqlite3_file *file, int level)
{
    return vfs_real(file)->pMethods->xUnlock(vfs_real(file), level);
}

static int
file_check_lock(sqlite3_file *file, int *ret_locked)
{
    return vfs_real(file)->pMethods->xCheckReservedLock(vfs_real(file), ret_locked);
}

static int
file_control(sqlite3_file *file, int op, void *arg)
{
    return vfs_real(file)->pMethods->xFileControl(vfs_real(file), op, arg);
}

static int
file_sector(sqlite3_file *file)
{
    return vfs_real(file)->pMethods->xSectorSize(vfs_real(file));
}

static int
file_traits(sqlite3_file *file)
{
    return vfs_real(file)->pMethods->xDeviceCharacteristics(vfs_real(file));
}

static int
file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_at)
{
    return vfs_real(file)->pMethods->xShmMap(vfs_real(file), page, size, extend, ret_at);
}

static int
file_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    return vfs_real(file)->pMethods->xShmLock(vfs_real(file), at, count, flags);
}

static void
file_shm_barrier(sqlite3_file *file)
{
    vfs_real(file)->pMethods->xShmBarrier(vfs_real(file));
}

static int
file_shm_unmap(sqlite3_file *file, int remove)
{
    return vfs_real(file)->pMethods->xShmUnmap(vfs_real(file), remove);
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int
vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct vfs_file *wrapped = (struct vfs_file *)(void *)file;
    sqlite3_vfs *real = vfs->pAppData;
    int rc;

    wrapped->real = (sqlite3_file *)(void *)(wrapped + 1);
    rc = real->xOpen(real, name, wrapped->real, flags, ret_flags);
    file->pMethods = rc == SQLITE_OK ? &file_methods : NULL;
    return rc;
}

void
vfs_setup(void)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    int rc;

    assert(real);
    vfs_shim = *real;
    vfs_shim.pNext = NULL;
    vfs_shim.szOsFile = real->szOsFile + (int)sizeof(struct vfs_file);
    vfs_shim.zName = VFS_NAME;
    vfs_shim.pAppData = real;
    vfs_shim.xOpen = vfs_open;
    rc = sqlite3_vfs_register(&vfs_shim, 0);
    assert(rc == SQLITE_OK);
    (void)rc;
}
