#include "support/folder.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOLDER_DEPTH = 16 };

void
folder_make(char ret_path[FOLDER_SIZE])
{
    const char *made;

    (void)snprintf(ret_path, FOLDER_SIZE, "/tmp/berth-test-XXXXXX");
    made = mkdtemp(ret_path);
    assert(made);
    (void)made;
}

static int
folder_on_entry(const char *path, const struct stat *at, int kind, struct FTW *where)
{
    (void)at;
    (void)kind;
    (void)where;
    return remove(path);
}

void
folder_remove(const char *path)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): tests have one thread */
    (void)nftw(path, folder_on_entry, FOLDER_DEPTH, FTW_DEPTH | FTW_PHYS);
}
