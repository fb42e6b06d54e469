#pragma once

/*
 * Large files that are kept beside the database (image archives), by the
 * SHA-256 of their contents.
 */

#include <stddef.h>
#include <stdint.h>

#include "berth/base/fault.h"

enum { SPOOL_NAME_SIZE = 65 };

struct spool_write; /* one file in the making */

struct spool_port {
    void *self;
    int (*begin)(void *self, struct spool_write **ret_write, struct fault *fault);
    int (*append)(struct spool_write *write, const void *data, size_t len, struct fault *fault);
    /* Durable under its digest; takes @write either way. */
    int (*finish)(struct spool_write *write, char ret_name[SPOOL_NAME_SIZE], int64_t *ret_size,
                  struct fault *fault);
    void (*abort)(struct spool_write *write);
    void (*remove)(void *self, const char *name);
    /* Borrowed until the next call. */
    const char *(*path)(void *self, const char *name);
};
