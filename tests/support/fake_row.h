#pragma once

/*
 * Deep copies of the model's rows, as a database would hold them: what the
 * headers call "not stored" is not in them, so a field that the engine relies
 * on after a crash must be one that is stored.
 */

#include "berth/domain/model.h"

struct fake_row {
    enum row_kind kind;
    int64_t id;
    /* What the row points at, by id. */
    int64_t pool_id;
    int64_t blueprint_id;
    int64_t host_id; /* 0: none */
    /* The stored fields; pointers to other rows are NULL, all strings are owned. */
    union {
        struct pool pool;
        struct blueprint blueprint;
        struct host host;
        struct instance instance;
        struct token token;
        struct operation operation;
        struct image image;
    } as;
    char *owner;                     /* instances: what as.instance.owner points at */
    char *reason;                    /* instances: what as.instance.reason points at */
    char *shared[HOST_SHARED_TEXTS]; /* hosts: what host_shared_texts() of as.host point at */
};

/** fake_row_new() - a copy of @row, which is a struct of @kind. */
struct fake_row *fake_row_new(enum row_kind kind, const void *row);
void fake_row_free(struct fake_row *row);

/** fake_row_add() - add a row made of the copy to @model; what it points at is there already. */
void fake_row_add(const struct fake_row *row, struct model *model);
