#pragma once

/*
 * The store port on SQLite: one file, <data_dir>/berth.db.
 *
 *   loop thread      collects batches, reads kept answers, loads, probes
 *   writer thread    one transaction for each commit, in order
 *   reader thread    history
 *   backup thread    copies with the keys directory in them, from the first backup on
 *
 * Each thread has a connection of its own.  Beside the database lie `lock`, which one daemon holds,
 * and `ballast`, a file that is given up when the disk is full so that stops can be written.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"
#include "berth/domain/pool_place.h"
#include "berth/loop/loop.h"
#include "berth/port/store.h"

struct store;

enum {
    STORE_BALLAST_BYTES = 8 << 20, /* some thousands of small commits */
};

struct store_options {
    const char *data_dir;  /* made with mode 0700 when it is not there; its parent must be */
    int64_t ballast_bytes; /* 0: STORE_BALLAST_BYTES; -1: none */
    const char *vfs;       /* SQLite's name of a file layer, for tests; NULL: the usual one */
};

/**
 * store_new() - open the database, make it or bring it up to date
 * @ret_store: owned
 *
 * Before an older database is changed, a copy of it is kept as berth.db.v<N>.bak.
 *
 * Return: 0, or -1: FAULT_CONFLICT when another daemon has the directory or when the file is not
 * Berth's or is newer than this program, FAULT_STORAGE_FULL, FAULT_STORAGE.
 */
int store_new(struct loop *loop, const struct store_options *options, struct store **ret_store,
              struct fault *fault);

/** store_free() - waits for what was started, whose done() comes and may start nothing more, then
 * closes. NULL is fine. */
void store_free(struct store *store);
MEM_DEFINE_FREEP(struct store, store_free);

/** store_port() - borrowed from @store. */
const struct store_port *store_port(struct store *store);

struct store_restore {
    /* in */
    const char *data_dir; /* made when it is not there */
    const char *file;     /* made by a backup, by this version of the program or an older one */
    /* Whether @folder, the keys of the backup, is whole; NULL: not asked. */
    int (*check_keys)(const char *folder, struct fault *fault);
    /* out */
    bool has_keys; /* the backup has some: they are in place */
};

/**
 * store_restore() - put a backup in the database's place, while no daemon runs
 *
 * What was there stays: the database as berth.db.before-restore-<time>, and, where the backup has keys,
 * the old ones as keys.before-restore-<time>.  The next load() tells store_info.restored.
 *
 * Return: 0, or -1 (as store_new(); FAULT_INVALID when the file is damaged or is not Berth's).  The old
 * database and the old keys are in place then.
 */
int store_restore(struct store_restore *asked, struct fault *fault);

/** store_cluster_id() - the id of the cluster whose database is in @data_dir, without opening a store;
 * a daemon may be running.
 * Return: false when none can be read there. */
bool store_cluster_id(const char *data_dir, char ret_id[STORE_CLUSTER_ID_SIZE]);

/* What rests on keys that were made for it: machines that are there, or given to us to be prepared. */
struct store_machines_pool {
    char *name; /* owned */
    int64_t hosts;
    int64_t rented;    /* of these, machines of a provider */
    int64_t certified; /* of these have an engine with a certificate of the pool's authority */
    struct pool_place place; /* region and endpoint alone */
};

struct store_machines {
    struct store_machines_pool *pools; /* owned, [count]; only those that have some */
    size_t count;
    int64_t hosts;        /* of all */
    int64_t last_host_id; /* of any host that ever was and is remembered; 0: none */
};

/** store_machines_read() - of the database in @data_dir, which store_new() has opened and holds.
 * @ret_machines: store_machines_fini()
 * Return: 0, or -1 with a storage fault. */
int store_machines_read(const char *data_dir, struct store_machines *ret_machines,
                        struct fault *fault);
void store_machines_fini(struct store_machines *machines);
