#pragma once

/*
 * An image archive that was loaded into a pool and is kept for hosts that join
 * later.
 */

#include <stdbool.h>
#include <stdint.h>

struct image {
    int64_t id;
    int64_t pool_id;
    char *digest;     /* hex SHA-256 of the archive: its name in the spool */
    char *references; /* tags in it, separated by spaces */
    int64_t size_bytes;
    int64_t created_at_ms;
    bool dirty;
};

struct image *image_new(int64_t id);
void image_free(struct image *image);
