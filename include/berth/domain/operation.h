#pragma once

/*
 * An operation: something asked for that takes time, with its progress.
 */

#include <stdbool.h>
#include <stdint.h>

enum operation_kind {
    OPERATION_IMAGE_LOAD,
    OPERATION_IMAGE_PULL,
    OPERATION_HOST_DRAIN,
    OPERATION_HOST_REMOVE,
    OPERATION_HOUSEKEEPING,
    OPERATION_POOL_SHUTDOWN,
    OPERATION_KIND_COUNT,
};

enum operation_state {
    OPERATION_RUNNING,
    OPERATION_DONE,
    OPERATION_FAILED,
    OPERATION_CANCELLED,
    OPERATION_STATE_COUNT,
};

const char *operation_kind_name(int32_t kind);
const char *operation_state_name(int32_t state);

struct operation {
    int64_t id;
    int32_t kind;
    int32_t state;
    char *owner;      /* who asked */
    char *pool;       /* name; NULL: none */
    int64_t host_id;  /* 0: none */
    char *subject;    /* image name, ...; NULL: none */
    char *text;       /* how far it is, or why it failed; NULL: nothing to say */
    int64_t progress; /* of total */
    int64_t total;    /* 0: unknown */
    int64_t created_at_ms;
    int64_t ended_at_ms; /* 0: not yet */
    int64_t ends_at_ms;  /* POOL_SHUTDOWN: what still runs is stopped then; 0: others have none */
    bool dirty;
    /* Not stored. */
    int64_t failures; /* parts that failed */
    bool cancel_asked;
    void *work; /* the engine's */
};

struct operation *operation_new(int64_t id, int32_t kind);
void operation_free(struct operation *operation);
