#pragma once

/*
 * What the engine needs from a database: load all, commit a batch, read
 * history.  Implemented by src/store/ (SQLite) and, for tests, by
 * tests/support/fake_store.c.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/buf.h"
#include "berth/base/fault.h"
#include "berth/domain/model.h"
#include "berth/port/shell.h"

enum { STORE_CLUSTER_ID_SIZE = 17 }; /* 16 hex digits and NUL */

struct store_info {
    char cluster_id[STORE_CLUSTER_ID_SIZE]; /* made by the first start, the same ever after */
    bool restored; /* this file came from a backup and was not yet compared with the hosts */
};

/* Rows beside the model: written once, read as history. */
struct store_decision {
    int64_t instance_id;
    uint32_t generation;
    int64_t at_ms;
    const char *json; /* borrowed */
};

struct store_log {
    int64_t instance_id;
    uint32_t generation;
    int64_t at_ms;
    const char *data; /* borrowed: what the container wrote last */
    size_t len;
};

struct store_step { /* of the preparation of a host */
    int64_t host_id;
    uint32_t run;   /* from 1 */
    uint32_t step;  /* from 1; 0: the connection */
    uint32_t steps; /* of the playbook; 0: not known */
    enum shell_end ended;
    const char *name;
    const char *reason; /* of its failure; NULL: none */
    int64_t started_at_ms;
    int64_t took_ms;
    int64_t cut_bytes;  /* of its output, before what is kept */
    const char *output; /* borrowed, any bytes */
    size_t len;
};

struct store_answer {                 /* to a request with an Idempotency-Key */
    const char *key;                  /* token id, space, key */
    uint8_t digest[TEXT_SHA256_SIZE]; /* of method, path and body */
    int64_t at_ms;
    int32_t status;
    const char *location; /* NULL: none */
    const char *body;
    size_t body_len;
};

/* Opaque: rows copied for one transaction. */
struct store_batch;

/* One transaction.  Embed it; it must outlive @done. */
struct store_commit {
    struct store_batch *batch; /* in: taken */
    uint64_t rows;             /* out: how many rows were written */
    int64_t took_us;           /* out */
    /* Called exactly once, from the loop, in the order of the commits.  After a failed one
     * (FAULT_STORAGE_FULL, FAULT_STORAGE) all that wait behind it fail too until load(). */
    void (*done)(struct store_commit *commit, const struct fault *fault);
    void *adapter;
};

enum store_history_kind {
    HISTORY_EVENTS,   /* after @after, at most @limit */
    HISTORY_DECISION, /* the last of @instance_id */
    HISTORY_LOG,      /* all kept of @instance_id, oldest first */
    HISTORY_STEPS,    /* of @host_id's preparations after @after, in order, at most @limit */
};

enum {
    STORE_STEPS_BYTES = 2 << 20, /* of output in one reading, but one step at the least */
    STORE_STEP_COST = 256,
};

/** store_step_place() - where a step stands in HISTORY_STEPS: rises with run and step. */
static inline int64_t
store_step_place(uint32_t run, uint32_t step)
{
    return (int64_t)run << 32 | step;
}

/* What an event listing may be narrowed to; zero and NULL: not narrowed. */
struct store_filter {
    const char *kind; /* exact, or a prefix that ends in '.' */
    int64_t host_id;
    int64_t instance_id;
    int64_t pool_id;
    const char *owner;
    int64_t pools[16]; /* only events of these pools, or of none; pool_count 0: all */
    size_t pool_count;
};

struct store_history {
    enum store_history_kind kind;
    int64_t after;     /* events: seq > after; steps: store_step_place() > after */
    int64_t limit;     /* 1..1000 */
    bool newest_first; /* events: seq < after (0: from the end), falling */
    int64_t instance_id;
    int64_t host_id;            /* steps */
    uint32_t run;               /* steps: of this run only; 0: of all */
    bool failed;                /* steps: only those that failed */
    struct store_filter filter; /* its strings are copied by history_start */

    /* Out, valid inside done: rows in order. Strings live in the adapter until done returns. */
    const struct event *events; /* [count] */
    const struct store_decision *decisions;
    const struct store_log *logs;
    const struct store_step *steps;
    size_t count;
    bool more;          /* steps: there are some after the last of these */
    int64_t oldest_seq; /* events: the oldest that is still kept; 0: none */

    void (*done)(struct store_history *history, const struct fault *fault);
    void *adapter;
};

/* A consistent copy of the database, with the keys of its hosts in it: a secret. */
struct store_backup {
    const char *path;   /* in: a new file, mode 0600; borrowed until done */
    int64_t size_bytes; /* out */
    void (*done)(struct store_backup *backup, const struct fault *fault);
    void *adapter;
};

/* Housekeeping of history: what is older or beyond the number goes, a bounded share a call. */
struct store_retention {
    int64_t events_max;
    int64_t events_before_ms; /* events of before this go */
    int64_t logs_before_ms;
    int64_t logs_bytes_max;
    int64_t steps_bytes_max; /* of preparations; each step counts as STORE_STEP_COST more; 0: any */
    int64_t answers_before_ms;
    int64_t decisions_before_ms;
};

struct store_port {
    void *self;

    /* Fill an empty model, at start and after a failed commit.  Blocks. */
    int (*load)(void *self, struct model *model, struct store_info *ret_info, struct fault *fault);

    /* Collect; each call copies what it is given. */
    struct store_batch *(*batch_new)(void *self);
    void (*batch_free)(void *self, struct store_batch *batch);
    void (*put)(struct store_batch *batch, enum row_kind kind, const void *row);
    void (*drop)(struct store_batch *batch, enum row_kind kind, int64_t id);
    void (*put_event)(struct store_batch *batch, const struct event *event);
    void (*put_decision)(struct store_batch *batch, const struct store_decision *decision);
    void (*put_log)(struct store_batch *batch, const struct store_log *log);
    void (*put_step)(struct store_batch *batch, const struct store_step *step);
    void (*put_answer)(struct store_batch *batch, const struct store_answer *answer);
    void (*put_retention)(struct store_batch *batch, const struct store_retention *retention);
    void (*put_compared)(struct store_batch *batch); /* clears store_info.restored */

    void (*commit_start)(void *self, struct store_commit *commit);
    void (*history_start)(void *self, struct store_history *history);
    void (*backup_start)(void *self, struct store_backup *backup);

    /* The kept answer for @key, or false.  Answers from memory: at most a page cache read. */
    bool (*answer_find)(void *self, const char *key, struct store_answer *ret_answer);

    /* Whether a write would work now: after a failed commit, asked now and then.  Also restores
     * the ballast file. */
    bool (*probe)(void *self, struct fault *fault);
};
