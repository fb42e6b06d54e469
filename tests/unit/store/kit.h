#pragma once

/*
 * A store on a folder of its own, driven from a test.
 */

#include "berth/loop/loop.h"
#include "berth/store/store.h"

enum { KIT_WAIT_MS = 20000 };

struct kit {
    struct loop *loop;
    char dir[64];
    struct store *store; /* NULL: closed */
    const struct store_port *port;
    struct store_options options; /* data_dir is dir */
};

/** kit_setup() / kit_teardown() - cmocka's; the state is a struct kit with a loop and a folder. */
int kit_setup(void **state);
int kit_teardown(void **state);

/** kit_open() - must succeed. */
void kit_open(struct kit *kit);
/** kit_open_fault() - must not; @fault says why. */
void kit_open_fault(struct kit *kit, struct fault *fault);
void kit_close(struct kit *kit);
/** kit_path() - of a file in the folder; borrowed until the next call but three. */
const char *kit_path(struct kit *kit, const char *name);

/* One commit, and how it ended. */
struct kit_commit {
    struct store_commit commit;
    bool done;
    bool failed;
    struct fault fault;
    uint64_t turn; /* commits that were done before it */
};

/** kit_start() - takes @batch. */
void kit_start(struct kit *kit, struct kit_commit *commit, struct store_batch *batch);
void kit_wait(struct kit *kit, struct kit_commit *commit);
/** kit_commit() - start and wait; must succeed. */
void kit_commit(struct kit *kit, struct store_batch *batch);
/** kit_commit_model() - every row of @model. */
void kit_commit_model(struct kit *kit, const struct model *model);
/** kit_load() - into a new model; must succeed. */
struct model *kit_load(struct kit *kit, struct store_info *ret_info);

/** kit_history() - start and wait; @see is called with the result. */
void kit_history(struct kit *kit, struct store_history *history,
                 void (*see)(const struct store_history *history, void *cookie), void *cookie);
/** kit_backup() - start and wait. Return: 0, or -1 with @fault. */
int kit_backup(struct kit *kit, const char *path, struct fault *fault);
/** kit_exec() - SQL on a connection of its own to @path. */
void kit_exec(const char *path, const char *sql);
/** kit_int() - the first value of a query on @path. */
int64_t kit_int(const char *path, const char *sql);
