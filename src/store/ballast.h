#pragma once

/*
 * A file that takes room while there is room.  When the disk is full not even a
 * DELETE can be committed: then the ballast goes, and small commits go on in
 * its place.
 */

#include <stdbool.h>
#include <stdint.h>

#include "berth/base/fault.h"

struct ballast {
    char *path;         /* owned */
    char *half;         /* owned: the file until it is whole */
    int64_t size_bytes; /* 0: there is to be none */
};

void ballast_init(struct ballast *ballast, const char *data_dir, int64_t size_bytes);
void ballast_fini(struct ballast *ballast);

/** ballast_fill() - make it unless it is there. Nothing is tried while it would take more than half
 * of the room left. Return: 0, or -1 with FAULT_STORAGE_FULL or FAULT_STORAGE. */
int ballast_fill(const struct ballast *ballast, struct fault *fault);

/** ballast_drop() - give it up. From any thread. Return: whether it was there. */
bool ballast_drop(const struct ballast *ballast);
