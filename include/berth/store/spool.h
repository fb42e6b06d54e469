#pragma once

/*
 * The spool port on a folder, <data_dir>/images: one file for each archive,
 * named by the SHA-256 of its contents.
 */

#include "berth/base/fault.h"
#include "berth/port/spool.h"

struct spool;

/**
 * spool_new() - make the folder if needed, remove what an earlier run left unfinished
 * @ret_spool: owned
 */
int spool_new(const char *data_dir, struct spool **ret_spool, struct fault *fault);
/** spool_free() - NULL is fine. */
void spool_free(struct spool *spool);
MEM_DEFINE_FREEP(struct spool, spool_free);

/** spool_port() - borrowed from @spool. */
const struct spool_port *spool_port(struct spool *spool);
