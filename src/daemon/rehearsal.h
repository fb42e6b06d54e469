#pragma once

/*
 * What `--check-config` does beside reading: each pool that rents is checked at its provider, without
 * renting anything.
 */

#include "berth/daemon/config.h"

/** rehearsal_run() - says on stderr what is bad and what could not be told.
 * @config: its data_dir is read, if it is there: the cluster's id is in the dry runs
 * Return: 0, also without such a pool; -1 when a pool could not rent, or could not be checked. */
int rehearsal_run(const struct config *config);
