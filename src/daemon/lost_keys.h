#pragma once

/*
 * Hosts that are there, and the keys they were made with not: nothing is made anew, and no host is given
 * up, before a person says so.
 */

#include <stdbool.h>

#include "berth/base/fault.h"
#include "berth/daemon/config.h"

/** lost_keys_check() - whether @data_dir, whose store is open, has the keys that its hosts rest on.
 * Return: 0, or -1 with FAULT_STORAGE; what to do is in the log then. */
int lost_keys_check(const char *data_dir, struct fault *fault);

/** lost_keys_are_needed() - whether lost_keys_check() would fail, without a word; false also when the
 * database cannot be read yet (an older one is brought up to date by the next start). */
bool lost_keys_are_needed(const char *data_dir);

/** lost_keys_tell() - into the log: the ways out, after such a fault. Return: -1. */
int lost_keys_tell(const char *data_dir);

/** lost_keys_renew() - berthd --new-keys: what is missing is made anew, and said.
 * Return: 0, or -1: FAULT_CONFLICT while a daemon runs, or FAULT_STORAGE. */
int lost_keys_renew(const struct config *config, struct fault *fault);
